"""What a tick leaves behind: one row of `pm.pm_tick`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.portfolio.trading_switch import EffectiveSwitch, TradingMode, most_restrictive
from domain.scores.score_reading import ScoreReading, ScoreStatus
from domain.vocabulary.execution_bar import ExecutionBar


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioTick:
    """What the portfolio did on a bar. overrides_ignored: a sentence each."""

    positions: int = 0
    orders_settled: int = 0
    orders_planned: int = 0
    trades_closed: int = 0
    override_set_id: int | None = None
    overrides_ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TickRow:
    """One tick as it is stored. When it started and ended is the database's to say."""

    bar: ExecutionBar
    mode: TradingMode
    mode_reason: str | None
    scores: tuple[ScoreReading, ...]
    config_version: int
    code_version: str
    holder: str
    portfolio: PortfolioTick = PortfolioTick()

    def count(self, status: ScoreStatus) -> int:
        """Buckets whose score has this status."""
        return sum(reading.status is status for reading in self.scores)


def mode_of(readings: Sequence[ScoreReading], switch: EffectiveSwitch) -> tuple[TradingMode, str | None]:
    """Mode of a tick as a whole, with the reason where it is not simply active.

    The stricter of what the switch says everywhere and what the scores allow. One score within its time to live is
    enough to be active: buckets are independent, and a stale or missing one carries no levers to add with. A degraded
    score counts, with neutral levers, and the reason says so.
    """
    mode, reason = _by_scores(readings)
    if most_restrictive([mode, switch.mode]) is not mode:
        return switch.mode, "; ".join(part for part in (switch.said, reason) if part)
    return mode, reason


def _by_scores(readings: Sequence[ScoreReading]) -> tuple[TradingMode, str | None]:
    by_status: dict[ScoreStatus, list[str]] = {}
    for reading in readings:
        by_status.setdefault(reading.status, []).append(reading.bucket.value)
    if ScoreStatus.FRESH in by_status:
        return TradingMode.ACTIVE, None
    if ScoreStatus.DEGRADED in by_status:
        return TradingMode.ACTIVE, f"neutral levers only: {_listed(by_status)}"
    return TradingMode.REDUCE_ONLY, f"no score to act on: {_listed(by_status) or 'no bucket was asked for'}"


def _listed(by_status: Mapping[ScoreStatus, Sequence[str]]) -> str:
    return "; ".join(f"{len(buckets)} {status} ({', '.join(buckets)})" for status, buckets in sorted(by_status.items()))
