"""`lowcap decay`: how edges of lessons and cells age: half-life with its interval, multiplier, and from which curve."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from console.cell_decay import decay_facts, decays_facts
from console.learned_day import Day, LearnedFrom, nothing_learned, read_day
from console.learned_row import SHORT_ID, number, pattern_words, scope_words
from console.printing import print_json, print_table, printable
from console.session import reading

Facts = Mapping[str, Any]
HOURS_OF_A_DAY = 24.0


def decay(
    identity: Annotated[
        str | None,
        typer.Argument(metavar="LESSON|CELL", help="First 8 or more digits of an id; without one, all fitted cells."),
    ] = None,
    day: Day = None,
    pattern: Annotated[str | None, typer.Option(metavar="PATTERN", help="Only of this one, e.g. S1.buy_flag")] = None,
    state: Annotated[str | None, typer.Option(metavar="STATE", help="decaying, stable or improving.")] = None,
    lessons: Annotated[bool, typer.Option("--lessons", help="Only cells with an active lesson.")] = False,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many cells at most.")] = 50,
    replay: LearnedFrom = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how an edge ages, or list all fitted cells, the worst first."""
    at = read_day(day)
    asked: dict[str, Any] = {"pattern": pattern, "state": state, "is_lessons": lessons, "most": most}
    with reading() as connection:
        if identity is None:
            facts = decays_facts(connection, at, **asked, replay=replay)
        else:
            facts = decay_facts(connection, identity, at, replay=replay)
    if as_json:
        print_json(facts)
    elif identity is not None:
        _print_one(facts)
    elif facts["day"] is None:
        typer.echo(nothing_learned(replay))
    else:
        _print_all(facts)


def half_life_words(half_life: Facts | None, level: float | None = None) -> str:
    """Say a half-life and its interval in days.

    >>> half_life_words({"hours": 96.0, "low_hours": 72.0, "high_hours": None}, 0.9)
    '4.0 d (90% interval: 3.0 d to no end)'
    >>> half_life_words({"hours": 96.0, "low_hours": None, "high_hours": None}), half_life_words(None)
    ('4.0 d', '-')
    """
    if half_life is None:
        return "-"
    said = _days(half_life["hours"])
    if half_life["low_hours"] is None:
        return said
    high = "no end" if half_life["high_hours"] is None else _days(half_life["high_hours"])
    what = "" if level is None else f"{level:.0%} interval: "
    return f"{said} ({what}{_days(half_life['low_hours'])} to {high})"


def movement_words(state: str) -> str:
    """Say what a half-life is of.

    >>> movement_words("improving"), movement_words("decaying")
    ('doubles in', 'halves in')
    """
    return "doubles in" if state == "improving" else "halves in"


def _days(hours: float) -> str:
    return f"{hours / HOURS_OF_A_DAY:,.1f} d"


def _print_all(facts: Facts) -> None:
    counted = ", ".join(f"{count} {state}" for state, count in by_state(facts["states"]).items())
    title = f"day {facts['day']}: {facts['fitted']} cells are fitted{f': {counted}' if counted else ''}"
    columns = ("cell", "lesson", "pattern, action", "where", "trades", "edge", "is", "x", "from", "half-life")
    print_table(title, columns, [_cells(each) for each in facts["cells"]])
    hidden = "" if len(facts["cells"]) == facts["fitted"] else f"{len(facts['cells'])} of them are shown. "
    typer.echo(f"{hidden}One of them: lowcap decay CELL")


def by_state(states: Sequence[Facts]) -> dict[str, int]:
    """Count fitted cells by state, whatever the reason that goes with it."""
    counted: dict[str, int] = {}
    for each in states:
        counted[each["decay_state"]] = counted.get(each["decay_state"], 0) + each["cells"]
    return counted


def _cells(each: Facts) -> tuple[str, ...]:
    lesson = each["lesson_id"]
    return (
        *(each["cell_id"][:SHORT_ID], "-" if lesson is None else lesson[:SHORT_ID]),
        *(pattern_words(each), scope_words(each["scope"]), number(each["n_trades"], "d")),
        *(number(each["edge_raw"], "+.3f"), each["decay_state"], number(each["decay_mult"], ".2f"), each["source"]),
        half_life_words(each["half_life"]),
    )


def _print_one(facts: Facts) -> None:
    for sentence in _sentences(facts):
        typer.echo(printable(sentence))
    rows = [(each["day"][:10], f"{each['edge_raw']:+.3f}", str(each["n_trades"])) for each in facts["snapshots"]]
    print_table(f"{len(rows)} snapshots of its edge", ("day", "edge, R", "trades"), rows)


def _sentences(facts: Facts) -> list[str]:
    cell, fit = facts["cell"], facts["fit"]
    said = [f"{pattern_words(cell)}, {scope_words(cell['scope'])}, as of {facts['as_of'][:16]}Z"]
    for each in facts["lessons"]:
        said.append(f"Lesson {each['lesson_id'][:SHORT_ID]} is {each['status']}, born {each['born_on']}.")
    if fit is None:
        return [*said, f"Nothing was fitted: {facts['because']}. Its edge is multiplied by 1."]
    outliers = f", {fit['n_outliers']} of them left out as outliers" if fit["n_outliers"] else ""
    line = f"{number(fit['intercept'], '+.3f')} R {number(fit['slope_per_hour'] * HOURS_OF_A_DAY, '+.4f')} R a day"
    said.append(f"Line over {fit['n_snapshots']} snapshots{outliers}: {line}, R2 {number(fit['r2_linear'], '.2f')}.")
    if fit["amplitude"] is None:
        said.append(f"No exponential (R2 {number(fit['r2_exponential'], '.2f')}): {facts['because']}.")
    else:
        words = half_life_words(facts["half_life"], facts["interval_level"])
        moves = movement_words(fit["decay_state"] if fit["rate_per_hour"] < 0 else "improving")
        start = number(fit["amplitude"], "+.3f")
        said.append(f"Exponential from {start} R: {moves} {words}, R2 {number(fit['r2_exponential'], '.2f')}.")
    source = "by neither curve" if facts["source"] == "neither" else f"by the {facts['source']}"
    said.append(f"It is {fit['decay_state']}; its edge is multiplied by {fit['decay_mult']:.3f}, {source}.")
    return [*said, *(f"Mind: {each}." for each in facts["flags"])]
