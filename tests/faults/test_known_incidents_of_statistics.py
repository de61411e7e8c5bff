"""Conclusions an earlier system drew from too little, or from the wrong number: from fills and actions to an edge.

Each test goes the whole way that a trade goes: what was done, what came of it, the facts, the cell, its edge.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta

import numpy as np
import pytest

from domain.config.learning import LearningConfig
from domain.config.portfolio import TradeOutcomeConfig
from domain.learning.edge import EdgeScore, compute_edge_score, get_rr_baseline
from domain.learning.edge_decay import DecayReason, DecayState, fit_one_edge_decay
from domain.learning.pattern_scope_stat import PatternScopeStat, PatternScopeStats, pattern_scope_stats
from domain.learning.trade_fact import ScopeCell, TradeFact, TradeRecord, trade_facts
from domain.portfolio.position import Event
from domain.portfolio.trade_outcome import TradeOutcome, trade_outcome
from domain.scopes.bitmask import mask_of
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.learning.closed_trades import OPENED_AT, PATTERN, action, facts, outcome
from tests.domain.portfolio.trade_paths import bar, fill, folded

LEARNING = LearningConfig()
MAX_ABS_RR = TradeOutcomeConfig().max_abs_rr
TIMEFRAME, BUCKET = (mask_of([each]) for each in (ScopeDimension.TIMEFRAME, ScopeDimension.MCAP_BUCKET))
MASKS = (0, TIMEFRAME, BUCKET, TIMEFRAME | BUCKET)
ROOT = ScopeCell(PATTERN, ActionCategory.ENTRY, 0, ())
LATER = OPENED_AT + timedelta(days=90)


def cells(rows: Iterable[TradeFact]) -> dict[ScopeCell, PatternScopeStat]:
    return pattern_scope_stats(list(rows), MASKS, max_abs_rr=MAX_ABS_RR)


def edge_of(stat: PatternScopeStat, baseline_rr: float = 0.5) -> EdgeScore:
    return compute_edge_score(stat, baseline_rr=baseline_rr, recent_edges=(), config=LEARNING.edge)


def baseline_of(rows: Sequence[TradeFact]) -> float:
    return get_rr_baseline(rows, as_of_at=LATER, config=LEARNING.edge, max_abs_rr=MAX_ABS_RR)


def alike(n_trades: int, rr: float = 2.0, n_actions: int = 1) -> list[TradeFact]:
    scopes = ({"timeframe": "1h", "mcap_bucket": "micro"},) * n_actions
    return [row for i in range(n_trades) for row in facts(f"t{i}", rr, scopes)]


def test_no_cell_of_36_trades_with_71_actions_claims_more_than_36():
    """Lessons once said n = 71 and n = 57 when 36 trades had closed."""
    rng = np.random.default_rng(5)
    rows: list[TradeFact] = []
    for i in range(36):
        scopes = [
            {"timeframe": str(rng.choice(["1h", "4h"])), "mcap_bucket": str(rng.choice(["nano", "micro"]))}
            for _ in range(2 if i < 35 else 1)
        ]
        rows += facts(f"t{i}", float(rng.normal()), tuple(scopes))
    made = cells(rows)

    assert len(rows) == 71
    assert (made[ROOT].n_trades, made[ROOT].n_actions) == (36, 71)
    assert max(stat.n_trades for stat in made.values()) == 36


def test_56_actions_of_one_trade_support_what_one_trade_supports():
    """One trade once made a lesson of n = 56."""
    many, one = cells(alike(1, n_actions=56)), cells(alike(1))

    assert [stat.n_trades for stat in many.values()] == [1] * len(MASKS)
    assert edge_of(many[ROOT]) == edge_of(one[ROOT])
    assert edge_of(many[ROOT]).support_score == pytest.approx(1 - math.exp(-1 / 12))
    kept = PatternScopeStats(MASKS, max_abs_rr=MAX_ABS_RR)
    assert [kept.add_trade(alike(1, n_actions=56)) for _ in range(3)] == [True, False, False]
    assert kept.stats() == many


def test_a_trade_of_56_actions_does_not_drag_the_baseline_to_itself():
    rows = [*facts("lucky", 8.0, ({},) * 56), *facts("t1", 1.0), *facts("t2", 0.0), *facts("t3", -1.0)]

    assert baseline_of(rows) == 2.0


@pytest.mark.parametrize("rr", [2.0, -1.0])
def test_two_trades_alike_are_not_reliable(rr):
    """Variance 0 of two outcomes once gave a reliability of 1."""
    two, many = (edge_of(cells(alike(n, rr))[ROOT]) for n in (2, 40))

    assert two.reliability_score < 0.9 < many.reliability_score < 1.0
    assert abs(two.edge_raw) < 0.7 * abs(many.edge_raw)


def settled(*events: Event) -> TradeOutcome:
    """Outcome of the trade these fills and bars were."""
    return trade_outcome(folded(*events), TradeOutcomeConfig())


def learned(result: TradeOutcome) -> tuple[TradeFact, ...]:
    record = outcome("t1", result.rr_raw, roi=result.roi_frac, pnl_usd=result.pnl_usd)
    return trade_facts(record, [action()])


def test_a_trade_that_won_27_percent_by_trims_is_learned_as_a_win():
    """Its last price was 6.16 % below its entry, its low 20 %; -0.308 of those prices alone was what was learned."""
    trim_price = (1.271 - 0.5 * 0.9384) / 0.5
    won = settled(
        fill("buy", 1000, 1.0, hour=0),
        bar(0.8, 1.2, hour=0),
        fill("sell", 500, trim_price, hour=5),
        fill("sell", 500, 0.9384, hour=9),
    )
    stat = cells(learned(won))[ROOT]

    assert (won.roi_frac, won.rr) == (pytest.approx(0.271), pytest.approx(1.355))
    assert (stat.n_wins, stat.pnl_usd, stat.avg_rr) == (1, pytest.approx(271.0), pytest.approx(1.355, abs=1e-5))


def test_an_outcome_against_the_money_is_refused_as_evidence():
    with pytest.raises(ValueError, match="must have one sign"):
        trade_facts(outcome("t1", -0.308, roi=0.271, pnl_usd=271.0), [action()])


def test_a_win_of_7_percent_is_no_13_because_it_hardly_ever_fell():
    """A drawdown of 0.91 % made 12.79 of it, and one trade ruled what was learned of its timeframe."""
    small = settled(fill("buy", 1000, 1.0, hour=0), bar(1 - 0.0091, 1.1, hour=0), fill("sell", 1000, 1.069, hour=5))
    smooth = settled(fill("buy", 1000, 1.0, hour=0), fill("sell", 1000, 3.0, hour=5))

    assert small.rr == pytest.approx(0.069 / 0.02)
    assert cells(learned(smooth))[ROOT].avg_rr == 10.0 < smooth.rr_raw


def book() -> tuple[list[TradeRecord], list[TradeRecord]]:
    """36 closed trades that lost 3.1 % on average, and 14 open ones that stand at +9.9 %: those not stopped yet."""
    closed = [outcome(f"c{i}", rr, roi=0.1 * rr) for i, rr in enumerate(np.linspace(-1.0, 0.38, 36).tolist())]
    still = [outcome(f"o{i}", 0.99, roi=0.099, closed_at=None) for i in range(14)]
    return closed, still


def learned_of(trades: Sequence[TradeRecord]) -> list[TradeFact]:
    return [row for trade in trades for row in trade_facts(trade, [action(f"{trade.trade_id}-a")])]


def test_what_is_learned_is_the_average_of_the_closed_and_of_nothing_else():
    closed, _ = book()
    stat = cells(learned_of(closed))[ROOT]

    assert np.mean([trade.roi for trade in closed]) == pytest.approx(-0.031)
    assert (stat.n_trades, stat.avg_rr) == (36, pytest.approx(-0.31, abs=1e-6))
    assert baseline_of(learned_of(closed)) == pytest.approx(-0.31, abs=1e-6)


def test_an_open_trade_never_stands_beside_the_closed_ones():
    closed, still = book()

    for trade in still:
        with pytest.raises(ValueError, match="is open: only closed trades are evidence"):
            learned_of([*closed, trade])


def test_a_trade_that_closes_later_was_not_known_before():
    closed, _ = book()
    late = outcome("late", 9.0, closed_at=LATER + timedelta(seconds=1))

    rows = learned_of([*closed, late])

    assert baseline_of(rows) == pytest.approx(-0.31, abs=1e-6)


FALLING = np.array([2.0, 1.0, -0.5])


@pytest.mark.parametrize("repeats", [6, 10])
def test_an_edge_that_falls_through_zero_has_no_half_life(repeats):
    """A fit to the logarithms of 2.0, 1.0 and -0.5 dropped the loss, and called the rest a clean decay."""
    hours = np.repeat([0.0, 24.0, 48.0], repeats) + np.tile(np.arange(repeats) / 10, 3)
    edges = np.repeat(FALLING, repeats)
    gains = edges > 0
    slope, level = np.polyfit(hours[gains], np.log(edges[gains]), 1)

    row = fit_one_edge_decay(hours, edges, LEARNING.edge_decay)

    fitted = np.exp(level + slope * hours[gains])
    assert 1 - np.var(edges[gains] - fitted) / np.var(edges[gains]) > 0.99
    assert (row["n_snapshots"], row["n_outliers"]) == (3 * repeats, 0)
    assert math.isnan(row["half_life_hours"])
    assert (row["state"], row["reason"]) == (DecayState.DECAYING, DecayReason.CROSSES_ZERO)


def test_a_loss_counts_as_much_as_a_gain_in_a_decay():
    hours = np.arange(24) * 6.0
    gains = 2.0 * np.exp(-hours / 60)
    losses = gains - np.where(np.arange(24) % 3 == 2, 1.5, 0.0)

    clean, mixed, mirrored = (fit_one_edge_decay(hours, each, LEARNING.edge_decay) for each in (gains, losses, -losses))

    assert clean["half_life_hours"] == pytest.approx(60 * math.log(2))
    assert (mixed["n_snapshots"], mixed["n_outliers"]) == (24, 0)
    assert mixed["slope_per_hour"] == pytest.approx(np.polyfit(hours, losses, 1)[0])
    assert mirrored["slope_per_hour"] == pytest.approx(-mixed["slope_per_hour"])
    assert mixed["decay_mult"] == pytest.approx(mirrored["decay_mult"])
