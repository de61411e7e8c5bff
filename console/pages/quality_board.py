"""Cells of the quality board, each good, to be watched or bad: what is stale, silent, full of holes or waiting."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from console.pages.asked import instant_text
from console.printing import age
from domain.vocabulary.bar_quarantine import QuarantineReason
from domain.vocabulary.driver import CHANNELS
from domain.vocabulary.timeframe import Timeframe

Row = Mapping[str, Any]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PATIENCE: Mapping[str, timedelta] = {
    "regime.regime_context": 2 * HOUR,
    "regime.phase_state_bucket": 2 * HOUR,
    "regime.regime_driver_state": HOUR,
    "regime.ae_score": HOUR,
    "regime.token_cap_bucket": 2 * DAY,
    "pm.pm_tick": 2 * HOUR,
    "learning.learning_run": 2 * DAY,
}
"""How old the newest row of a table may be before it is bad; from half of it on it is watched."""

WATCH_LATE, BAD_LATE = timedelta(hours=2), timedelta(hours=3)
"""How late a row of the other tables may be: the chain runs hourly, so two hours miss one run and three miss two."""

LEADS: Mapping[str, str] = {
    "regime.token_cap_bucket": "/quality",
    "pm.pm_tick": "/switch",
    "learning.learning_run": "/lessons",
}
"""Where the rows of a table are seen; the others at /regime as of then."""

BARS = 168
"""Bars of each timeframe that holes are looked for in: a week of hours."""

FEW_HOLES = 0.01
"""Share of the bars that may lack before it is bad."""

JUDGED = frozenset({QuarantineReason.PRICE_JUMP, QuarantineReason.UNIT_STEP})
"""Reasons that are a judgement about plausibility, which a person may overrule."""


class Level(StrEnum):
    """How a cell of the board stands; the word is shown beside the colour. ABSENT: there is nothing to judge."""

    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"
    ABSENT = "absent"


def coverage_lines(scores: Sequence[Row], least: int) -> list[tuple[str, list[dict[str, Any]]]]:
    """Cells of each timeframe: bad below `least` channels, and without a score where another bucket has one."""
    made = {row["timeframe"] for row in scores if row["timestamp"] is not None}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in scores:
        at = row["timestamp"]
        known = None if at is None else instant_text(at + Timeframe(row["timeframe"]).duration)
        level = _coverage_level(row["coverage"], least, is_made=row["timeframe"] in made)
        found.setdefault(row["timeframe"], []).append({**row, "known_at": known, "level": level})
    return list(found.items())


def _coverage_level(coverage: int | None, least: int, *, is_made: bool) -> Level:
    if coverage is None:
        return Level.BAD if is_made else Level.ABSENT
    if coverage < least:
        return Level.BAD
    return Level.GOOD if coverage >= len(CHANNELS) else Level.WATCH


def stale_row(row: Row, as_of_at: datetime) -> dict[str, Any]:
    """Newest row of a table people wait for, with how it stands and where it is seen."""
    ready, patience = row["ready"], PATIENCE[row["name"]]
    seen = "/regime" if ready is None else f"/regime?as_of={instant_text(ready)}"
    level = Level.BAD if ready is None else _level(as_of_at - ready, patience / 2, patience)
    return {**row, "level": level, "link": LEADS.get(row["name"], seen)}


def late_row(row: Row, as_of_at: datetime) -> dict[str, Any]:
    """Newest row of a table that is due every so often, with how late the one after the next is.

    Parameters
    ----------
    row : mapping
        name, newest (start of the row, None where there is none) and due (time until the next).
    as_of_at : datetime
        Instant that stands for now.
    """
    table, _, timeframe = row["name"].removeprefix("regime.").partition(" ")
    late = None if row["newest"] is None else as_of_at - row["newest"] - row["due"]
    return {
        **row,
        "age": None if late is None else "on time" if late <= row["due"] else f"{age(late)} late",
        "level": Level.BAD if late is None else _level(late, WATCH_LATE, BAD_LATE),
        "link": _rows_at(table, timeframe, row["newest"], as_of_at),
    }


def _rows_at(table: str, timeframe: str, start: datetime | None, as_of_at: datetime) -> str:
    """Address of what is known of a table: the holes of a raw one, the regime of its newest row else."""
    if table in GAP_TABLES:
        return f"/quality/gaps?table={table}&timeframe={timeframe}&as_of={instant_text(as_of_at)}"
    return "/regime" if start is None else f"/regime?as_of={instant_text(start)}"


GAP_TABLES = ("majors_price_data_ohlc", "lowcap_price_data_ohlc", "dominance_sample")
"""Raw tables that are looked at for holes."""


def gap_rows_told(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Holes of each raw table and timeframe, with how it stands; `missing_frac` is of the bars there should be."""
    told = []
    for row in rows:
        share = row["missing"] / (row["bars"] + row["missing"])
        level = Level.GOOD if row["missing"] == 0 else Level.WATCH if share <= FEW_HOLES else Level.BAD
        told.append({**row, "missing_frac": share, "level": level})
    return told


def refused_told(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Refused bars by table and reason: those that a person may find to be right are watched, broken ones are bad."""
    return [{**row, "level": Level.WATCH if row["reason"] in JUDGED else Level.BAD} for row in rows]


def waiting_told(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Tell closed trades that were not taken: those that may still come whole are watched, the others are bad."""
    return [{**row, "level": Level.WATCH if row["status"] == "parked" else Level.BAD} for row in rows]


def _level(span: timedelta, watch: timedelta, bad: timedelta) -> Level:
    return Level.BAD if span > bad else Level.WATCH if span > watch else Level.GOOD
