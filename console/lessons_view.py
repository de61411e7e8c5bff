"""`lowcap lessons`: what is believed of closed trades as of a day, and what was asked and not believed."""

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import psycopg
import typer

from console.explained_action import config_of
from console.latent_factors import print_latent_factors
from console.learned_day import Day, LearnedFrom, learned_day, look_at_learned, nothing_learned, read_day
from console.learned_row import SHORT_ID, interval_words, number, pattern_words, row_facts, scope_words
from console.printing import print_json, print_table, printable
from console.regime_weights import print_regime_weights
from console.session import RefusedError, reading
from console.stored_rows import facts_of
from domain.scopes.pattern_key import PATTERN_KEYS, PREFIX, TuningFamily
from domain.vocabulary.lesson_type import LessonType

Facts = Mapping[str, Any]

WHY: Mapping[str, str] = {
    "promoted": "believed: it is a lesson",
    "too_few_trades": "too few trades, in it or in the rest of its parent",
    "too_few_clusters": "its trades, or the rest, closed on too few days",
    "no_spread": "outcomes do not vary, so chance cannot be measured",
    "not_significant": "chance may have made it",
    "not_confirmed": "later trades do not confirm it",
    "no_baseline": "there is no baseline to measure an edge from",
    "edge_too_small": "its edge is too small to act on",
    "explained_by": "it is the effect of another cell",
    "not_significant_alone": "chance may have made it, once shadows of other lessons do not count",
    "short_lived": "its edge halves too soon to be used",
    "too_many": "there was no room: others are stronger",
}
"""Verdicts in words; one that is not here is shown as it is stored."""

ABOUT: Mapping[str, str] = {LessonType.PM_STRENGTH: "", LessonType.TUNING: "gate of "}
"""What lessons are about, in words before their pattern; most are about the size of a buy."""

PARTS = ("hypotheses", "weights", "factors")
"""What may be asked for in place of the lessons."""

LESSON = ("lesson", "pattern, action", "where", "trades")
TESTED = ("q", "later", "edge")
STANDING = ("decay", "born", "missed")
ASKED = ("verdict", "pattern, action", "where", "trades", "days")


def lessons(
    day: Day = None,
    is_all: Annotated[bool, typer.Option("--all", help="Retired lessons too.")] = False,
    pattern: Annotated[str | None, typer.Option(metavar="PATTERN", help="Only of this one, e.g. S1.buy_flag")] = None,
    hypotheses: Annotated[
        bool, typer.Option("--hypotheses", help="Everything that was asked, and its verdict.")
    ] = False,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many hypotheses at most.")] = 50,
    weights: Annotated[bool, typer.Option("--weights", help="What the parts of an edge weigh in each regime.")] = False,
    factors: Annotated[
        bool, typer.Option("--factors", help="Lessons that share their trades, and which speaks for them.")
    ] = False,
    replay: LearnedFrom = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the lessons of a day with their evidence, or what was asked and not believed, or weights, or factors."""
    at = read_day(day)
    with reading() as connection:
        asked = {"hypotheses": hypotheses, "weights": weights, "factors": factors}
        parts = frozenset(name for name, is_asked in asked.items() if is_asked)
        wanted: dict[str, Any] = {"is_all": is_all, "pattern": pattern, "parts": parts, "most": most}
        facts = lessons_facts(connection, at, **wanted, replay=replay)
    if as_json:
        print_json(facts)
    elif facts["run"] is None:
        typer.echo(nothing_learned(replay))
    else:
        _print(facts)


def lessons_facts(
    connection: psycopg.Connection,
    day: datetime | None,
    *,
    is_all: bool,
    pattern: str | None,
    parts: frozenset[str],
    most: int,
    replay: str | None,
) -> dict[str, Any]:
    """Facts of the view as of a day, the newest where it is None.

    Parameters
    ----------
    connection : psycopg.Connection
        In a transaction; its search path is set to a replay's.
    day : datetime or None
        Midnight at which the day begins.
    is_all : bool
        Retired lessons too.
    pattern : str or None
        Only of this one, as a person types it.
    parts : frozenset of str
        Some of `PARTS`; none of them: the lessons themselves.
    most : int
        How many hypotheses at most.
    replay : str or None
        What a replay taught.

    Raises
    ------
    RefusedError
        If there is no such pattern, replay or day.
    """
    key = None if pattern is None else read_pattern_key(pattern)
    look_at_learned(connection, replay)
    run = learned_day(connection, "learning_run", day, replay)
    values = {"at": None if run is None else run["timestamp"], "pattern": key, "is_all": is_all, "most": most}
    facts = _run_facts(connection, run)
    if "hypotheses" in parts:
        names = ("hypotheses_by_verdict", "hypotheses_told")
        facts |= _asked_facts(*(facts_of(connection, name, **values) for name in names))
    if "weights" in parts:
        facts["weights"] = facts_of(connection, "regime_weights_told", **values)
    if "factors" in parts:
        facts["factors"] = facts_of(connection, "latent_factors_told", **values)
    if not parts:
        facts["lessons"] = facts_of(connection, "lessons_told", **values)
    return facts


def read_pattern_key(text: str) -> str:
    """Key of a pattern as a person types it, with or without what all of them begin with."""
    known = [*(str(key) for key in PATTERN_KEYS), *(family.value for family in TuningFamily)]
    for key in (text, f"{PREFIX}.{text}"):
        if key in known:
            return key
    short = [key.removeprefix(f"{PREFIX}.") for key in known]
    near = difflib.get_close_matches(text.removeprefix(f"{PREFIX}."), short, n=1, cutoff=0.5)
    said = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(short)}"
    raise RefusedError(f"No pattern {text!r:.80}; {said}")


def _run_facts(connection: psycopg.Connection, run: Facts | None) -> dict[str, Any]:
    if run is None:
        return {"day": None, "as_of": None, "interval_level": None, "are_weights_served": None, "run": None}
    config = config_of(connection, run["config_version"])
    level = None if config is None else config.learning.lesson.interval_level
    is_served = None if config is None else config.learning.regime_weight.is_served
    told = row_facts({name: value for name, value in run.items() if name not in ("timestamp", "as_of")})
    return {
        **{"day": f"{run['timestamp']:%Y-%m-%d}", "as_of": run["as_of"].isoformat()},
        **{"interval_level": level, "are_weights_served": is_served, "run": told},
    }


def _asked_facts(counts: Sequence[Facts], rows: Sequence[Facts]) -> dict[str, Any]:
    by_verdict = [{**each, "why": WHY.get(each["verdict"])} for each in counts]
    return {"asked": sum(each["count"] for each in counts), "verdicts": by_verdict, "hypotheses": rows}


def _print(facts: Facts) -> None:
    typer.echo(printable(_day_words(facts)))
    if "lessons" in facts:
        _print_lessons(facts)
    if "hypotheses" in facts:
        _print_hypotheses(facts)
    if "weights" in facts:
        print_regime_weights(facts["weights"], facts["are_weights_served"])
    if "factors" in facts:
        print_latent_factors(facts["factors"])


def _print_lessons(facts: Facts) -> None:
    run, found = facts["run"], facts["lessons"]
    active = sum(lesson["status"] == "active" for lesson in found)
    retired = f", {len(found) - active} retired" if len(found) > active else ""
    asked = f"by the rule {run['promotion']!r}; {run['n_hypotheses']} cells were asked about"
    title = f"{active} active lessons{retired}, {asked}"
    columns = (*LESSON, _effect_column(facts), *TESTED, *STANDING)
    print_table(title, columns, [_lesson_cells(lesson, facts["day"]) for lesson in found])


def _day_words(facts: Facts) -> str:
    run = facts["run"]
    left_out = [f"{run[name]} {words}" for name, words in _NOT_USED.items() if run[name]]
    missing = f" ({', '.join(left_out)})" if left_out else ""
    known = f"{run['n_trades']} trades closed before {facts['as_of'][:16]}Z{missing}"
    return f"day {facts['day']}: {known}; baseline {number(run['baseline_rr'], '+.3f')} R"


_NOT_USED = {"n_trades_without_rr": "without an R/R", "n_parked": "more that wait for their actions"}


def _effect_column(facts: Facts) -> str:
    level = facts["interval_level"]
    return "effect, R" if level is None else f"effect, R ({level:.0%})"


def _lesson_cells(lesson: Facts, day: str) -> tuple[str, ...]:
    about = ABOUT.get(lesson["lesson_type"], f"{lesson['lesson_type']} of ")
    what = (lesson["lesson_id"][:SHORT_ID], about + pattern_words(lesson), scope_words(lesson["scope"]))
    numbers = (str(lesson["n_trades"]), *_test_cells(lesson), _decay_words(lesson))
    return (*what, *numbers, lesson["born_on"], _missed_words(lesson, day))


def _missed_words(lesson: Facts, day: str) -> str:
    """Say how many days in a row did not find it, when it was retired, and of which day its numbers are."""
    retired = f", retired {lesson['retired_on']}" if lesson["retired_on"] else ""
    measured = f", numbers of {lesson['measured_on']}" if lesson["measured_on"] != day else ""
    return f"{lesson['missed_runs']}{retired}{measured}"


def _test_cells(facts: Facts) -> tuple[str, ...]:
    effect = interval_words(facts["effect_rr"], facts["effect_low"], facts["effect_high"])
    later = "-" if facts["oos_effect_rr"] is None else f"{facts['oos_effect_rr']:+.2f} of {facts['oos_trades']}"
    return (effect, number(facts["q_value"], ".3f"), later, number(facts["edge_used"], "+.3f"))


def _decay_words(lesson: Facts) -> str:
    """Say by what its edge is multiplied, where it is heading, and in how many hours it halves or doubles."""
    half_life = lesson["half_life_hours"]
    within = "" if half_life is None else f" {half_life:.0f}h"
    return f"{lesson['decay_mult']:.2f} {lesson['decay_state']}{within}"


def _print_hypotheses(facts: Facts) -> None:
    rows = [(each["verdict"], each["why"] or "", str(each["count"])) for each in facts["verdicts"]]
    rule = facts["run"]["promotion"]
    print_table(f"{facts['asked']} cells were asked about, by the rule {rule!r}", ("verdict", "why", "cells"), rows)
    shown = len(facts["hypotheses"])
    title = "all of them" if shown == facts["asked"] else f"{shown} of them (--most)"
    columns = (*ASKED, _effect_column(facts), *TESTED)
    print_table(f"{title}, nearest to belief first", columns, [_asked_cells(each) for each in facts["hypotheses"]])


def _asked_cells(each: Facts) -> tuple[str, ...]:
    by = "" if each["explained_by"] is None else f": {scope_words(each['explained_by'])}"
    return (
        *(f"{each['verdict']}{by}", pattern_words(each), scope_words(each["scope"]), str(each["n_trades"])),
        *(number(each["n_clusters"], "d"), *_test_cells(each)),
    )
