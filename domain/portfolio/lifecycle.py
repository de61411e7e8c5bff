"""Where a position stands in its life, and the only ways from one place to another.

    dormant -- enough bars --> watchlist -- first fill --> active -- trade closed --> watchlist
    watchlist -- series restarted --> dormant        by hand: pause, resume, archive

Nothing but a first fill makes a position active, and nothing but a closed trade ends that: a holding is never put
where no exit looks for it.
"""

from enum import StrEnum


class PositionStatus(StrEnum):
    """What may happen to a position. Exits are never asked about it."""

    DORMANT = "dormant"
    WATCHLIST = "watchlist"
    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"


class LifecycleError(ValueError):
    """A position cannot be moved that way; the message says why."""


_HANDS_OFF = frozenset({PositionStatus.ACTIVE, PositionStatus.PAUSED, PositionStatus.ARCHIVED})
"""Statuses that bars do not move."""


def status_by_bars(
    status: PositionStatus, *, bars_count: int | None, min_bars: int, is_superseded: bool = False
) -> PositionStatus:
    """Status after a look at the bars of the position.

    Parameters
    ----------
    status : PositionStatus
        Status before; only dormant and watchlist move.
    bars_count : int or None
        Bars since the series began or restarted; None when this is not known, which moves nothing.
    min_bars : int
        Bars from which there is a state.
    is_superseded : bool
        Of a 1m position: whether a slower timeframe of its token has enough bars. It then stays or returns dormant:
        minutes serve tokens that are too young for anything else.

    >>> status_by_bars(PositionStatus.DORMANT, bars_count=333, min_bars=333)
    <PositionStatus.WATCHLIST: 'watchlist'>
    """
    if status in _HANDS_OFF or bars_count is None:
        return status
    is_ready = bars_count >= min_bars and not is_superseded
    return PositionStatus.WATCHLIST if is_ready else PositionStatus.DORMANT


def status_after_fill(status: PositionStatus) -> PositionStatus:
    """Status after a fill: the first one of a trade makes a position active.

    A paused position keeps its status: the order was on its way when it was paused, and its exits go on.

    Raises
    ------
    LifecycleError
        If the position is dormant or archived; it was never allowed to order.
    """
    if status in (PositionStatus.DORMANT, PositionStatus.ARCHIVED):
        raise LifecycleError(f"A {status} position cannot have a fill")
    return PositionStatus.PAUSED if status is PositionStatus.PAUSED else PositionStatus.ACTIVE


def status_after_close(status: PositionStatus) -> PositionStatus:
    """Status after the trade was closed: it is watched again, or stays paused.

    Raises
    ------
    LifecycleError
        If the position could not have had a trade.
    """
    if status not in (PositionStatus.ACTIVE, PositionStatus.PAUSED):
        raise LifecycleError(f"A {status} position has no trade to close")
    return PositionStatus.PAUSED if status is PositionStatus.PAUSED else PositionStatus.WATCHLIST


def pause(status: PositionStatus) -> PositionStatus:
    """Status after a person stopped its buys; trims and exits go on.

    Raises
    ------
    LifecycleError
        If the position is archived.
    """
    if status is PositionStatus.ARCHIVED:
        raise LifecycleError("An archived position cannot be paused")
    return PositionStatus.PAUSED


def resume(status: PositionStatus, *, has_trade: bool) -> PositionStatus:
    """Status after a person let a paused or archived position go on.

    Without a trade it is dormant first; the next bar says whether it has enough of them.

    Raises
    ------
    LifecycleError
        If the position is neither paused nor archived.
    """
    if status not in (PositionStatus.PAUSED, PositionStatus.ARCHIVED):
        raise LifecycleError(f"A {status} position is not stopped")
    return PositionStatus.ACTIVE if has_trade else PositionStatus.DORMANT


def archive(status: PositionStatus, *, has_trade: bool) -> PositionStatus:
    """Status after a person put the position away.

    Raises
    ------
    LifecycleError
        If it has an open trade: what is held must be sold first.
    """
    if has_trade or status is PositionStatus.ACTIVE:
        raise LifecycleError("A position with an open trade cannot be archived: sell first")
    return PositionStatus.ARCHIVED
