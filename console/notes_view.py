"""`lowcap notes`: what was written for people of what was learned, by templates or a language model.

A note may say anything: it is shown as text, with what a terminal would obey spelled out, and nothing is made of it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any

import psycopg
import typer

from console.learned_day import NOTES, Day, LearnedFrom, learned_day, look_at_learned, nothing_learned, read_day
from console.learned_row import SHORT_ID, number, pattern_words, scope_words
from console.printing import print_json, print_table, printable
from console.session import reading
from console.stored_note import note_facts
from console.stored_rows import rows_of
from domain.learning.research_note import NoteKind

Facts = Mapping[str, Any]

MAX_SHOWN = 1_000
"""Characters of one text that are shown; a note that was checked has fewer. --json has all of them."""

FIRST = ("title", "name", "semantic_tag", "pattern_key", "proposal", "description", "findings", "reasoning")
"""Order in which the parts of a note are read; others follow by name."""


def notes(
    day: Day = None,
    kind: Annotated[NoteKind | None, typer.Option(help="Only of this one.")] = None,
    replay: LearnedFrom = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the notes of a day: reports, hypotheses with their tests, and how many answers were refused."""
    at = read_day(day)
    with reading() as connection:
        facts = notes_facts(connection, at, kind, replay)
    if as_json:
        print_json(facts)
    elif facts["day"] is None:
        typer.echo(nothing_learned(replay, NOTES))
    else:
        _print(facts)


def notes_facts(
    connection: psycopg.Connection, day: datetime | None, kind: NoteKind | None, replay: str | None
) -> dict[str, Any]:
    """Facts of the view as of a day, the newest where it is None: notes, and what was refused.

    Raises `RefusedError` if there is no such replay or day.
    """
    look_at_learned(connection, replay)
    newest = learned_day(connection, NOTES, day, replay)
    values = {"at": None if newest is None else newest["timestamp"], "kind": None if kind is None else kind.value}
    rows = rows_of(connection, "notes_told", **values)
    told = sorted((note_facts(row) for row in rows), key=_place)
    refused = [each for each in told if each["refusal"] is not None]
    counts = Counter(str(each["refusal"].get("reason")) for each in refused)
    return {
        "day": None if newest is None else f"{newest['timestamp']:%Y-%m-%d}",
        "as_of": None if newest is None else newest["as_of"].isoformat(),
        "notes": [_without(each, "refusal") for each in told if each["refusal"] is None],
        "refused": [{"reason": reason, "count": count} for reason, count in counts.most_common()],
        "refusals": [_without(each, "note", "claim", "test_results") for each in refused],
    }


def _place(each: Facts) -> tuple[Any, ...]:
    return (each["level"], each["is_carried"], each["model_id"], each["number"] or 0, each["id"])


def _without(each: Facts, *names: str) -> dict[str, Any]:
    return {name: value for name, value in each.items() if name not in names}


def _print(facts: Facts) -> None:
    found, refusals = facts["notes"], facts["refusals"]
    counts = Counter(each["kind"] for each in found)
    kinds = ", ".join(f"{kind} {count}" for kind, count in counts.items()) or "none"
    _say(f"day {facts['day']}: {len(found)} notes as of {facts['as_of'][:16]}Z ({kinds}). They move no number.")
    for each in found:
        _say("")
        _say(_head(each))
        for line in note_lines(each):
            _say(f"  {line}")
    _say("")
    reasons = ", ".join(f"{each['reason']} {each['count']}" for each in facts["refused"])
    _say(f"{len(refusals)} answers were refused or did not come{f': {reasons}' if reasons else ''}.")
    if refusals:
        columns = ("level", "kind", "model", "reason", "told")
        print_table("what was asked and not answered", columns, [_refusal_cells(each) for each in refusals])


def _say(text: str) -> None:
    typer.echo(printable(text))


def _head(each: Facts) -> str:
    """Say what a note is, where it stands, and who wrote it."""
    by = "the template" if each["is_template"] else f"model {_shown(each['model_id'])}"
    made = "" if each["made_at"] is None else f", made {_shown(each['made_at'])[:16]}"
    return f"{each['id'][:SHORT_ID]} level {each['level']} {each['kind']}: {each['status']}; by {by}{made}"


def note_lines(each: Facts) -> Iterator[str]:
    """Lines of a note: its parts in the order they are read, what it claims, and how the test of that went."""
    if each["problem"] is not None:
        yield f"it cannot be read: {_shown(each['problem'])}"
    note = each["note"] or {}
    for name in sorted(note, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)):
        if name == "test" and each["claim"] is not None:
            continue
        if isinstance(note[name], list):
            yield f"{_shown(name)}:"
            yield from (f"- {_shown(item)}" for item in note[name])
        else:
            yield f"{_shown(name)}: {_shown(note[name])}"
    if each["claim"] is not None:
        yield f"claims: {claim_words(each['claim'])}"
    if each["kind"] == NoteKind.HYPOTHESIS:
        yield f"test: {result_words(each['test_results'], each['status'])}"


def claim_words(claim: Facts) -> str:
    """Say which trades a hypothesis is about, and which way they are to differ.

    >>> slice = {"pattern_key": "pm.uptrend.S1.buy_flag", "action_category": "entry", "expected_sign": "better"}
    >>> claim_words(slice | {"scope": {"timeframe": "1h"}})
    'S1.buy_flag entry where timeframe=1h ends better than elsewhere'
    """
    where = scope_words(claim["scope"])
    return f"{_shown(pattern_words(claim))} where {_shown(where)} ends {_shown(claim['expected_sign'])} than elsewhere"


def result_words(results: Facts | None, status: str) -> str:
    """Say how the test of a hypothesis went, or why there was none.

    >>> result_words(None, "hypothesis"), result_words({"given_up": "claimed already"}, "deprecated")
    ('waits for trades entered after it was made', 'given up: claimed already')
    """
    if results is None:
        return "waits for trades entered after it was made" if status == "hypothesis" else "none"
    given_up = [f"given up: {_shown(results['given_up'])}"] if "given_up" in results else []
    return "; ".join([*given_up, *([_numbers(results)] if "n_in" in results else [])]) or "none"


def _numbers(results: Facts) -> str:
    n_in, n_rest, days_in, days_rest, least = (
        _number(results, name, "d") for name in ("n_in", "n_rest", "clusters_in", "clusters_rest", "min_trades")
    )
    effect, p, q = (_number(results, name, spec) for name, spec in (("effect", "+.2f"), ("p", ".3f"), ("q", ".3f")))
    sides = f"{n_in} trades on {days_in} days beside {n_rest} on {days_rest}"
    return f"{sides}, {least} asked of each; effect {effect} R, p {p}, q {q}"


def _number(results: Facts, name: str, spec: str) -> str:
    value = results.get(name)
    kinds = int if spec == "d" else int | float
    return number(value, spec) if isinstance(value, kinds) and abs(value) < 1e15 else number(None, spec)


def _refusal_cells(each: Facts) -> tuple[str, ...]:
    told = (_shown(each["refusal"].get(name)) for name in ("reason", "told"))
    return (str(each["level"]), each["kind"], _shown(each["model_id"]), *told)


def _shown(value: object) -> str:
    """Text of a value, cut where it is longer than any note."""
    text = str(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}... ({len(text) - MAX_SHOWN} more)"
