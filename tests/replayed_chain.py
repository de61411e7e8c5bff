"""Ten days of a small simulated market that the real chain has made, and what tests do with them."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from domain.vocabulary.execution_bar import ExecutionBar, bars_closed_between
from pm_runtime.portfolio_row import Provenance
from pm_runtime.postgres_store import open_postgres_store
from pm_runtime.replay.__main__ import replay
from pm_runtime.replay.admission import admit
from pm_runtime.replay.report import Report
from pm_runtime.replay.session import History, read_history
from pm_runtime.replay.settings import ReplaySettings
from pm_runtime.tick import run_tick
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.chain_runs import TWO_MEMBERS, configure, run_chain, small_market

FROM, TO = datetime(2026, 1, 4, tzinfo=UTC), datetime(2026, 1, 14, tzinfo=UTC)
MID = datetime(2026, 1, 11, 6, tzinfo=UTC)
"""Within the days on which nearly all entries are."""
CODE = "0.1.0-of-a-test"
PROJECT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-m", "pm_runtime.replay", "--from", FROM.isoformat(), "--to", TO.isoformat()]


def make_history() -> None:
    """Run the chain over 31 days, the first 17 of which are its warm-up."""
    configure(TWO_MEMBERS)
    market = small_market(simulation_minute_days=1, simulation_hour_days=34, simulation_lowcaps=12)
    run_chain(date(2025, 12, 14), date(2026, 1, 13), as_of=TO, market=market)


def settings_of(name: str, **values: Any) -> ReplaySettings:
    """A replay of the whole window, other than in what the test names."""
    return ReplaySettings(**({"name": name, "from_at": FROM, "to_at": TO} | values))


class StopAfter:
    """Asks to stop after so many ticks."""

    def __init__(self, ticks: int) -> None:
        self._left = ticks

    def is_set(self) -> bool:
        self._left -= 1
        return self._left < 0


NEVER = StopAfter(10**9)


def replayed(name: str, *, stop: StopAfter = NEVER, **values: Any) -> Report | None:
    """Replay a window in this process."""
    return replay(settings_of(name, **values), stop=stop)


def done(name: str, **values: Any) -> dict[str, Any]:
    """Facts of a replay that went to its end."""
    report = replayed(name, **values)
    assert report is not None
    return report.facts


def result(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts without the name, and without how long it took."""
    asked = {name: value for name, value in facts["replay"].items() if name != "schema"}
    return facts | {"replay": asked, "run": None}


def rows(statement: str, role: DatabaseRole = DatabaseRole.CONSOLE) -> list[tuple[Any, ...]]:
    """Rows of a query."""
    with connect(role) as connection:
        return connection.execute(statement.encode()).fetchall()


ARRIVING = {
    "lowcap_price_data_ohlc": "CASE timeframe WHEN '1h' THEN interval '1h' WHEN '4h' THEN interval '4h' END",
    "token_ta": "CASE timeframe WHEN '1h' THEN interval '1h' WHEN '4h' THEN interval '4h' END",
    "token_uptrend_state": "CASE timeframe WHEN '1h' THEN interval '1h' WHEN '4h' THEN interval '4h' END",
    "ae_score": "CASE timeframe WHEN '1h' THEN interval '1h' WHEN '4h' THEN interval '4h' END",
    "regime_context": "interval '1h'",
    "token_cap_bucket": "interval '0'",
}
"""Tables a tick reads, and how long after its timestamp a row of them is there."""


@contextmanager
def nothing_known_after(at: datetime) -> Iterator[Callable[[datetime], None]]:
    """Take away what was known after an instant; gives a function that lets it arrive up to another one.

    At the end everything is there again.
    """
    with connect(DatabaseRole.OWNER, autocommit=True) as owner:
        for table, delay in ARRIVING.items():
            owner.execute(f"CREATE TABLE public.later_{table} (LIKE regime.{table})".encode())
            moved = f"DELETE FROM regime.{table} WHERE timestamp + {delay} > %s RETURNING *"
            owner.execute(f"WITH gone AS ({moved}) INSERT INTO later_{table} SELECT * FROM gone".encode(), [at])

        def arrive(now: datetime | None) -> None:
            for table, delay in ARRIVING.items():
                moved = (
                    f"DELETE FROM later_{table} WHERE %s::timestamptz IS NULL OR timestamp + {delay} <= %s RETURNING *"
                )
                statement = f"WITH here AS ({moved}) INSERT INTO regime.{table} SELECT * FROM here"
                owner.execute(statement.encode(), [now, now])

        try:
            yield arrive
        finally:
            arrive(None)
            for table in ARRIVING:
                owner.execute(f"DROP TABLE later_{table}".encode())


def history_of(settings: ReplaySettings) -> History:
    """What a replay of the window stands on."""
    with connect(DatabaseRole.PM, autocommit=True) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return read_history(connection, settings)


def tick_live(settings: ReplaySettings, history: History, arrive: Callable[[datetime], None]) -> int:
    """Tick the window as the runtime does, each bar when its rows have just come; returns how many."""
    made_by = Provenance(config_version=history.config.version, code_version=CODE)
    bars = list(bars_closed_between(settings.timeframes, settings.from_at, settings.to_at))
    with closing(open_postgres_store("live:1:now")) as store, connect(DatabaseRole.PM, autocommit=True) as person:
        for bar in bars:
            arrive(bar.closed_at)
            with person.transaction():
                admit(person, [each for each in history.admissions if each.admitted_at <= bar.closed_at], made_by)
            assert run_tick(store, bar, code_version=CODE).tick is not None
    return len(bars)


def bars_of(name: str) -> list[ExecutionBar]:
    """Bars of the whole window, in the order they close."""
    settings = settings_of(name)
    return list(bars_closed_between(settings.timeframes, settings.from_at, settings.to_at))


def command(*options: str) -> str:
    """What the command prints, run to its end."""
    done = subprocess.run([*COMMAND, *options], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ended_by(sent: signal.Signals, ticks: int, name: str) -> int:
    """Start a replay as people do, and send it a signal once it has stored so many ticks; returns its exit code."""
    started = [*COMMAND, "--name", name]
    process = subprocess.Popen(started, cwd=PROJECT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while stored_ticks(name) < ticks:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        process.send_signal(sent)
        code = process.wait(60)
    return code


def stored_ticks(name: str) -> int:
    """Ticks a replay has stored; 0 before there is one."""
    ((is_there,),) = rows(f"SELECT to_regclass('replay_{name}.pm_tick') IS NOT NULL")
    return rows(f"SELECT count(*) FROM replay_{name}.pm_tick")[0][0] if is_there else 0
