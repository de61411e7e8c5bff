"""Spans to ask for, against the rule stated bar by bar."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from domain.regime.bar_gap import missing_spans, whole_days
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window

DAY = datetime(2025, 7, 1, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TODAY = Window(DAY, DAY + 24 * HOUR)


def opens(places: list[int], timeframe: Timeframe = Timeframe.M1) -> pl.Series:
    return pl.Series([DAY + place * timeframe.duration for place in places], dtype=pl.Datetime("us", "UTC"))


def places(
    stored: list[int], window: Window, as_of: datetime, timeframe: Timeframe = Timeframe.M1, **changed: object
) -> list[int]:
    """Bars asked for, counted from the first of DAY."""
    settings = {"since": DAY - 100 * HOUR, "recheck": 3 * MINUTE, "bridged_bars": 0}
    spans = missing_spans(opens(stored, timeframe), timeframe, window, as_of=as_of, **(settings | changed))
    return [
        (span.start - DAY) // timeframe.duration + i
        for span in spans
        for i in range((span.end - span.start) // timeframe.duration)
    ]


def test_everything_that_has_closed_is_asked_for_when_nothing_is_stored():
    assert places([], TODAY, DAY + 5.5 * MINUTE) == [0, 1, 2, 3, 4]


def test_the_newest_closed_bars_are_asked_for_once_more():
    minutes = Window(DAY, DAY + 10 * MINUTE)
    stored = list(range(9))

    assert places(stored, minutes, DAY + 10 * MINUTE) == [8, 9]
    assert places([*stored, 9], minutes, DAY + 10 * MINUTE) == [8, 9]
    assert places([*stored, 9], minutes, DAY + 11 * MINUTE) == [9]
    assert places([*stored, 9], minutes, DAY + 12 * MINUTE) == []


def test_an_old_hole_is_left_alone_in_a_window_of_minutes_and_a_young_one_is_not():
    minutes = Window(DAY, DAY + 20 * MINUTE)
    stored = [each for each in range(20) if each not in (5, 17)]

    assert places(stored, minutes, DAY + 20 * MINUTE) == [17, 18, 19]
    assert places(stored, minutes, DAY + 20 * MINUTE, recheck=15 * MINUTE) == [5, 17, 18, 19]
    assert places(stored, minutes, DAY + 20 * MINUTE, recheck=14 * MINUTE) == [17, 18, 19]


def test_a_day_that_is_made_as_a_whole_asks_for_its_holes_however_old():
    stored = [each for each in range(24) if each not in (0, 5)]

    assert places(stored, TODAY, DAY + 30 * 24 * HOUR, Timeframe.H1) == [0, 5]


def test_a_day_complete_long_ago_is_asked_for_nothing():
    assert places(list(range(24)), TODAY, DAY + 48 * HOUR, Timeframe.H1) == []


def test_what_follows_the_last_stored_bar_is_asked_for_whatever_its_age():
    half = Window(DAY, DAY + 12 * HOUR)

    assert places([0, 3], half, DAY + 200 * HOUR, Timeframe.H1) == list(range(4, 12))


def test_nothing_before_the_depth_is_asked_for_and_the_first_bar_lies_on_the_grid():
    assert places([], TODAY, DAY + 5 * HOUR, Timeframe.H1, since=DAY + 1.5 * HOUR) == [2, 3, 4]


def test_stored_bars_outside_the_window_do_not_count():
    later = Window(DAY + 2 * HOUR, DAY + 4 * HOUR)

    assert places([0, 1, 9], later, DAY + 4 * HOUR, Timeframe.H1) == [2, 3]


@pytest.mark.parametrize(("bridged", "spans"), [(0, 3), (1, 2), (2, 1), (3, 1)])
def test_spans_with_few_bars_between_them_are_one(bridged, spans):
    stored = [1, 3, 4, 5]
    settings = {"since": DAY, "as_of": DAY + 7 * HOUR, "recheck": HOUR, "bridged_bars": bridged}

    assert len(missing_spans(opens(stored, Timeframe.H1), Timeframe.H1, TODAY, **settings)) == spans


def test_a_window_of_the_future_and_one_before_the_depth_ask_for_nothing():
    assert places([], TODAY, DAY) == []
    assert places([], TODAY, DAY + 48 * HOUR, since=DAY + 24 * HOUR) == []


def test_whole_days_are_those_with_all_their_hours():
    assert whole_days(Window(DAY - HOUR, DAY + 25 * HOUR)) == TODAY
    assert whole_days(Window(DAY, DAY + 24 * HOUR - MINUTE)) is None


def rule(stored: set[int], window: Window, as_of: datetime, recheck: timedelta, step: timedelta) -> list[int]:
    """The rule as it is told, for one bar after another."""
    last = max((each for each in stored if window.start <= DAY + each * step < window.end), default=-(10**9))
    asked = []
    for place in range(-200, 400):
        at = DAY + place * step
        midnight = at.replace(hour=0, minute=0)
        if not window.start <= at < window.end or at + step > as_of:
            continue
        is_in_whole_day = window.start <= midnight and midnight + 24 * HOUR <= window.end
        is_missing = place not in stored and (place > last or at + step > as_of - recheck or is_in_whole_day)
        is_newest = at + 3 * step > as_of
        if is_missing or is_newest:
            asked.append(place)
    return asked


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("timeframe", [Timeframe.M15, Timeframe.H1])
def test_any_window_asks_for_what_the_rule_says(seed, timeframe):
    rng = np.random.default_rng([seed, timeframe.minutes])
    start = DAY + MINUTE * int(rng.integers(-2000, 2000))
    window = Window(start, start + MINUTE * int(rng.integers(1, 4000)))
    as_of = start + MINUTE * int(rng.integers(0, 5000))
    stored = {int(each) for each in rng.integers(-150, 300, int(rng.integers(0, 300)))}
    recheck = MINUTE * int(rng.integers(1, 600))

    found = places(sorted(stored), window, as_of, timeframe, since=DAY - 9999 * HOUR, recheck=recheck)

    assert found == rule(stored, window, as_of, recheck, timeframe.duration)
