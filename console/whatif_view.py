"""`lowcap whatif`: sizes and paper results of a window had other overrides applied, from stored decisions alone."""

from datetime import datetime
from typing import Annotated, Any

import psycopg
import typer

from console.instant import read_instant
from console.printing import print_json
from console.replay import Replay, look_at
from console.session import RefusedError, reading
from console.whatif_printing import print_answer

MAX_NUMBER = 2**63 - 1


def whatif(
    from_: Annotated[str, typer.Option("--from", metavar="ISO", help="Buys decided after this instant.")],
    to: Annotated[str, typer.Option("--to", metavar="ISO", help="Buys decided by this instant.")],
    without: Annotated[
        list[int] | None,
        typer.Option(metavar="OVERRIDE", min=0, max=MAX_NUMBER, help="Leave an override out; may be repeated."),
    ] = None,
    set_: Annotated[
        int | None, typer.Option("--set", metavar="SET", min=0, max=MAX_NUMBER, help="Apply this version instead.")
    ] = None,
    is_neutral: Annotated[bool, typer.Option("--neutral", help="Leave out all that was learned.")] = False,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many buys, and trades, are listed at most.")] = 20,
    replay: Replay = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Work out sizes and paper results of a window again, without an override, with another set or with none."""
    window = read_window(from_, to)
    refuse_ambiguous(without or [], set_, is_neutral=is_neutral)
    with reading() as connection:
        facts = whatif_facts(
            connection, window, without=without or [], set_id=set_, is_neutral=is_neutral, most=most, replay=replay
        )
    if as_json:
        print_json(facts)
    else:
        print_answer(facts)


def read_window(from_: str, to: str) -> tuple[datetime, datetime]:
    """Read both ends of a window.

    Raises
    ------
    RefusedError
        If it does not end after it begins.
    typer.BadParameter
        If one of them is no instant.
    """
    from_at, to_at = read_instant(from_), read_instant(to)
    if from_at >= to_at:
        raise typer.BadParameter(
            f"Expected a window that ends after it begins, was {from_at.isoformat()} to {to_at.isoformat()}"
        )
    return from_at, to_at


def refuse_ambiguous(without: list[int], set_id: int | None, *, is_neutral: bool) -> None:
    """Refuse a question that is none, or more than one.

    Raises
    ------
    typer.BadParameter
        Unless exactly one of the three is asked.
    """
    if sum((bool(without), set_id is not None, is_neutral)) != 1:
        raise typer.BadParameter("Expected one of --without OVERRIDE, --set SET and --neutral")


def whatif_facts(
    connection: psycopg.Connection,
    window: tuple[datetime, datetime],
    *,
    without: list[int],
    set_id: int | None,
    is_neutral: bool,
    most: int,
    replay: str | None,
) -> dict[str, Any]:
    """Facts of `lowcap whatif`.

    Raises
    ------
    RefusedError
        If there is no such replay, override or set, or no buy in the window.
    """
    # Not at the top: they load numpy, and most commands need none.
    from console.whatif_answer import answer
    from console.whatif_asked import AnotherSet, LeftOut, compiled_set, keys_of
    from console.whatif_rows import read_cases
    from domain.portfolio.override_row import OverrideLever

    look_at(connection, replay)
    cases = read_cases(connection, *window)
    if not cases:
        raise RefusedError(f"Nothing was bought after {window[0].isoformat()} and by {window[1].isoformat()}")
    facts: dict[str, Any] = {"replay": replay, "from": window[0].isoformat(), "to": window[1].isoformat()}
    facts |= {"without": [], "set": None, "is_neutral": is_neutral}
    asked: LeftOut | AnotherSet = LeftOut(None)
    if set_id is not None:
        compiled, facts["set"] = compiled_set(connection, set_id, window[0], replay)
        asked = AnotherSet(compiled)
    elif not is_neutral:
        facts["without"] = keys_of(connection, without, cases, replay)
        asked = LeftOut({(each["lesson_id"], OverrideLever(each["lever"])) for each in facts["without"]})
    found = answer(cases, asked)
    counts = {"buys_told": min(most, len(found["buys"])), "trades_told": min(most, len(found["trades"]))}
    return {"asked": facts} | _cut(found, most) | {"told": counts}


def _cut(found: dict[str, Any], most: int) -> dict[str, Any]:
    """Keep those that differ most."""
    parts = {name: sorted(found[name], key=_largest_first)[:most] for name in ("buys", "trades")}
    return found | parts


def _largest_first(each: dict[str, Any]) -> tuple[float, str, str]:
    return -abs(each["difference_usd"]), each["trade_id"], each.get("order_id", "")
