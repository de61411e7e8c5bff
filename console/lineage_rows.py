"""Rows of a lineage out of Postgres: by key in batches, links by named queries, each world by its search path."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from console.lineage import Key, Reached, Ref, Row
from console.lineage_kind import HELD, KEYS, LEARNED, Edge
from console.replay import PREFIX
from domain.config.driver_bar import DriverBarConfig
from domain.config.runtime import RuntimeConfig
from domain.config.scores import ScoresConfig
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import CHANNEL_NAMES, CHANNELS, DEFAULT_BOOK_ID
from domain.vocabulary.timeframe import Timeframe
from sql.learned_schema import LEARNING
from sql.learned_schema import PREFIX as LEARNED_PREFIX
from sql.queries import query

LIVE = ""
"""World of the runtime's own trades."""
PORTFOLIO = "pm"
LEARNED_FROM = "learned:"


class StoredLineage:
    """Rows and links as one transaction sees them.

    Parameters
    ----------
    connection : psycopg.Connection
        In a transaction; its search path is set as needed.
    """

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._kinds: dict[str, frozenset[str]] = {}
        self._applied: dict[str, str] = {}
        self._world: str | None = None
        rules, scores = DriverBarConfig(), ScoresConfig()
        ttl = {horizon.value: minutes for horizon, minutes in scores.channel_ttl_minutes.items()}
        self._values = {
            "timeframes": [each.value for each in Timeframe],
            "lengths": [each.duration for each in Timeframe],
            "book_id": DEFAULT_BOOK_ID,
            "alt_basket": json.dumps(rules.alt_basket),
            "max_fill_hours": rules.max_fill_hours,
            "max_carry_minutes": rules.max_carry_minutes,
            "channel_ttl_minutes": json.dumps(ttl),
            "score_ttl_bars": RuntimeConfig().score_ttl_bars,
        }

    def rows(self, refs: Sequence[Ref]) -> Mapping[Ref, Row]:
        """Rows of some references of one kind and world, as JSON has them; one that is not there is not in it."""
        if not refs:
            return {}
        world, kind, _ = refs[0]
        names = KEYS[kind]
        keys = json.dumps([dict(zip(names, ref.key, strict=True)) for ref in refs])
        found = self.ask(world, kind, f"rows_of_{kind}", keys=keys)
        rows = (_with_channels(row) if kind == "score" else row for row in found)
        return {Ref(world, kind, _key(names, row)): row for row in rows}

    def follow(self, edge: Edge, world: str, sources: Sequence[Row], most: int) -> Iterator[Reached]:
        """Follow a link from some rows of one kind and world."""
        names = KEYS[edge.kind]
        target = self._applied_world(world) if edge.is_applied else world
        if edge.columns:
            for n, row in enumerate(sources):
                key = _key(edge.columns, row)
                if None not in key:
                    yield Reached(n, 1, Ref(target, edge.kind, key), {})
            return
        numbered = json.dumps([{**row, "n": n} for n, row in enumerate(sources)])
        for row in self.ask(world, edge.kind, edge.query, sources=numbered, most=most, is_elsewhere=edge.is_applied):
            beside = {name: value for name, value in row.items() if name not in {*names, "n", "total"}}
            yield Reached(row["n"], row["total"], Ref(target, edge.kind, _key(names, row)), beside)

    def ask(
        self, world: str, kind: str, name: str, /, *, is_elsewhere: bool = False, **values: object
    ) -> list[dict[str, Any]]:
        """Rows of a named query about a kind; none where the world has no such tables."""
        if kind not in self.kinds_of(world) and not is_elsewhere:
            return []
        self._look_at(world)
        cursor = self._connection.cursor(row_factory=dict_row)
        found = cursor.execute(query(name).encode(), self._values | values).fetchall()
        return [{column: plain(value) for column, value in row.items()} for row in found]

    def kinds_of(self, world: str) -> frozenset[str]:
        """Kinds of rows a world has tables for: of a replay, nothing may have been learned."""
        if world not in self._kinds:
            schemas = _schemas(world)
            values = {"schemas": list(schemas)}
            found = self._connection.execute(query("lineage_schemas").encode(), values).fetchall()
            has = {schema: (is_held, is_learned) for schema, is_held, is_learned in found}
            absent: frozenset[str] = frozenset()
            without = (absent if has[schemas[0]][0] else HELD) | (absent if has[schemas[1]][1] else LEARNED)
            self._kinds[world] = frozenset(KEYS) - without
        return self._kinds[world]

    def _applied_world(self, world: str) -> str:
        """World of the overrides that applied to actions: of a replay, the one they were copied from."""
        if world not in self._applied:
            asked = LIVE
            if world != LIVE and "trade" in self.kinds_of(world):
                self._look_at(world)
                ((words,),) = self._connection.execute(query("lineage_overrides_asked").encode()).fetchall()
                if (words or LIVE).startswith(LEARNED_FROM):
                    asked = words.removeprefix(LEARNED_FROM)
            self._applied[world] = asked
        return self._applied[world]

    def _look_at(self, world: str) -> None:
        if world == self._world:
            return
        held, learned = _schemas(world)
        path = f"{learned}, {held}, regime, public" if world else f"{held}, {learned}, regime, public"
        self._connection.execute(query("set_search_path").encode(), {"search_path": path})
        self._world = world


def plain(value: Any) -> Any:
    """Return a value of a row as JSON has it: an instant as text in UTC, what is not finite as null."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(part) for part in value]
    return value


def _schemas(world: str) -> tuple[str, str]:
    """Schemas of the portfolio and of what was learned from it."""
    return (f"{PREFIX}{world}", f"{LEARNED_PREFIX}{world}") if world else (PORTFOLIO, LEARNING)


def _key(names: Sequence[str], row: Row) -> Key:
    return tuple(row.get(name) for name in names)


def _with_channels(row: dict[str, Any]) -> dict[str, Any]:
    """Give a score its channels by name, each with the bar of the driver it was read from."""
    bucket = CapBucket(row["bucket"])
    columns = [row.pop(f"channel_{name}") for name in ("timestamp", "status", "signal", "a", "e")]
    row["channels"] = [
        {
            "place": place,
            "name": name,
            "driver": role.driver(bucket),
            "timeframe": horizon.timeframe.value,
            **dict(zip(("timestamp", "status", "signal", "a", "e"), values, strict=True)),
        }
        for place, (name, (role, horizon), values) in enumerate(
            zip(CHANNEL_NAMES, CHANNELS, zip(*columns, strict=True), strict=True)
        )
    ]
    return row
