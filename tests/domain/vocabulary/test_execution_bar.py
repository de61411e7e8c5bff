from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.vocabulary.execution_bar import ExecutionBar, bars_closed_between, newest_closed_bar
from domain.vocabulary.timeframe import Timeframe

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
timeframes = st.sampled_from(list(Timeframe))
instants = st.integers(0, 2 * 365 * 86_400_000_000).map(lambda us: NOON + timedelta(microseconds=us))


def test_a_bar_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="with an offset"):
        ExecutionBar(Timeframe.H1, datetime(2025, 6, 1))  # noqa: DTZ001  # the point of the test


def test_a_bar_off_the_grid_is_refused():
    with pytest.raises(ValueError, match="the open of a 4h bar, was 2025-06-01T13:00"):
        ExecutionBar(Timeframe.H4, NOON + timedelta(hours=1))


def test_a_bar_is_the_same_in_every_time_zone():
    in_tokyo = NOON.astimezone(timezone(timedelta(hours=9)))

    assert ExecutionBar(Timeframe.D1, in_tokyo.replace(hour=9)) == ExecutionBar(Timeframe.D1, NOON.replace(hour=0))


def test_a_bar_counts_as_closed_from_its_very_close():
    assert newest_closed_bar(Timeframe.H1, NOON).closed_at == NOON
    assert newest_closed_bar(Timeframe.H1, NOON - timedelta(microseconds=1)).closed_at == NOON - timedelta(hours=1)


@given(timeframes, instants)
def test_the_newest_closed_bar_has_closed_and_the_next_one_has_not(timeframe, at):
    bar = newest_closed_bar(timeframe, at)

    assert bar.closed_at <= at < bar.following().closed_at


@given(st.lists(instants, min_size=3, max_size=3).map(sorted))
def test_neighbouring_windows_share_no_bar_and_lose_none(cuts):
    first, middle, last = cuts[0], cuts[1], min(cuts[2], cuts[1] + timedelta(days=30))
    first = max(first, middle - timedelta(days=30))
    wanted = (Timeframe.H4, Timeframe.D1)

    whole = list(bars_closed_between(wanted, first, last))

    assert [*bars_closed_between(wanted, first, middle), *bars_closed_between(wanted, middle, last)] == whole
    assert len(set(whole)) == len(whole)


def test_bars_come_in_the_order_they_close_the_shorter_first():
    bars = list(bars_closed_between([Timeframe.H4, Timeframe.H1], NOON - timedelta(hours=8), NOON))

    assert [bar.closed_at for bar in bars] == sorted(bar.closed_at for bar in bars)
    assert [str(bar.timeframe) for bar in bars[-2:]] == ["1h", "4h"]
    assert len(bars) == 10
