"""From settled positions to decisions and orders: scopes, levers, learned multipliers, gates, sizes.

All positions of a bar are looked at together: what was learned is matched for all at once, and the buys share one
book, one wallet and its cash. Nothing is written here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.config.pm_config import PmConfig
from domain.portfolio.buy_check import GateTuning
from domain.portfolio.lever_mode import lever_mode
from domain.portfolio.plan import Decision, buy_check_pattern, plan_actions
from domain.portfolio.pm_strength import StrengthRequest
from domain.portfolio.situation import PlanRules, Situation
from domain.portfolio.sizing import BuySize, SellSize, SizeBasis, SizeStep, size_buy, size_exit, size_trim
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trading_switch import EffectiveSwitch, TradingMode, most_restrictive
from domain.scopes.pattern_key import PatternKey
from domain.scopes.scope import Scope, extract_scope
from domain.scores.bucket_multiplier import BucketStanding, global_bias
from domain.scores.score_reading import ScoreStatus
from domain.scores.token_lever import TokenLevers, compute_levers
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.uptrend import UptrendState
from pm_runtime.learned import UNMOVED, Buy, Learned, Tuning, learned_of, tunings
from pm_runtime.portfolio_row import PositionRow
from pm_runtime.tick_market import TickMarket

MARKET_FAMILY = "lowcaps"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A position at the table: everything about it but what was learned."""

    row: PositionRow
    bar: TokenBar
    open_order: ActionCategory | None
    bucket: CapBucket | None
    levers: TokenLevers | None
    score_status: ScoreStatus
    states: Mapping[str, UptrendState | None]
    scope: Scope
    switch: EffectiveSwitch


def plan_positions(
    positions: Sequence[tuple[PositionRow, ActionCategory | None]],
    *,
    book: Sequence[PositionRow],
    market: TickMarket,
    money: Money,
    tick_mode: TradingMode,
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
    """
    bias = _bias(book, market)
    seats = [
        _seat(row, market.bars[row.token], open_order, market, bias)
        for row, open_order in positions
        if row.token in market.bars
    ]
    tunings = _tunings(seats, market)
    decisions = [
        _decide(seat, tuning.gates, market.config, tick_mode) for seat, tuning in zip(seats, tunings, strict=True)
    ]
    learned = _learned(seats, decisions, book, market)
    planned, cash_usd = [], money.cash_usd
    for place, (seat, decision, tuning) in enumerate(zip(seats, decisions, tunings, strict=True)):
        size, steps = _sized(seat, decision, learned.get(place), market.config, money.wallet_usd, cash_usd)
        if decision.category is not None and decision.category.side is OrderSide.BUY and size is not None:
            cash_usd -= steps[-1].amount
        planned.append(_planned(seat, decision, tuning, learned.get(place), size, steps))
    return planned


def _seat(
    row: PositionRow,
    bar: TokenBar,
    open_order: ActionCategory | None,
    market: TickMarket,
    bias: float | None,
) -> Seat:
    bucket = market.buckets.get(row.token)
    levers, status = _levers(row, bucket, market, bias)
    states = _states(bucket, market)
    scope = _scope(row, bucket, levers, states, market)
    return Seat(
        row=row,
        bar=bar,
        open_order=open_order,
        bucket=bucket,
        levers=levers,
        score_status=status,
        states=states,
        scope=scope,
        switch=market.allowed(scope),
    )


def _levers(
    row: PositionRow, bucket: CapBucket | None, market: TickMarket, bias: float | None
) -> tuple[TokenLevers | None, ScoreStatus]:
    """Levers of a token: from a fresh score before its clamp, or the neutral lever for a degraded one, else none."""
    reading = market.readings.get(bucket) if bucket is not None else None
    if bucket is None or reading is None or reading.a_used is None or reading.e_used is None:
        return None, ScoreStatus.MISSING if reading is None else reading.status
    a, e = reading.a_used, reading.e_used
    channels = market.channels.get(bucket)
    if reading.status is ScoreStatus.FRESH and channels is not None and channels.a_raw is not None:
        a, e = channels.a_raw, e if channels.e_raw is None else channels.e_raw
    levers = compute_levers(
        a,
        e,
        bucket=bucket,
        standing=_standing(bucket, market),
        intent=row.intent,
        config=market.config.regime.cap_bucket,
        base=market.config.scores.base,
        bias=bias,
    )
    return levers, reading.status


def _standing(bucket: CapBucket, market: TickMarket) -> BucketStanding | None:
    phase = (market.context or {}).get("bucket_phases", {}).get(bucket.value)
    if market.context is None or phase is None:
        return None
    return BucketStanding(
        rank_position=market.context["bucket_rank_position"].get(bucket.value),
        slope=phase["slope"],
        confidence=phase["confidence"],
    )


def _bias(book: Sequence[PositionRow], market: TickMarket) -> float | None:
    """Exposure-weighted mean of the bucket multipliers of what is held; None while it is off."""
    if market.context is None:
        return None
    multipliers = {CapBucket(name): entry["multiplier"] for name, entry in market.context["bucket_multipliers"].items()}
    exposure: dict[CapBucket, float] = {}
    for row in book:
        bucket = market.buckets.get(row.token)
        if bucket is not None:
            exposure[bucket] = exposure.get(bucket, 0.0) + row.position.value_usd
    return global_bias(multipliers, exposure, market.config.regime.cap_bucket.bucket_order_multipliers)


def _states(bucket: CapBucket | None, market: TickMarket) -> Mapping[str, UptrendState | None]:
    channels = market.channels.get(bucket) if bucket is not None else None
    return {} if channels is None else channels.states


def _scope(
    row: PositionRow,
    bucket: CapBucket | None,
    levers: TokenLevers | None,
    states: Mapping[str, UptrendState | None],
    market: TickMarket,
) -> Scope:
    """Scope of anything done to the position on this bar; what is not known is not in it."""
    config = market.config.portfolio.lever_mode
    modes = {} if levers is None else {"A_mode": lever_mode(levers.a, config), "E_mode": lever_mode(levers.e, config)}
    context = market.context or {}
    ladder = {} if bucket is None else {"bucket_rank_position": context.get("bucket_rank_position", {}).get(bucket)}
    phases = {f"{name}_phase": (context.get(name) or {}).get("phase") for name in ("macro", "meso", "micro")}
    leader = next(iter(context.get("bucket_rank", ())), None)
    approved = {name: value for name, value in row.entry_context.items() if name not in ("bucket", "mcap_bucket")}
    return extract_scope(
        entry={**approved, "chain": row.chain, "mcap_bucket": bucket},
        action={"market_family": MARKET_FAMILY, "timeframe": row.timeframe, **modes},
        regime={**states, **phases, **ladder, "bucket_leader": leader},
    )


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


def _learned(
    seats: Sequence[Seat], decisions: Sequence[Decision], book: Sequence[PositionRow], market: TickMarket
) -> dict[int, Learned]:
    """Look up what was learned about each buy that was decided on, by its place."""
    buys = {
        place: _buy(seats[place], found.action.pattern_key, found.action.category)
        for place, found in enumerate(decisions)
        if found.action is not None and found.action.category.side is OrderSide.BUY
    }
    return dict(zip(buys, learned_of(list(buys.values()), book, market), strict=True))


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
        timeframe_split=sizing.timeframe_splits.get(seat.row.timeframe, 0.0),
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
