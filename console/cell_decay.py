"""How the edge of a cell ages: its snapshots, both fits, the half-life with its interval, and what was made of them.

What belongs here: the facts, for a command, a page and the API. What does not: fitting, and words on a terminal.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import NormalDist
from typing import Any

import psycopg

from console.explained_action import config_of
from console.learned_day import learned_day, look_at_learned, nothing_learned
from console.learned_row import row_facts
from console.lessons_view import read_pattern_key
from console.session import RefusedError
from console.stored_rows import facts_of, rows_of

Facts = Mapping[str, Any]

STATES = ("decaying", "stable", "improving")
"""States a fitted cell may have; one with too few snapshots has no fit."""

REASONS: Mapping[str, str] = {
    "too_few_snapshots": "too few snapshots to fit anything",
    "no_time_span": "all snapshots are of one instant",
    "no_edge": "every snapshot is 0",
    "crosses_zero": "the edge crosses zero: what changes its sign has no half-life",
    "rate_unresolved": "the rate of the exponential cannot be told from none",
    "not_exponential": "no exponential describes it",
    "no_clear_trend": "neither curve shows a trend that stands out from the scatter",
}
"""Why there is no half-life, in words; one that is not here is shown as it is stored."""

HOURS_BETWEEN = 24.0
"""Between two snapshots of a cell."""

_PREFIX = re.compile(r"[0-9a-f]{8,64}")


def decays_facts(
    connection: psycopg.Connection,
    day: datetime | None,
    *,
    pattern: str | None,
    state: str | None,
    is_lessons: bool,
    most: int,
    replay: str | None,
) -> dict[str, Any]:
    """Fitted cells as of a day, the worst first: those whose edge is multiplied by least.

    Parameters
    ----------
    connection : psycopg.Connection
        In a transaction; its search path is set to a replay's.
    day : datetime or None
        Midnight at which the day begins; None is the newest.
    pattern, state : str or None
        Only of this pattern, as a person types it; only in this one of `STATES`.
    is_lessons : bool
        Only cells with an active lesson.
    most : int
        How many cells at most; the counts are of all of them.
    replay : str or None
        What a replay taught.

    Raises
    ------
    RefusedError
        If there is no such pattern, state, replay or day.
    """
    key = None if pattern is None else read_pattern_key(pattern)
    if state is not None and state not in STATES:
        raise RefusedError(f"No state {state!r:.80}; there are {', '.join(STATES)}")
    look_at_learned(connection, replay)
    run = learned_day(connection, "learning_run", day, replay)
    if run is None:
        return {"day": None, "as_of": None, "interval_level": None, "fitted": 0, "states": [], "cells": []}
    level, _ = _rules(connection, run)
    values = {"at": run["timestamp"], "pattern": key, "state": state, "is_lessons": is_lessons, "most": most}
    states = facts_of(connection, "decay_states_counted", **values)
    cells = facts_of(connection, "decay_fits_told", **values)
    return {
        **{"day": f"{run['timestamp']:%Y-%m-%d}", "as_of": run["as_of"].isoformat(), "interval_level": level},
        "fitted": sum(each["cells"] for each in states),
        "states": [each | {"why": REASONS.get(each["reason"], each["reason"])} for each in states],
        "cells": [each | _source(each) | {"half_life": half_life(each, level)} for each in cells],
    }


def decay_facts(
    connection: psycopg.Connection, identity: str, day: datetime | None, *, replay: str | None
) -> dict[str, Any]:
    """How one cell ages, as of a day.

    Parameters
    ----------
    connection, day, replay
        As of `decays_facts`.
    identity : str
        First 8 or more digits of the id of a lesson or a cell.

    Raises
    ------
    RefusedError
        If there is no such replay or day, or none or more than one lesson or cell has an id that begins so.
    """
    prefix = identity.strip().lower()
    if _PREFIX.fullmatch(prefix) is None:
        raise RefusedError(f"Expected at least 8 digits (0-9, a-f) of a lesson or a cell, was {identity[:70]!r}")
    look_at_learned(connection, replay)
    run = learned_day(connection, "learning_run", day, replay)
    if run is None:
        raise RefusedError(nothing_learned(replay))
    at, day_words = run["timestamp"], f"{run['timestamp']:%Y-%m-%d}"
    cell = _cell(connection, prefix, at, day_words)
    names = {name: cell[name] for name in ("pattern_key", "action_category", "scope")}
    fits = rows_of(connection, "decay_fit_told", at=at, **names)
    fit = row_facts(fits[0]) if fits else None
    snapshots = rows_of(connection, "edge_snapshots_told", at=at, **names)
    level, least = _rules(connection, run)
    return {
        **{"day": day_words, "as_of": run["as_of"].isoformat(), "interval_level": level, "cell": row_facts(cell)},
        "lessons": facts_of(connection, "lessons_of_cell", at=at, **names),
        "snapshots": [row_facts(row) for row in snapshots],
        "snapshots_needed": least,
        "fit": fit,
        "half_life": None if fit is None else half_life(fit, level),
        **({"source": None, "because": _unfitted(len(snapshots), least)} if fit is None else _source(fit)),
        "flags": [] if fit is None else flags(fit, snapshots),
    }


def half_life(fit: Facts, level: float | None) -> dict[str, float | None] | None:
    """Half-life of a fit with its interval, hours; None where there is none.

    ln 2 over the rate, and over both ends of rate -+ z standard errors. The slow end is None where the slower of these
    rates is none or the other way, so that the edge may as well stand for ever; both are None where the level is.

    >>> half_life({"half_life_hours": 69.3, "rate_per_hour": -0.01, "rate_se_per_hour": 0.001}, 0.9)
    {'hours': 69.3, 'low_hours': 59.5, 'high_hours': 83.0}
    """
    if fit["half_life_hours"] is None:
        return None
    low = high = None
    if level is not None and fit["rate_se_per_hour"] is not None:
        away = NormalDist().inv_cdf(0.5 + level / 2) * fit["rate_se_per_hour"]
        rate = abs(fit["rate_per_hour"])
        low = math.log(2) / (rate + away)
        high = math.log(2) / (rate - away) if rate > away else None
    return {"hours": fit["half_life_hours"], "low_hours": low, "high_hours": high}


def flags(fit: Facts, snapshots: Sequence[Facts]) -> list[str]:
    """Say what a reader should know before believing a fit.

    >>> fit = {"n_outliers": 0, "amplitude": -0.5, "half_life_hours": 20.0, "decay_state": "decaying"}
    >>> flags(fit, [{"edge_raw": -0.4}, {"edge_raw": 0.1}])  # doctest: +NORMALIZE_WHITESPACE
    ['the newest edge has the other sign than the exponential',
     'it halves in less than a day, the time between two snapshots']
    """
    said = []
    if fit["n_outliers"]:
        said.append(f"{fit['n_outliers']} of its snapshots left out as outliers")
    if fit["amplitude"] is not None and snapshots and fit["amplitude"] * snapshots[-1]["edge_raw"] < 0:
        said.append("the newest edge has the other sign than the exponential")
    if fit["half_life_hours"] is not None and fit["half_life_hours"] < HOURS_BETWEEN:
        moves = "halves" if fit["decay_state"] == "decaying" else "doubles"
        said.append(f"it {moves} in less than a day, the time between two snapshots")
    return said


def _source(fit: Facts) -> dict[str, str | None]:
    """Which curve the multiplier came from, and why that one."""
    if fit["half_life_hours"] is not None:
        return {"source": "exponential", "because": "the exponential is believed"}
    because = REASONS.get(fit["reason"], fit["reason"])
    return {"source": "neither" if fit["relative_rate_per_hour"] is None else "line", "because": because}


def _unfitted(n_snapshots: int, least: int | None) -> str:
    """Say why a cell has no fit."""
    if n_snapshots == 0:
        return "it has no edge on any day yet"
    needed = "" if least is None else f", and a fit needs {least}"
    return f"it has {n_snapshots} snapshots{needed}"


def _cell(connection: psycopg.Connection, prefix: str, at: datetime, day_words: str) -> dict[str, Any]:
    found = rows_of(connection, "cells_begun_with", prefix=prefix, at=at)
    if not found:
        raise RefusedError(
            f"No lesson, and no cell with an edge on {day_words}, has an id that begins {prefix}; see /decay, or:"
            " lowcap decay"
        )
    if len(found) > 1:
        raise RefusedError(f"More than one lesson or cell has an id that begins {prefix}; give more of its digits")
    return found[0]


def _rules(connection: psycopg.Connection, run: Facts) -> tuple[float | None, int | None]:
    """Level of intervals, and snapshots a fit needs, when the day was learned; None where that cannot be read."""
    config = config_of(connection, run["config_version"])
    if config is None:
        return None, None
    return config.learning.lesson.interval_level, config.learning.edge_decay.min_snapshots
