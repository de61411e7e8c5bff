"""Rows of learning tables as a test wants them stored; what a test does not name is plausible."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from psycopg.rows import dict_row

from domain.learning.override import OverrideKey, WantedOverride
from domain.learning.override_record import OverrideRecord, OverrideState, OverrideStep, StepReason
from domain.learning.scope_cell import cell_columns, cell_of_columns
from domain.portfolio.override_row import OverrideLever
from learning_assets.override_store import Making, NewSet, store_set
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.learned_schema import make_learned_schema
from sql.queries import query
from tests.portfolio_rows import sha256
from tests.stored_rows import PROVENANCE, insert_rows

MIDNIGHT = datetime(2025, 6, 10, tzinfo=UTC)
DAY = timedelta(days=1)
BOUGHT = "pm.uptrend.S1.buy_flag"
MADE = PROVENANCE | {"computed_at": MIDNIGHT}
NANO, HOURLY = {"mcap_bucket": "nano"}, {"mcap_bucket": "nano", "timeframe": "1h"}
ESCAPE = "x\x1b]0;owned\x07\x9b31m\u202e\n"
"""A title for the terminal, a colour by a C1 control, text turned around, a line of its own."""


def store(table: str, *rows: Mapping[str, Any], schema: str = "learning") -> None:
    """Store rows as the role of learning."""
    with connect(DatabaseRole.LEARNING) as connection:
        insert_rows(connection, f"{schema}.{table}", rows)


def of_day(days: int = 0) -> dict[str, Any]:
    """Columns of so many days after the first midnight."""
    return {"timestamp": MIDNIGHT + days * DAY, "as_of": MIDNIGHT + (days + 1) * DAY}


def run_row(**values: Any) -> dict[str, Any]:
    counts = {"n_facts": 900, "n_trades": 310, "n_trades_without_rr": 0, "n_parked": 0, "n_groups": 4}
    counts |= {"cells_found": 80, "cells_mined": 60, "cells_cut": 0, "n_hypotheses": 6, "n_promoted": 2, "n_retired": 1}
    rest = {"promotion": "honest", "verdicts": "{}", "baseline_rr": -0.125, "input_hash": "h"}
    return of_day() | counts | rest | MADE | values


def cell(scope: Mapping[str, str], *, pattern: str = BOUGHT, category: str = "entry") -> dict[str, Any]:
    values = {"pattern_key": pattern, "action_category": category, "scope_values": json.dumps(scope)}
    return cell_columns(cell_of_columns(values))


def lesson_row(name: str, scope: Mapping[str, str] = NANO, **values: Any) -> dict[str, Any]:
    """A lesson that stands; `name` becomes its id."""
    days = dict.fromkeys(("promoted_on", "measured_on"), MIDNIGHT.date()) | {"born_on": date(2025, 6, 1)}
    life = {"status": "active", "retired_on": None, "missed_runs": 0, "n_retirements": 0, "promotion": "honest"}
    counts = {"n_trades": 48, "n_actions": 60, "n_wins": 30, "win_rate_frac": 0.625, "avg_rr": 0.5, "median_rr": 0.4}
    more = {"variance_rr": 0.3, "avg_rr_shrunk": 0.35, "edge_used": 0.31, "decay_state": "stable", "decay_mult": 1.0}
    tests = {"effect_rr": 0.42, "effect_low": 0.1, "effect_high": 0.74, "p_value": 0.001, "q_value": 0.012}
    later = {"oos_trades": 14, "oos_effect_rr": 0.38, "oos_p_value": 0.02, "half_life_hours": None}
    named = {"lesson_id": sha256(name), "module": "pm", "lesson_type": "pm_strength", "parent_values": "{}"}
    return of_day() | named | cell(scope) | days | life | counts | more | tests | later | MADE | values


def hypothesis_row(scope: Mapping[str, str], verdict: str, **values: Any) -> dict[str, Any]:
    tests = {"effect_rr": 0.2, "effect_low": -0.1, "effect_high": 0.5, "p_value": 0.2, "q_value": 0.4}
    later = {"oos_trades": 12, "oos_effect_rr": 0.1, "edge_used": 0.12, "explained_by": None}
    counts = {"n_trades": 40, "n_clusters": 20, "verdict": verdict}
    made = {name: value for name, value in MADE.items() if name != "config_version"}
    return of_day() | cell(scope) | tests | later | counts | made | values


def record(
    name: str, state: str = "live", scope: Mapping[str, str] = NANO, *, multiplier: float = 1.2, expires_at: datetime
) -> OverrideRecord:
    """An override of the lesson `name`."""
    wanted = WantedOverride(
        key=OverrideKey(sha256(name), OverrideLever.PM_STRENGTH),
        cell=cell_of_columns(cell(scope)),
        multiplier=multiplier,
        confidence=0.5,
        n_trades=40,
        edge=0.4,
        decay_mult=0.9,
    )
    live_at = MIDNIGHT if state == "live" else None
    since = {"since": MIDNIGHT, "proposed_at": MIDNIGHT, "live_at": live_at}
    return OverrideRecord(override=wanted, state=OverrideState(state), expires_at=expires_at, **since)


def step(of: OverrideRecord, to: str, reason: str, *, at: datetime, evidence: Any = None) -> OverrideStep:
    """Step of an override out of the state it is in."""
    said = {"key": of.key, "override": of.override, "evidence": evidence}
    return OverrideStep(from_state=of.state, to_state=OverrideState(to), reason=StepReason(reason), at=at, **said)


def store_version(day: int, *records: OverrideRecord, steps: tuple[OverrideStep, ...] = ()) -> int:
    """Store a set as of so many days after the first midnight, as the materializer does; returns its number."""
    new = NewSet(as_of=MIDNIGHT + day * DAY, input_hash=f"{day}", records=records, steps=steps)
    by = Making(run_id="run-of-a-test", made_at=MIDNIGHT + day * DAY, code_version="0.0.0", config_version=1)
    with connect(DatabaseRole.LEARNING) as connection:
        return store_set(connection, new, by)[0]


def make_taught(name: str) -> str:
    """Make the schema of what a replay taught, empty; returns its name."""
    with connect(DatabaseRole.OWNER, autocommit=True) as owner:
        make_learned_schema(owner, f"learned_{name}")
    return f"learned_{name}"


def seen_by_runtime() -> list[tuple[int, str | None]]:
    """Set and lesson of each override a tick would read now."""
    with connect(DatabaseRole.PM, read_only=True) as connection:
        rows = connection.cursor(row_factory=dict_row).execute(query("live_overrides").encode()).fetchall()
    return [(row["set_id"], row["lesson_id"]) for row in rows]


def weight_row(regime: str, category: str = "entry", **values: Any) -> dict[str, Any]:
    """Weights of a regime that were fitted to its own trades."""
    parts = ("time_efficiency", "field_coherence", "recurrence", "variance")
    weights = {f"w_{name}": 1.0 + place / 10 for place, name in enumerate(parts)}
    effects = {f"effect_{name}_r": place / 10 for place, name in enumerate(parts)}
    counts = {"n_trades": 120, "n_fit_trades": 120, "confidence": 0.75, "parent": None, "is_default": False}
    named = {"regime_signature": regime, "action_category": category}
    return of_day() | named | counts | weights | effects | MADE | values


def factor_row(name: str, *lessons: str, **values: Any) -> dict[str, Any]:
    """Lessons that share their trades; the first speaks for all."""
    ids = [sha256(each) for each in lessons]
    told = {"factor_id": name, "action_category": "entry", "representative": ids[0], "lesson_ids": sorted(ids)}
    counts = {"n_lessons": len(ids), "min_jaccard": 0.72, "n_trades": 51, "is_carried": True}
    return of_day() | told | counts | MADE | values
