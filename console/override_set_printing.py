"""Versions of the overrides as tables: what there is, what is in one, what two differ in, and steps."""

from collections.abc import Mapping, Sequence
from typing import Any

import typer

from console.learned_row import SHORT_ID, UNKNOWN, interval_words, number, pattern_words, scope_words
from console.printing import print_table, printable

Facts = Mapping[str, Any]

BY_THE_NEXT_TICK = "In force by the next tick."

WHY: Mapping[str, str] = {
    "wanted": "a lesson makes it",
    "watched": "what it would do is watched from now on",
    "stood_watch": "nothing spoke against it while it was watched",
    "contradicted": "trades since its proposal speak against it",
    "lesson_retired": "its lesson was retired",
    "lapsed": "its lesson was not found again in time",
    "reversed": "its lesson now says the opposite",
    "displaced": "there was no room, and others are wanted",
}
"""Reasons of steps in words; one that is not here is shown as it is stored."""

OVERRIDE = ("pattern, action", "where", "multiplies", "by", "confidence", "trades")


def standing_words(live: Facts | None) -> str:
    """Say which version is live, by whose word, and whether it is held."""
    if live is None:
        return "No set was ever live: sizes and thresholds are as configured."
    what = "No set is live" if live["set_id"] is None else f"Set {live['set_id']} is live"
    how = "held by" if live["holds"] else "by"
    until = " Later sets wait until: lowcap sets release" if live["holds"] else ""
    return f"{what} since {_at(live['set_at'])}, {how} {live['author']}: {live['reason']}.{until}"


def held_words(told: Facts | None) -> str:
    """Say what a choice that is held brings."""
    if told is None:
        return f"No set is live, and that is held: sizes and thresholds are as configured. {BY_THE_NEXT_TICK}"
    expired = f", {told['live_expired']} of them expired and without effect" if told["live_expired"] else ""
    known = f"as of {_at(told['as_of'])}"
    return f"Set {told['set_id']} is live and held, {known}: {told['live']} live overrides{expired}. {BY_THE_NEXT_TICK}"


def print_sets(sets: Sequence[Facts], choices: Sequence[Facts], live: Facts | None) -> None:
    """Print versions and who chose which, both newest first."""
    rows = [
        (
            *(str(each["set_id"]), _at(each["as_of"]), _at(each["made_at"])),
            *(_live_count(each), str(each["shadow"]), str(each["proposed"]), str(each["config_version"])),
            _stands(each, live),
        )
        for each in sets
    ]
    columns = ("set", "as of", "made", "overrides", "shadow", "proposed", "configuration", "stands")
    print_table("sets, newest first", columns, rows)
    chosen = [
        (_at(each["set_at"]), str(each["set_id"] or "none"), _yes(each["holds"]), each["author"], each["reason"])
        for each in choices
    ]
    print_table("which was live, newest first", ("from", "set", "held", "author", "reason"), chosen)


def print_overrides(told: Facts, overrides: Sequence[Facts]) -> None:
    """Print the overrides of a version, and those the runtime ignores with the reason."""
    stands = ", live" if told["is_live"] else ""
    title = f"set {told['set_id']} as of {_at(told['as_of'])}{stands}: {_live_count(told)}"
    rows = [(_state(each), *_override_cells(each), *_evidence_cells(each)) for each in overrides]
    columns = ("state", *OVERRIDE, "edge, R", "decay", "expires", "lesson")
    print_table(f"{title}, {told['shadow']} shadow, {told['proposed']} proposed", columns, rows)
    for each in overrides:
        if each["problem"] is not None:
            typer.echo(printable(f"override {each['override_id']} is ignored: {each['problem']}"), err=True)


def print_diff(before: Facts, after: Facts, found: Facts) -> None:
    """Print what differs between two versions."""
    rows = [("added", *_diff_cells(each), "") for each in found["added"]]
    rows += [("changed", *_diff_cells(each, each["before"]), "") for each in found["changed"]]
    rows += [("retired", *_diff_cells(each), _why(each["reason"])) for each in found["retired"]]
    counts = ", ".join(f"{len(found[name])} {name}" for name in ("added", "changed", "retired"))
    names = " to ".join(f"set {each['set_id']} (as of {_at(each['as_of'])})" for each in (before, after))
    columns = ("", "pattern, action", "where", "multiplies", "by", "confidence", "state", "lesson", "because")
    print_table(f"{names}: {counts}, {found['unchanged']} unchanged", columns, rows)


def print_steps(steps: Sequence[Facts]) -> None:
    """Print steps in the lives of overrides."""
    rows = [
        (
            *(_at(each["stepped_at"]), str(each["set_id"]), each["lesson_id"][:SHORT_ID], pattern_words(each)),
            *(scope_words(each["scope"]), each["lever"], f"{each['from_state'] or 'nothing'} -> {each['to_state']}"),
            *(_why(each["reason"]), _evidence_words(each["evidence"])),
        )
        for each in steps
    ]
    columns = ("as of", "set", "lesson", "pattern, action", "where", "multiplies", "step", "because", "its own trades")
    print_table("steps, newest first", columns, rows)


def _stands(each: Facts, live: Facts | None) -> str:
    if live is None or not each["is_live"]:
        return ""
    return f"live, held by {live['author']}" if live["holds"] else "live"


def _live_count(told: Facts) -> str:
    return f"{told['live']} live" + (f" ({told['live_expired']} expired)" if told["live_expired"] else "")


def _state(each: Facts) -> str:
    said = each["state"] + (", expired" if each["is_expired"] else "")
    return said if each["problem"] is None else f"{said}, ignored"


def _override_cells(each: Facts) -> tuple[str, ...]:
    numbers = (f"{each['multiplier']:.3f}", f"{each['confidence']:.3f}", str(each["n_trades"]))
    return (pattern_words(each), scope_words(each["scope"]), each["lever"], *numbers)


def _evidence_cells(each: Facts) -> tuple[str, ...]:
    numbers = (number(each["edge_raw"], "+.3f"), number(each["decay_mult"], ".2f"))
    return (*numbers, _at(each["expires_at"]), each["lesson_id"][:SHORT_ID])


def _diff_cells(each: Facts, before: Facts | None = None) -> tuple[str, ...]:
    pairs = zip(_said(before or each), _said(each), strict=True)
    said = (now if then == now else f"{then} -> {now}" for then, now in pairs)
    return (pattern_words(each), scope_words(each["scope"]), each["lever"], *said, each["lesson_id"][:SHORT_ID])


def _said(each: Facts) -> tuple[str, ...]:
    return (f"{each['multiplier']:.3f}", f"{each['confidence']:.3f}", each["state"])


def _why(reason: str | None) -> str:
    return UNKNOWN if reason is None else WHY.get(reason, reason)


def _evidence_words(evidence: Any) -> str:
    """Say what the trades since its proposal told; as it is stored where it is no such thing."""
    if evidence is None:
        return ""
    if not isinstance(evidence, Mapping) or not evidence.keys() >= _ASKED:
        return f"unreadable: {evidence}"[:200]
    numbers = [evidence[name] for name in ("difference_r", "lower_r", "upper_r")]
    if not all(value is None or isinstance(value, int | float) for value in numbers):
        return f"unreadable: {evidence}"[:200]
    who = f"{evidence['n_trades']} beside {evidence['n_others']} others"
    return f"{str(evidence['verdict']).replace('_', ' ')}: {who}, {interval_words(*numbers)} R"


_ASKED = {"verdict", "n_trades", "n_others", "difference_r", "lower_r", "upper_r"}


def _at(text: str | None) -> str:
    """Instant as a person reads it, UTC."""
    return UNKNOWN if text is None else f"{text[:10]} {text[11:16]}"


def _yes(is_so: bool) -> str:
    return "yes" if is_so else ""
