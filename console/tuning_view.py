"""`lowcap tuning`: what windows of opportunity say of the thresholds of the buy rules, as of a day."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any

import psycopg
import typer

from console.explained_action import config_of
from console.learned_day import Day, LearnedFrom, learned_day, look_at_learned, nothing_learned, read_day
from console.learned_row import interval_words, number, scope_words
from console.printing import print_json, print_table, printable
from console.session import reading
from console.stored_rows import facts_of
from console.tuning_evidence import evidence_facts
from sql.queries import query

Facts = Mapping[str, Any]

WHY: Mapping[str, str] = {
    "loosened": "loosened: kept out winners",
    "tightened": "tightened: let in losers",
    "returned": "returns: too little evidence",
    "contradiction": "too tight and too loose",
    "cooling": "moved too recently",
    "too_few": "too few windows",
    "within": "within its bounds",
    "chance": "chance may have made it",
    "at_bound": "may go no further",
    "no_gain": "no gain in a replay",
    "rr_unknown": "its gain is not known",
}
"""Verdicts in words; one that is not here is shown as it is stored."""

RATES: Mapping[str, tuple[str, str, str]] = {
    "wr": ("won of bought", "n_acted_success", "n_acted"),
    "fpr": ("lost of bought", "n_acted_failure", "n_acted"),
    "mr": ("missed of left", "n_skipped_success", "n_skipped"),
    "dr": ("dodged of left", "n_skipped_failure", "n_skipped"),
}
"""Each rate in words, and the counts it is of."""

THRESHOLD = ("gate", "where", "verdict", "threshold", "multiplier")


def tuning(
    day: Day = None,
    rates: Annotated[
        bool, typer.Option("--rates", help="How windows ended, by where they began, instead of thresholds.")
    ] = False,
    replay: LearnedFrom = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the thresholds of the buy rules as of a day: what was said of each, why, and where it stands."""
    at = read_day(day)
    with reading() as connection:
        facts = tuning_facts(connection, at, is_about_rates=rates, replay=replay)
    if as_json:
        print_json(facts)
    elif facts["day"] is None:
        typer.echo(nothing_learned(replay))
    elif facts["as_of"] is None:
        typer.echo(_nothing_judged(facts))
    else:
        _print(facts)


def tuning_facts(
    connection: psycopg.Connection, day: datetime | None, *, is_about_rates: bool, replay: str | None
) -> dict[str, Any]:
    """Facts of the view as of a day, the newest where it is None: thresholds, or how windows ended.

    Raises `RefusedError` if there is no such replay or day.
    """
    look_at_learned(connection, replay)
    run = learned_day(connection, "learning_run", day, replay)
    at = None if run is None else run["timestamp"]
    rates = facts_of(connection, "tuning_rates_told", at=at)
    judged = [_threshold(row) for row in facts_of(connection, "tuning_verdicts_told", at=at)]
    stamp = next(iter((*judged, *rates)), None)
    config = None if stamp is None else config_of(connection, stamp["config_version"])
    ((last,),) = connection.execute(query("last_judged_day").encode()).fetchall()
    counts = Counter(each["verdict"] for each in judged)
    verdicts = [{"verdict": name, "count": count, "why": WHY.get(name)} for name, count in counts.most_common()]
    return {
        **{"day": _day(at), "as_of": None if stamp is None else stamp["as_of"], "last_judged_day": _day(last)},
        "interval_level": None if config is None else config.learning.tuning.interval_level,
        "windows": [{name: each[name] for name in _WINDOWS} for each in rates if each["scope"] == {}],
        **({"rates": rates} if is_about_rates else {"verdicts": verdicts, "thresholds": judged}),
    }


_WINDOWS = ("family", "n_acted", "n_skipped", "n_pending", "n_expired")


def _threshold(row: Facts) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name != "evidence"}
    return told | {"why": WHY.get(row["verdict"])} | evidence_facts(row["evidence"])


def _day(at: datetime | None) -> str | None:
    return None if at is None else f"{at:%Y-%m-%d}"


def _nothing_judged(facts: Facts) -> str:
    last = facts["last_judged_day"]
    elsewhere = "nor on any other" if last is None else f"the newest day with verdicts is {last}"
    why = "no window of opportunity was known, or the judge did not run"
    return f"Day {facts['day']}: no threshold was judged, for {why}; {elsewhere}."


def _print(facts: Facts) -> None:
    level = facts["interval_level"]
    intervals = "" if level is None else f"; intervals are of {level:.0%}"
    typer.echo(printable(f"day {facts['day']}: windows whose end was known before {facts['as_of'][:16]}Z{intervals}"))
    is_about_rates = "rates" in facts
    told = facts["rates" if is_about_rates else "thresholds"]
    for family, group in groupby(told, key=lambda each: str(each["family"])):
        rows = list(group)
        windows = next((_window_words(each) for each in facts["windows"] if each["family"] == family), "")
        (_print_rates if is_about_rates else _print_thresholds)(family, windows, rows)
    if unread := sum(each.get("problem") is not None for each in told):
        typer.echo(f"What {unread} verdicts were decided by cannot be read (--json says why).", err=True)


def _window_words(each: Facts) -> str:
    return (
        f"; of its windows {each['n_acted']} were bought, {each['n_skipped']} left, {each['n_pending']} are pending,"
        f" {each['n_expired']} expired"
    )


def _print_thresholds(family: str, windows: str, rows: Sequence[Facts]) -> None:
    stepped = sum(each["step_from"] != each["step_to"] for each in rows)
    title = f"{family}: {len(rows)} thresholds were judged, {stepped} moved{windows}"
    columns = (*THRESHOLD, "winners it kept out", "losers just let in", "q")
    print_table(title, columns, [_threshold_cells(each) for each in rows])


def _threshold_cells(each: Facts) -> tuple[str, ...]:
    base, tuned = number(each["threshold_base"], ".4g"), number(each["threshold"], ".4g")
    return (
        *(each["gate"], scope_words(each["scope"]), each["why"] or each["verdict"], f"{base} -> {tuned}"),
        *(number(each["step_to"], ".3f"), _rate_words(**each["miss"])),
        *(_rate_words(**each["false_positive"]), number(each["q"], ".3f")),
    )


def _rate_words(n_hits: int | None, n: int | None, rate: float | None, low: float | None, high: float | None) -> str:
    """Write a share with its counts and interval.

    >>> _rate_words(30, 33, 0.909, 0.793, 0.963), _rate_words(0, 0, None, None, None)
    ('30/33 91% (79% to 96%)', '0/0 -')
    """
    return f"{number(n_hits, 'd')}/{number(n, 'd')} {interval_words(rate, low, high, '.0%')}"


def _print_rates(family: str, windows: str, rows: Sequence[Facts]) -> None:
    columns = ("where", *(words for words, _, _ in RATES.values()), "pending", "expired")
    print_table(f"{family}: {len(rows)} cells{windows}", columns, [_rate_cells(each) for each in rows])


def _rate_cells(each: Facts) -> tuple[str, ...]:
    rates = (
        _rate_words(each[hits], each[n], each[name], each[f"{name}_low"], each[f"{name}_high"])
        for name, (_, hits, n) in RATES.items()
    )
    return (scope_words(each["scope"]), *rates, str(each["n_pending"]), str(each["n_expired"]))
