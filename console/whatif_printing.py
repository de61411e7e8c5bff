"""An answer to a what-if as tables: the proof first, then buys, trades, sums, and what it does not say."""

from collections.abc import Mapping
from typing import Any

import typer

from console.learned_row import number
from console.printing import print_table, printable

Facts = Mapping[str, Any]

SHORT_ID = 8
MONEY = "+,.2f"
FATES = {
    "sized": "",
    "too_small": "too small, not ordered",
    "gate_shut": "would not have been taken: a threshold",
    "not_opened": "falls away with its entry",
}


def print_answer(facts: Facts) -> None:
    """Print what would have been."""
    asked, check, sums = facts["asked"], facts["check"], facts["sums"]
    _say(f"{question_words(asked)}, {asked['from']} .. {asked['to']}")
    _say(
        f"recomputed unchanged: {check['buys_equal']} of {check['buys']} buys equal,"
        f" {check['closed_trades_equal']} of {check['closed_trades']} closed trades,"
        f" {check['open_trades_equal']} of {check['open_trades']} open ones"
    )
    _print_asked(asked)
    _print_buys(facts)
    _print_trades(facts)
    for sentence in sum_sentences(sums):
        _say(sentence)
    for each in facts["not_recomputed"]:
        _say(f"buys not worked out: {each['buys']}, {each['reason']}")
    for limit in facts["limits"]:
        _say(limit)


def question_words(asked: Facts) -> str:
    """Say what was asked."""
    if asked["is_neutral"]:
        return "without anything learned"
    if asked["set"] is not None:
        return f"with set {asked['set']['set_id']} throughout"
    return f"without override {', '.join(str(each['override_id']) for each in asked['without'])}"


def _print_asked(asked: Facts) -> None:
    for each in asked["without"]:
        said = "" if each["has_applied"] else ", which applied to no buy of the window"
        lesson = each["lesson_id"][:SHORT_ID]
        _say(f"override {each['override_id']} is {each['lever']} of lesson {lesson} in every version{said}")
    chosen = asked["set"]
    if chosen is None:
        return
    refused = f"; {len(chosen['refused'])} of them do not apply" if chosen["refused"] else ""
    _say(f"set {chosen['set_id']} is as of {chosen['as_of']}, {chosen['live']} live overrides{refused}")
    for each in chosen["refused"][:3]:
        _say(each)
    if chosen["as_of"] > asked["from"]:
        _say("It knows trades of the window or later ones: the result is no forecast.")


def _print_buys(facts: Facts) -> None:
    n_all = facts["sums"]["buys_changed"] + facts["sums"]["later_buys_changed"]
    title = f"{facts['told']['buys_told']} of {n_all} buys that would have been otherwise, the largest difference first"
    columns = (
        "decided",
        "token",
        "pattern",
        "order",
        "strength",
        "would be",
        "of the rest",
        "would be",
        "USD",
        "would be",
    )
    rows = [_buy(each) for each in facts["buys"]]
    print_table(title, (*columns, "difference", ""), rows)


def _buy(each: Facts) -> tuple[str, ...]:
    pattern = each["pattern_key"].removeprefix("pm.uptrend.")
    pairs = (
        *(number(each["pm_strength_stored"], ".4f"), number(each["pm_strength"], ".4f")),
        *(number(each["final_frac_stored"], ".4f"), number(each["final_frac"], ".4f")),
        *(number(each["order_usd_stored"], ",.2f"), number(each["order_usd"], ",.2f")),
    )
    place = (each["decided_at"][:16].replace("T", " "), each["token"] or "-", pattern, each["order_id"][:SHORT_ID])
    return (*place, *pairs, number(each["difference_usd"], MONEY), FATES[each["fate"]])


def _print_trades(facts: Facts) -> None:
    n_all = facts["sums"]["trades_touched"]
    title = f"{facts['told']['trades_told']} of {n_all} trades with another result, the largest difference first"
    columns = (
        "trade",
        "token",
        "tf",
        "",
        "invested",
        "would be",
        "PnL USD",
        "would be",
        "difference",
        "R/R",
        "would be",
    )
    print_table(title, (*columns, ""), [_trade(each) for each in facts["trades"]])


def _trade(each: Facts) -> tuple[str, ...]:
    pairs = (
        *(number(each["invested_usd_stored"], ",.2f"), number(each["invested_usd"], ",.2f")),
        *(number(each["pnl_usd_stored"], MONEY), number(each["pnl_usd"], MONEY)),
        number(each["difference_usd"], MONEY),
        *(number(each["rr_stored"], "+.2f"), number(each["rr"], "+.2f")),
    )
    said = "" if each["is_opened"] else "not opened"
    return (each["trade_id"][:SHORT_ID], each["token"], each["timeframe"], each["stands"], *pairs, said)


def sum_sentences(sums: Facts) -> tuple[str, ...]:
    """Say what all buys and trades come to."""
    return (
        f"{sums['trades_touched']} of {sums['trades']} trades touched: PnL {number(sums['pnl_usd_stored'], MONEY)} ->"
        f" {number(sums['pnl_usd'], MONEY)} USD, difference {number(sums['difference_usd'], MONEY)} USD, of it"
        f" {number(sums['difference_usd_closed'], MONEY)} of closed ones",
        f"{sums['buys_changed']} of {sums['buys']} buys of the window otherwise, and {sums['later_buys_changed']} other"
        f" ones of their trades: {number(sums['ordered_usd_difference'], MONEY)} USD ordered; {sums['buys_grown']}"
        f" larger, {sums['buys_too_small']} too small, {sums['buys_not_taken']} not taken for a threshold,"
        f" {sums['buys_of_trades_not_opened']} of trades not opened",
        f"{sums['trades_not_opened']} trades would not have been opened,"
        f" {sums['trades_not_opened_with_later_buys']} of them had later buys",
    )


def _say(text: str) -> None:
    typer.echo(printable(text))
