"""The share of a token's allocation that one timeframe may take: learned, else configured, and kept by the position."""

from datetime import UTC, datetime

import pytest

from domain.config.portfolio import SizingConfig
from domain.portfolio.timeframe_split import (
    LEARNED_KEY,
    SPLIT_KEY,
    SplitBasis,
    UnreadableSplitError,
    kept_split,
    parse_learned_splits,
    split_in_force,
    split_of,
)
from domain.vocabulary.timeframe import Timeframe

CONFIG = SizingConfig()
DAY = datetime(2025, 6, 2, tzinfo=UTC)
LEARNED = parse_learned_splits(DAY, {"1h": 0.55, "4h": 0.3})


def test_until_anything_is_learned_the_configured_share_is_in_force():
    split = split_in_force(Timeframe.H1, None, CONFIG)

    assert (split.share, split.basis, kept_split(split)) == (0.70, SplitBasis.DEFAULT, {SPLIT_KEY: 0.70})


def test_a_learned_share_goes_before_the_configured_one_and_keeps_its_day():
    split = split_in_force(Timeframe.H1, LEARNED, CONFIG)

    assert kept_split(split) == {SPLIT_KEY: 0.55, LEARNED_KEY: DAY.isoformat()}


def test_a_timeframe_that_nothing_was_learned_of_has_its_configured_share():
    assert split_in_force(Timeframe.M15, LEARNED, CONFIG).basis is SplitBasis.DEFAULT


@pytest.mark.parametrize("learned", [None, LEARNED])
@pytest.mark.parametrize("timeframe", [Timeframe.M1, Timeframe.M15, Timeframe.H1, Timeframe.H4])
def test_what_a_position_keeps_is_read_back_as_it_was_whatever_is_configured_later(timeframe, learned):
    split = split_in_force(timeframe, learned, CONFIG)
    later = SizingConfig(timeframe_splits={Timeframe.D1: 1.0})

    assert split_of(kept_split(split), timeframe, later) == split


def test_a_position_that_keeps_none_goes_by_the_configuration():
    split = split_of({"curator": "ann"}, Timeframe.H4, CONFIG)

    assert (split.share, split.basis) == (0.125, SplitBasis.CONFIGURED)


@pytest.mark.parametrize(
    "stored",
    [
        *(None, [], {}, "1h", {"2h": 0.5}, {"1h": "0.5"}, {"1h": True}, {"1h": float("nan")}, {"1h": None}),
        *({"1h": -0.1}, {"1h": 1.1}, {"1h": 0.7, "4h": 0.31}),
    ],
)
def test_learned_shares_that_cannot_be_right_are_refused(stored):
    with pytest.raises(UnreadableSplitError):
        parse_learned_splits(DAY, stored)


@pytest.mark.parametrize(
    "kept", [{SPLIT_KEY: "0.7"}, {SPLIT_KEY: 2}, {SPLIT_KEY: 0.7, LEARNED_KEY: "2025-06-02"}, {SPLIT_KEY: None}]
)
def test_a_position_whose_share_cannot_be_right_is_not_sized(kept):
    with pytest.raises(UnreadableSplitError):
        split_of(kept, Timeframe.H1, CONFIG)
