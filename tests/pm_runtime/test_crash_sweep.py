"""A tick that dies at any statement, or between its commit and its orders, leaves what an undisturbed run leaves."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest

from pm_runtime.paper_venue import PaperVenue
from pm_runtime.ports import RuntimeStore
from pm_runtime.postgres_store import PostgresStore, open_postgres_store
from pm_runtime.submitting import reconcile
from pm_runtime.tick import run_tick
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.scratch_database import scratch_database
from tests.busy_hours import BUSY_BARS, publish_busy_hours
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.postgres_fixtures import PostgresServer, exported, throw_away_database
from tests.runtime_tables import differing, runtime_tables
from tests.runtime_worlds import end_sessions_of_runtime

pytestmark = pytest.mark.postgres
BEFORE, BUSY, AFTER = BUSY_BARS[:2], BUSY_BARS[2], BUSY_BARS[3:]


@contextlib.contextmanager
def opened(holder: str) -> Iterator[PostgresStore]:
    with contextlib.closing(open_postgres_store(holder)) as store:
        yield store


@pytest.fixture(scope="module")
def prepared(postgres_server: PostgresServer, database_template: str) -> Iterator[str]:
    """Name of a database in which the busy bar comes next; nobody is connected to it."""
    with scratch_database(postgres_server.url, template=database_template) as name:
        with exported(postgres_server.environment(name)):
            publish_busy_hours(PostgresPortfolioWorld())
            with opened("first:1:x") as store:
                for bar in BEFORE:
                    run_tick(store, bar)
        yield name


@pytest.fixture(scope="module")
def undisturbed(postgres_server, prepared):
    """What a run without a crash leaves."""
    with throw_away_database(postgres_server, prepared):
        restart_and_go_on()
        yield runtime_tables()


@pytest.fixture
def busy_database(postgres_server, prepared):
    with throw_away_database(postgres_server, prepared) as url:
        yield url


def restart_and_go_on() -> None:
    """Start as a process does: reconcile, tick the bar at hand, go on."""
    with opened("next:2:x") as store:
        reconcile(store)
        for bar in (BUSY, *AFTER):
            run_tick(store, bar)


def kill_runtime() -> None:
    with connect(DatabaseRole.OWNER, autocommit=True) as killer:
        assert end_sessions_of_runtime(killer) == 1


class Fuse:
    """Counts the statements of a session and kills its server process before one of them."""

    def __init__(self, store: RuntimeStore, *, dies_at: int | None) -> None:
        self.count = 0
        self.dies_at = dies_at
        fuse = self

        class Cursor(psycopg.Cursor):
            def execute(self, *values, **options):
                fuse.burn()
                return super().execute(*values, **options)

            def executemany(self, *values, **options):
                fuse.burn()
                return super().executemany(*values, **options)

        store._connection.cursor_factory = Cursor

    def burn(self) -> None:
        self.count += 1
        if self.count == self.dies_at:
            kill_runtime()


def statements_of_the_tick() -> int:
    """Statements of the busy tick up to its commit: those of the orders it submits are not among them."""
    at_commit: list[int] = []

    class Venue(PaperVenue):
        def submit(self, order):
            at_commit.append(fuse.count)
            super().submit(order)

    with opened("counts:1:x") as store:
        fuse = Fuse(store, dies_at=None)
        run_tick(store, BUSY, open_venue=lambda config: Venue(config.paper_venue))
    return at_commit[0]


def test_the_busy_bar_is_busy(undisturbed):
    busy = next(row for row in undisturbed["pm_tick"] if row["bar_timestamp"] == BUSY.timestamp)

    assert (busy["orders_settled"], busy["orders_planned"], busy["trades_closed"]) == (2, 3, 1)
    assert len(undisturbed["ad_strands"]) > 8
    assert {row["status"] for row in undisturbed["pm_order"]} == {"filled", "submitted"}


def test_a_session_that_dies_at_any_statement_of_a_tick_leaves_nothing(postgres_server, prepared, undisturbed):
    with throw_away_database(postgres_server, prepared):
        statements = statements_of_the_tick()
    with throw_away_database(postgres_server, prepared):
        before = runtime_tables()
        for statement in range(1, statements + 1):
            with opened("dies:1:x") as store:
                Fuse(store, dies_at=statement)
                with pytest.raises(psycopg.OperationalError):
                    run_tick(store, BUSY)
                assert not store.is_usable()
            assert (statement, differing(runtime_tables(), before)) == (statement, [])
        restart_and_go_on()

        assert statements > 20
        assert differing(runtime_tables(), undisturbed) == []


class Dying(PaperVenue):
    """A venue at whose nth order the runtime is killed, after the venue has taken it."""

    def __init__(self, config, order: int) -> None:
        super().__init__(config)
        self.left = order

    def submit(self, order):
        super().submit(order)
        self.left -= 1
        if self.left == 0:
            kill_runtime()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_crash_between_the_commit_and_any_order_is_made_good_at_the_next_start(busy_database, undisturbed, order):
    with opened("dies:1:x") as store, pytest.raises(psycopg.OperationalError):
        run_tick(store, BUSY, open_venue=lambda config: Dying(config.paper_venue, order))
    left = [row["status"] for row in runtime_tables()["pm_order"]]
    restart_and_go_on()

    assert left.count("planned") == 3
    assert differing(runtime_tables(), undisturbed) == []


@pytest.mark.parametrize("statement", [1, 2])
def test_a_crash_while_the_orders_are_noted_is_made_good_at_the_next_start(busy_database, undisturbed, statement):
    with opened("dies:1:x") as store:

        class Lighting(PaperVenue):
            def submit(self, order):
                super().submit(order)
                Fuse(store, dies_at=statement)

        with pytest.raises(psycopg.OperationalError):
            run_tick(store, BUSY, open_venue=lambda config: Lighting(config.paper_venue))
    left = [row["status"] for row in runtime_tables()["pm_order"]]
    restart_and_go_on()

    assert left.count("planned") == 3
    assert differing(runtime_tables(), undisturbed) == []


class DyingAtCommit(PostgresStore):
    """A session that is killed at its nth commit: just before it, or after it and before its answer is heard."""

    commits_left = 1
    is_before = True

    @contextlib.contextmanager
    def snapshot(self):
        self.commits_left -= 1
        with super().snapshot() as snapshot:
            yield snapshot
            if self.commits_left == 0 and self.is_before:
                kill_runtime()
        if self.commits_left == 0:
            kill_runtime()
            self._connection.execute("SELECT")


@pytest.mark.parametrize("commit", [1, 2])
@pytest.mark.parametrize("is_before", [True, False])
def test_a_commit_that_fails_or_whose_answer_is_lost_is_done_once(busy_database, undisturbed, commit, is_before):
    with opened("dies:1:x") as inner:
        store = DyingAtCommit(inner._connection, holder=inner.holder)
        store.commits_left, store.is_before = commit, is_before
        with pytest.raises(psycopg.OperationalError):
            run_tick(store, BUSY)
    ticked = BUSY.timestamp in [row["bar_timestamp"] for row in runtime_tables()["pm_tick"]]
    restart_and_go_on()

    assert ticked is not (commit == 1 and is_before)
    assert differing(runtime_tables(), undisturbed) == []


def test_a_process_that_is_started_late_submits_what_was_planned_and_the_venue_lets_it_expire(busy_database):
    with opened("dies:1:x") as store, pytest.raises(psycopg.OperationalError):
        run_tick(store, BUSY, open_venue=lambda config: Dying(config.paper_venue, 1))
    late = BUSY
    for _ in range(4):
        late = late.following()
    with opened("next:2:x") as store:
        assert reconcile(store).taken == 3
        run_tick(store, late)

    orders = [row for row in runtime_tables()["pm_order"] if row["bar_timestamp"] == BUSY.timestamp]
    assert {(row["status"], row["status_reason"]) for row in orders} == {("expired", "no bar to fill on in 3 bars")}
