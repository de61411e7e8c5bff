"""Mined cells: a group-by of every subset, one cell a set of trades, trades and not actions counted."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest

from domain.config.lesson import MiningConfig
from domain.learning.lattice import MinedCells, frequent_cells, mine_cells
from domain.learning.pattern_scope_stat import RR_SCALE, pattern_scope_stats
from domain.learning.trade_fact import ScopeCell
from domain.scopes.bitmask import mask_of
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import BIT, ScopeDimension
from tests.domain.learning.closed_trades import PATTERN, SCOPE, facts
from tests.domain.learning.mined_group import column_group, group_of, masks_of, mined, random_facts

TIMEFRAME, CHAIN = mask_of([ScopeDimension.TIMEFRAME]), mask_of([ScopeDimension.CHAIN])


def names(cells: MinedCells) -> list[tuple[int, tuple[str, ...]]]:
    return [(cells.cells(i).mask, cells.cells(i).values) for i in range(cells.n_cells)]


def brute_force(rows, depth: int, min_trades: int):
    """Statistics of every frequent cell, and of the first of each set of trades, from sets."""
    group = group_of(rows)
    stats = pattern_scope_stats(rows, masks_of(group, depth), max_abs_rr=10.0)
    is_enough = {cell: s for cell, s in stats.items() if s.n_trades >= (min_trades if cell.mask else 1)}
    first: dict[bytes, ScopeCell] = {}
    for cell in sorted(is_enough, key=lambda cell: (len(cell.values), cell.mask, cell.values)):
        bits = [bit for bit in BIT.values() if cell.mask >> bit & 1]
        codes = [group.values[bit].index(value) + 1 for bit, value in zip(bits, cell.values, strict=True)]
        first.setdefault(group.members(cell.mask, codes).tobytes(), cell)
    return is_enough, {cell: is_enough[cell] for cell in first.values()}


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("max_scopes", [1, 3])
@pytest.mark.parametrize("min_trades", [1, 4])
def test_cells_are_those_of_a_group_by_of_every_subset_bit_for_bit(depth, max_scopes, min_trades):
    rng = np.random.default_rng([depth, max_scopes, min_trades])
    for n_trades in (1, 7, 64, 130):
        rows = random_facts(rng, n_trades, max_scopes=max_scopes)
        found, closed = brute_force(rows, depth, min_trades)
        cells = mined(rows, min_trades=min_trades, max_depth=depth, max_cells=1_000_000)

        assert repr(cells.all_stats()) == repr(closed)
        assert (cells.n_found, cells.n_closed, cells.n_cut) == (len(found), len(closed), 0)


def test_facts_in_another_order_give_the_same_bits():
    rng = np.random.default_rng(5)
    rows = random_facts(rng, 150, max_scopes=3)

    assert_equal(mined(rows), mined([rows[i] for i in rng.permutation(len(rows))]))


def test_two_threads_give_the_bits_of_one():
    rng = np.random.default_rng(6)
    groups = [group_of(random_facts(rng, 150, max_scopes=1 + i % 2)) for i in range(6)]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda group: mine_cells(group, MiningConfig(min_trades=3)), groups))

    for group, cells in zip(groups, together, strict=True):
        assert_equal(cells, mine_cells(group, MiningConfig(min_trades=3)))


def assert_equal(cells: MinedCells, others: MinedCells) -> None:
    for field in fields(MinedCells):
        if field.name != "group":
            ours, theirs = (np.asarray(getattr(each, field.name)) for each in (cells, others))
            assert (ours.dtype, ours.shape, ours.tobytes()) == (theirs.dtype, theirs.shape, theirs.tobytes()), field


def test_fifty_six_actions_of_one_trade_are_one_trade_in_every_cell():
    cells = mined(facts(scopes=({"timeframe": "1h"},) * 55 + ({"timeframe": "4h"},)))

    assert names(cells) == [(0, ())]
    assert (cells.n_trades[0], cells.n_actions[0]) == (1, 56)


def test_three_trades_of_ten_actions_are_three_and_not_enough_for_four():
    rows = [fact for i in range(3) for fact in facts(f"t{i}", scopes=(SCOPE,) * 10)]
    rows += facts("other", scopes=({"timeframe": "4h"},))

    assert mined(rows, min_trades=3).n_trades.tolist() == [4, 3]
    assert names(mined(rows, min_trades=4)) == [(0, ())]


def test_a_trade_with_actions_in_two_scopes_counts_once_in_each():
    rows = [*facts("both", 2.0, ({"timeframe": "1h"}, {"timeframe": "4h"}, {"timeframe": "4h"}))]
    rows += [*facts("early", 1.0, ({"timeframe": "1h"},)), *facts("late", -1.0, ({"timeframe": "4h"},))]
    cells = mined(rows)

    assert names(cells) == [(0, ()), (TIMEFRAME, ("1h",)), (TIMEFRAME, ("4h",))]
    assert (cells.n_trades.tolist(), cells.n_actions.tolist()) == ([3, 2, 2], [5, 2, 3])
    assert cells.sum_steps.tolist() == [2 * RR_SCALE, 3 * RR_SCALE, RR_SCALE]


def test_a_constant_dimension_adds_no_cell_and_of_two_that_move_together_the_lower_stands():
    scopes = [{"chain": chain, "timeframe": "1h", "btc_macro": {"base": "S1"}.get(chain, "S2")} for chain in "xy"]
    scopes += [{**scopes[0], "chain": "base", "btc_macro": "S1"}]
    rows = [fact for i in range(9) for fact in facts(f"t{i}", float(i), (scopes[1 + i % 2],))]

    assert names(mined(rows)) == [(0, ()), (CHAIN, ("base",)), (CHAIN, ("y",))]


def test_a_set_of_trades_has_the_name_with_fewest_conditions_though_another_has_other_dimensions():
    codes = np.array([[1, 1, 1], [1, 2, 2], [2, 1, 2], [2, 2, 2]])  # value 1 of the third: the first two are 1
    cells = mine_cells(column_group(codes, np.arange(4)), MiningConfig(min_trades=1))

    assert [(cell.mask, cell.values) for cell in map(cells.cells, range(cells.n_cells)) if cell.mask in (3, 4)] == [
        (4, ("v00000",)), (4, ("v00001",)), (3, ("v00000", "v00001")), (3, ("v00001", "v00000")),
        (3, ("v00001", "v00001")),
    ]  # fmt: skip


def test_the_cell_of_all_trades_is_there_below_the_bound_but_not_without_trades():
    rows = [*facts("t1", 1.0), *facts("t2", None)]
    cells = mined(rows, min_trades=33)

    assert (names(cells), cells.n_found) == ([(0, ())], 1)
    assert (cells.n_trades[0], cells.n_trades_without_rr[0], cells.n_actions[0]) == (1, 1, 2)
    assert mined(facts("t2", None)).n_cells == 0


def test_places_without_a_condition_say_so():
    cells = mined([*facts("t1", scopes=({"timeframe": "1h"},)), *facts("t2", scopes=({"timeframe": "4h"},))])

    assert cells.bits.tolist() == [[-1, -1, -1], [8, -1, -1], [8, -1, -1]]
    assert cells.codes.tolist() == [[0, 0, 0], [1, 0, 0], [2, 0, 0]]
    assert cells.cells(2) == ScopeCell(PATTERN, ActionCategory.ENTRY, TIMEFRAME, ("4h",))


def test_too_many_cells_are_cut_from_the_deepest_and_rarest_and_counted():
    rng = np.random.default_rng(7)
    rows = random_facts(rng, 200)
    whole, some, few = (mined(rows, min_trades=3, max_cells=n) for n in (100_000, 60, 1))
    depth = np.bitwise_count(whole.masks)
    pairs = np.sort(whole.n_trades[depth == 2])[::-1]
    n_pairs = 60 - int(np.sum(depth <= 1))

    assert (some.n_cells, some.n_cut, some.n_closed) == (60, whole.n_cells - 60, whole.n_cells)
    assert np.sort(some.n_trades[np.bitwise_count(some.masks) == 2])[::-1].tolist() == pairs[:n_pairs].tolist()
    assert few.n_cells == np.sum(depth <= 1)
    assert set(names(few)) < set(names(some)) < set(names(whole))


def test_of_too_many_values_those_with_most_trades_are_mined_and_the_others_counted():
    often = {"ann": 5, "bob": 2, "cat": 4, "dan": 2, "eve": 1}
    rows = [
        fact for who, n in often.items() for i in range(n) for fact in facts(f"{who}{i}", scopes=({"curator": who},))
    ]
    cells = mined(rows, min_trades=2, max_values_per_dimension=3)

    assert names(cells) == [(0, ()), (1, ("ann",)), (1, ("bob",)), (1, ("cat",))]
    assert cells.n_values_left_out == 1


def test_excluded_dimensions_are_in_no_cell():
    rows = random_facts(np.random.default_rng(8), 60)
    cells = mined(rows, excluded_dimensions=(ScopeDimension.CHAIN,))

    assert not np.any(cells.masks & CHAIN)
    assert np.any(mined(rows).masks & CHAIN)


def test_squares_that_do_not_fit_64_bits_are_exact_all_the_same():
    rng = np.random.default_rng(9)
    steps = rng.integers(32 * RR_SCALE, 33 * RR_SCALE, 9000)
    codes = rng.integers(1, 3, (9000, 2))
    cells = mine_cells(column_group(codes, steps), MiningConfig())

    assert cells.sum_squares.dtype == object
    assert cells.sum_squares[0] == sum(step * step for step in steps.tolist()) > 1 << 63
    assert cells.sum_squares[1] == sum(step * step for step in steps[codes[:, 0] == 1].tolist())


def test_a_sum_that_might_not_fit_64_bits_is_refused():
    group = column_group(np.ones((300, 1)), np.full(300, 1 << 50))

    with pytest.raises(ValueError, match="too many"):
        frequent_cells(group, MiningConfig())
