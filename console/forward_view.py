"""`lowcap forward`: whether what was learned helped, on trades no set of overrides could have known."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import psycopg
import typer

from console.explained_action import config_of
from console.forward_trades import MONEY, forward_trades, print_forward_trades
from console.learned_day import Day, LearnedFrom, learned_day, look_at_learned, nothing_learned, read_day
from console.learned_row import SHORT_ID, interval_words, number, pattern_words, row_facts
from console.printing import print_json, print_table, printable
from console.session import reading
from domain.portfolio.strict_json import StrictJsonError, read_json

Facts = Mapping[str, Any]

SAYS = {1: "larger", 0: "the same", -1: "smaller"}
VERDICTS: Mapping[str, str] = {
    "confirmed": "as it claims",
    "contradicted": "the opposite of what it claims",
    "noise": "noise: cannot be told from no effect",
    "too_few": "too few trades to tell",
}


def forward(
    day: Day = None,
    trades: Annotated[bool, typer.Option("--trades", help="The trades it is about, one by one, too.")] = False,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many trades at most.")] = 50,
    replay: LearnedFrom = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what learned sizes made beside neutral ones up to a day, how surely, and which overrides are noise."""
    at = read_day(day)
    with reading() as connection:
        facts = forward_facts(connection, at, has_trades=trades, most=most, replay=replay)
    if as_json:
        print_json(facts)
    elif facts["forward"] is None:
        typer.echo(nothing_learned(replay))
    else:
        _print(facts)
        if trades:
            print_forward_trades(facts["trades"])


def forward_facts(
    connection: psycopg.Connection, day: datetime | None, *, has_trades: bool, most: int, replay: str | None
) -> dict[str, Any]:
    """Facts of the view as of a day, the newest where it is None, with at most so many of its trades if asked for.

    Raises `RefusedError` if there is no such replay or day.
    """
    look_at_learned(connection, replay)
    row = learned_day(connection, "walk_forward", day, replay)
    facts = _facts(connection, row)
    if has_trades:
        facts["trades"] = forward_trades(connection, row, most)
    return facts


def _facts(connection: psycopg.Connection, row: Facts | None) -> dict[str, Any]:
    if row is None:
        return {"day": None, "as_of": None, "interval_level": None, "forward": None, "report": None, "problem": None}
    config = config_of(connection, row["config_version"])
    level = None if config is None else config.learning.walk_forward.interval_level
    report, problem = _report(row["report"])
    beside = ("timestamp", "as_of", "report")
    return {
        **{"day": f"{row['timestamp']:%Y-%m-%d}", "as_of": row["as_of"].isoformat(), "interval_level": level},
        **{"forward": row_facts({name: value for name, value in row.items() if name not in beside})},
        **{"report": report, "problem": problem},
    }


def _report(text: str) -> tuple[dict[str, Any] | None, str | None]:
    """Document of a report, or what is wrong with it: its columns tell the main numbers all the same."""
    try:
        document = read_json(text)
    except StrictJsonError as error:
        return None, str(error)
    missing = [name for name in _PARTS if not isinstance(document.get(name), _PARTS[name])]
    return (None, f"it lacks {', '.join(missing)}") if missing else (document, None)


_PARTS: Mapping[str, type] = {"n_unknown": int, "n_days": int, "size_neutral_usd": dict, "hits": dict, "claims": list}


def _print(facts: Facts) -> None:
    told, report = facts["forward"], facts["report"]
    for sentence in forward_sentences(facts):
        typer.echo(printable(sentence))
    if report is None:
        typer.echo(printable(f"The details of this report cannot be read: {facts['problem']}"), err=True)
        return
    if not report["claims"]:
        typer.echo("No override applied to a trade.")
        return
    title = f"{told['n_overrides']} overrides applied to a trade, {told['n_noise']} of them are noise"
    columns = ("lesson", "pattern, action", "sizes", "trades", "others", "better than others by, R", "part, USD", "is")
    print_table(title, columns, [_claim_cells(claim) for claim in ordered_claims(report["claims"])])


def forward_sentences(facts: Facts) -> tuple[str, ...]:
    """Say what learned sizes made beside neutral ones, with the details where the report can be read."""
    return (*_sentences(facts), *(() if facts["report"] is None else _details(facts["report"])))


def _sentences(facts: Facts) -> tuple[str, ...]:
    told, level = facts["forward"], facts["interval_level"]
    low, high = told["difference_low"], told["difference_high"]
    return (
        f"Day {facts['day']}: {told['n_trades']} trades closed before {facts['as_of'][:16]}Z, each at the size the"
        f" newest set known at its buys would give; {told['n_moved']} of them at another size than the neutral one.",
        f"Learned sizes made {told['pnl_learned_usd']:{MONEY}} USD, neutral ones {told['pnl_neutral_usd']:{MONEY}} USD:"
        f" {told['difference_usd']:{MONEY}} USD{_surely(low, high, level)}.",
    )


def _surely(low: float | None, high: float | None, level: float | None) -> str:
    """Say how far a difference can be told from none."""
    if low is None or high is None:
        return "; too few days to say how surely"
    what = "interval" if level is None else f"{level:.0%} interval"
    verdict = "which cannot be told from no difference" if low <= 0 <= high else "which chance alone hardly makes"
    return f" ({what} {low:{MONEY}} to {high:{MONEY}}), {verdict}"


def _details(report: Facts) -> tuple[str, ...]:
    same, hits = report["size_neutral_usd"], report["hits"]
    unknown = f" {report['n_unknown']} trades of unknown size are in no sum." if report["n_unknown"] else ""
    ratio = number(report.get("size_ratio"), ".3f")
    around = interval_words(same.get("value"), same.get("lower"), same.get("upper"), MONEY)
    return (
        f"They closed on {report['n_days']} days.{unknown}",
        f"Learned sizes were {ratio} times the neutral ones in all; scaled back to these they made a difference of"
        f" {around} USD.",
        _hit_words(hits),
    )


def _hit_words(hits: Facts) -> str:
    if hits.get("rate_frac") is None:
        return "No size was moved, so none was moved the right way."
    around = f"{hits['lower_frac']:.0%} to {hits['upper_frac']:.0%}"
    return (
        f"Sizes were moved the right way in {hits['n_hits']} of {hits['n_trades']} trades, {hits['rate_frac']:.0%}"
        f" ({around}); the same moves dealt out at random would be right in {hits['by_chance_frac']:.0%}."
    )


def ordered_claims(claims: Sequence[Facts]) -> list[Facts]:
    """Claims by what later trades say of them, noise last but for what nothing can be said of."""
    places = list(VERDICTS)
    known = len(places)
    return sorted(claims, key=lambda each: places.index(each["verdict"]) if each["verdict"] in VERDICTS else known)


def _claim_cells(each: Facts) -> tuple[str, ...]:
    claim, difference = each["claim"], each["difference_r"]
    named = {"pattern_key": claim["pattern_key"], "action_category": claim["category"]}
    return (
        *(claim["lesson_id"][:SHORT_ID], pattern_words(named), SAYS.get(claim["direction"], str(claim["direction"]))),
        *(str(each["n_trades"]), str(each["n_others"])),
        interval_words(difference["value"], difference["lower"], difference["upper"]),
        *(number(each["part_usd"], MONEY), VERDICTS.get(each["verdict"], each["verdict"])),
    )
