"""`lowcap funnel`: how evidence thins out on a day, and what was left out at each step, and why."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from console.evidence_funnel import funnel_facts
from console.learned_day import Day, LearnedFrom, nothing_learned, read_day
from console.printing import print_json, print_table, printable
from console.session import reading

Facts = Mapping[str, Any]


def funnel(
    day: Day = None,
    replay: LearnedFrom = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the way from what was told to overrides that act: how many came so far, and what stopped the others."""
    at = read_day(day)
    with reading() as connection:
        facts = funnel_facts(connection, at, replay=replay)
    if as_json:
        print_json(facts)
    elif facts["day"] is None:
        typer.echo(nothing_learned(replay))
    else:
        title = f"day {facts['day']}, by the rule {facts['promotion']!r}"
        print_table(title, ("step", "", "left out"), [_cells(each) for each in facts["steps"]])
        typer.echo(printable(standing_words(facts)))


def standing_words(facts: Facts) -> str:
    """Say whether anything of it acts.

    >>> standing_words({"set_id": 3, "is_live": True})
    'The runtime reads set 3 now.'
    """
    if facts["set_id"] is None:
        return "No set of overrides was made by then."
    if facts["is_live"] is None:
        return f"Set {facts['set_id']} is of a replay: no runtime reads it."
    return f"The runtime {'reads' if facts['is_live'] else 'does not read'} set {facts['set_id']} now."


def count_words(step: Facts) -> str:
    """Write the count of a step, or that there is none.

    >>> count_words({"count": 12913}), count_words({"count": None})
    ('12,913', '-')
    """
    return "-" if step["count"] is None else f"{step['count']:,}"


def _cells(step: Facts) -> tuple[str, ...]:
    said: Iterable[str] = (f"{each['count']:,}: {each['why']}" for each in step["left_out"])
    note = () if step["note"] is None else (f"({step['note']})",)
    return step["words"], count_words(step), "; ".join([*said, *note])
