"""How evidence thins out on a day: from what was told to overrides that act; what each step left out, and why.

What belongs here: the facts. What does not: the gates themselves, which stand in the rows that are counted here.
Learning knows what had closed by the end of the day; strands, facts and closures are counted up to that instant.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import psycopg

from console.learned_day import learned_day, look_at_learned
from console.lessons_view import WHY
from console.override_set_printing import WHY as WHY_ENDED
from console.replay import PREFIX, look_at
from console.stored_rows import rows_of
from sql.queries import query

Facts = dict[str, Any]

UNTESTED = ("too_few_trades", "too_few_clusters", "no_spread")
INSIGNIFICANT = ("not_significant",)
UNCONFIRMED = ("not_confirmed",)
UNWANTED = ("no_baseline", "edge_too_small", "explained_by", "not_significant_alone", "short_lived", "too_many")
"""Verdicts by the step at which they stop a cell, in the order of the steps."""

WHY_WAITING: Mapping[str, str] = {
    "parked": "parked until all of their actions have come",
    "given_up": "given up: their actions did not come in time",
    "refused": "refused: they break their schema, or their trade was told otherwise before",
}
"""Where a closure may be that was not taken, in words; one that is not here is shown as it is stored."""


def funnel_facts(connection: psycopg.Connection, day: datetime | None, *, replay: str | None) -> Facts:
    """Count the steps of a day, the newest where it is None.

    Parameters
    ----------
    connection : psycopg.Connection
        In a transaction; its search path is set to a replay's.
    day : datetime or None
        Midnight at which the day begins.
    replay : str or None
        What a replay taught.

    Returns
    -------
    dict
        day, as_of, promotion, set_id, is_live, and steps: name, words, unit, count, note, left_out. A count that is
        not known, or that the rule of the day does not ask for, is None. `is_live`: whether the runtime reads that
        set now; None of a replay's.

    Raises
    ------
    RefusedError
        If there is no such replay or day.
    """
    look_at_learned(connection, replay)
    run = learned_day(connection, "learning_run", day, replay)
    if run is None:
        return {"day": None, "as_of": None, "promotion": None, "set_id": None, "is_live": None, "steps": []}
    told = _strands(connection, run["as_of"], replay)
    values = {"at": run["timestamp"], "pattern": None}
    verdicts = {row["verdict"]: row["count"] for row in rows_of(connection, "hypotheses_by_verdict", **values)}
    found = rows_of(connection, "override_set_by", as_of=run["as_of"])
    made = found[0] if found else None
    steps = [
        *_trade_steps(connection, run, told),
        *_cell_steps(run, verdicts),
        *_override_steps(connection, run, made, verdicts.get("promoted", 0)),
    ]
    return {
        **{"day": f"{run['timestamp']:%Y-%m-%d}", "as_of": run["as_of"].isoformat(), "promotion": run["promotion"]},
        **{"set_id": None if made is None else made["set_id"], "is_live": _is_live(connection, made, replay)},
        "steps": steps,
    }


def step(
    name: str, words: str, unit: str, count: int | None, left_out: Iterable[Facts | None] = (), note: str | None = None
) -> Facts:
    """One step: what it counts, how many, and what was left out on the way to it; nothing is left out in no number."""
    kept = [each for each in left_out if each is not None and each["count"]]
    return {"name": name, "words": words, "unit": unit, "count": count, "note": note, "left_out": kept}


def left(count: int | None, why: str, kind: str | None = None, value: str | None = None) -> Facts | None:
    """So many left out, and why; `kind` and `value` say where their rows are. None where the number is not known."""
    return None if count is None else {"count": count, "why": why, "kind": kind, "value": value}


def _strands(connection: psycopg.Connection, as_of: datetime, replay: str | None) -> Facts | None:
    """Count the event log; None where there is none beside what was learned, as beside what was imported."""
    if replay is not None:
        schemas = {schema for (schema,) in connection.execute(query("schemas_of_replays").encode())}
        if f"{PREFIX}{replay}" not in schemas:
            return None
        look_at(connection, replay)
    (told,) = rows_of(connection, "strands_before", as_of=as_of)
    told["dead"] = [] if replay else rows_of(connection, "dead_letters_before", as_of=as_of)
    look_at_learned(connection, replay)
    return told


def _trade_steps(connection: psycopg.Connection, run: Mapping[str, Any], told: Facts | None) -> list[Facts]:
    (facts,) = rows_of(connection, "facts_counted", as_of=run["as_of"])
    waiting = rows_of(connection, "intake_counted", as_of=run["as_of"])
    closed = None if told is None else told["closed_trades"]
    strands = None if told is None else told["actions"] + told["closures"]
    lost = [] if told is None else [_dead(row) for row in told["dead"]]
    still_open = (
        None if told is None else left(told["actions_of_open_trades"], "actions of trades that were open still")
    )
    unseen = None if closed is None else closed - facts["trades"] - sum(row["trades"] for row in waiting)
    untaken = [left(row["closures"], _waiting_words(row["status"]), "intake", row["status"]) for row in waiting]
    untaken.append(left(None if unseen is None else max(0, unseen), "not looked at yet"))
    missing = None if told is not None else "the event log it was learned from is not here"
    without = left(run["n_trades_without_rr"], "without an R/R: counted, never used")
    return [
        step("strands", "actions and closures told", "strands", strands, lost, missing),
        step("closed", "trades closed", "trades", closed, [still_open], missing),
        step("taken", "closed trades taken as facts", "trades", facts["trades"], untaken),
        step("measured", "trades with a known R/R", "trades", run["n_trades"] - run["n_trades_without_rr"], [without]),
    ]


def _dead(row: Mapping[str, Any]) -> Facts | None:
    return left(row["letters"], f"broke their schema as {row['kind']}, and are in no log", "dead_letter", row["kind"])


def _waiting_words(status: str) -> str:
    return WHY_WAITING.get(status, status)


def _cell_steps(run: Mapping[str, Any], verdicts: Mapping[str, int]) -> list[Facts]:
    """From frequent cells to lessons; by the documents' rule nothing is tested, so those counts are not known."""
    is_honest = run["promotion"] == "honest"
    found, mined, asked = run["cells_found"], run["cells_mined"], run["n_hypotheses"]
    same = left(max(0, found - mined - run["cells_cut"]), "the very trades of a cell with fewer conditions")
    cut = left(run["cells_cut"], "no room: too many cells")
    unasked = left(max(0, mined - asked), "below a cell that is not told from its rest, so never asked")
    names = (UNTESTED, INSIGNIFICANT, UNCONFIRMED, UNWANTED)
    stopped = [[left(verdicts.get(name), WHY[name], "verdict", name) for name in step_names] for step_names in names]
    counts = [asked]
    for verdict_names in names[:-1]:
        counts.append(counts[-1] - sum(verdicts.get(name, 0) for name in verdict_names))
    tested, significant, confirmed = (each if is_honest else None for each in counts[1:])
    note = None if is_honest else "the documents' rule does not ask this"
    known = {*verdicts} - {"promoted", *(name for each in names for name in each)}
    others = [left(verdicts[name], name, "verdict", name) for name in sorted(known)]
    early = stopped[0] if is_honest else []
    late = stopped[3] if is_honest else [each for part in stopped for each in part]
    return [
        step("found", "frequent cells", "cells", found),
        step("mined", "cells kept", "cells", mined, [same, cut]),
        step("asked", "hypotheses asked", "cells", asked, [unasked]),
        step("tested", "tested", "cells", tested, early, note),
        step(
            "significant",
            "significant, chance held at bay",
            "cells",
            significant,
            stopped[1] if is_honest else [],
            note,
        ),
        step("confirmed", "confirmed by later trades", "cells", confirmed, stopped[2] if is_honest else [], note),
        step("promoted", "promoted to lessons this day", "cells", verdicts.get("promoted", 0), [*late, *others]),
    ]


def _override_steps(
    connection: psycopg.Connection, run: Mapping[str, Any], made: Mapping[str, Any] | None, promoted: int
) -> list[Facts]:
    set_id = None if made is None else made["set_id"]
    (standing,) = rows_of(connection, "lessons_standing", at=run["timestamp"], set_id=set_id)
    before = standing["lessons"] - standing["promoted_today"]
    kept = f"{before} of them from days before" if before else None
    retired = left(run["n_retired"], "retired this day: not found again")
    sales = left(standing["about_sales"], "about sales, which nothing learned moves")
    silent = left(standing["without_override"], "no override: too near neutral, or another lesson speaks for it")
    if made is None:
        missing = "no set of overrides was made yet"
        names = (("overrides", "overrides of size made of them"), ("watched", "in shadow or live"), ("live", "live"))
        return [
            step("standing", "lessons that stand", "lessons", standing["lessons"], [retired], kept),
            *(step(name, words, "overrides", None, (), missing) for name, words in names),
        ]
    ended = [
        left(row["overrides"], f"ended: {WHY_ENDED.get(row['reason'], row['reason'])}")
        for row in rows_of(connection, "endings_of_set", set_id=set_id)
    ]
    proposed = left(made["proposed"], "proposed, and not watched yet")
    shadow = left(made["shadow"], "in shadow: watched, without effect")
    of_set = f"set {set_id}, as of {made['as_of']:%Y-%m-%d}"
    if made["thresholds"]:
        of_set += f"; {made['thresholds']} more move thresholds, by windows of opportunity and not by lessons"
    return [
        step("standing", "lessons that stand", "lessons", standing["lessons"], [retired], kept),
        step(
            "overrides",
            "overrides of size made of them",
            "overrides",
            made["overrides"],
            [sales, silent, *ended],
            of_set,
        ),
        step("watched", "in shadow or live", "overrides", made["shadow"] + made["live"], [proposed]),
        step("live", "live", "overrides", made["live"], [shadow]),
    ]


def _is_live(connection: psycopg.Connection, made: Mapping[str, Any] | None, replay: str | None) -> bool | None:
    if made is None or replay is not None:
        return None
    changes = rows_of(connection, "live_set_changes", most=1)
    return bool(changes) and bool(changes[0]["set_id"] == made["set_id"])
