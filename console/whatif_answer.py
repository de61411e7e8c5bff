"""The answer to a what-if: the method proved on the window, then each buy and trade that would have been otherwise.

A trade is worked out twice: with every buy as it was, which must give what is stored to the last bit, and as asked. One
that does not come out as stored is left out of every sum and counted with the reason.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from console.explained_trade import MAX_GAP
from console.whatif_asked import AnotherSet, LeftOut, choice_of, faults_of
from console.whatif_rows import Case, ToldBuy
from domain.config.portfolio import TradeOutcomeConfig
from domain.portfolio.position import Position
from domain.portfolio.trade_outcome import TradeOutcome, trade_outcome
from domain.portfolio.what_if import BuyFate, SizedBuy, TradeWhatIf, as_it_was, what_if_trade

Facts = dict[str, Any]

COMPARED = ("pnl_usd", "rr_raw", "max_adverse_usd")
SUMMED = ("quantity", "invested_usd", "extracted_usd", "max_adverse_usd")
"""Of a trade that is open. The deepest loss follows from bars that may have been made again since; the rest may not."""

LIMITS = (
    "Second-order effects are not worked out: the cash and the wallet other sizes would have left, and the crowding"
    " other positions would have seen, stay as they were. What a whole run would have made: lowcap replay --overrides.",
    "Buys that another threshold would have let in were never decided, so none of them is here.",
    "Whether there was more cash and volume for a buy that would have been larger is not known.",
    "A trade whose entry falls away falls away whole; whether a later buy would have opened it is not known.",
    "Fills and fees scale with their order, at the price they had; an order that was filled in part gets no more.",
)
"""Told with every answer."""


@dataclass(slots=True)
class Tally:
    """What is found on the way through the cases."""

    buys: list[Facts]
    trades: list[Facts]
    problems: Counter[str]
    n_buys: int = 0
    n_equal: int = 0
    n_closed: int = 0
    n_closed_equal: int = 0
    n_open: int = 0
    n_open_equal: int = 0


def answer(cases: Sequence[Case], asked: LeftOut | AnotherSet) -> Facts:
    """Answer a question about all cases of a window, as JSON has it."""
    tally = Tally(buys=[], trades=[], problems=Counter())
    for case in cases:
        tally.n_buys += case.n_asked
        if case.problem is not None or case.trade is None:
            tally.problems[case.problem or "nothing is stored of it"] += case.n_asked
            continue
        _take(case, asked, tally)
    return {
        "check": {
            "buys": tally.n_buys,
            "buys_equal": tally.n_equal,
            "closed_trades": tally.n_closed,
            "closed_trades_equal": tally.n_closed_equal,
            "open_trades": tally.n_open,
            "open_trades_equal": tally.n_open_equal,
        },
        "sums": _sums(tally, len(cases)),
        "buys": tally.buys,
        "trades": tally.trades,
        "not_recomputed": [{"reason": reason, "buys": n} for reason, n in tally.problems.most_common()],
        "limits": list(LIMITS),
    }


def _take(case: Case, asked: LeftOut | AnotherSet, tally: Tally) -> None:
    """Prove the method on one trade, then ask."""
    assert case.trade is not None
    grace = _grace(case)
    try:
        as_stored = what_if_trade(case.trade, {}, fill_grace=grace)
    except ValueError as error:
        tally.problems[f"its fills cannot be followed: {error}"] += case.n_asked
        return
    problem = _check(case, as_stored, tally)
    choices = {told.buy.order_id: choice_of(asked, told) for told in case.buys if told.is_asked}
    problem = problem or next((each.problem for each in choices.values() if each.problem), None)
    if problem is not None:
        tally.problems[problem] += case.n_asked
        return
    taken = {order_id: each.taken for order_id, each in choices.items() if each.taken is not None}
    if all(taken[told.buy.order_id] == as_it_was(told.buy) for told in case.buys if told.is_asked):
        return
    found = what_if_trade(case.trade, taken, fill_grace=grace)
    _tell(case, as_stored, found, tally)


def _check(case: Case, as_stored: TradeWhatIf, tally: Tally) -> str | None:
    """Hold what comes out unchanged against what is stored; say what differs, None where nothing does."""
    sized = {each.order_id: each for each in as_stored.buys}
    problem = None
    for told in case.buys:
        faults = faults_of(told)
        again = sized[told.buy.order_id]
        if again.pm_strength != told.buy.pm_strength or again.order_usd != told.buy.order_usd:
            faults.append("order")
        if told.is_asked:
            tally.n_equal += not faults
        if faults:
            problem = f"unchanged, it does not come out as stored: {', '.join(faults)}"
    return problem or _check_result(case, as_stored.was, tally)


def _check_result(case: Case, was: Position, tally: Tally) -> str | None:
    """Hold the trade against what its closure told, or while it is open against the sums of its position."""
    if case.row is None or case.config is None:
        return None
    if case.row["is_open"]:
        tally.n_open += 1
        tally.n_open_equal += all(getattr(was, name) == case.row[name] for name in SUMMED)
        is_same = all(_is_close(getattr(was, name), case.row[name]) for name in SUMMED[:-1])
        return None if is_same else "its fills do not give the sums of its position"
    told, mine = case.row["result"], _result(was, case.config.portfolio.trade_outcome)
    if told is None:
        return "neither open nor closed: nothing tells its result"
    tally.n_closed += 1
    tally.n_closed_equal += all(mine[name] == told[name] for name in COMPARED)
    return None if _is_close(mine["pnl_usd"], told["pnl_usd"]) else "its fills do not give the PnL its closure told"


def _is_close(value: float | None, other: float | None) -> bool:
    return value is not None and other is not None and math.isclose(value, other, rel_tol=MAX_GAP, abs_tol=MAX_GAP)


def _tell(case: Case, as_stored: TradeWhatIf, found: TradeWhatIf, tally: Tally) -> None:
    """Tell a trade and those of its buys that are otherwise."""
    sized = {each.order_id: each for each in found.buys}
    before = {each.order_id: each for each in as_stored.buys}
    told = [_buy(case, each, before[each.buy.order_id], sized[each.buy.order_id]) for each in case.buys]
    changed = [
        each for each in told if each["difference_usd"] != 0 or each["pm_strength"] != each["pm_strength_stored"]
    ]
    tally.buys += changed
    if case.row is None or case.config is None:
        n_changed = sum(each["is_asked"] for each in changed)
        tally.problems.update({"nothing of its trade is filled, so it has no result": n_changed} if n_changed else {})
    elif found.position != as_stored.was:
        tally.trades.append(_trade(case, as_stored.was, found, case.config.portfolio.trade_outcome))


def _buy(case: Case, told: ToldBuy, was: SizedBuy, now: SizedBuy) -> Facts:
    row, buy = told.row, told.buy
    return {
        "order_id": buy.order_id,
        "trade_id": case.trade_id,
        "token": None if case.row is None else case.row["token_ticker"] or case.row["token_contract"],
        "decided_at": buy.decided_at.isoformat(),
        "is_asked": told.is_asked,
        "action_category": buy.category.value,
        "pattern_key": row["pattern_key"],
        "status": row["status"],
        "fate": now.fate.value,
        "pm_strength_stored": buy.pm_strength,
        "pm_strength": now.pm_strength,
        "exposure_skew": buy.exposure_skew,
        "final_frac_stored": was.final_frac,
        "final_frac": now.final_frac,
        "remaining_usd_stored": was.remaining_usd,
        "remaining_usd": now.remaining_usd,
        "order_usd_stored": buy.order_usd,
        "order_usd": now.order_usd,
        "difference_usd": now.order_usd - buy.order_usd,
        "is_cut_by_cash": buy.cash_usd is not None,
    }


def _is_otherwise(buy: Facts) -> bool:
    return bool(buy["difference_usd"] != 0 or buy["pm_strength"] != buy["pm_strength_stored"])


def _trade(case: Case, was: Position, found: TradeWhatIf, rules: TradeOutcomeConfig) -> Facts:
    assert case.row is not None
    then, now = trade_outcome(was, rules), trade_outcome(found.position, rules)
    return {
        "trade_id": case.trade_id,
        "token": case.row["token_ticker"] or case.row["token_contract"],
        "timeframe": case.row["timeframe"],
        "stands": "open" if case.row["is_open"] else "closed",
        "is_opened": found.is_opened,
        "invested_usd_stored": was.invested_usd,
        "invested_usd": found.position.invested_usd,
        **_pair("pnl_usd", then, now),
        **_pair("rr", then, now),
        **_pair("roi_frac", then, now),
        "difference_usd": now.pnl_usd - then.pnl_usd,
        "has_later_buys": not found.is_opened and sum(each.fate is BuyFate.NOT_OPENED for each in found.buys) > 0,
    }


def _pair(name: str, then: TradeOutcome, now: TradeOutcome) -> Facts:
    return {f"{name}_stored": getattr(then, name), name: getattr(now, name)}


def _sums(tally: Tally, n_trades: int) -> Facts:
    asked = [each for each in tally.buys if each["is_asked"]]
    grown = [each for each in tally.buys if each["difference_usd"] > 0]
    fates = Counter(each["fate"] for each in tally.buys)
    closed = [each for each in tally.trades if each["stands"] == "closed"]
    return {
        "trades": n_trades,
        "trades_touched": len(tally.trades),
        "trades_not_opened": sum(not each["is_opened"] for each in tally.trades),
        "trades_not_opened_with_later_buys": sum(each["has_later_buys"] for each in tally.trades),
        "buys": tally.n_buys,
        "buys_changed": len(asked),
        "later_buys_changed": len(tally.buys) - len(asked),
        "buys_too_small": fates[BuyFate.TOO_SMALL],
        "buys_not_taken": fates[BuyFate.GATE_SHUT],
        "buys_of_trades_not_opened": fates[BuyFate.NOT_OPENED],
        "buys_grown": len(grown),
        "ordered_usd_difference": math.fsum(each["difference_usd"] for each in tally.buys),
        "pnl_usd_stored": math.fsum(each["pnl_usd_stored"] for each in tally.trades),
        "pnl_usd": math.fsum(each["pnl_usd"] for each in tally.trades),
        "difference_usd": math.fsum(each["difference_usd"] for each in tally.trades),
        "difference_usd_closed": math.fsum(each["difference_usd"] for each in closed),
    }


def _result(position: Position, rules: TradeOutcomeConfig) -> Mapping[str, float | None]:
    outcome = trade_outcome(position, rules)
    return {"pnl_usd": outcome.pnl_usd, "rr_raw": outcome.rr_raw, "max_adverse_usd": position.max_adverse_usd}


def _grace(case: Case) -> timedelta:
    """Return what counts as held through; before a first fill no bar is held through at all."""
    rules = TradeOutcomeConfig() if case.config is None else case.config.portfolio.trade_outcome
    return timedelta(seconds=rules.fill_grace_seconds)
