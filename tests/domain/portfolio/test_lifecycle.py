"""A position moves only along the arrows of its life, and a holding is never put where no exit looks for it."""

import pytest

from domain.portfolio.lifecycle import (
    LifecycleError,
    PositionStatus,
    archive,
    pause,
    resume,
    status_after_close,
    status_after_fill,
    status_by_bars,
)

DORMANT, WATCHLIST, ACTIVE, PAUSED, ARCHIVED = PositionStatus


@pytest.mark.parametrize(
    ("before", "bars_count", "now"),
    [
        (DORMANT, 332, DORMANT),
        (DORMANT, 333, WATCHLIST),
        (WATCHLIST, 333, WATCHLIST),
        (WATCHLIST, 12, DORMANT),
        (DORMANT, None, DORMANT),
        (WATCHLIST, None, WATCHLIST),
        *[(status, bars, status) for status in (ACTIVE, PAUSED, ARCHIVED) for bars in (None, 1, 333)],
    ],
)
def test_bars_wake_a_position_and_put_it_to_sleep_but_never_touch_a_trade(before, bars_count, now):
    assert status_by_bars(before, bars_count=bars_count, min_bars=333) is now


def test_minutes_sleep_while_a_slower_timeframe_can_do_the_work():
    for status in (DORMANT, WATCHLIST):
        assert status_by_bars(status, bars_count=5000, min_bars=333, is_superseded=True) is DORMANT
    assert status_by_bars(ACTIVE, bars_count=5000, min_bars=333, is_superseded=True) is ACTIVE


def test_the_first_fill_makes_it_active_and_the_close_has_it_watched_again():
    assert status_after_fill(WATCHLIST) is ACTIVE
    assert status_after_fill(ACTIVE) is ACTIVE
    assert status_after_close(ACTIVE) is WATCHLIST


def test_a_position_that_was_paused_meanwhile_stays_so():
    assert status_after_fill(PAUSED) is PAUSED
    assert status_after_close(PAUSED) is PAUSED


@pytest.mark.parametrize("status", [DORMANT, ARCHIVED])
def test_what_was_never_allowed_to_order_has_no_fill(status):
    with pytest.raises(LifecycleError, match="cannot have a fill"):
        status_after_fill(status)


@pytest.mark.parametrize("status", [DORMANT, WATCHLIST, ARCHIVED])
def test_what_has_no_trade_has_none_to_close(status):
    with pytest.raises(LifecycleError, match="no trade"):
        status_after_close(status)


@pytest.mark.parametrize("status", [DORMANT, WATCHLIST, ACTIVE, PAUSED])
def test_a_person_may_pause_anything_but_an_archived_position(status):
    assert pause(status) is PAUSED
    with pytest.raises(LifecycleError, match="archived"):
        pause(ARCHIVED)


@pytest.mark.parametrize("status", [PAUSED, ARCHIVED])
def test_what_was_stopped_goes_on_where_its_trade_stands(status):
    assert resume(status, has_trade=True) is ACTIVE
    assert resume(status, has_trade=False) is DORMANT


@pytest.mark.parametrize("status", [DORMANT, WATCHLIST, ACTIVE])
def test_what_was_not_stopped_cannot_be_resumed(status):
    with pytest.raises(LifecycleError, match="not stopped"):
        resume(status, has_trade=False)


def test_a_holding_is_sold_before_it_is_archived():
    assert archive(WATCHLIST, has_trade=False) is ARCHIVED
    assert archive(PAUSED, has_trade=False) is ARCHIVED
    for status in PositionStatus:
        with pytest.raises(LifecycleError, match="sell first"):
            archive(status, has_trade=True)
