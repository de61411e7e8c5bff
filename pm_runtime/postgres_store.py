"""The store in Postgres. One connection holds the lease and writes the ticks.

So a tick can only be written while its process holds the lease: when the connection breaks, both are gone at once.
Behind a pooler that hands out another session a transaction the lease means nothing, and what is left is that
`pm.pm_tick` takes one row a bar.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from domain.scores.score_reading import PublishedScore, ScoreStatus
from domain.vocabulary.alarm import Look
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from domain.vocabulary.execution_bar import ExecutionBar
from pm_runtime.cash_memo import CashCount, CashMemo
from pm_runtime.ports import AlreadyTickedError, Lease
from pm_runtime.postgres_portfolio import PostgresPortfolio
from pm_runtime.tick_row import TickRow
from sql.ae_score import newest_scores
from sql.alarm import Settled, settle_alarms
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.migrated import refuse_unmigrated
from sql.migration_file import MigrationError
from sql.pm_config import VersionedConfig, read_pm_config, read_stored_config
from sql.queries import query

LEASE_KEY = 0x706D7469636B
"""Key of the lock the ticking process holds, the letters "pmtick"."""
UNKNOWN_HOLDER = "a process that ended just now"


def open_postgres_store(holder: str) -> "PostgresStore":
    """Connect as the runtime. Starting and recovering from a lost connection are this same path.

    Parameters
    ----------
    holder : str
        Name of this process, at most 63 ASCII characters: longer ones Postgres would cut.

    Raises
    ------
    DatabaseConnectionError
        If the server cannot be reached.
    MigrationError
        If the database is older or newer than this code.
    """
    connection = connect(DatabaseRole.PM, autocommit=True)
    try:
        refuse_unmigrated(connection)
        connection.execute(query("name_session").encode(), {"holder": holder})
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    except (MigrationError, psycopg.Error):
        connection.close()
        raise
    return PostgresStore(connection, holder=holder)


class PostgresSnapshot(PostgresPortfolio):
    """An open REPEATABLE READ transaction.

    Parameters
    ----------
    connection, book_id, holder, cash
        As of the portfolio.
    now_at : datetime, optional
        Instant that stands for now; by default the database's.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        *,
        book_id: str,
        holder: str,
        cash: CashCount,
        now_at: datetime | None = None,
    ) -> None:
        super().__init__(connection, book_id=book_id, holder=holder, cash=cash)
        self._now_at: datetime = now_at or connection.execute(query("transaction_started_at").encode()).fetchall()[0][0]

    def now_at(self) -> datetime:
        """Return the time at the start of the transaction."""
        return self._now_at

    def ticked_by(self, bar: ExecutionBar) -> str | None:
        """Return who ticked a bar; None when nobody has."""
        row = self._connection.execute(query("tick_holder").encode(), _key(bar)).fetchone()
        return None if row is None else str(row[0])

    def read_config(self) -> VersionedConfig:
        """Return the newest configuration."""
        return read_pm_config(self._connection)

    def newest_scores(self, bar: ExecutionBar, buckets: Sequence[CapBucket]) -> list[PublishedScore]:
        """Return each bucket's newest score at or before the bar."""
        return newest_scores(self._connection, bar, buckets, book_id=self._book_id)

    def write_tick(self, tick: TickRow) -> None:
        """Store a tick; the constraint on its bar decides between processes that race."""
        values = _key(tick.bar) | {
            "mode": tick.mode.value,
            "mode_reason": tick.mode_reason,
            "scores": Jsonb([reading.to_json() for reading in tick.scores]),
            "scores_fresh": tick.count(ScoreStatus.FRESH),
            "scores_stale": tick.count(ScoreStatus.STALE),
            "scores_degraded": tick.count(ScoreStatus.DEGRADED),
            "config_version": tick.config_version,
            "code_version": tick.code_version,
            "holder": tick.holder,
            **asdict(tick.portfolio),
            "overrides_ignored": list(tick.portfolio.overrides_ignored),
        }
        try:
            written = self._connection.execute(query("insert_pm_tick").encode(), values)
        except psycopg.errors.UniqueViolation as error:
            raise AlreadyTickedError(str(tick.bar)) from error
        ((self._cash.tick_id,),) = written.fetchall()


class PostgresStore:
    """One session as the role lowcap_pm, in autocommit outside of snapshots.

    Parameters
    ----------
    connection : psycopg.Connection
        With isolation REPEATABLE READ; closed with the store.
    holder : str
        Name of this process.
    book_id : str
        Asset class whose scores are read.
    """

    def __init__(self, connection: psycopg.Connection, *, holder: str, book_id: str = DEFAULT_BOOK_ID) -> None:
        self._connection = connection
        self._holder = holder
        self._book_id = book_id
        self._has_lease = False
        self._cash = CashMemo()

    @property
    def holder(self) -> str:
        """Name of this process."""
        return self._holder

    def take_lease(self) -> Lease:
        """Hold the lease until the connection ends, or say who holds it."""
        if not self._has_lease:
            self._has_lease = bool(self._value("try_lease"))
        if self._has_lease:
            return Lease(True, self._holder)
        return Lease(False, self._value("lease_holder") or UNKNOWN_HOLDER)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """Open a transaction on one instant."""
        with self._cash.around() as cash, self._connection.transaction():
            yield PostgresSnapshot(self._connection, book_id=self._book_id, holder=self._holder, cash=cash)

    def settle_alarms(self, looks: Sequence[Look]) -> Settled:
        """Raise and clear alarms of pm, as of the database's time."""
        with self._connection.transaction():
            ((at,),) = self._connection.execute(query("transaction_started_at").encode()).fetchall()
            version = read_stored_config(self._connection).version  # valid or not: it is the one in force
            return settle_alarms(self._connection, "pm", looks, at=at, by=self._holder, config_version=version)

    def is_usable(self) -> bool:
        """Whether the connection is open, as far as is known without asking the server."""
        return not self._connection.closed

    def close(self) -> None:
        """Free the lease at once, if the server still listens, and end the connection."""
        if self._has_lease:
            with contextlib.suppress(psycopg.Error):  # a broken session's lease is freed by the server
                self._value("free_lease")
        self._connection.close()

    def _value(self, name: str) -> Any:
        row = self._connection.execute(query(name).encode(), {"key": LEASE_KEY}).fetchone()
        return None if row is None else row[0]


def _key(bar: ExecutionBar) -> dict[str, Any]:
    return {"timeframe": bar.timeframe.value, "bar_timestamp": bar.timestamp}
