"""What a runtime store promises of the portfolio, asked of the one in memory and of the one in Postgres: positions,
orders, fills, strands, episodes.
"""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.position import NO_POSITION, apply_fill
from domain.portfolio.strand import DeadLetter, StrandKind, parse_strand
from domain.portfolio.trade_memory import TradeMemory
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import UptrendState
from pm_runtime.portfolio_row import OrderRow, OrderStatus, PositionRow
from pm_runtime.ports import AlreadyOrderedError, AlreadyTickedError, FillConflictError, RuntimeStore, StaleRowError
from tests.portfolio_fixtures import OpenStore
from tests.portfolio_rows import (
    BAR,
    HOUR,
    MADE_BY,
    START,
    episode_row,
    fill_row,
    order_row,
    position_row,
    sha256,
    strand_row,
)
from tests.portfolio_worlds import PortfolioWorld

WATCHED = position_row()
ENTRY = order_row(WATCHED)
BOUGHT = replace(
    WATCHED,
    status=PositionStatus.ACTIVE,
    current_trade_id="trade-1",
    position=apply_fill(NO_POSITION, fill_row(ENTRY).fill),
    trade_memory=TradeMemory(bought_in=frozenset({UptrendState.S1}), entered_at=START, entry={"a": 0.1}),
    last_bar_timestamp=START,
)


@pytest.fixture(autouse=True)
def _watched(portfolio_world: PortfolioWorld) -> None:
    portfolio_world.add(WATCHED)


def write(store: RuntimeStore, **rows: object) -> None:
    """Store rows of one kind after the other in one transaction."""
    stamped = {"positions", "orders", "episodes"}
    with store.snapshot() as snapshot:
        for kind, values in rows.items():
            getattr(snapshot, f"write_{kind}")(values, *([MADE_BY] if kind in stamped else []))


def stored(store: RuntimeStore, timeframe: Timeframe = Timeframe.H1) -> list[PositionRow]:
    with store.snapshot() as snapshot:
        return snapshot.positions(timeframe)


def open_orders(store: RuntimeStore) -> list[OrderRow]:
    with store.snapshot() as snapshot:
        return snapshot.open_orders(Timeframe.H1)


def test_a_position_comes_back_as_it_was_written_one_revision_on(portfolio_store: RuntimeStore) -> None:
    assert stored(portfolio_store) == [WATCHED]

    write(portfolio_store, positions=[BOUGHT])

    assert stored(portfolio_store) == [replace(BOUGHT, revision=1)]


def test_positions_are_those_of_the_timeframe_and_the_book_by_id(
    portfolio_world: PortfolioWorld, open_portfolio: OpenStore
) -> None:
    others = [position_row(f"token-{number}", status=PositionStatus.ARCHIVED) for number in range(3)]
    slower, foreign = position_row(timeframe=Timeframe.H4), position_row(book_id="stocks")
    portfolio_world.add(*others, slower, foreign)

    assert stored(open_portfolio()) == sorted([WATCHED, *others], key=lambda row: row.position_id)
    assert stored(open_portfolio(), Timeframe.H4) == [slower]
    assert stored(open_portfolio("b:2:start", book_id="stocks")) == [foreign]


def test_the_book_is_what_is_held_on_all_timeframes(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    held = replace(position_row(timeframe=Timeframe.H4), current_trade_id="t", position=BOUGHT.position)
    portfolio_world.add(held)
    write(portfolio_store, positions=[BOUGHT])

    with portfolio_store.snapshot() as snapshot:
        assert {row.position_id for row in snapshot.book()} == {WATCHED.position_id, held.position_id}
        assert [row.timeframe for row in snapshot.book(besides=WATCHED.timeframe)] == [held.timeframe]


def test_what_a_person_approved_is_not_written(portfolio_store: RuntimeStore) -> None:
    write(portfolio_store, positions=[replace(BOUGHT, total_allocation_pct=99.0, entry_context={}, intent=None)])

    assert stored(portfolio_store) == [replace(BOUGHT, revision=1)]


def test_of_two_writers_that_read_the_same_position_the_second_is_refused(open_portfolio: OpenStore) -> None:
    first, second = open_portfolio(), open_portfolio("b:2:start")
    (read_by_second,) = stored(second)
    write(first, positions=[BOUGHT])

    with pytest.raises(StaleRowError):
        write(second, positions=[replace(read_by_second, status=PositionStatus.DORMANT)])

    assert stored(first) == [replace(BOUGHT, revision=1)]


def test_a_writer_that_began_before_another_one_ended_is_refused(open_portfolio: OpenStore) -> None:
    first, second = open_portfolio(), open_portfolio("b:2:start")

    def pause_late() -> None:
        with second.snapshot() as late:
            (row,) = late.positions(Timeframe.H1)
            write(first, positions=[BOUGHT])
            late.write_positions([replace(row, status=PositionStatus.PAUSED)], MADE_BY)

    with pytest.raises(StaleRowError):
        pause_late()

    assert stored(second) == [replace(BOUGHT, revision=1)]


def test_a_refused_write_leaves_nothing_of_its_transaction(portfolio_store: RuntimeStore) -> None:
    with pytest.raises(StaleRowError):
        write(portfolio_store, orders=[ENTRY], positions=[replace(BOUGHT, revision=7)])

    assert (open_orders(portfolio_store), stored(portfolio_store)) == ([], [WATCHED])


def test_writes_are_seen_in_their_snapshot_and_by_no_other(open_portfolio: OpenStore) -> None:
    other = open_portfolio("b:2:start")

    with contextlib.suppress(ZeroDivisionError), open_portfolio().snapshot() as snapshot:
        snapshot.write_orders([ENTRY], MADE_BY)
        snapshot.write_fills([fill_row(ENTRY)])
        assert snapshot.open_orders(Timeframe.H1) == [ENTRY]
        assert snapshot.trade_fills(["trade-1"]) == [fill_row(ENTRY)]
        assert open_orders(other) == []
        _ = 1 / 0

    assert open_orders(other) == []


def test_open_orders_are_planned_or_submitted_ones_of_the_timeframe_oldest_first(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    slower = position_row(timeframe=Timeframe.H4)
    portfolio_world.add(slower)
    later = order_row(WATCHED, BAR.following(), ActionCategory.TRIM)
    write(portfolio_store, orders=[later, ENTRY, order_row(slower, replace(BAR, timeframe=Timeframe.H4))])

    with portfolio_store.snapshot() as snapshot:
        snapshot.mark_submitted([ENTRY.order_id])

    assert open_orders(portfolio_store) == [replace(ENTRY, status=OrderStatus.SUBMITTED), later]


def test_orders_and_episodes_of_another_book_are_its_own(
    portfolio_world: PortfolioWorld, open_portfolio: OpenStore
) -> None:
    foreign = position_row(book_id="stocks")
    portfolio_world.add(foreign)
    stocks = open_portfolio("b:2:start", book_id="stocks")
    write(stocks, orders=[order_row(foreign)], episodes=[episode_row(foreign)])

    with open_portfolio().snapshot() as snapshot:
        assert (snapshot.open_orders(Timeframe.H1), snapshot.pending_episodes(Timeframe.H1)) == ([], [])
    with stocks.snapshot() as snapshot:
        assert snapshot.open_orders(Timeframe.H1) == [order_row(foreign)]
        assert snapshot.pending_episodes(Timeframe.H1) == [episode_row(foreign)]


def test_a_position_gets_one_order_a_bar(portfolio_store: RuntimeStore) -> None:
    write(portfolio_store, orders=[ENTRY])

    for again in (ENTRY, order_row(WATCHED, category=ActionCategory.EXIT)):
        with pytest.raises(AlreadyOrderedError):
            write(portfolio_store, orders=[again])

    assert open_orders(portfolio_store) == [ENTRY]
    assert issubclass(AlreadyOrderedError, AlreadyTickedError)


def test_a_settled_order_is_not_open_and_stays_as_it_is(portfolio_store: RuntimeStore) -> None:
    write(portfolio_store, orders=[ENTRY])
    settled = replace(ENTRY, status=OrderStatus.EXPIRED, status_reason="no bar", settled_at=START + HOUR)
    with portfolio_store.snapshot() as snapshot:
        snapshot.settle_orders([settled])

    with portfolio_store.snapshot() as snapshot:
        snapshot.mark_submitted([ENTRY.order_id])
        assert snapshot.open_orders(Timeframe.H1) == []
    with pytest.raises(StaleRowError), portfolio_store.snapshot() as snapshot:
        snapshot.settle_orders([replace(settled, status=OrderStatus.REJECTED)])


def test_a_fill_told_twice_is_one_and_told_otherwise_is_refused(portfolio_store: RuntimeStore) -> None:
    fill, later = fill_row(ENTRY), fill_row(ENTRY, fill_id="f2", at=START + 9 * HOUR)
    write(portfolio_store, orders=[ENTRY], fills=[later, fill])

    write(portfolio_store, fills=[fill])
    with pytest.raises(FillConflictError, match=fill.fill.fill_id):
        write(portfolio_store, fills=[fill_row(ENTRY, fee_usd=0.5)])

    with portfolio_store.snapshot() as snapshot:
        assert snapshot.trade_fills(["trade-1", "no-trade"]) == [fill, later]
        assert snapshot.trade_fills([]) == []


def test_cash_is_sales_less_buys_less_fees_of_the_book(
    portfolio_world: PortfolioWorld, open_portfolio: OpenStore
) -> None:
    store, stocks, foreign = (
        open_portfolio(),
        open_portfolio("b:2:start", book_id="stocks"),
        position_row(book_id="stocks"),
    )
    portfolio_world.add(foreign)
    sale = order_row(WATCHED, BAR.following(), ActionCategory.EXIT)
    sold = fill_row(sale, quantity=50.0, price_usd=3.0, notional_usd=150.0, fee_usd=0.45)
    with store.snapshot() as snapshot:
        assert snapshot.cash_flow_usd() == 0.0

    write(store, orders=[ENTRY, sale], fills=[fill_row(ENTRY), sold])
    elsewhere = order_row(foreign, trade_id="trade-2")
    write(stocks, orders=[elsewhere], fills=[fill_row(elsewhere)])

    with store.snapshot() as snapshot:
        assert snapshot.cash_flow_usd() == pytest.approx(150.0 - 100.0 - 0.3 - 0.45, abs=1e-12)


def test_a_sum_of_cash_does_not_depend_on_the_order_of_the_fills(portfolio_store: RuntimeStore) -> None:
    write(portfolio_store, orders=[ENTRY])
    fills = [
        fill_row(ENTRY, fill_id=name, quantity=usd, price_usd=1.0, notional_usd=usd, fee_usd=0.0)
        for name, usd in (("a", 0.1), ("b", 1e13), ("c", 0.2))
    ]
    write(portfolio_store, fills=fills)

    with portfolio_store.snapshot() as snapshot:
        assert snapshot.cash_flow_usd() == -(1e13 + 0.3) != -((0.1 + 1e13) + 0.2)


def test_strands_are_appended_once_and_actions_come_back_in_the_order_they_were_stored(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    late, early = strand_row(WATCHED, occurred_at=START + HOUR), strand_row(WATCHED)
    closed = strand_row(WATCHED, kind=StrandKind.POSITION_CLOSED)
    write(portfolio_store, strands=[late])
    write(portfolio_store, strands=[late, early, closed, early])

    with portfolio_store.snapshot() as snapshot:
        assert snapshot.trade_strands(["trade-1"]) == [late, early]
    assert portfolio_world.strand_ids() == [late.strand_id, early.strand_id, closed.strand_id]


def test_an_episode_is_replaced_while_it_is_pending_and_never_after(portfolio_store: RuntimeStore) -> None:
    open_one, other = episode_row(WATCHED), episode_row(WATCHED, started_at=START - HOUR, family="pm.s3_retest")
    write(portfolio_store, episodes=[open_one, other])
    decided = replace(open_one, decision="skipped", decided_at=START, gates=[{"name": "ts"}], ended_at=START + HOUR)

    write(portfolio_store, episodes=[decided])

    with portfolio_store.snapshot() as snapshot:
        assert snapshot.pending_episodes(Timeframe.H1) == [other, decided]
    ended = replace(decided, outcome="failure", outcome_at=START + 2 * HOUR)
    write(portfolio_store, episodes=[ended])
    with pytest.raises(StaleRowError):
        write(portfolio_store, episodes=[decided])
    with portfolio_store.snapshot() as snapshot:
        assert snapshot.pending_episodes(Timeframe.H1) == [other]


def test_what_breaks_its_schema_is_kept_as_it_came(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    letter = parse_strand("pm_action", '{"a": "\x00", "b": "\ud800"}')
    assert isinstance(letter, DeadLetter)

    write(portfolio_store, dead_letters=[letter])
    write(portfolio_store, dead_letters=[letter])

    (found,) = portfolio_world.dead_letters()
    assert DeadLetter(**found) == letter


def test_json_that_is_none_is_refused_before_it_is_stored(portfolio_store: RuntimeStore) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(portfolio_store, strands=[strand_row(WATCHED, content={"a": float("nan")})])


def test_no_rows_are_no_error(portfolio_store: RuntimeStore) -> None:
    write(portfolio_store, positions=[], orders=[], fills=[], strands=[], episodes=[], dead_letters=[])

    with portfolio_store.snapshot() as snapshot:
        snapshot.settle_orders([])
        snapshot.mark_submitted([])
        assert (snapshot.open_orders(Timeframe.H1), snapshot.book()) == ([], [])


def test_names_with_quotes_and_signs_are_only_names(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    odd = position_row("'; DROP TABLE pm.pm_fill; --%s_%(x)s", position_id=sha256("odd"), token_ticker='"<b>\\')
    portfolio_world.add(odd)
    entry = order_row(odd, trade_id="' OR 1=1 --", status_reason="%s{}")
    write(portfolio_store, orders=[entry], fills=[fill_row(entry)])

    assert odd in stored(portfolio_store)
    with portfolio_store.snapshot() as snapshot:
        assert snapshot.trade_fills(["' OR 1=1 --"]) == [fill_row(entry)]


def test_instants_keep_their_microseconds_and_doubles_their_bits(portfolio_store: RuntimeStore) -> None:
    at = START + timedelta(microseconds=123_457)
    precise = replace(BOUGHT.position, cost_basis_usd=0.1 + 0.2, last_price_usd=5e-324, last_fill_at=at)
    write(portfolio_store, positions=[replace(BOUGHT, position=precise)])

    (row,) = stored(portfolio_store)
    assert row.position == precise
