"""Sets of overrides as the database holds them: versions that are never changed, their steps, and which one is live."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from domain.learning.override import OverrideKey, WantedOverride
from domain.learning.override_record import OverrideRecord, OverrideState, OverrideStep
from domain.learning.scope_cell import cell_of_columns
from domain.portfolio.override_row import OverrideLever
from sql.json_text import stored_json
from sql.queries import query

MATERIALIZER = "learning"
"""Author of the steps that are not a person's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSet:
    """A set to store: what it knows of, what it was made from, its rows and the steps to them."""

    as_of: datetime
    input_hash: str
    records: Sequence[OverrideRecord]
    steps: Sequence[OverrideStep]


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """Who makes a set, when, with what."""

    run_id: str
    made_at: datetime
    code_version: str
    config_version: int


def newest_set(session: psycopg.Connection, until: datetime) -> list[OverrideRecord]:
    """Read the overrides of the newest set as of an instant or before; none where there is no set."""
    with session.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query("newest_override_rows").encode(), {"until": until}).fetchall()
    return [_record(row) for row in rows if row["lesson_id"] is not None]


def revocations(session: psycopg.Connection, until: datetime) -> dict[OverrideKey, datetime]:
    """Latest revocation of each override up to an instant."""
    rows = session.execute(query("override_revocations").encode(), {"until": until}).fetchall()
    return {OverrideKey(lesson_id, OverrideLever(lever)): at for lesson_id, lever, at in rows}


def store_set(session: psycopg.Connection, made: NewSet, by: Making) -> tuple[int, bool]:
    """Store a set and its steps; the number of the set, and whether it is new.

    A set that was made from the same input as of the same instant is the same set: it is not stored twice.
    """
    known = session.execute(
        query("override_set_of").encode(), {"as_of": made.as_of, "input_hash": made.input_hash}
    ).fetchone()
    if known is not None:
        return int(known[0]), False
    values = {
        "made_at": by.made_at,
        "as_of": made.as_of,
        "input_hash": made.input_hash,
        "row_count": len(made.records),
        "run_id": by.run_id,
        "code_version": by.code_version,
        "config_version": by.config_version,
    }
    ((set_id,),) = session.execute(query("insert_override_set").encode(), values).fetchall()
    with session.cursor() as cursor:
        cursor.executemany(query("insert_override").encode(), list(_rows(set_id, made.records)))
        cursor.executemany(query("insert_override_step").encode(), list(_steps(set_id, made.steps)))
    return int(set_id), True


def make_live(session: psycopg.Connection, set_id: int, *, at: datetime, reason: str) -> bool:
    """Let a set be the live one from an instant; False where it is already, or a person holds another choice."""
    session.execute(query("lock_live_set").encode())  # a person may hold another choice at this instant
    standing = session.execute(query("live_set").encode()).fetchone()
    if standing is not None and (standing[1] or standing[0] == set_id):
        return False
    values = {"set_id": set_id, "author": MATERIALIZER, "reason": reason, "set_at": at}
    session.execute(query("insert_live_set").encode(), values)
    return True


def _record(row: dict[str, Any]) -> OverrideRecord:
    return OverrideRecord(
        override=WantedOverride(
            key=OverrideKey(row["lesson_id"], OverrideLever(row["lever"])),
            cell=cell_of_columns(row),
            multiplier=row["multiplier"],
            confidence=row["confidence"],
            n_trades=row["n_trades"],
            edge=row["edge_raw"],
            decay_mult=row["decay_mult"],
        ),
        state=OverrideState(row["state"]),
        since=row["state_since"],
        proposed_at=row["proposed_at"],
        live_at=row["live_at"],
        expires_at=row["expires_at"],
    )


def _rows(set_id: int, records: Iterable[OverrideRecord]) -> Iterable[dict[str, Any]]:
    for record in records:
        row = record.row()
        scope = row["scope_values"]
        yield {**row, "set_id": set_id, "scope_values": scope if isinstance(scope, str) else json.dumps(scope)}


def _steps(set_id: int, steps: Iterable[OverrideStep]) -> Iterable[dict[str, Any]]:
    for step in steps:
        evidence = None if step.evidence is None else stored_json(_finite(step.evidence))
        yield {
            "set_id": set_id,
            "lesson_id": step.key.lesson_id,
            "lever": step.key.lever.value,
            "from_state": None if step.from_state is None else step.from_state.value,
            "to_state": step.to_state.value,
            "stepped_at": step.at,
            "reason": step.reason.value,
            "evidence": evidence,
        }


def _finite(evidence: Any) -> dict[str, Any]:
    told = {name: getattr(evidence, name) for name in evidence.__dataclass_fields__}
    return {name: None if value != value else value for name, value in told.items()}
