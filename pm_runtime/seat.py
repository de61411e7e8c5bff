"""A position at the table of one tick: its bar, bucket, levers, scope, and what the switch allows there.

Everything that follows from the market and the position alone, before anything learned is asked. What positions of one
bucket have in common is made once a tick.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.portfolio.lever_mode import lever_mode
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trading_switch import EVERYWHERE, EffectiveSwitch
from domain.scopes.scope import Scope, extract_entry_scope, extract_scope
from domain.scores.bucket_multiplier import BucketStanding, global_bias
from domain.scores.intent import IntentMetrics
from domain.scores.score_reading import ScoreReading, ScoreStatus
from domain.scores.token_lever import TokenLevers, compute_levers
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.lever_mode import LeverMode
from domain.vocabulary.scope_dimension import BIT, ScopeDimension
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import UptrendState
from pm_runtime.portfolio_row import PositionRow
from pm_runtime.tick_market import TickMarket

MARKET_FAMILY = "lowcaps"
BUCKET_KEYS = frozenset({"bucket", "mcap_bucket"})
"""Of an approval: the bucket of that day, which is not the bucket of this bar."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bucket:
    """What all positions of a bucket share; of those without one, what is known without it."""

    bucket: CapBucket | None
    reading: ScoreReading | None
    standing: BucketStanding | None
    states: Mapping[str, UptrendState | None]
    regime: dict[ScopeDimension, str]


_Place = tuple[TokenLevers | None, dict[ScopeDimension, str]]
"""Levers, and the scope of the action and the regime, of all positions of a bucket, an intent and a timeframe."""


class Table:
    """Seats the positions of one tick.

    Parameters
    ----------
    book : sequence of PositionRow
        What all timeframes hold.
    market : TickMarket
        What the tick has read.
    """

    def __init__(self, book: Sequence[PositionRow], market: TickMarket) -> None:
        self._market = market
        self._bias = _bias(book, market)
        is_one_for_all = all(row.scope == EVERYWHERE for row in market.switch)
        self._everywhere = market.allowed({}) if is_one_for_all else None
        self._buckets: dict[CapBucket | None, _Bucket] = {}
        self._places: dict[tuple[CapBucket | None, IntentMetrics | None, Timeframe], _Place] = {}

    def seat(self, row: PositionRow, bar: TokenBar, open_order: ActionCategory | None) -> Seat:
        """Seat a position that has a bar."""
        shared = self._bucket(row)
        levers, scope = self._placed(row, shared)
        return Seat(
            row=row,
            bar=bar,
            open_order=open_order,
            bucket=shared.bucket,
            levers=levers,
            score_status=ScoreStatus.MISSING if shared.reading is None else shared.reading.status,
            states=shared.states,
            scope=scope,
            switch=self._everywhere or self._market.allowed(scope),
        )

    def scope(self, row: PositionRow) -> Scope:
        """Scope of anything done to a position on this bar; what is not known is not in it."""
        return self._placed(row, self._bucket(row))[1]

    def _placed(self, row: PositionRow, shared: _Bucket) -> tuple[TokenLevers | None, Scope]:
        key = (shared.bucket, row.intent, row.timeframe)
        if key not in self._places:
            levers = _levers(row.intent, shared, self._market, self._bias)
            action = {"market_family": MARKET_FAMILY, "timeframe": row.timeframe, **_modes(levers, self._market)}
            self._places[key] = levers, extract_scope(entry={}, action=action, regime={}) | shared.regime
        levers, known = self._places[key]
        parts = _entry(row, shared.bucket) | known
        return levers, {dimension: parts[dimension] for dimension in BIT if dimension in parts}

    def _bucket(self, row: PositionRow) -> _Bucket:
        bucket = self._market.buckets.get(row.token)
        if bucket not in self._buckets:
            self._buckets[bucket] = _shared(bucket, self._market)
        return self._buckets[bucket]


def _modes(levers: TokenLevers | None, market: TickMarket) -> dict[str, LeverMode]:
    config = market.config.portfolio.lever_mode
    return {} if levers is None else {"A_mode": lever_mode(levers.a, config), "E_mode": lever_mode(levers.e, config)}


def _shared(bucket: CapBucket | None, market: TickMarket) -> _Bucket:
    channels = market.channels.get(bucket) if bucket is not None else None
    states: Mapping[str, UptrendState | None] = {} if channels is None else channels.states
    context = market.context or {}
    ladder = {} if bucket is None else {"bucket_rank_position": context.get("bucket_rank_position", {}).get(bucket)}
    phases = {f"{name}_phase": (context.get(name) or {}).get("phase") for name in ("macro", "meso", "micro")}
    leader = next(iter(context.get("bucket_rank", ())), None)
    regime = {**states, **phases, **ladder, "bucket_leader": leader}
    return _Bucket(
        bucket=bucket,
        reading=None if bucket is None else market.readings.get(bucket),
        standing=None if bucket is None else _standing(bucket, market),
        states=states,
        regime=extract_scope(entry={}, action={}, regime=regime),
    )


def _entry(row: PositionRow, bucket: CapBucket | None) -> dict[ScopeDimension, str]:
    approved = {name: value for name, value in row.entry_context.items() if name not in BUCKET_KEYS}
    return extract_entry_scope({**approved, "chain": row.chain, "mcap_bucket": bucket})


def _levers(
    intent: IntentMetrics | None, shared: _Bucket, market: TickMarket, bias: float | None
) -> TokenLevers | None:
    """Levers of a token: from a fresh score before its clamp, or the neutral lever for a degraded one, else none."""
    reading, bucket = shared.reading, shared.bucket
    if bucket is None or reading is None or reading.a_used is None or reading.e_used is None:
        return None
    a, e = reading.a_used, reading.e_used
    channels = market.channels.get(bucket)
    if reading.status is ScoreStatus.FRESH and channels is not None and channels.a_raw is not None:
        a, e = channels.a_raw, e if channels.e_raw is None else channels.e_raw
    return compute_levers(
        a,
        e,
        bucket=bucket,
        standing=shared.standing,
        intent=intent,
        config=market.config.regime.cap_bucket,
        base=market.config.scores.base,
        bias=bias,
    )


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
