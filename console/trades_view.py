"""`lowcap trades`: open and closed trades with their results, from positions and from what closures told."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any

import psycopg
import typer
from psycopg.rows import dict_row

from console.learned_row import SHORT_ID, number
from console.printing import print_json, print_table, printable
from console.replay import Replay, look_at
from console.session import reading
from console.stored_strand import UnreadableStrandError, read_content
from domain.config.portfolio import TradeOutcomeConfig
from domain.portfolio.position import Position
from domain.portfolio.trade_outcome import trade_outcome
from sql.pm_config import read_pm_config
from sql.queries import query

_COLUMN_OF = {"invested_usd": "total_allocation_usd", "extracted_usd": "total_extracted_usd"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeLine:
    """A trade; of an open one the results are those at its last price. None is not known, or there was none.

    problem: what its document breaks; everything that stands in the document is None then.
    """

    trade_id: str
    is_open: bool
    token_contract: str
    chain: str
    token_ticker: str | None
    timeframe: str
    pattern_key: str | None = None
    bucket: str | None = None
    pnl_usd: float | None = None
    rr: float | None = None
    roi: float | None = None
    hold_hours: float | None = None
    entered_at: str | None = None
    ended_at: str | None = None
    exit_reason: str | None = None
    problem: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return every field by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def trades(
    is_open_only: Annotated[bool, typer.Option("--open", help="Only trades that are open.")] = False,
    most: Annotated[
        int, typer.Option(min=1, max=100_000, help="How many open and how many closed ones at most, the latest.")
    ] = 50,
    replay: Replay = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show open positions and closed trades: PnL, R/R, ROI, time held, pattern and bucket of the entry."""
    with reading() as connection:
        facts = trades_facts(connection, is_open_only=is_open_only, most=most, replay=replay)
    if as_json:
        print_json(facts)
        return
    lines = facts["trades"]
    readable = [line for line in lines if line["problem"] is None]
    columns = ("trade", "token", "tf", "entered", "ended", "pattern", "bucket", "PnL USD", "R/R", "ROI", "held")
    shown = sum(line["is_open"] for line in lines)
    of = "" if shown == facts["open"] else f", the {shown} latest of them"
    print_table(f"{facts['open']} open{of}, {len(lines) - shown} closed", columns, [_cells(line) for line in readable])
    for line in lines:
        if line["problem"] is not None:
            typer.echo(printable(f"trade {line['trade_id'][:SHORT_ID]} cannot be read: {line['problem']}"), err=True)


def trades_facts(
    connection: psycopg.Connection, *, is_open_only: bool, most: int, replay: str | None
) -> dict[str, Any]:
    """Facts of the view: how many are open, the latest of them, then the latest closed ones; runtime or replay."""
    config = read_pm_config(connection).config.portfolio.trade_outcome
    look_at(connection, replay)
    held = _open_trades(connection, config)
    ended = [] if is_open_only else _closed_trades(connection, most)
    return {"open": len(held), "trades": [line.to_json() for line in (*held[-most:], *ended)]}


def position_of(row: Mapping[str, Any]) -> Position:
    """Return the sums of the open trade of a stored position."""
    names = [field.name for field in fields(Position)]
    return Position(**{name: row[_COLUMN_OF.get(name, name)] for name in names})


def _open_trades(connection: psycopg.Connection, config: TradeOutcomeConfig) -> list[TradeLine]:
    rows = connection.cursor(row_factory=dict_row).execute(query("open_trades").encode())
    return [_open_trade(row, config) for row in rows]


def _open_trade(row: Mapping[str, Any], config: TradeOutcomeConfig) -> TradeLine:
    position = position_of(row)
    outcome = trade_outcome(position, config)
    entry = row["trade_memory"].get("entry") or {}
    return TradeLine(
        **_token(row),
        is_open=True,
        pattern_key=entry.get("pattern_key"),
        bucket=entry.get("scope", {}).get("mcap_bucket"),
        pnl_usd=outcome.pnl_usd,
        rr=outcome.rr,
        roi=outcome.roi_frac,
        hold_hours=_hours(position.first_fill_at, position.last_event_at),
        entered_at=None if position.first_fill_at is None else position.first_fill_at.isoformat(),
    )


def _closed_trades(connection: psycopg.Connection, most: int) -> list[TradeLine]:
    rows = connection.cursor(row_factory=dict_row).execute(query("closed_trades").encode(), {"most": most})
    return [_closed_trade(row) for row in rows]


def _closed_trade(row: Mapping[str, Any]) -> TradeLine:
    try:
        content = read_content("position_closed", row["content"])
    except UnreadableStrandError as error:
        return TradeLine(**_token(row), is_open=False, problem=str(error))
    trade, entry = content["completed_trades"][-1], content["entry_context"]
    return TradeLine(
        **_token(row),
        is_open=False,
        pattern_key=entry["pattern_key"],
        bucket=entry["bucket"],
        pnl_usd=trade["pnl_usd"],
        rr=trade["rr"],
        roi=trade["roi"],
        hold_hours=trade["hold_hours"],
        entered_at=trade["entry_timestamp"],
        ended_at=trade["exit_timestamp"],
        exit_reason=content["exit_reason"],
    )


def _token(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("trade_id", "token_contract", "chain", "token_ticker", "timeframe")}


def _cells(line: Mapping[str, Any]) -> tuple[str, ...]:
    token = line["token_ticker"] or line["token_contract"]
    entry = ((line["pattern_key"] or "-").removeprefix("pm.uptrend."), line["bucket"] or "-")
    held = "-" if line["hold_hours"] is None else f"{line['hold_hours']:.1f}h"
    results = (number(line["pnl_usd"], "+,.2f"), number(line["rr"], "+.2f"), number(line["roi"], "+.1%"), held)
    spans = (line["timeframe"], _at(line["entered_at"]), _at(line["ended_at"]))
    return (line["trade_id"][:SHORT_ID], token, *spans, *entry, *results)


def _at(text: str | None) -> str:
    return "-" if text is None else f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"


def _hours(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds() / 3600
