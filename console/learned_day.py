"""Which learned day a view looks at: the newest or a named one, of live trades or of what a replay taught."""

import difflib
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

import psycopg
import typer
from psycopg.rows import dict_row

from console.instant import within_years
from console.replay import PREFIX as REPLAY_PREFIX
from console.session import RefusedError
from sql.learned_schema import PREFIX
from sql.queries import query

Day = Annotated[
    str | None, typer.Option(metavar="DAY", help="What was known at the end of this UTC day (default: the newest)")
]
LearnedFrom = Annotated[
    str | None, typer.Option("--replay", metavar="NAME", help="Look at what a replay taught instead of live trades.")
]
NOTES = "llm_learning"
"""Written once a day is over, where lessons are made all day: a day may have these and no notes."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,47}")


def read_day(text: str | None) -> datetime | None:
    """Midnight at which a day begins, as a person types it; None when nothing is given.

    Raises
    ------
    typer.BadParameter
        If it is no day, or lies outside `YEARS`.
    """
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"Expected a day such as 2025-06-30, was {text!r}") from None
    return within_years(datetime(day.year, day.month, day.day, tzinfo=UTC))


def look_at_learned(connection: psycopg.Connection, replay: str | None) -> None:
    """Let the tables of learning be those a replay taught until the transaction ends; None leaves them.

    What live trades taught is off the path then: a table that lacks there is an error, never its namesake's rows.

    Raises
    ------
    RefusedError
        If nothing was learned from such a replay; the message says what to do, or what there is.
    """
    if replay is None:
        return
    taught = _names(connection, "schemas_of_learned", PREFIX)
    if replay not in taught:
        raise RefusedError(_not_taught(replay, taught, _names(connection, "schemas_of_replays", REPLAY_PREFIX)))
    connection.execute(query("set_search_path").encode(), {"search_path": f"{PREFIX}{replay}, public"})


def learned_day(
    connection: psycopg.Connection, table: str, day: datetime | None, replay: str | None
) -> dict[str, Any] | None:
    """Row of a day of a table: `learning_run`, `walk_forward` or `llm_learning`.

    None while there is no day at all and none was asked for.

    Raises
    ------
    RefusedError
        If the day that was asked for is not there; the message says which are.
    """
    cursor = connection.cursor(row_factory=dict_row)
    row = cursor.execute(query(f"{table}_of_day").encode(), {"at": day}).fetchone()
    if row is not None or day is None:
        return row
    ((first, last),) = connection.execute(query(f"days_of_{table}").encode()).fetchall()
    if first is None:
        raise RefusedError(nothing_learned(replay, table))
    if table == NOTES:
        raise RefusedError(
            f"Day {day:%Y-%m-%d} has no notes; the first are of {first:%Y-%m-%d}, the last of {last:%Y-%m-%d}"
        )
    raise RefusedError(f"Day {day:%Y-%m-%d} was not learned; the days from {first:%Y-%m-%d} to {last:%Y-%m-%d} were")


def nothing_learned(replay: str | None, table: str = "learning_run") -> str:
    """Say that nothing was learned, or no note written, and how that is changed."""
    what = "No note was written yet" if table == NOTES else "Nothing was learned yet"
    return f"{what}; first: lowcap learn {'--from DAY' if replay is None else f'--replay {replay}'}"


def _not_taught(replay: str, taught: Sequence[str], replays: Sequence[str]) -> str:
    if replay in replays:
        return f"Nothing was learned from replay {replay!r} yet; first: lowcap learn --replay {replay}"
    near = difflib.get_close_matches(replay, taught, n=1)
    said = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(taught) or 'none'}"
    return f"No replay {replay!r} was learned from; {said}"


def _names(connection: psycopg.Connection, name: str, prefix: str) -> list[str]:
    rows = connection.execute(query(name).encode()).fetchall()
    names = [schema.removeprefix(prefix) for (schema,) in rows]
    return [each for each in names if _NAME.fullmatch(each)]
