"""A token bar is a bar, and what is not known in it is None."""

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.vocabulary.uptrend import UptrendState
from tests.domain.portfolio.token_bars import START, simulated, token_bar


@pytest.mark.parametrize(
    "wrong",
    [
        {"low_usd": 101.5},
        {"high_usd": 100.5},
        {"low_usd": 0.0},
        {"high_usd": math.inf},
        {"close_usd": math.nan},
        {"ema60": math.nan},
        {"ts_with_boost": math.inf},
        {"atr": math.nan},
    ],
)
def test_what_cannot_be_a_bar_is_refused(wrong):
    with pytest.raises(ValueError, match=r"of a bar|finite or None"):
        token_bar("S1", **wrong)


@pytest.mark.parametrize("name", ["ts_with_boost", "dx", "ema60", "ema333_slope", "atr", "bars_count"])
def test_what_is_not_known_is_none(name):
    assert getattr(token_bar("S1", **{name: None}), name) is None


def test_an_instant_needs_an_offset_and_a_bar_a_length():
    with pytest.raises(ValueError, match="offset"):
        replace(token_bar("S1"), opened_at=START.replace(tzinfo=None))
    with pytest.raises(ValueError, match="close after it opens"):
        replace(token_bar("S1"), closed_at=START)
    assert token_bar("S1").length == timedelta(hours=1)


@pytest.mark.parametrize(
    ("before", "now", "is_flip"),
    [("S1", "S2", True), ("S2", "S1", True), ("S0", "S1", False), ("S1", "S1", False), ("S2", "S3", False)],
)
def test_only_a_move_between_s1_and_s2_is_a_flip(before, now, is_flip):
    assert token_bar(now, prev_state=UptrendState(before)).is_flip is is_flip


def test_every_bar_of_the_engine_is_a_token_bar():
    bars = simulated(5)

    assert {bar.state for bar in bars} == set(UptrendState)
    assert all(bar.closed_at - bar.opened_at == timedelta(hours=1) for bar in bars)
