"""Which row a person asks about: an id, a driver's bar or a candle, as typed."""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from console.instant import read_instant
from console.lineage import Ref
from console.lineage_rows import StoredLineage, plain
from console.session import RefusedError
from domain.vocabulary.driver import DEFAULT_BOOK_ID, DRIVERS
from domain.vocabulary.horizon import HORIZON_TIMEFRAME, Horizon
from domain.vocabulary.timeframe import Timeframe

CHAIN_MARK, TABLE_MARK = "@", ":"
CANDLE_TABLES = {
    "majors_price_data_ohlc": "major_bar",
    "lowcap_price_data_ohlc": "token_bar",
    "dominance_sample": "sample",
}
MOST_FOUND = 20
LONGEST_NAME = 200
LARGEST_ID = 2**63 - 1
SHORTEST_PREFIX = 8
_DIGITS = re.compile(rf"[0-9a-f]{{{SHORTEST_PREFIX},63}}")


class Asked(StrEnum):
    """What can be asked about."""

    OVERRIDE = "override"
    LESSON = "lesson"
    TRADE = "trade"
    ACTION = "action"
    STATE = "state"
    CANDLE = "candle"


def root_of(source: StoredLineage, world: str, asked: Asked, words: Sequence[str]) -> Ref:
    """Row a person asks about.

    Raises
    ------
    RefusedError
        If the words are not as expected, or name nothing or more than one thing; the message says what to do.
    typer.BadParameter
        If an instant cannot be read.
    """
    usage, find = _FINDERS[asked]
    if len(words) != len(usage.split()):
        raise RefusedError(f"Expected: lowcap why {asked} {usage}")
    for word in words:
        if not word.isprintable() or not 0 < len(word) <= LONGEST_NAME:
            raise RefusedError(f"Expected 1 to {LONGEST_NAME} printable characters, was {word[:70]!r}")
    kind, key = find(source, world, *words)
    return Ref(world, kind, key)


def _override(source: StoredLineage, world: str, word: str) -> tuple[str, tuple[Any, ...]]:
    if not word.isascii() or not word.isdigit() or int(word) > LARGEST_ID:
        raise RefusedError(f"Expected the number of an override, such as 17, was {word!r}")
    ref = Ref(world, "override", (int(word),))
    if not source.rows([ref]):
        known = source.ask(world, "override", "lineage_override_ids")
        first, last = known[0].values() if known else (None, None)
        learn = f"lowcap learn --replay {world}" if world else "lowcap learn"
        said = f"none was made yet; first: {learn}" if first is None else f"there are {first} to {last}"
        raise RefusedError(f"No override {word}; {said}. Those that applied to an action: lowcap why action ID")
    return "override", ref.key


def _lesson(source: StoredLineage, world: str, word: str) -> tuple[str, tuple[Any, ...]]:
    found = _one(source, world, "lesson", "lineage_lessons", word, "those of a trade: lowcap why trade ID --down")
    return "lesson", (found["lesson_id"], found["timestamp"])


def _trade(source: StoredLineage, world: str, word: str) -> tuple[str, tuple[Any, ...]]:
    found = _one(source, world, "trade", "lineage_trades", word, "see: lowcap trades --json")
    return "trade", (found["trade_id"],)


def _action(source: StoredLineage, world: str, word: str) -> tuple[str, tuple[Any, ...]]:
    found = _one(source, world, "action", "lineage_actions", word, "those of a trade: lowcap why trade ID")
    return "action", (found["trade_id"], found["order_id"])


def _one(source: StoredLineage, world: str, kind: str, name: str, word: str, advice: str) -> dict[str, Any]:
    """Find the one row whose id is so, or begins so."""
    digits = word.lower() if _DIGITS.fullmatch(word.lower()) else None
    # "g" stands after every digit of an id.
    found = source.ask(world, kind, name, first=word, last=word, most=MOST_FOUND)
    if not found and digits is not None:
        found = source.ask(world, kind, name, first=digits, last=f"{digits}g", most=MOST_FOUND)
    ids = [str(row[f"{'order' if kind == 'action' else kind}_id"]) for row in found]
    if not found:
        raise RefusedError(f"No {kind} has the id {word!r}, or one that begins so ({SHORTEST_PREFIX} digits); {advice}")
    if len(found) > 1:
        raise RefusedError(f"More than one {kind} has an id that begins {word!r}: {', '.join(ids)}")
    return found[0]


def _state(source: StoredLineage, world: str, driver: str, horizon: str, at: str) -> tuple[str, tuple[Any, ...]]:
    named = {each.lower(): each for each in DRIVERS}.get(driver.lower())
    if named is None:
        raise RefusedError(f"No driver {driver!r}; there are {', '.join(DRIVERS)}")
    lengths = {each.value: HORIZON_TIMEFRAME[each].value for each in Horizon}
    lengths |= {length: length for length in list(lengths.values())}
    if horizon.lower() not in lengths:
        raise RefusedError(f"No horizon {horizon!r}; there are {', '.join(Horizon)} (1d, 1h, 1m)")
    timeframe, opened = lengths[horizon.lower()], plain(read_instant(at))
    values = {"driver": named, "timeframe": timeframe, "at": opened}
    (known,) = source.ask(world, "driver_state", "lineage_state_before", **values)
    newest, first = known.values()
    if newest != opened:
        said = "there are none" if first is None else f"the last one before opens at {newest}" if newest else ""
        raise RefusedError(f"No state of {named} on a {timeframe} bar that opens at {opened}; {said or _first(first)}")
    return "driver_state", (named, DEFAULT_BOOK_ID, timeframe, opened)


def _candle(source: StoredLineage, world: str, name: str, length: str, at: str) -> tuple[str, tuple[Any, ...]]:
    table, _, rest = name.rpartition(TABLE_MARK)
    kind = CANDLE_TABLES.get(table.removeprefix("regime."), "")
    series, _, chain = (rest if kind else name).partition(CHAIN_MARK)
    if name.removeprefix("regime.") in CANDLE_TABLES:
        raise RefusedError(f"Name the series too, such as {name}{TABLE_MARK}BTC")
    if length not in list(Timeframe):
        raise RefusedError(f"No timeframe {length!r}; there are {', '.join(Timeframe)}")
    opened = plain(read_instant(at))
    values = {"series": series, "chain": chain, "kind": kind, "timeframe": length, "at": opened}
    found = source.ask(world, "token_bar", "lineage_candles", **values)
    exact = [row for row in found if row["timestamp"] == opened]
    if not exact:
        near = ", ".join(f"{_series(row)} at {row['timestamp']}" for row in found) or "there is none"
        raise RefusedError(f"No {length} candle of {name} at {opened}; the last one before: {near}")
    if len(exact) > 1:
        named = ", ".join(f"{_table_of(row)}{TABLE_MARK}{_series(row)}" for row in exact)
        raise RefusedError(f"More than one series has the name {name!r}; say which: {named}")
    (row,) = exact
    series_key = (row["name"], row["chain"]) if row["kind"] == "token_bar" else (row["name"],)
    return row["kind"], (*series_key, length, opened)


def _first(first: str) -> str:
    return f"the first of all opens at {first}"


def _series(row: dict[str, Any]) -> str:
    return f"{row['name']}{CHAIN_MARK}{row['chain']}" if row["chain"] else str(row["name"])


def _table_of(row: dict[str, Any]) -> str:
    return next(table for table, kind in CANDLE_TABLES.items() if kind == row["kind"])


_FINDERS: dict[Asked, tuple[str, Callable[..., tuple[str, tuple[Any, ...]]]]] = {
    Asked.OVERRIDE: ("NUMBER", _override),
    Asked.LESSON: ("ID", _lesson),
    Asked.TRADE: ("ID", _trade),
    Asked.ACTION: ("ID", _action),
    Asked.STATE: ("DRIVER HORIZON INSTANT", _state),
    Asked.CANDLE: ("NAME TIMEFRAME INSTANT", _candle),
}


def root_usage(asked: Asked) -> str:
    """Words that are expected behind what is asked about."""
    return _FINDERS[asked][0]
