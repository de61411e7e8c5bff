"""A replay from its beginning, or from where it was stopped, to its report."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg

from domain.portfolio.strict_json import canonical_json, read_json
from domain.vocabulary.execution_bar import ExecutionBar, bars_closed_between
from domain.vocabulary.release import __version__
from pm_runtime.portfolio_row import Provenance
from pm_runtime.ports import StopRequest
from pm_runtime.replay.admission import Admission, read_admissions
from pm_runtime.replay.content_hash import history_hash
from pm_runtime.replay.settings import ReplaySettings
from pm_runtime.replay.store import ReplayStore
from pm_runtime.submitting import reconcile
from pm_runtime.tick import TickOutcome, run_tick
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.migrated import refuse_unmigrated
from sql.pm_config import VersionedConfig, read_pm_config
from sql.queries import query
from sql.replay_schema import ReplayRefusedError, ReplayRun, has_replay, make_replay_schema, read_replay_run

Watch = Callable[[TickOutcome], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What a replay stands on: the configuration, who is admitted when, and the hash of all it may read."""

    config: VersionedConfig
    admissions: list[Admission]
    data_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """How far this process got. ticks: made by it, in `seconds`; left: bars still without a tick."""

    ticks: int
    seconds: float
    left: int


@dataclass(frozen=True, slots=True)
class ReplaySession:
    """An open replay: its schema is there, and nobody else writes it."""

    store: ReplayStore
    settings: ReplaySettings
    run: ReplayRun
    history: History
    bars: tuple[ExecutionBar, ...]
    """Bars of the window that have no tick yet, in the order they close."""


@contextlib.contextmanager
def open_replay(settings: ReplaySettings, *, holder: str, code_version: str = __version__) -> Iterator[ReplaySession]:
    """Make the replay's schema, or take up the one that is there, if it is of the same replay.

    Raises
    ------
    ReplayRefusedError
        If there is nothing to replay, the window is not over yet, the name belongs to another replay, or another
        process is at it.
    DatabaseConnectionError, MigrationError, ConfigError, psycopg.Error
        As `connect`, `refuse_unmigrated` and `read_pm_config`.
    """
    schema = settings.schema_name
    with connect(DatabaseRole.PM, autocommit=True) as connection:
        refuse_unmigrated(connection)
        connection.execute(query("name_session").encode(), {"holder": holder})
        connection.execute(query("hurry_replay_session").encode())
        if not connection.execute(query("try_replay_lock").encode(), {"schema": schema}).fetchall()[0][0]:
            raise ReplayRefusedError(
                f"Another process is at the replay {schema}: wait for it, or give this one a --name"
            )
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        history = read_history(connection, settings)
        run = ReplayRun(
            settings=read_json(canonical_json(settings.identity())),
            config_version=history.config.version,
            code_version=code_version,
            data_hash=history.data_hash,
        )
        _prepare(settings, run)
        store = ReplayStore(connection, holder=holder, schema=schema, config=history.config)
        ticked = store.ticked()
        bars = bars_closed_between(settings.timeframes, settings.from_at, settings.to_at)
        yield ReplaySession(store, settings, run, history, tuple(bar for bar in bars if bar not in ticked))


def run_session(session: ReplaySession, *, stop: StopRequest, watch: Watch) -> Made:
    """Tick what is left of the window, until it ends or a stop is asked for.

    Raises
    ------
    ReplayRefusedError
        If the history was changed while it was replayed.
    CorruptScoreError, psycopg.Error
        As `run_tick`; the ticks before stay.
    """
    store, run = session.store, session.run
    made_by = Provenance(config_version=run.config_version, code_version=run.code_version)
    begun, ticks = time.perf_counter(), 0
    for bar in session.bars:
        if stop.is_set():
            break
        store.stand_at(bar.closed_at)
        if ticks == 0:
            reconcile(store)  # what a process that was killed planned and did not submit
        store.admit([each for each in session.history.admissions if _is_due(each, bar, is_first=ticks == 0)], made_by)
        watch(run_tick(store, bar, code_version=run.code_version))
        ticks += 1
    if ticks:
        _refuse_changed_history(session)
    return Made(ticks=ticks, seconds=time.perf_counter() - begun, left=len(session.bars) - ticks)


def read_history(connection: psycopg.Connection, settings: ReplaySettings) -> History:
    """Read what a replay of the window stands on, at one instant of the database."""
    with connection.transaction():
        connection.execute(query("lift_statement_timeout").encode())
        ((now_at,),) = connection.execute(query("transaction_started_at").encode()).fetchall()
        if settings.to_at > now_at:
            raise ReplayRefusedError(f"The window ends at {settings.to_at.isoformat()}, which has not come yet")
        config = read_pm_config(connection)
        admissions = read_admissions(connection, settings, config)
        _refuse_missing(settings, admissions)
        return History(config=config, admissions=admissions, data_hash=history_hash(connection, settings, admissions))


def _is_due(each: Admission, bar: ExecutionBar, *, is_first: bool) -> bool:
    """Whether a position is admitted at the close of a bar; at the first one of a process, all those before are too."""
    if is_first:
        return each.admitted_at <= bar.closed_at
    return bar.timestamp < each.admitted_at <= bar.closed_at


def _prepare(settings: ReplaySettings, run: ReplayRun) -> None:
    """Make the schema, or see that the one that is there is of the same replay."""
    schema = settings.schema_name
    with connect(DatabaseRole.OWNER, autocommit=True) as owner:
        is_there = has_replay(owner, schema)
        if is_there and not settings.fresh:
            _refuse_another(schema, run, read_replay_run(owner, schema, read_json))
            return
        make_replay_schema(
            owner,
            schema,
            run,
            overrides=settings.overrides,
            from_at=settings.from_at,
            to_at=settings.to_at,
            drop_old=is_there,
        )


def _refuse_another(schema: str, wanted: ReplayRun, found: ReplayRun) -> None:
    """Refuse a schema that was made from something else; a history that differs counts only where nothing else does."""
    pairs = [(name, found.settings.get(name), wanted.settings[name]) for name in wanted.settings]
    pairs += [(name, getattr(found, name), getattr(wanted, name)) for name in ("config_version", "code_version")]
    changed = [f"{name.replace('_', ' ')} was {was}, is {now}" for name, was, now in pairs if was != now]
    if not changed and found.data_hash != wanted.data_hash:
        changed = [f"the history it reads was made again (hash {found.data_hash[:12]}, now {wanted.data_hash[:12]})"]
    if changed:
        raise ReplayRefusedError(
            f"{schema} holds another replay: {'; '.join(changed)}. Begin anew with --fresh, or give this one a --name"
        )


def _refuse_missing(settings: ReplaySettings, admissions: list[Admission]) -> None:
    window = f"between {settings.from_at.isoformat()} and {settings.to_at.isoformat()}"
    if not admissions:
        raise ReplayRefusedError(f"No token of the universe has states and a cap tag {window}")
    named = settings.tokens or ([], [])
    found = {each.token for each in admissions}
    missing = [
        contract
        for contract, chain in zip(*named, strict=True)
        if not any(token == (contract, chain or token[1]) for token in found)
    ]
    if missing:
        raise ReplayRefusedError(f"No states and cap tag {window}: {', '.join(missing)}")


def _refuse_changed_history(session: ReplaySession) -> None:
    """Rows are read at many instants; that all of them were of one history is seen only afterwards."""
    with session.store.transaction(is_long=True) as connection:
        after = history_hash(connection, session.settings, session.history.admissions)
    if after != session.run.data_hash:
        raise ReplayRefusedError(
            f"The history behind {session.settings.schema_name} was made again meanwhile: begin anew with --fresh"
        )


def bar_count(settings: ReplaySettings) -> int:
    """Bars of the window."""
    return sum(1 for _ in bars_closed_between(settings.timeframes, settings.from_at, settings.to_at))
