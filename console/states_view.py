"""`lowcap states`: the uptrend state of every regime driver on the three horizons, at an instant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import Annotated, Any

import psycopg
import typer
from psycopg.rows import dict_row

from console.instant import read_instant
from console.printing import age, print_json, print_table
from console.session import reading
from domain.config.scores import ScoresConfig
from domain.vocabulary.driver import DEFAULT_BOOK_ID, DRIVERS, ChannelStatus
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.uptrend import StateStatus, UptrendFlag
from sql.pm_config import read_pm_config
from sql.queries import query


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverCell:
    """One driver on one horizon; `state` is None, and `reason` says why, where no state counts."""

    driver: str
    horizon: Horizon
    status: ChannelStatus
    state: str | None
    flags: tuple[str, ...]
    transition: str | None
    timestamp: datetime | None
    age: timedelta | None
    reason: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the cell with texts for instants and seconds for its age."""
        return {
            "driver": self.driver,
            "horizon": self.horizon.value,
            "timeframe": self.horizon.timeframe.value,
            "status": self.status.value,
            "state": self.state,
            "flags": list(self.flags),
            "transition": self.transition,
            "timestamp": None if self.timestamp is None else self.timestamp.isoformat(),
            "age_s": None if self.age is None else self.age.total_seconds(),
            "reason": self.reason,
        }


def states(
    as_of: Annotated[str | None, typer.Option(metavar="ISO", help="Instant with an offset (default: now)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show state, flags and age of every regime driver on the three horizons, from closed bars only."""
    as_of_at = read_instant(as_of)
    with reading() as connection:
        facts = states_facts(connection, as_of_at)
    if as_json:
        print_json(facts)
        return
    columns = ["driver", *(f"{horizon} ({horizon.timeframe})" for horizon in Horizon)]
    title = f"regime driver states at {as_of_at:%Y-%m-%d %H:%M:%SZ}, configuration {facts['config_version']}"
    print_table(title, columns, _rows(facts["drivers"]))


def states_facts(connection: psycopg.Connection, as_of_at: datetime) -> dict[str, Any]:
    """Facts of the view: every driver on every horizon, with its state or why none counts."""
    versioned = read_pm_config(connection)
    cells = read_cells(connection, as_of_at, versioned.config.scores)
    facts = {"as_of": as_of_at.isoformat(), "config_version": versioned.version}
    return facts | {"drivers": [cell.to_json() for cell in cells]}


def read_cells(connection: psycopg.Connection, as_of_at: datetime, config: ScoresConfig) -> list[DriverCell]:
    """Newest closed bar of each driver and horizon at an instant, drivers first, then horizons.

    Returns
    -------
    list of DriverCell
        Stale beyond `config.channel_ttl_minutes`, as in the score; every pair is there, with or without a state.
    """
    pairs = list(product(DRIVERS, Horizon))
    values = {
        "drivers": [driver for driver, _ in pairs],
        "timeframes": [horizon.timeframe.value for _, horizon in pairs],
        "newest_opens": [as_of_at - horizon.timeframe.duration for _, horizon in pairs],
        "book_id": DEFAULT_BOOK_ID,
    }
    rows = connection.cursor(row_factory=dict_row).execute(query("newest_driver_states").encode(), values)
    return [_cell(row, horizon, as_of_at, config) for row, (_, horizon) in zip(rows, pairs, strict=True)]


def _cell(row: dict[str, Any], horizon: Horizon, as_of_at: datetime, config: ScoresConfig) -> DriverCell:
    opened_at: datetime | None = row["timestamp"]
    old = None if opened_at is None else as_of_at - opened_at - horizon.timeframe.duration
    status, reason = _status(row, old, ttl=timedelta(minutes=config.channel_ttl_minutes[horizon]))
    counts = status is ChannelStatus.OK
    return DriverCell(
        driver=row["driver"],
        horizon=horizon,
        status=status,
        state=row["state"] if counts else None,
        flags=tuple(flag.value for flag in UptrendFlag if row[flag.value]) if counts else (),
        transition=row["transition"] if counts else None,
        timestamp=opened_at,
        age=old,
        reason=reason,
    )


def _status(row: dict[str, Any], old: timedelta | None, *, ttl: timedelta) -> tuple[ChannelStatus, str | None]:
    if old is None:
        return ChannelStatus.MISSING, "no bar had closed yet" if row["has_bars"] else "never materialized"
    if old > ttl:
        return ChannelStatus.STALE, f"stale, closed {age(old)} ago"
    if row["status"] == StateStatus.WARMING_UP:
        return ChannelStatus.WARMING_UP, "warming up"
    return ChannelStatus.OK, None


def _rows(cells: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    width = len(Horizon)
    return [
        (cells[start]["driver"], *(_words(cell) for cell in cells[start : start + width]))
        for start in range(0, len(cells), width)
    ]


def _words(cell: Mapping[str, Any]) -> str:
    if cell["state"] is None or cell["age_s"] is None:
        return f"- {cell['reason']}"
    moved = [cell["transition"]] if cell["transition"] else []
    return " ".join([cell["state"], *cell["flags"], *moved, age(timedelta(seconds=cell["age_s"]))])
