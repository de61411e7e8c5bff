"""Which bars of a series a source is still to be asked for, given those that are stored.

What belongs here: spans on the grid of one series. What does not: who is asked, and what becomes of the answer.

A bar that nobody traded in never comes, so a hole is not asked for for ever: a window of minutes asks for it while it
is young, a window of whole days once each time it is made.
"""

from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window

BARS_ASKED_TWICE = 2
"""The newest closed bar, and the one before: that one was the newest when it was first asked for, and may have been
corrected since."""

BoolArray = npt.NDArray[np.bool_]


def whole_days(window: Window) -> Window | None:
    """Days that lie in a window with all their hours, as one stretch; None when there is none.

    >>> from datetime import UTC
    >>> noon = datetime(2025, 1, 1, 12, tzinfo=UTC)
    >>> str(whole_days(Window(noon, noon + timedelta(days=2))))
    '2025-01-02T00:00Z .. 2025-01-03T00:00Z'
    >>> whole_days(Window(noon, noon + timedelta(days=1)))
    """
    first, end = Timeframe.D1.ceil(window.start), Timeframe.D1.floor(window.end)
    return Window(first, end) if end > first else None


def missing_spans(
    stored: pl.Series,
    timeframe: Timeframe,
    window: Window,
    *,
    since: datetime,
    as_of: datetime,
    recheck: timedelta,
    bridged_bars: int,
) -> list[Window]:
    """Spans of a window to ask a source for.

    Asked for are the bars that had closed by `as_of` and are not stored, if they open after the last stored bar of the
    window, or closed less than `recheck` ago, or lie in a day that is wholly in the window; and the newest closed bars
    once more.

    Parameters
    ----------
    stored : Series of UTC datetimes
        Opens of the stored bars of one series that a venue printed; any order, those outside the window do not count.
    timeframe : Timeframe
        Of the series.
    window : Window
        What is being made.
    since : datetime
        Nothing that opens earlier is asked for.
    as_of : datetime
        Now, as the caller sees it.
    recheck : timedelta
        How long after its close a hole is asked for again in a window that is shorter than its day.
    bridged_bars : int
        Spans with at most so many bars between them are one: a page holds them all.

    Returns
    -------
    list of Window
        In time order, on the grid, apart from each other; empty when nothing is missing.
    """
    step = timeframe.duration
    first = timeframe.ceil(max(window.start, since))
    closed_until = timeframe.floor(as_of)
    count = max(-((first - min(window.end, closed_until)) // step), 0)
    if count == 0:
        return []
    is_stored = _is_stored(stored, first, step, count)
    place = np.arange(count)
    asked = ~is_stored & (
        (place > np.flatnonzero(is_stored).max(initial=-1))
        | (place > (as_of - recheck - first) // step - 1)
        | _is_in_whole_day(place, first, step, window)
    )
    asked |= place >= (closed_until - first) // step - BARS_ASKED_TWICE
    return [Window(first + lo * step, first + hi * step) for lo, hi in _runs(asked, bridged_bars)]


def _is_stored(stored: pl.Series, first: datetime, step: timedelta, count: int) -> BoolArray:
    places = ((stored - first).dt.total_microseconds() // (step // timedelta(microseconds=1))).to_numpy()
    found = np.zeros(count, dtype=np.bool_)
    found[places[(places >= 0) & (places < count)].astype(np.intp)] = True
    return found


def _is_in_whole_day(place: npt.NDArray[np.intp], first: datetime, step: timedelta, window: Window) -> BoolArray:
    days = whole_days(window)
    if days is None:
        return np.zeros(place.size, dtype=np.bool_)
    return (place >= -((first - days.start) // step)) & (place < -((first - days.end) // step))


def _runs(asked: BoolArray, bridged: int) -> list[tuple[int, int]]:
    """First place and end of each run of asked places; runs that are close are one."""
    places = np.flatnonzero(asked)
    if places.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(places) > bridged + 1)
    starts, ends = np.append(0, breaks + 1), np.append(breaks, places.size - 1)
    return [(int(places[lo]), int(places[hi]) + 1) for lo, hi in zip(starts, ends, strict=True)]
