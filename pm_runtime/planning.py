"""From settled positions to decisions and orders: scopes, levers, learned multipliers, gates, sizes.

All positions of a bar are looked at together: what was learned is matched for all at once, and the buys share one
book, one wallet and its cash. Nothing is written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.config.pm_config import PmConfig
from domain.portfolio.buy_check import GateTuning
from domain.portfolio.plan import Decision, buy_check_pattern, plan_actions
from domain.portfolio.pm_strength import StrengthRequest
from domain.portfolio.situation import PlanRules, Situation
from domain.portfolio.sizing import BuySize, SellSize, SizeBasis, SizeStep, size_buy, size_exit, size_trim
from domain.portfolio.timeframe_split import split_of
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trading_switch import EffectiveSwitch, TradingMode, most_restrictive
from domain.scopes.pattern_key import PatternKey
from domain.scopes.scope import Scope
from domain.scores.score_reading import ScoreStatus
from domain.scores.token_lever import TokenLevers
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.uptrend import UptrendState
from pm_runtime.learned import UNMOVED, Buy, Learned, Tuning, learned_of, tunings
from pm_runtime.neighbours import neighbours
from pm_runtime.portfolio_row import PositionRow
from pm_runtime.seat import Seat, Table
from pm_runtime.tick_market import TickMarket

CASH_STEP = "cash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One position's decision at the bar. `size` is None where nothing is done, or what would be done has no size."""

    row: PositionRow
    bar: TokenBar
    bucket: CapBucket | None
    scope: Scope
    levers: TokenLevers | None
    score_status: ScoreStatus
    states: Mapping[str, UptrendState | None]
    switch: EffectiveSwitch
    decision: Decision
    tuning: Tuning
    learned: Learned | None
    size: BuySize | SellSize | None
    sizing: tuple[SizeStep, ...]

    @property
    def amount(self) -> float:
        """USD of a buy, tokens of a sale; 0 when nothing is ordered."""
        return self.sizing[-1].amount if self.size is not None else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What buys are paid from. cash_usd: not held, and not promised to orders that still wait."""

    wallet_usd: float
    cash_usd: float


def plan_positions(
    positions: Sequence[tuple[PositionRow, ActionCategory | None]],
    *,
    book: Sequence[PositionRow],
    market: TickMarket,
    money: Money,
    tick_mode: TradingMode,
    watched: Sequence[PositionRow] = (),
) -> list[Planned]:
    """Decide on every position that has a bar, in their order.

    Parameters
    ----------
    positions : sequence of (PositionRow, ActionCategory or None)
        As settled, with the kind of an order that still waits.
    book : sequence of PositionRow
        What all timeframes hold, as settled.
    market : TickMarket
        What the tick has read.
    money : Money
        Shared by the buys: the first in order takes first, so that they never spend more than there is.
    tick_mode : TradingMode
        What the scores as a whole allow.
    watched : sequence of PositionRow
        Of other timeframes, positions that are on the watchlist; read only where they count.
    """
    table = Table(book, market)
    seats = [
        table.seat(row, market.bars[row.token], open_order) for row, open_order in positions if row.token in market.bars
    ]
    tunings = _tunings(seats, market)
    decisions = [
        _decide(seat, tuning.gates, market.config, tick_mode) for seat, tuning in zip(seats, tunings, strict=True)
    ]
    buys = _buys(seats, decisions)
    listed = [*watched, *(row for row, _ in positions)]
    near = neighbours(book, listed, table=table, market=market, wallet_usd=money.wallet_usd) if buys else []
    learned = dict(zip(buys, learned_of(list(buys.values()), near, market), strict=True))
    planned, cash_usd = [], money.cash_usd
    for place, (seat, decision, tuning) in enumerate(zip(seats, decisions, tunings, strict=True)):
        size, steps = _sized(seat, decision, learned.get(place), market.config, money.wallet_usd, cash_usd)
        if decision.category is not None and decision.category.side is OrderSide.BUY and size is not None:
            cash_usd -= steps[-1].amount
        planned.append(_planned(seat, decision, tuning, learned.get(place), size, steps))
    return planned


def _tunings(seats: Sequence[Seat], market: TickMarket) -> list[Tuning]:
    """Look up what was learned about the thresholds of each position's buy rule."""
    asked = [(place, pattern) for place, seat in enumerate(seats) if (pattern := buy_check_pattern(seat.bar.state))]
    buys = [_buy(seats[place], pattern, seats[place].row.trade_memory.buy_category) for place, pattern in asked]
    found = [UNMOVED for _ in seats]
    for (place, _), tuning in zip(asked, tunings(buys, market), strict=True):
        found[place] = tuning
    return found


def _buy(seat: Seat, pattern: PatternKey, category: ActionCategory) -> Buy:
    request = StrengthRequest(pattern_key=str(pattern), category=category, scope=seat.scope)
    return Buy(position_id=seat.row.position_id, request=request, is_on=seat.switch.overrides_on)


def _decide(seat: Seat, tuning: GateTuning, config: PmConfig, tick_mode: TradingMode) -> Decision:
    situation = Situation(
        bar=seat.bar,
        memory=seat.row.trade_memory,
        status=seat.row.status,
        mode=most_restrictive([tick_mode, seat.switch.mode]),
        quantity=seat.row.position.quantity,
        a=None if seat.levers is None else seat.levers.a,
        e=None if seat.levers is None else seat.levers.e,
        score_status=seat.score_status,
        bucket=seat.bucket,
        tuning=tuning,
        open_order=seat.open_order,
    )
    rules = PlanRules(plan=config.plan, uptrend=config.regime.uptrend, sizing=config.portfolio.sizing)
    return plan_actions(situation, rules)


def _buys(seats: Sequence[Seat], decisions: Sequence[Decision]) -> dict[int, Buy]:
    """Return each buy that was decided on, by its place."""
    return {
        place: _buy(seats[place], found.action.pattern_key, found.action.category)
        for place, found in enumerate(decisions)
        if found.action is not None and found.action.category.side is OrderSide.BUY
    }


def _sized(
    seat: Seat, decision: Decision, learned: Learned | None, config: PmConfig, wallet_usd: float, cash_usd: float
) -> tuple[BuySize | SellSize | None, tuple[SizeStep, ...]]:
    """Size of what was decided, and its steps; None where there is nothing to order."""
    category, levers = decision.category, seat.levers
    if category is None:
        return None, ()
    if category is ActionCategory.EXIT:
        sold = size_exit(seat.row.position.quantity)
        return sold, sold.waterfall
    if levers is None:
        return None, ()
    if category is ActionCategory.TRIM:
        sold = size_trim(seat.row.position.quantity, e=levers.e, config=config.portfolio)
        return sold, sold.waterfall
    if learned is None:
        raise ValueError(f"A buy of {seat.row.token_contract} was decided without looking at what was learned")
    sizing = config.portfolio.sizing.model_copy(update={"default_allocation_pct": seat.row.total_allocation_pct})
    bought = size_buy(
        category,
        a=levers.a,
        wallet_usd=wallet_usd,
        timeframe_split=split_of(seat.row.entry_context, seat.row.timeframe, sizing).share,
        net_invested_usd=seat.row.position.net_invested_usd,
        pm_strength=learned.strength.multiplier,
        exposure_skew=learned.skew,
        config=config.portfolio.model_copy(update={"sizing": sizing}),
    )
    steps = (*bought.waterfall, _within_cash(bought.order_usd, cash_usd))
    is_worth_it = bought.basis is SizeBasis.SIZED and steps[-1].amount >= sizing.min_order_usd
    return (bought if is_worth_it else None), steps


def _within_cash(order_usd: float, cash_usd: float) -> SizeStep:
    """Last step of a buy: no more than the cash there is."""
    spent = min(order_usd, max(cash_usd, 0.0))
    return SizeStep(name=CASH_STEP, factor=spent / order_usd if order_usd > 0 else 1.0, amount=spent)


def _planned(
    seat: Seat,
    decision: Decision,
    tuning: Tuning,
    learned: Learned | None,
    size: BuySize | SellSize | None,
    steps: tuple[SizeStep, ...],
) -> Planned:
    return Planned(
        row=seat.row,
        bar=seat.bar,
        bucket=seat.bucket,
        scope=seat.scope,
        levers=seat.levers,
        score_status=seat.score_status,
        states=seat.states,
        switch=seat.switch,
        decision=decision,
        tuning=tuning,
        learned=learned,
        size=size,
        sizing=steps,
    )
