"""Cells in memory: the bits of a recompute from the facts, whatever came in whatever order."""

from datetime import timedelta
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.learning import cell_ledger_kernel as kernel
from domain.learning.cell_ledger import FIRST_ROOM, CellLedger
from domain.learning.pattern_scope_stat import RR_SCALE, pattern_scope_stats
from domain.learning.trade_fact import ScopeCell, TradeFact, trade_facts
from domain.scopes.bitmask import mask_of
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.driver import CHANNEL_NAMES
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.learning.closed_trades import OPENED_AT, PATTERN, action, facts, outcome

DIMENSIONS = [ScopeDimension(name) for name in ("curator", "timeframe", "mcap_bucket", "btc_macro")]
MASKS = [mask_of(picked) for depth in range(4) for picked in combinations(DIMENSIONS, depth)]
ROOT = ScopeCell(PATTERN, ActionCategory.ENTRY, 0, ())
SCOPES = st.fixed_dictionaries(
    {
        "curator": st.sampled_from(["ann", "bob", "cyd", None]),
        "timeframe": st.sampled_from(["1h", "4h"]),
        "mcap_bucket": st.sampled_from(["nano", "micro", None]),
        "btc_macro": st.sampled_from(["S1", "S3", None]),
    }
)
ACTIONS = st.tuples(st.sampled_from(["entry", "add", "exit"]), SCOPES)
RR = st.one_of(st.none(), st.floats(-40, 40, allow_subnormal=False))
TRADES = st.lists(st.tuples(RR, st.lists(ACTIONS, min_size=1, max_size=5), st.integers(0, 48)), max_size=12)
MANY_VALUES = dict.fromkeys(CHANNEL_NAMES, ("S0", "S1", "S2", "S3")) | {"curator": tuple("abcdefgh")}


def built(trades) -> list[tuple[TradeFact, ...]]:
    """Facts of each trade; those that take 48 hours to S3 never reach it."""
    return [
        trade_facts(
            outcome(f"t{i}", rr, s3_at=None if hours == 48 else OPENED_AT + timedelta(hours=hours)),
            [action(f"t{i}-{j}", category, scope) for j, (category, scope) in enumerate(done)],
        )
        for i, (rr, done, hours) in enumerate(trades)
    ]


def ledger_of(trades, **given) -> CellLedger:
    ledger = CellLedger(**{"max_abs_rr": 10.0, **given})
    for trade in trades:
        ledger.add_trade(trade)
    return ledger


@settings(max_examples=60, deadline=None)
@given(TRADES, st.randoms(use_true_random=False))
def test_every_cell_has_the_bits_of_a_recompute_whatever_the_order_and_the_repetition(trades, random):
    arriving = built(trades)
    recomputed = pattern_scope_stats([row for trade in arriving for row in trade], MASKS, max_abs_rr=10.0)
    arriving = arriving + arriving[:3]
    random.shuffle(arriving)
    ledger = ledger_of(arriving)

    assert ledger.cells() == list(recomputed)
    assert repr(ledger.stats(recomputed)) == repr(recomputed)


def random_trades(n: int, seed: int) -> list[tuple[TradeFact, ...]]:
    """Trades that know sixteen dimensions."""
    rng = np.random.default_rng(seed)
    return [
        facts(f"t{i}", float(rng.normal()), ({name: str(rng.choice(values)) for name, values in MANY_VALUES.items()},))
        for i in range(n)
    ]


def test_a_ledger_that_grew_has_the_bits_of_a_recompute():
    trades = random_trades(150, seed=1)
    ledger = ledger_of(trades)
    some = ledger.cells()[::37]
    recomputed = pattern_scope_stats(
        [row for trade in trades for row in trade], {cell.mask for cell in some[:200]}, max_abs_rr=10.0
    )

    assert ledger.n_cells > 2 * FIRST_ROOM
    assert repr(ledger.stats(recomputed)) == repr(recomputed)


def test_cells_are_those_of_up_to_three_conditions():
    scope = {name: values[0] for name, values in MANY_VALUES.items()}
    trade = facts(scopes=(scope,))

    assert [ledger_of([trade], max_depth=depth).n_cells for depth in range(4)] == [1, 17, 137, 697]


def test_a_trade_counts_once_in_a_cell_whatever_its_actions():
    ledger = ledger_of([facts(scopes=({"intent": "a"},) * 55 + ({"intent": "b"},))])
    sums = ledger.sums(ROOT)

    assert (sums.n_trades, sums.n_actions, sums.n_wins, sums.sum_steps) == (1, 56, 1, round(1.5 * RR_SCALE))


def test_a_trade_taken_twice_changes_nothing_and_changed_facts_are_refused():
    ledger = ledger_of([facts()])
    before = repr(ledger.stats(ledger.cells()))

    assert (ledger.add_trade(facts()[::-1]), ledger.add_trade(())) == (False, False)
    with pytest.raises(ValueError, match="taken with other facts"):
        ledger.add_trade(facts(rr=2.0))
    assert (ledger.n_trades, repr(ledger.stats(ledger.cells()))) == (1, before)


def test_a_trade_that_is_refused_leaves_nothing_behind():
    ledger = ledger_of([facts("t1")])

    with pytest.raises(ValueError, match="facts of one trade"):
        ledger.add_trade((*facts("t2", scopes=({"chain": "base"},)), *facts("t3")))
    assert (ledger.n_trades, ledger.cells()) == (1, ledger_of([facts("t1")]).cells())


def test_a_trade_without_rr_is_counted_apart_and_in_no_sum():
    ledger = ledger_of([facts("t1", None), facts("t2", 2.0)])
    sums = ledger.sums(ROOT)

    assert (sums.n_trades, sums.n_trades_without_rr, sums.n_actions, sums.sum_steps) == (1, 1, 2, 2 * RR_SCALE)
    assert ledger.cells(min_trades=2) == []


def test_squares_are_exact_beyond_what_one_integer_holds():
    ledger = ledger_of([facts(f"t{i}", 2000.0 + i % 7) for i in range(200)], max_abs_rr=2047.0)
    exact = sum(((2000 + i % 7) * RR_SCALE) ** 2 for i in range(200))

    assert exact > 2**69
    assert ledger.sums(ROOT).sum_squares == exact


def test_a_cell_nobody_was_in_has_no_sums_and_no_row():
    ledger = ledger_of([facts(scopes=({"chain": "base"},))])
    absent = [
        ScopeCell(PATTERN, ActionCategory.ENTRY, 2, ("solana",)),
        ScopeCell(PATTERN, ActionCategory.ADD, 0, ()),
        ScopeCell(PATTERN, ActionCategory.ENTRY, 1, ("base",)),
    ]

    assert [ledger.sums(cell) for cell in absent] == [None] * 3
    assert list(ledger.stats([*absent, ROOT, ROOT])) == [ROOT]


@pytest.mark.parametrize(("mask", "values"), [(3, ("base",)), (15, ("a", "b", "nano", "low")), (0, ("base",))])
def test_a_cell_that_is_too_deep_or_lacks_a_value_is_refused(mask, values):
    with pytest.raises(ValueError, match="Expected a value for each of at most 3 dimensions"):
        ledger_of([]).sums(ScopeCell(PATTERN, ActionCategory.ENTRY, mask, values))


@pytest.mark.parametrize("given", [{"max_abs_rr": 0.0}, {"max_abs_rr": 2048.0}, {"max_depth": 4}, {"max_depth": -1}])
def test_a_limit_under_which_sums_are_not_exact_is_refused(given):
    with pytest.raises(ValueError, match="must be"):
        CellLedger(**{"max_abs_rr": 10.0, **given})


def test_more_values_than_can_be_numbered_are_refused_before_anything_is_counted(monkeypatch):
    monkeypatch.setattr(kernel, "MAX_CONDITION", 2)
    ledger = ledger_of([facts("t1")])

    with pytest.raises(ValueError, match="would need 1 and 3"):
        ledger.add_trade(facts("t2", scopes=({"chain": "base"},)))
    assert (ledger.n_trades, ledger.n_cells) == (1, 4)


def test_names_of_cells_are_all_different_and_above_zero():
    largest = (kernel.MAX_GROUP, *[kernel.MAX_CONDITION] * 3)
    named = [(1, 0, 0, 0), (1, 1, 0, 0), (1, 1, 2, 0), (1, 1, 2, 3), (2, 0, 0, 0), largest]
    names = [kernel.cell_name(*parts) for parts in named]

    assert len(set(names)) == len(names)
    assert min(names) > 0
    assert [kernel.parts_of_name(name) for name in names] == named
