"""Waterfalls: each bar begins where the one before ended, and the last is what was used."""

import itertools
from typing import Any

import pytest

from console.pages.waterfall import SLIM, WIDTH, lever_waterfall, size_waterfall

STEPS = [
    {"name": "regime", "a": 0.6, "e": 0.4, "a_change": 0.1, "e_change": -0.1},
    {"name": "intent", "a": 0.7, "e": 0.4, "a_change": 0.1, "e_change": 0.0},
]
CHANNELS = [
    {"name": "btc_macro", "a": 0.3, "e": -0.1},
    {"name": "x", "a": None, "e": 0.0},
    {"name": "y", "a": -0.2, "e": 0.0},
]


def levers(**values: Any) -> dict[str, Any]:
    given = {"base": 0.5, "steps": STEPS, "channels": CHANNELS, "channels_note": None, "a_value": 0.7, "e_value": 0.4}
    return given | values


def told(lever: str, **values: Any) -> list[tuple[str, str, float]]:
    picture = lever_waterfall(levers(**values), lever)
    return [(bar.name, bar.kind, round(bar.value, 9)) for bar in picture.bars]


def test_the_levers_go_over_every_channel_that_moved_them():
    assert told("a") == [
        *(("base", "start", 0.5), ("btc_macro", "rise", 0.8), ("y", "fall", 0.6), ("regime", "sum", 0.6)),
        *(("intent", "rise", 0.7), ("A used", "sum", 0.7)),
    ]
    assert told("e")[-2:] == [("intent", "same", 0.4), ("E used", "sum", 0.4)]


def test_channels_that_do_not_add_up_are_left_out():
    assert [name for name, *_ in told("a", channels_note="made again")] == ["base", "regime", "intent", "A used"]


def test_a_bar_begins_where_the_one_before_ended():
    bars = lever_waterfall(levers(), "a").bars
    scale = WIDTH / 0.8

    for before, bar in itertools.pairwise(bars):
        if bar.kind in ("rise", "fall"):
            assert bar.x == pytest.approx(min(before.value, bar.value) * scale, abs=0.1)
            assert bar.width == pytest.approx(abs(bar.value - before.value) * scale, abs=0.1)
    assert all(bar.x >= 0 and bar.x + bar.width <= WIDTH + SLIM for bar in bars)


@pytest.mark.parametrize("values", [{"base": None}, {"steps": []}])
def test_what_is_not_known_is_not_drawn(values):
    assert lever_waterfall(levers(**values), "a") is None


def test_a_lever_of_nothing_is_nothing():
    assert told("a", a_value=0.0)[-1] == ("A used", "sum", 0.0)
    assert told("a", a_value=None)[-1] == ("intent", "rise", 0.7)


def test_a_size_shrinks_step_by_step():
    steps = [("wallet", 1000.0, 1000.0), ("base_alloc", 0.1, 100.0), ("unknown", None, None), ("cash", 0.5, 50.0)]
    picture = size_waterfall([{"name": name, "factor": factor, "amount": amount} for name, factor, amount in steps])

    assert [(bar.name, bar.change, bar.width) for bar in picture.bars] == [
        ("wallet", None, WIDTH),
        ("base_alloc", 0.1, WIDTH / 10),
        ("cash", 0.5, WIDTH / 20),
    ]
    assert size_waterfall([]) is None
