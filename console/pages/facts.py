"""The facts of the commands, on a connection that is open already: what `--json` prints, for the API and the pages.

What belongs here: putting together what a command puts together before it prints. What does not: words, pictures,
and anything of HTTP.
"""

from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from console import (
    ae_view,
    explain_view,
    forward_view,
    lessons_view,
    override_set_commands,
    switch_commands,
    trades_view,
)
from console.forward_trades import forward_trades
from console.learned_day import learned_day, look_at_learned
from console.replay import look_at
from console.states_view import read_cells
from domain.portfolio.trading_switch import EVERYWHERE, effective_switch
from domain.vocabulary.execution_bar import newest_closed_bar
from domain.vocabulary.timeframe import Timeframe
from sql.pm_config import read_pm_config
from sql.queries import query
from sql.trading_switch import read_switch, switch_history

Facts = dict[str, Any]


def regime_text(connection: psycopg.Connection, as_of_at: datetime) -> str | None:
    """Document of the regime as it is stored, known at an instant; None when none was."""
    row = connection.execute(query("regime_context_as_of").encode(), {"as_of": as_of_at}).fetchone()
    return row[0] if row else None


def ae_facts(connection: psycopg.Connection, as_of_at: datetime, timeframe: Timeframe) -> Facts:
    """Facts of `lowcap ae`."""
    bar = newest_closed_bar(timeframe, as_of_at)
    versioned = read_pm_config(connection)
    readings = ae_view._readings(connection, bar, versioned)
    facts = {"as_of": as_of_at.isoformat(), "timeframe": timeframe.value, "bar": bar.timestamp.isoformat()}
    scores = [ae_view._entry(reading, as_of_at, timeframe) for reading in readings]
    return facts | {"config_version": versioned.version, "scores": scores}


def states_facts(connection: psycopg.Connection, as_of_at: datetime) -> Facts:
    """Facts of `lowcap states`."""
    versioned = read_pm_config(connection)
    cells = read_cells(connection, as_of_at, versioned.config.scores)
    facts = {"as_of": as_of_at.isoformat(), "config_version": versioned.version}
    return facts | {"drivers": [cell.to_json() for cell in cells]}


def trades_facts(connection: psycopg.Connection, *, is_open_only: bool, most: int, replay: str | None) -> Facts:
    """Facts of `lowcap trades`."""
    config = read_pm_config(connection).config.portfolio.trade_outcome
    look_at(connection, replay)
    lines = trades_view._open_trades(connection, config)
    if not is_open_only:
        lines += trades_view._closed_trades(connection, most)
    return {"trades": [line.to_json() for line in lines]}


def explain_facts(connection: psycopg.Connection, identity: str, replay: str | None) -> Facts:
    """Facts of `lowcap explain`. Raises `RefusedError` if there is no such id."""
    look_at(connection, replay)
    kind, found = explain_view._found(connection, identity.strip().lower())
    if kind == "trade":
        return explain_view._of_trade(connection, found)
    return explain_view._explained(connection, kind, found)


def lessons_facts(
    connection: psycopg.Connection,
    day: datetime | None,
    *,
    is_all: bool,
    pattern: str | None,
    parts: frozenset[str],
    most: int,
    replay: str | None,
) -> Facts:
    """Facts of `lowcap lessons`; `parts` are hypotheses, weights and factors, none of them the lessons themselves."""
    key = None if pattern is None else lessons_view._pattern_key(pattern)
    look_at_learned(connection, replay)
    run = learned_day(connection, "learning_run", day, replay)
    values = {"at": None if run is None else run["timestamp"], "pattern": key, "is_all": is_all, "most": most}
    facts = lessons_view._run_facts(connection, run)
    if "hypotheses" in parts:
        names = ("hypotheses_by_verdict", "hypotheses_told")
        facts |= lessons_view._asked_facts(*(lessons_view._rows(connection, name, **values) for name in names))
    if "weights" in parts:
        facts["weights"] = lessons_view._rows(connection, "regime_weights_told", **values)
    if "factors" in parts:
        facts["factors"] = lessons_view._rows(connection, "latent_factors_told", **values)
    if not parts:
        facts["lessons"] = lessons_view._rows(connection, "lessons_told", **values)
    return facts


def sets_facts(connection: psycopg.Connection, most: int) -> Facts:
    """Facts of `lowcap sets list`."""
    sets = override_set_commands._rows(connection, "newest_override_sets", most=most)
    changes = override_set_commands._rows(connection, "live_set_changes", most=most)
    are_on = effective_switch(read_switch(connection), {}).overrides_on
    live = changes[0] if changes else None
    sets = [each | {"is_live": live is not None and live["set_id"] == each["set_id"]} for each in sets]
    return {"live": live, "overrides_on": are_on, "sets": sets, "choices": changes}


def forward_facts(
    connection: psycopg.Connection, day: datetime | None, *, has_trades: bool, most: int, replay: str | None
) -> Facts:
    """Facts of `lowcap forward`."""
    look_at_learned(connection, replay)
    row = learned_day(connection, "walk_forward", day, replay)
    facts = forward_view._facts(connection, row)
    if has_trades:
        facts["trades"] = forward_trades(connection, row, most)
    return facts


def switch_facts(connection: psycopg.Connection, most: int) -> Facts:
    """Facts of `lowcap switch`."""
    rows, changes = read_switch(connection), switch_history(connection, limit=most)
    everywhere = effective_switch(rows, {})
    scopes = [switch_commands._scope_facts(text, rows) for text in sorted({row.scope for row in rows} - {EVERYWHERE})]
    facts = {"everywhere": switch_commands._effective_facts(everywhere), "scopes": scopes}
    return facts | {"history": [switch_commands._row_facts(row) for row in changes]}


def rows_of(connection: psycopg.Connection, name: str, **values: object) -> list[dict[str, Any]]:
    """Rows of a named query, each by its columns."""
    return connection.cursor(row_factory=dict_row).execute(query(name).encode(), values).fetchall()
