"""Features of a cell: how fast, how coherent, how frequent and how steady its closed trades are.

    time_efficiency = 1 / (1 + d), d = median days to S3 of the trades that reached it, or held when none did
    field_coherence = share of tokens whose mean rr has the sign of the cell's mean x (1 - 1 / tokens)
    recurrence      = tanh(trades of the last 30 days / 10)
    variance        = 1 / (1 + v), v = population variance of rr + prior / n

The first and the last read the same numbers as the time and the reliability of the edge, so that a weight learned from
a feature goes to the component it was learned for.

What belongs here: features of the trades that are given. What does not: which trades a decision knew (`regime_trade`).
"""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.config.learning import EdgeConfig
from domain.config.regime_weight import RegimeWeightConfig
from domain.learning.edge import shrunk_variance
from domain.learning.pattern_scope_stat import CellTrades, rr_steps
from domain.learning.trade_fact import ScopeCell, TradeFact, actions_by_cell
from domain.vocabulary.action import OrderSide

_HOURS_A_DAY = 24.0


class CellFeatures(NamedTuple):
    """Features of a cell, each within 0..1; NaN where it is not known."""

    time_efficiency: float
    field_coherence: float
    recurrence: float
    variance: float


UNKNOWN_FEATURES = CellFeatures(*[math.nan] * len(CellFeatures._fields))


class FeatureRules(NamedTuple):
    """How features are made: winsor limit (R), prior of the variance, and how many trades each asks for."""

    max_abs_rr: float
    edge: EdgeConfig
    config: RegimeWeightConfig


@dataclass(slots=True)
class CellPast:
    """What is kept of the trades of a cell that have closed; they are added by closure, each once.

    tokens: trades and sum of outcomes (in steps) by token. signs: tokens with enough trades by sign of it.
    """

    rules: FeatureRules
    trades: CellTrades = field(default_factory=CellTrades)
    closed_at: list[datetime] = field(default_factory=list)
    tokens: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    signs: Counter[int] = field(default_factory=Counter)

    def add(self, fact: TradeFact, n_actions: int) -> None:
        """Take a trade, told by any of its facts; one whose rr is unknown says nothing here."""
        self.trades.add(fact, n_actions, self.rules.max_abs_rr)
        if fact.rr is None:
            return
        self.closed_at.append(fact.closed_at)
        token, enough = (fact.chain, fact.token_contract), self.rules.config.min_token_trades
        n, total = self.tokens.get(token, (0, 0))
        if n >= enough:
            self.signs[_sign(total)] -= 1
        n, total = n + 1, total + rr_steps(fact.rr, self.rules.max_abs_rr)
        if n >= enough:
            self.signs[_sign(total)] += 1
        self.tokens[token] = n, total

    def features(self, at: datetime) -> CellFeatures:
        """Features at an instant no earlier than the last closure taken."""
        stat, config = self.trades.summary(), self.rules.config
        if stat.n_trades < config.min_cell_trades:
            return UNKNOWN_FEATURES
        hours = stat.median_hold_hours if math.isnan(stat.median_hours_to_s3) else stat.median_hours_to_s3
        recent = len(self.closed_at) - bisect_left(self.closed_at, at - timedelta(days=config.recurrence_days))
        variance = shrunk_variance(stat.variance_rr, stat.n_trades, self.rules.edge.prior_variance)
        return CellFeatures(
            time_efficiency=1.0 / (1.0 + hours / _HOURS_A_DAY),
            field_coherence=self._coherence(),
            recurrence=recurrence(recent, config),
            variance=1.0 / (1.0 + variance),
        )

    def _coherence(self) -> float:
        """Coherence; NaN where the cell's mean is 0, which has no sign to share."""
        direction = _sign(self.trades.total)
        return field_coherence(self.signs[direction], self.signs.total()) if direction else math.nan


def cell_features(
    facts: Iterable[TradeFact],
    masks: Iterable[int],
    *,
    as_of_at: datetime,
    max_abs_rr: float,
    edge: EdgeConfig,
    config: RegimeWeightConfig,
) -> dict[ScopeCell, CellFeatures]:
    """Features of every cell of some masks, over its trades closed before an instant: those an edge is weighted with.

    Parameters
    ----------
    facts, as_of_at, max_abs_rr, edge, config
        As in `regime_trades`.
    masks : iterable of int
        Scope masks; 0 is the whole pattern.

    Returns
    -------
    dict
        Of every cell of buys with a trade, in the order of the cells.
    """
    named, rules = tuple(masks), FeatureRules(max_abs_rr, edge, config)
    pasts: dict[ScopeCell, CellPast] = {}
    for trade in trades_by_closure(facts, as_of_at):
        remember(trade, named, pasts, rules)
    return {cell: pasts[cell].features(as_of_at) for cell in sorted(pasts)}


def field_coherence(n_agreeing: int, n_tokens: int) -> float:
    """Share of tokens that agree x (1 - 1 / tokens); NaN of none.

    >>> field_coherence(3, 4), field_coherence(1, 1)
    (0.5625, 0.0)
    """
    return n_agreeing / n_tokens * (1.0 - 1.0 / n_tokens) if n_tokens else math.nan


def recurrence(n_trades: int, config: RegimeWeightConfig) -> float:
    """Return tanh(trades / `recurrence_trades`) of the trades of `recurrence_days`.

    >>> round(recurrence(12, RegimeWeightConfig()), 4)
    0.8337
    """
    return math.tanh(n_trades / config.recurrence_trades)


def trades_by_closure(facts: Iterable[TradeFact], as_of_at: datetime) -> list[list[TradeFact]]:
    """Facts of each trade closed before an instant, by closure and id.

    Raises
    ------
    ValueError
        If the instant has no offset.
    """
    if as_of_at.utcoffset() is None:
        raise ValueError(f"as_of_at must have an offset, was {as_of_at.isoformat()}")
    of_trade: defaultdict[str, list[TradeFact]] = defaultdict(list)
    for fact in facts:
        if fact.closed_at < as_of_at:
            of_trade[fact.trade_id].append(fact)
    return [of_trade[trade_id] for _, trade_id in sorted((told[0].closed_at, name) for name, told in of_trade.items())]


def remember(
    trade: Sequence[TradeFact], masks: Iterable[int], pasts: dict[ScopeCell, CellPast], rules: FeatureRules
) -> None:
    """Add a trade to what is kept of every cell of buys it has an action in."""
    for cell, n_actions in actions_by_cell(trade, masks).items():
        if cell.action_category.side is OrderSide.BUY:
            pasts.setdefault(cell, CellPast(rules)).add(trade[0], n_actions)


def _sign(total: int) -> int:
    return (total > 0) - (total < 0)
