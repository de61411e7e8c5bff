"""Learned state made again from the event log alone, and compared with what stands: table by table, by hash.

What is learned is a function of strands and configuration. Days are made again under the configuration they were
learned with, in a schema of their own, which is removed afterwards.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import psycopg
from psycopg.sql import SQL, Identifier, Literal

from learning_assets.pattern_trade_events import CODE_VERSION, process_strand_event
from resources.stamp import Stamp
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.learned_schema import LEARNING, drop_learned_schema, learned_schema_of, make_learned_schema
from sql.queries import query

MADE = frozenset({"run_id", "computed_at", "made_at", "set_id", "override_id", "step_id", "input_hash"})
"""Columns that tell who made a row and when, or that a sequence gave."""

COMPARED: Mapping[str, tuple[str, ...]] = {
    "pattern_trade_events": ("trade_id", "action_id"),
    "pattern_scope_stats": ("timestamp", "pattern_key", "action_category", "scope_mask", "scope_values_hash"),
    "learning_edge_history": ("timestamp", "pattern_key", "action_category", "scope_signature"),
    "edge_decay_fit": ("timestamp", "pattern_key", "action_category", "scope_signature"),
    "lesson_hypothesis": ("timestamp", "pattern_key", "action_category", "scope_mask", "scope_values_hash"),
    "learning_run": ("timestamp",),
    "learning_lessons": ("timestamp", "lesson_id"),
    "learning_latent_factors": ("timestamp", "factor_id"),
    "learning_regime_weights": ("timestamp", "regime_signature", "action_category"),
    "tuning_rate": ("timestamp", "family", "scope_mask", "scope_values_hash"),
    "tuning_verdict": ("timestamp", "family", "gate", "scope_mask", "scope_values_hash"),
    "tuning_state": ("timestamp", "family", "gate", "scope_mask", "scope_values_hash"),
    "learning_configs": ("timestamp", "module_id"),
    "walk_forward_trade": ("timestamp", "trade_id"),
    "walk_forward": ("timestamp",),
}
"""Tables of days, and what puts their rows in order."""

SETS, KEY_OF_SETS = "pm_overrides", ("lesson_id", "lever")
"""Compared as well: the rows of the last set as of each midnight."""


@dataclass(frozen=True)
class Stretch:
    """Days that were learned under one configuration."""

    first_day: date
    last_day: date
    config_version: int

    @property
    def days(self) -> list[date]:
        """The days."""
        count = (self.last_day - self.first_day).days + 1
        return [self.first_day + timedelta(days=number) for number in range(count)]


@dataclass(frozen=True)
class TableVerdict:
    """One table as it stands and as it was made again."""

    table: str
    rows: int
    rebuilt_rows: int
    is_equal: bool


def finished_stretches(connection: psycopg.Connection, before: datetime) -> list[Stretch]:
    """Days that are over and were learned, oldest first: those that follow each other under one configuration."""
    stretches: list[Stretch] = []
    for day, version in connection.execute(query("learned_days").encode(), {"before": before}).fetchall():
        last = stretches[-1] if stretches else None
        if last is not None and (last.last_day + timedelta(days=1), last.config_version) == (day, version):
            stretches[-1] = replace(last, last_day=day)
        else:
            stretches.append(Stretch(day, day, version))
    return stretches


def take_in_everything(tables: Tables, *, at: datetime, park_hours: float) -> None:
    """Make the facts of all closures there are: a day that was learned knew those of days that never were."""
    place = 0
    while not (closed := tables.query("closures_after", (place,))).is_empty():
        process_strand_event(tables, closed, at=at, park_hours=park_hours, stamp=Stamp("rebuild", CODE_VERSION))
        place = closed["sequence"].max()


class Scratch:
    """A schema that learned state is made again in; removed at the end, whatever happens."""

    def __init__(self) -> None:
        self.schema = learned_schema_of(f"rebuild_{secrets.token_hex(4)}")

    def __enter__(self) -> Tables:
        with connect(DatabaseRole.OWNER, autocommit=True) as owner:
            make_learned_schema(owner, self.schema)
        return Tables(role=DatabaseRole.LEARNING.value, schemas={LEARNING: self.schema})

    def __exit__(self, *_: object) -> None:
        with connect(DatabaseRole.OWNER, autocommit=True) as owner:
            drop_learned_schema(owner, self.schema)


def compare(connection: psycopg.Connection, schema: str, stretches: Sequence[Stretch]) -> list[TableVerdict]:
    """Compare every table of some days with the one in another schema."""
    days = [day for stretch in stretches for day in stretch.days]
    verdicts = []
    for table, key in (*COMPARED.items(), (SETS, KEY_OF_SETS)):
        stands, again = (_digest(connection, home, table, key, days) for home in (LEARNING, schema))
        verdicts.append(TableVerdict(table, stands[0], again[0], stands == again))
    return verdicts


def _digest(
    connection: psycopg.Connection, schema: str, table: str, key: Iterable[str], days: Sequence[date]
) -> tuple[int, str | None]:
    """Rows of a table and their hash, without what tells of their making."""
    statement = SQL(query("override_set_digest" if table == SETS else "learned_digest")).format(
        table=Identifier(schema, table),
        sets=Identifier(schema, "override_set"),
        columns=SQL(", ").join(Identifier("made", name) for name in _columns(connection, table)),
        order=SQL(", ").join(Identifier("made", name) for name in key),
        days=Literal(days),
    )
    ((rows, digest),) = connection.execute(statement).fetchall()
    return rows, digest


def _columns(connection: psycopg.Connection, table: str) -> list[str]:
    rows = connection.execute(query("columns_of_replay").encode(), {"schema": LEARNING}).fetchall()
    return [column for name, column in rows if name == table and column not in MADE]
