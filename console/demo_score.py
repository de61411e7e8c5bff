"""What a demo ends with: which planted edges learning found, what it believes that is not there, and where to look."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.console import Console
from rich.table import Table

from domain.learning.planted_edge import BASE_CHANCE, LearnedScope, PlantedEdge, PlantedScore, run_chance, score_planted
from domain.portfolio.strict_json import read_json
from domain.scopes.scope import parse_scope
from sql.queries import query

Row = Mapping[str, Any]


def demo_facts(connection: psycopg.Connection) -> dict[str, Any]:
    """Live overrides of sizes, the score of them, and how much was asked to find them."""
    cursor = connection.cursor(row_factory=dict_row)
    rows = cursor.execute(query("sizes_of_newest_set").encode()).fetchall()
    asked = cursor.execute(query("questions_of_newest_day").encode()).fetchone()
    learned = [
        LearnedScope(
            override_id=row["override_id"], scope=parse_scope(read_json(row["scope"])), factor=row["multiplier"]
        )
        for row in rows
    ]
    return {"overrides": {row["override_id"]: row for row in rows}, "score": score_planted(learned), "asked": asked}


def print_score(console: Console, facts: Mapping[str, Any]) -> None:
    """Print a line an edge, then the false ones, then the score."""
    score: PlantedScore = facts["score"]
    overrides: Mapping[int, Row] = facts["overrides"]
    table = Table(box=None, pad_edge=False)
    for name in ("planted", "where", "runs", "half-life", "found: size", "trades", "half-life told", "override"):
        table.add_column(name, justify="left" if name in ("planted", "where") else "right")
    for edge, ids in zip(score.edges, score.found, strict=True):
        table.add_row(*_planted_cells(edge), *_found_cells([overrides[each] for each in ids]))
    console.print(table)
    for each in score.false:
        row = overrides[each]
        where = f"{row['pattern_key']} {row['action_category']}, {row['scope']}"
        console.print(f"[red]false[/red]: override {each}, size x {row['multiplier']:.2f} for {where}", markup=True)
    for each in score.unscoped:
        row = overrides[each]
        console.print(
            f"besides: override {each}, size x {row['multiplier']:.2f} for every {row['pattern_key']}"
            f" {row['action_category']}, of which nothing was planted",
            style="dim",
        )
    asked = facts["asked"]
    of = f"; {asked['n_hypotheses']:,} questions asked of {asked['n_trades']:,} trades" if asked else ""
    console.print(f"[bold]{score.n_found} of {len(score.edges)} planted, {len(score.false)} false[/bold]{of}")


def print_where_to_look(console: Console, facts: Mapping[str, Any], *, pages: str, until: datetime) -> None:
    """Print where each number of the demo can be followed up."""
    score: PlantedScore = facts["score"]
    at = until.isoformat().replace("+00:00", "Z")
    console.print(f"Pages, until `make down`: {pages}/?as_of={at}", soft_wrap=True)
    for edge, ids in zip(score.edges, score.found, strict=True):
        if ids:
            console.print(f"  {edge.name:<18} {pages}/override/{ids[0]}", soft_wrap=True)
    for command, does in _commands(next((ids[0] for ids in score.found if ids), None), until).items():
        console.print(f"  .venv/bin/lowcap {command}", soft_wrap=True, highlight=False)
        console.print(f"      {does}", style="dim", highlight=False)


def _commands(found: int | None, until: datetime) -> dict[str, str]:
    """Commands that follow up what was found; where nothing was, what was asked and why it was not believed."""
    always = {
        "forward": "what the learned sizes were worth on days they had not seen",
        "trades --most 10": "the latest trades; `lowcap explain ID` shows one from 0.5 to its fills",
    }
    if found is None:
        return {"lessons --hypotheses": "what was asked, and why it was not believed", **always}
    week = f"--from {until - timedelta(days=7):%Y-%m-%dT%H:%MZ} --to {until:%Y-%m-%dT%H:%MZ}"
    return {
        f"why override {found}": "its lesson, its trades, the states they saw, the candles",
        "lessons": "what is believed, with intervals and q values",
        f"whatif --without {found} {week}": "the last week without it",
        **always,
    }


def _planted_cells(edge: PlantedEdge) -> Sequence[str]:
    runs = f"{BASE_CHANCE:.0%} -> {run_chance({edge.dimension: edge.value}, 0.0, [edge]):.0%}"
    fades = "stays" if edge.half_life_days is None else f"{edge.half_life_days:.0f} d"
    return edge.name, f"{edge.dimension.value}={edge.value}", runs, fades


def _found_cells(rows: Sequence[Row]) -> Sequence[str]:
    """Cells of the override that moves sizes most; how many more there are."""
    if not rows:
        return "[red]not found[/red]", "", "", ""
    row = rows[0]
    told = row["half_life_hours"]
    half_life = row["decay_state"] or "" if told is None else f"{told / 24:.0f} d"
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"x {row['multiplier']:.2f}", str(row["n_trades"]), half_life, f"{row['override_id']}{more}"
