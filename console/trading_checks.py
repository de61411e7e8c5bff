"""What the doctor looks at of trades: the switch, the live overrides, and what waits or was refused."""

from datetime import datetime, timedelta

import psycopg

from console.database_checks import config_in_force
from console.finding import Finding, trouble, well, worry
from console.printing import age
from domain.portfolio.trading_switch import EVERYWHERE, TradingMode, effective_switch
from domain.vocabulary.timeframe import Timeframe
from sql.queries import query
from sql.trading_switch import UnreadableSwitchError, read_switch

OLDEST_LIVE_SET = timedelta(days=3)
"""A set is made whenever a day was learned: three days without one means that learning stands still."""


def trading_switch(connection: psycopg.Connection, _at: datetime) -> Finding:
    """Whether the runtime may do everything, and who says otherwise."""
    try:
        rows = read_switch(connection)
    except UnreadableSwitchError as error:
        return trouble("switch", str(error), "lowcap resume --reason WHY writes a row that can be read")
    effective = effective_switch(rows, {})
    scoped = sorted(
        {row.scope for row in rows if row.scope != EVERYWHERE and row.mode not in (None, TradingMode.ACTIVE)}
    )
    by = effective.overrides_by
    who = f", set by {by.author}: {by.reason}" if by else ""
    said = f"{effective.said}; overrides {'on' if effective.overrides_on else 'off'}{who}"
    said += f"; restricted in {', '.join(scoped)}" if scoped else ""
    if effective.mode is TradingMode.ACTIVE and effective.overrides_on and not scoped:
        return well("switch", said)
    return worry("switch", said, "lowcap switch tells the whole history; lowcap resume takes a halt back")


def live_overrides(connection: psycopg.Connection, at: datetime) -> Finding:
    """Which set of overrides is live, how old it is, whether somebody holds it, whether its rows have expired."""
    row = connection.execute(query("doctor_live_set_now").encode(), {"at": at}).fetchone()
    if row is None:
        return well("overrides", "no set was ever live")
    set_id, holds, author, reason, set_at, as_of, live_rows, expired = row
    held = f", held by {author} since {set_at:%Y-%m-%d}: {reason}" if holds else ""
    if set_id is None:
        said = f"none is live{held}"
        return worry("overrides", said, "lowcap sets release --reason WHY") if holds else well("overrides", said)
    said = f"set {set_id} is live, {live_rows} rows, knows trades up to {age(at - as_of)} ago{held}"
    if holds:
        return worry("overrides", said, "lowcap sets release --reason WHY, once the hold has served")
    if expired:
        return worry(
            "overrides", f"{said}; {expired} of them expired", "lowcap learn --from DAY: learning stands still"
        )
    if at - as_of > OLDEST_LIVE_SET:
        return worry("overrides", said, "lowcap learn --from DAY: learning stands still")
    return well("overrides", said)


def waiting_trades(connection: psycopg.Connection, at: datetime) -> Finding:
    """Whether closed trades wait for their actions, were given up or refused."""
    rows = connection.execute(query("doctor_trades_waiting").encode()).fetchall()
    if not rows:
        return well("closed trades", "none waits")
    said = ", ".join(f"{count} {status}, the oldest {age(at - oldest)} ago" for status, count, oldest in rows)
    if {status for status, *_rest in rows} == {"parked"}:
        limit = timedelta(hours=config_in_force(connection).learning.park_hours)
        if all(at - oldest <= limit for *_rest, oldest in rows):
            return well("closed trades", said)
    return worry("closed trades", said, "read reason in learning.trade_intake: what is missing is not learned from")


def dead_letters(connection: psycopg.Connection, at: datetime) -> Finding:
    """Whether events broke their schema; one in the last day is a fault of the running code."""
    ((total, recent, newest),) = connection.execute(query("doctor_dead_letters").encode(), {"at": at}).fetchall()
    if not total:
        return well("dead letters", "none")
    said = f"{total}, {recent} of them in the last day; the newest: {newest}"
    todo = "read pm.strand_dead_letter: pointer and reason say what is wrong in which document"
    return trouble("dead letters", said, todo) if recent else worry("dead letters", said, todo)


def pending_episodes(connection: psycopg.Connection, at: datetime) -> Finding:
    """Whether windows of opportunity wait for an outcome beyond the age at which they expire, and a bar more."""
    rows = connection.execute(query("doctor_pending_episodes").encode()).fetchall()
    limit = timedelta(days=config_in_force(connection).plan.episode.max_age_days)
    late = [
        f"{timeframe} since {oldest:%Y-%m-%d}"
        for timeframe, _count, oldest in rows
        if at - oldest > limit + 2 * Timeframe(timeframe).duration
    ]
    total = sum(count for _timeframe, count, _oldest in rows)
    if not late:
        return well("episodes", f"{total} pending, none beyond {limit.days} days")
    said = f"pending beyond {limit.days} days: {', '.join(late)}"
    return worry("episodes", said, "their positions get no ticks: lowcap watch list, lowcap up")
