"""What came of a replay, from the rows it wrote: the same rows give the same report, but for the time it took."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any

import psycopg

from domain.portfolio.equity_curve import Close, EquityPoint, TradeFill, equity_curve, max_drawdown_frac
from domain.portfolio.trade_summary import LEVELS, ClosedTrade, Spread, TradeSummary, spread, summarise_trades
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.execution_bar import bars_closed_between
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.portfolio_columns import fill_of
from pm_runtime.portfolio_row import FillRow
from pm_runtime.replay.content_hash import rows_hash
from pm_runtime.replay.session import Made, ReplaySession
from pm_runtime.replay.settings import ReplaySettings
from sql.json_text import stored_json
from sql.queries import query

UNTAGGED = "untagged"


@dataclass(frozen=True, slots=True)
class Report:
    """The report as JSON has it, and the equity at every close of the window."""

    facts: dict[str, Any]
    curve: list[EquityPoint]


def report_of(session: ReplaySession, made: Made) -> Report:
    """Make the report of a replay whose last tick is made, and store it in its schema."""
    with session.store.transaction(is_long=True) as connection:
        facts, curve = _facts(connection, session)
        facts["run"] = {
            "ticks_made_now": made.ticks,
            "seconds": made.seconds,
            "ticks_per_second": made.ticks / made.seconds if made.ticks else None,
        }
        connection.execute(query("store_replay_report").encode(), {"report": stored_json(facts)})
    return Report(facts, curve)


def _facts(connection: psycopg.Connection, session: ReplaySession) -> tuple[dict[str, Any], list[EquityPoint]]:
    settings, run = session.settings, session.run
    fills = [fill_of(row) for row in connection.execute(query("replayed_fills").encode())]
    trades = _trades(connection, fills)
    wallet_usd = session.history.config.config.paper_venue.wallet_usd
    curve = _curve(connection, settings, fills, wallet_usd)
    facts = {
        "replay": {
            "schema": settings.schema_name,
            **settings.identity(),
            "tokens": len({each.token for each in session.history.admissions}),
            "positions": len(session.history.admissions),
            "config_version": run.config_version,
            "code_version": run.code_version,
            "data_hash": run.data_hash,
            "rows_hash": rows_hash(connection, settings.schema_name),
        },
        "ticks": _ticks(connection),
        "orders": _counts(connection, "replayed_orders", ("category", "status", "orders")),
        "fills": _fill_facts(fills),
        "trades": _summary(summarise_trades(trades)),
        "by_timeframe": _grouped(trades, "timeframe"),
        "by_bucket": _grouped(trades, "bucket"),
        "open": _open(connection),
        "episodes": _counts(connection, "replayed_episodes", ("family", "decision", "outcome", "episodes")),
        "equity": _equity_facts(curve, wallet_usd),
    }
    return facts, curve


def _trades(connection: psycopg.Connection, fills: Sequence[FillRow]) -> list[ClosedTrade]:
    """Read the closed trades, in the order they ended."""
    fees: dict[str, float] = {}
    for row in fills:
        fees[row.trade_id] = fees.get(row.trade_id, 0.0) + row.fill.fee_usd
    found = []
    for trade_id, timeframe, _, content in connection.execute(query("replayed_closures").encode()):
        (told,) = content["completed_trades"]
        found.append(
            ClosedTrade(
                trade_id=trade_id,
                timeframe=timeframe,
                bucket=content["entry_context"]["bucket"],
                pnl_usd=told["pnl_usd"],
                fees_usd=fees[trade_id],
                rr=told["rr"],
                roi_frac=told["roi"],
                held_hours=told["hold_hours"],
            )
        )
    return found


def _curve(
    connection: psycopg.Connection, settings: ReplaySettings, fills: Sequence[FillRow], wallet_usd: float
) -> list[EquityPoint]:
    values = {
        "to_at": settings.to_at,
        "timeframes": [timeframe.value for timeframe in settings.timeframes],
        "lengths": [timeframe.duration for timeframe in settings.timeframes],
    }
    marks = connection.execute(query("replayed_marks").encode(), values, binary=True)
    closes = [Close(position_id=position_id, at=at, price_usd=price) for position_id, at, price in marks]
    bars = bars_closed_between(settings.timeframes, settings.from_at, settings.to_at)
    return equity_curve(
        [TradeFill(position_id=row.position_id, trade_id=row.trade_id, fill=row.fill) for row in fills],
        closes,
        sorted({bar.closed_at for bar in bars}),
        wallet_usd=wallet_usd,
    )


def _ticks(connection: psycopg.Connection) -> dict[str, Any]:
    rows = connection.execute(query("replayed_ticks").encode()).fetchall()
    return {
        "count": sum(count for _, _, count, _ in rows),
        "by_timeframe_and_mode": [
            {"timeframe": timeframe, "mode": mode, "ticks": count, "positions_seen": int(positions)}
            for timeframe, mode, count, positions in rows
        ],
    }


def _counts(connection: psycopg.Connection, name: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in connection.execute(query(name).encode())]


def _fill_facts(fills: Sequence[FillRow]) -> dict[str, Any]:
    return {
        "count": len(fills),
        "turnover_usd": sum(row.fill.notional_usd for row in fills),
        "fees_usd": sum(row.fill.fee_usd for row in fills),
    }


def _summary(found: TradeSummary) -> dict[str, Any]:
    spreads = {name: _spread(getattr(found, name)) for name in ("rr", "roi_frac", "held_hours")}
    return asdict(found) | spreads


def _spread(found: Spread) -> dict[str, Any]:
    quantiles = found.quantiles or (None,) * len(LEVELS)
    named = {f"q{round(100 * level):02d}": value for level, value in zip(LEVELS, quantiles, strict=True)}
    return {"n": found.n, "mean": found.mean, **named}


def _grouped(trades: Sequence[ClosedTrade], attribute: str) -> dict[str, Any]:
    """Summary of the trades of each bucket or timeframe, the smaller first."""
    sizes = [bucket.value for bucket in CapBucket]

    def group(trade: ClosedTrade) -> str:
        return getattr(trade, attribute) or UNTAGGED

    def place(name: str) -> tuple[int, str]:
        return (sizes.index(name) if name in sizes else len(sizes), name)

    ordered = sorted(trades, key=group)
    found = {name: _summary(summarise_trades(list(members))) for name, members in groupby(ordered, key=group)}
    return {name: found[name] for name in sorted(found, key=place)}


def _open(connection: psycopg.Connection) -> dict[str, Any]:
    """Read what the positions say of themselves at the end."""
    rows = connection.execute(query("replayed_positions").encode()).fetchall()
    held = [(quantity, price) for _, _, _, quantity, price in rows if quantity > 0]
    return {
        "trades": sum(trade_id is not None for _, _, trade_id, _, _ in rows),
        "holdings": len(held),
        "held_usd": sum(quantity * price for quantity, price in held),
        "positions_by_status": {
            status: sum(row[1] == status for row in rows) for status in sorted({row[1] for row in rows})
        },
    }


def _equity_facts(curve: Sequence[EquityPoint], wallet_usd: float) -> dict[str, Any]:
    exposures = [point.exposure_frac for point in curve]
    last = curve[-1] if curve else None
    return {
        "start_usd": wallet_usd,
        "end_usd": last.equity_usd if last else wallet_usd,
        "cash_usd": last.cash_usd if last else wallet_usd,
        "return_frac": (last.equity_usd / wallet_usd - 1) if last else 0.0,
        "max_drawdown_frac": max_drawdown_frac(curve),
        "exposure_frac": _spread(spread(exposures)) | {"max": max(exposures, default=None)},
        "days": [_day(point) for point in _last_of_each_day(curve)],
    }


def _last_of_each_day(curve: Sequence[EquityPoint]) -> list[EquityPoint]:
    """Last close of each day; the close at midnight is the day's that ends there."""
    return list({Timeframe.D1.ceil(point.at): point for point in curve}.values())


def _day(point: EquityPoint) -> dict[str, Any]:
    return {
        "at": point.at.isoformat(),
        "equity_usd": point.equity_usd,
        "held_usd": point.held_usd,
        "exposure_frac": point.exposure_frac,
        "holdings": point.holdings,
    }
