"""The cash flow is carried on from tick to tick, and is what a sum over all fills gives."""

import contextlib
import logging
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from domain.portfolio.fill import Fill
from domain.vocabulary.action import OrderSide
from pm_runtime.cash_flow import brought
from pm_runtime.cash_memo import RECOUNT_AFTER, TICKS_KNOWN, CashMemo
from pm_runtime.postgres_store import PostgresStore, open_postgres_store
from pm_runtime.tick import run_tick
from sql.queries import query
from tests.busy_hours import BUSY_BARS, publish_busy_hours
from tests.meddling_store import MeddlingStore
from tests.portfolio_rows import START
from tests.portfolio_worlds import PostgresPortfolioWorld


def fill(usd: float) -> Fill:
    return Fill(fill_id="f", side=OrderSide.SELL, quantity=usd, price_usd=1.0, notional_usd=usd, fee_usd=0.0, at=START)


class Ledger:
    """What a memo asks: numbers of the newest ticks, and the sum of all fills; `counted` says how often."""

    def __init__(self) -> None:
        self.memo = CashMemo()
        self.ticks: tuple[int, ...] = ()
        self.stored = Decimal(0)
        self.counted = 0

    def count(self) -> Decimal:
        self.counted += 1
        return self.stored

    def tick(self, usd: float, *, number: int | None = None, fails: bool = False) -> Decimal:
        """Tick once, with one fill; return the sum that the tick saw."""
        before = self.stored
        number = number or max(self.ticks, default=0) + 1
        with contextlib.suppress(ConnectionError), self.memo.around() as cash:
            self.stored += brought(fill(usd))
            cash.add([fill(usd)], are_new=True)
            seen = cash.total(lambda: self.ticks[:TICKS_KNOWN], self.count)
            cash.tick_id = number
            if fails:
                self.stored = before
                raise ConnectionError
            self.ticks = (number, *self.ticks)
        return seen


def test_fills_are_counted_once_and_then_carried_on():
    ledger = Ledger()

    assert [ledger.tick(usd) for usd in (0.1, 1e13, 0.2)] == [ledger_sum(*given) for given in SUMS]
    assert ledger.counted == 1


SUMS = [(0.1,), (0.1, 1e13), (0.1, 1e13, 0.2)]


def ledger_sum(*amounts: float) -> Decimal:
    return sum((brought(fill(usd)) for usd in amounts), Decimal(0))


def test_after_a_tick_of_somebody_else_everything_is_counted_again():
    ledger = Ledger()
    ledger.tick(1.0)
    ledger.ticks, ledger.stored = (2, *ledger.ticks), ledger.stored + 5

    assert ledger.tick(1.0) == 7
    assert ledger.counted == 2


def test_a_tick_that_was_numbered_before_ours_and_stored_after_it_is_noticed():
    ledger = Ledger()
    ledger.tick(1.0, number=8)
    ledger.ticks, ledger.stored = (8, 7), ledger.stored + 5

    assert ledger.tick(1.0) == 7


def test_what_a_failed_transaction_brought_does_not_count():
    ledger = Ledger()
    ledger.tick(1.0)
    ledger.tick(100.0, fails=True)

    assert ledger.tick(1.0) == 2


def test_fills_without_a_tick_make_the_memo_forget():
    ledger = Ledger()
    ledger.tick(1.0)
    with ledger.memo.around() as cash:
        ledger.stored += 3
        cash.add([fill(3.0)], are_new=True)

    assert ledger.tick(1.0) == 5


def test_fills_that_were_known_are_not_counted_twice():
    ledger = Ledger()
    ledger.tick(1.0)
    with ledger.memo.around() as cash:
        cash.add([fill(1.0)], are_new=False)

        assert cash.total(lambda: ledger.ticks, ledger.count) == 1


def test_now_and_then_all_is_counted_and_a_wrong_sum_is_told(caplog):
    ledger = Ledger()
    ledger.tick(1.0)
    ledger.stored += 4  # a fill that somebody stored by hand
    sums = [ledger.tick(1.0) for _ in range(RECOUNT_AFTER)]

    assert (sums[-2], sums[-1]) == (RECOUNT_AFTER, RECOUNT_AFTER + 5)
    assert [(record.levelno, record.message) for record in caplog.records] == [(logging.ERROR, "cash_was_wrong")]
    assert ledger.counted == 2


@contextlib.contextmanager
def opened(holder: str) -> Iterator[PostgresStore]:
    with contextlib.closing(open_postgres_store(holder)) as store:
        yield store


def watch_cash(store: PostgresStore) -> list[bytes]:
    """Note every count of all fills of a session."""
    counts: list[bytes] = []

    class Cursor(psycopg.Cursor):
        def execute(self, text, *values, **options):
            if text == query("cash_flow").encode():
                counts.append(text)
            return super().execute(text, *values, **options)

    store._connection.cursor_factory = Cursor
    return counts


def carried_and_counted(store: PostgresStore) -> tuple[Decimal, Decimal]:
    with store.snapshot() as snapshot:
        carried = snapshot._cash.total(snapshot._newest_ticks, snapshot._count_cash)
        return carried, snapshot._count_cash()


@pytest.mark.postgres
@pytest.mark.usefixtures("database")
def test_a_session_counts_all_fills_once_and_then_knows_the_same_sum():
    publish_busy_hours(PostgresPortfolioWorld())
    with opened("a:1:x") as store:
        counts = watch_cash(store)
        for bar in BUSY_BARS:
            run_tick(store, bar)
            carried, counted = carried_and_counted(store)

            assert carried == counted
            counts.pop()  # our own
    assert len(counts) == 1
    assert carried != 0


@pytest.mark.postgres
@pytest.mark.usefixtures("database")
def test_sessions_that_take_turns_know_what_the_other_one_brought():
    publish_busy_hours(PostgresPortfolioWorld())
    with opened("a:1:x") as one, opened("b:2:x") as other:
        for bar, store in zip(BUSY_BARS, (one, one, other, one, other), strict=True):
            run_tick(store, bar)

            assert len(set(carried_and_counted(store))) == 1


@pytest.mark.postgres
@pytest.mark.usefixtures("database")
def test_a_tick_whose_bar_somebody_else_has_ticked_leaves_nothing_in_the_sum():
    publish_busy_hours(PostgresPortfolioWorld())
    with opened("a:1:x") as one, opened("b:2:x") as other:
        for bar in BUSY_BARS[:2]:
            run_tick(one, bar)
        outcome = run_tick(MeddlingStore(one, lambda: run_tick(other, BUSY_BARS[2])), BUSY_BARS[2])

        assert outcome.holder == "b:2:x"
        for store in (one, other):
            carried, counted = carried_and_counted(store)
            assert carried == counted
