"""The runtime's own store over history: the same reads and writes, an instant that is given, a schema of its own.

What cannot change while a replay runs, its configuration and its switch, is read once. Every transaction begins by
naming the schema, so that not even a pooler that hands out another session lets a replay write the runtime's tables.
"""

import contextlib
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import psycopg

from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.cash_memo import CashCount
from pm_runtime.portfolio_row import Provenance, RawOverrideSet, Token
from pm_runtime.postgres_market import override_set
from pm_runtime.postgres_store import PostgresSnapshot, PostgresStore
from pm_runtime.replay.admission import Admission, admit
from pm_runtime.replay.bars_ahead import BarsAhead
from sql.pm_config import VersionedConfig
from sql.queries import query
from sql.trading_switch import SwitchRow


class Constants:
    """What is read once for all ticks of a replay.

    Parameters
    ----------
    config : VersionedConfig
        Of all ticks, whatever is put in force meanwhile.
    """

    def __init__(self, config: VersionedConfig) -> None:
        self.config = config
        self.bars = BarsAhead()
        self.switch: list[SwitchRow] | None = None
        self.override_steps: list[datetime] | None = None
        self.overrides: tuple[int, RawOverrideSet] = (0, RawOverrideSet(set_id=None, rows=()))


class ReplaySnapshot(PostgresSnapshot):
    """A transaction of a replay."""

    def __init__(
        self,
        connection: psycopg.Connection,
        *,
        book_id: str,
        holder: str,
        cash: CashCount,
        now_at: datetime,
        constants: Constants,
    ) -> None:
        super().__init__(connection, book_id=book_id, holder=holder, cash=cash, now_at=now_at)
        self._constants = constants

    def read_config(self) -> VersionedConfig:
        """Return the configuration of the replay."""
        return self._constants.config

    def read_switch(self) -> list[SwitchRow]:
        """Return the replay's own switch."""
        if self._constants.switch is None:
            self._constants.switch = super().read_switch()
        return self._constants.switch

    def live_overrides(self) -> RawOverrideSet:
        """Return the set that is live at the replayed instant."""
        known = self._constants
        if known.override_steps is None:
            known.override_steps = sorted(at for (at,) in self._rows("override_steps"))
        step = bisect_right(known.override_steps, self._now_at)
        if step != known.overrides[0]:
            known.overrides = (step, override_set(self._rows("live_overrides_at", at=self._now_at)))
        return known.overrides[1]

    def token_bars(self, bar: ExecutionBar, tokens: Collection[Token]) -> dict[Token, TokenBar]:
        """Return the bar of each token, read with those of the bars after it; those are not shown."""
        return self._constants.bars.at(bar, tokens, self._rows)


class ReplayStore(PostgresStore):
    """A session of the runtime's role over a replay's schema.

    Parameters
    ----------
    connection : psycopg.Connection
        With isolation REPEATABLE READ, in autocommit outside of snapshots.
    holder : str
        Name of this process.
    schema : str
        Of the replay.
    config : VersionedConfig
        Of all ticks.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        *,
        holder: str,
        schema: str,
        config: VersionedConfig,
        book_id: str = DEFAULT_BOOK_ID,
    ) -> None:
        super().__init__(connection, holder=holder, book_id=book_id)
        self._schema = schema
        self._constants = Constants(config)
        self._at: datetime | None = None

    def stand_at(self, at: datetime) -> None:
        """Let an instant stand for now, until the next one."""
        self._at = at

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[PostgresSnapshot]:
        """Open a transaction at the replayed instant."""
        if self._at is None:
            raise ValueError("A replay has no time of its own: say where it stands first")
        with self._cash.around() as cash, self.transaction() as connection:
            yield ReplaySnapshot(
                connection,
                book_id=self._book_id,
                holder=self._holder,
                cash=cash,
                now_at=self._at,
                constants=self._constants,
            )

    @contextlib.contextmanager
    def transaction(self, *, is_long: bool = False) -> Iterator[psycopg.Connection]:
        """Open a transaction over the replay's schema; a long one has no limit of time for its statements."""
        with self._connection.transaction():
            self._connection.execute(query("search_replay_schema").encode(), {"schema": self._schema})
            if is_long:
                self._connection.execute(query("lift_statement_timeout").encode())
            yield self._connection

    def admit(self, admissions: Sequence[Admission], made_by: Provenance) -> None:
        """Put positions on the watchlist, in a transaction of their own."""
        if admissions:
            with self.transaction() as connection:
                admit(connection, admissions, made_by)

    def ticked(self) -> set[ExecutionBar]:
        """Bars that have their tick."""
        with self.transaction() as connection:
            rows = connection.execute(query("ticked_bars").encode()).fetchall()
        return {ExecutionBar(Timeframe(timeframe), timestamp) for timeframe, timestamp in rows}
