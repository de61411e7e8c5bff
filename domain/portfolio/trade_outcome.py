"""What a trade made, and in relation to what it risked.

Formula: rr = total PnL / max(largest adverse excursion, floor x invested), all in USD of the path that was held. A
ratio of prices, from the average entry to the last close, does not know of trims: a trade that made 27.1 % of its money
was once recorded with R/R -0.308.
"""

from dataclasses import dataclass

from domain.config.portfolio import TradeOutcomeConfig
from domain.portfolio.position import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeOutcome:
    """Result of a trade at its last price.

    pnl_usd: total, after fees. roi_frac: PnL over what was invested. risk_usd: what the PnL is divided by, and
    is_risk_floored whether that is the floor. rr_raw: the ratio; rr: winsorised, for statistics. held_hours: from the
    first fill to the last. All but pnl_usd are None for a trade that never bought: absent, not neutral.
    """

    pnl_usd: float
    roi_frac: float | None
    risk_usd: float | None
    is_risk_floored: bool
    rr_raw: float | None
    rr: float | None
    held_hours: float | None


def trade_outcome(position: Position, config: TradeOutcomeConfig) -> TradeOutcome:
    """Outcome of the trade a position belongs to; what is still held counts at the last price.

    Returns
    -------
    TradeOutcome
        rr has the sign of the PnL, and is never below -1: a loss is part of its own excursion.

    >>> lost = Position(invested_usd=100.0, extracted_usd=90.0, max_adverse_usd=20.0)
    >>> trade_outcome(lost, TradeOutcomeConfig()).rr
    -0.5
    """
    pnl, invested = position.total_pnl_usd, position.invested_usd
    if invested == 0:
        return TradeOutcome(
            pnl_usd=pnl, roi_frac=None, risk_usd=None, is_risk_floored=False, rr_raw=None, rr=None, held_hours=None
        )
    floor = config.risk_floor_frac * invested
    risk = max(position.max_adverse_usd, floor)
    raw = pnl / risk
    return TradeOutcome(
        pnl_usd=pnl,
        roi_frac=pnl / invested,
        risk_usd=risk,
        is_risk_floored=position.max_adverse_usd < floor,
        rr_raw=raw,
        rr=min(max(raw, -config.max_abs_rr), config.max_abs_rr),
        held_hours=_held_hours(position),
    )


def _held_hours(position: Position) -> float | None:
    if position.first_fill_at is None or position.last_fill_at is None:
        return None
    return (position.last_fill_at - position.first_fill_at).total_seconds() / 3600.0
