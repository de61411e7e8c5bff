"""What was known when a trade was decided, beside how it ended: what the weights are learned from.

The features of a row are those of the trade's cell (pattern, category, `mcap_bucket`, `timeframe`) over the trades of
it that had closed before the instant of the decision. None is of the trade itself: how long it was held is a part of
how it ended, and a fit of rr on that finds that winners are held longer, which nobody knows at an entry.

What belongs here: rows of decisions. What does not: the features (`regime_feature`), what they are worth
(`regime_weight`).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from domain.config.learning import EdgeConfig
from domain.config.regime_weight import RegimeWeightConfig
from domain.learning.pattern_scope_stat import RR_STEP, rr_steps
from domain.learning.regime_feature import (
    UNKNOWN_FEATURES,
    CellFeatures,
    CellPast,
    FeatureRules,
    remember,
    trades_by_closure,
)
from domain.learning.regime_signature import RegimeSignature, regime_signature
from domain.learning.trade_fact import ScopeCell, TradeFact
from domain.scopes.bitmask import mask_of
from domain.scopes.scope import scope_values
from domain.vocabulary.action import ActionCategory, OrderSide
from domain.vocabulary.scope_dimension import ScopeDimension

FEATURE_MASK = mask_of([ScopeDimension.MCAP_BUCKET, ScopeDimension.TIMEFRAME])


@dataclass(frozen=True, slots=True, eq=False)
class RegimeTrades:
    """Closed trades with what was known when they were decided: one row a trade and category of buys, by decision.

    Attributes
    ----------
    trade_ids, categories, closed_at : tuple
        (n_rows,). The category is entry or add, decided with its first action in the trade.
    signatures : tuple of RegimeSignature or None
        (n_rows,), of the scope of that action; None where it is not known.
    cells : tuple of ScopeCell or None
        (n_rows,), whose features are told; None where the scope does not name one.
    rr : ndarray of float64 of shape (n_rows,)
        Winsorised, R; NaN where it is not known.
    features : ndarray of float64 of shape (n_rows, 4)
        In the order of `CellFeatures`; NaN where it is not known.
    """

    trade_ids: tuple[str, ...]
    categories: tuple[ActionCategory, ...]
    closed_at: tuple[datetime, ...]
    signatures: tuple[RegimeSignature | None, ...]
    cells: tuple[ScopeCell | None, ...]
    rr: NDArray[np.float64]
    features: NDArray[np.float64]

    def closed_before(self, as_of_at: datetime) -> "RegimeTrades":
        """Rows of trades closed before an instant: what `regime_trades` gives as of then.

        A row tells what was known at its own decision, so a later day adds rows and changes none.
        """
        rows = [row for row, at in enumerate(self.closed_at) if at < as_of_at]
        return RegimeTrades(
            trade_ids=tuple(self.trade_ids[row] for row in rows),
            categories=tuple(self.categories[row] for row in rows),
            closed_at=tuple(self.closed_at[row] for row in rows),
            signatures=tuple(self.signatures[row] for row in rows),
            cells=tuple(self.cells[row] for row in rows),
            rr=self.rr[rows],
            features=self.features[rows],
        )

    @property
    def n_without_rr(self) -> int:
        """Rows whose outcome is not known; nothing is learned from them."""
        return int(np.isnan(self.rr).sum())

    @property
    def n_without_signature(self) -> int:
        """Rows whose market is not known; they count in the fit of all states only."""
        return self.signatures.count(None)

    @property
    def n_without_cell(self) -> int:
        """Rows whose scope names no cell, and which so have no features."""
        return self.cells.count(None)


def regime_trades(
    facts: Iterable[TradeFact],
    *,
    as_of_at: datetime,
    max_abs_rr: float,
    edge: EdgeConfig,
    config: RegimeWeightConfig,
) -> RegimeTrades:
    """Trades closed before an instant, each with the features of its cell as of its own decision.

    Parameters
    ----------
    facts : iterable of TradeFact
        One an action; any order, the result does not depend on it.
    as_of_at : datetime
        Trades closed then or later are not known; with an offset.
    max_abs_rr : float
        Winsor limit of an outcome, R.
    edge : EdgeConfig
        Prior of the variance.
    config : RegimeWeightConfig
        How many trades a feature asks for.

    Raises
    ------
    ValueError
        If `as_of_at` has no offset, facts of a trade bear different outcomes, or one comes twice.
    """
    trades = trades_by_closure(facts, as_of_at)
    decisions = sorted(
        (each for trade in trades for each in _first_buys(trade)),
        key=lambda fact: (fact.action_ts, fact.trade_id, fact.action_category),
    )
    cells = tuple(_feature_cell(fact) for fact in decisions)
    features = _features_at_decision(trades, decisions, cells, FeatureRules(max_abs_rr, edge, config))
    outcomes = [math.nan if fact.rr is None else rr_steps(fact.rr, max_abs_rr) * RR_STEP for fact in decisions]
    return RegimeTrades(
        trade_ids=tuple(fact.trade_id for fact in decisions),
        categories=tuple(fact.action_category for fact in decisions),
        closed_at=tuple(fact.closed_at for fact in decisions),
        signatures=tuple(regime_signature(dict(fact.scope)) for fact in decisions),
        cells=cells,
        rr=np.array(outcomes, np.float64),
        features=np.array(features, np.float64).reshape(-1, len(CellFeatures._fields)),
    )


def _first_buys(trade: Sequence[TradeFact]) -> list[TradeFact]:
    """First action of each category of buys."""
    first: dict[ActionCategory, TradeFact] = {}
    for fact in sorted(trade, key=lambda each: (each.action_ts, each.action_id)):
        if fact.action_category.side is OrderSide.BUY:
            first.setdefault(fact.action_category, fact)
    return list(first.values())


def _feature_cell(fact: TradeFact) -> ScopeCell | None:
    values = scope_values(dict(fact.scope), FEATURE_MASK)
    if values is None:
        return None
    return ScopeCell(fact.pattern_key, fact.action_category, FEATURE_MASK, tuple(values.values()))


def _features_at_decision(
    trades: Sequence[Sequence[TradeFact]],
    decisions: Sequence[TradeFact],
    cells: Sequence[ScopeCell | None],
    rules: FeatureRules,
) -> list[CellFeatures]:
    """Features of decisions by time, each over what had closed before it: one walk through both."""
    pasts: dict[ScopeCell, CellPast] = {}
    n_closed = 0
    found = []
    for fact, cell in zip(decisions, cells, strict=True):
        while n_closed < len(trades) and trades[n_closed][0].closed_at < fact.action_ts:
            remember(trades[n_closed], (FEATURE_MASK,), pasts, rules)
            n_closed += 1
        past = None if cell is None else pasts.get(cell)
        found.append(UNKNOWN_FEATURES if past is None else past.features(fact.action_ts))
    return found
