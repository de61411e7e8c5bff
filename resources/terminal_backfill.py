"""A range of days of a job of assets, in this process, with progress on the terminal.

The runs are ordinary Dagster runs in the ordinary instance: the UI shows them, their lineage and their metadata. Days
go in chunks, one run each; a chunk that is done stays done, so an interrupted backfill is simply started again.
"""

import os
import time
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import psycopg
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG
from dagster_postgres.utils import DagsterPostgresException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy.exc import InterfaceError, OperationalError

from resources.dagster_storage import BATCH_SIZE, BATCH_VARIABLE
from resources.table_asset import ROWS_WRITTEN
from resources.tables import Tables
from sql.database import DatabaseConnectionError

QUIET_LOGS = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
TERMINAL_TAGS = {"lowcap/made_from": "terminal"}
"""Of the runs this module makes: each holds a right named after itself for as long as its process lives."""
UNFINISHED = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED)
DATABASE_LOST = (
    *(DatabaseConnectionError, DagsterPostgresException),
    *(OperationalError, InterfaceError, psycopg.OperationalError),
)
"""What is raised outside a step when the server is gone: Dagster then cannot even note that a step failed."""


@dataclass(frozen=True)
class StepDone:
    """One table of one chunk of days was made, or failed."""

    table: str
    first_day: date
    last_day: date
    seconds: float
    rows: int
    failure: str | None


class BackfillError(RuntimeError):
    """A chunk failed; the chunks before it stand."""


@contextmanager
def project_instance(project: Path) -> Iterator[dg.DagsterInstance]:
    """Open the instance that the project's dagster.yaml describes, wherever DAGSTER_HOME points."""
    home = project / ".lowcap" / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault(BATCH_VARIABLE, BATCH_SIZE)
    with dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), config_dir=str(project))) as instance:
        yield instance


def backfill(
    definitions: dg.Definitions,
    job_name: str,
    instance: dg.DagsterInstance,
    first_day: date,
    last_day: date,
    *,
    days_per_run: int,
    report: Callable[[StepDone], None],
) -> None:
    """Make the assets of a job for every day from `first_day` to `last_day`, both included.

    Raises
    ------
    BackfillError
        If a run fails or the database is lost; the message names the days, and the table if it is one's fault.
    """
    fail_abandoned_runs(instance, job_name)
    job = definitions.resolve_job_def(job_name)
    tables = {key.path[-1] for key in job.asset_layer.executable_asset_keys}
    for chunk_first, chunk_last in chunks(first_day, last_day, days_per_run):
        run_id = str(uuid.uuid4())
        watch = _StepWatch(tables, chunk_first, chunk_last, report)
        instance.add_event_listener(run_id, watch.see)
        tags = {
            ASSET_PARTITION_RANGE_START_TAG: chunk_first.isoformat(),
            ASSET_PARTITION_RANGE_END_TAG: chunk_last.isoformat(),
        }
        try:
            with Tables().alone(_right_of(run_id)):
                result = job.execute_in_process(
                    run_config=QUIET_LOGS,
                    instance=instance,
                    run_id=run_id,
                    raise_on_error=False,
                    tags=tags | TERMINAL_TAGS,
                )
        except DATABASE_LOST as lost:
            raise BackfillError(
                f"{chunk_first} .. {chunk_last}: the database is gone: {lost.__cause__ or lost}"
            ) from lost
        if not result.success:
            raise BackfillError(f"{chunk_first} .. {chunk_last}: {'; '.join(watch.failures) or 'run failed'}")


def backfill_on_terminal(
    definitions: dg.Definitions,
    job_name: str,
    instance: dg.DagsterInstance,
    first_day: date,
    last_day: date,
    *,
    days_per_run: int,
) -> int:
    """Do as `backfill`, with a line a table and a bar; returns the exit status, 1 when a chunk failed."""
    console = Console()
    layer = definitions.resolve_job_def(job_name).asset_layer
    n_steps = len({id(layer.asset_graph.get(key).assets_def) for key in layer.executable_asset_keys})
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        total = n_steps * len(list(chunks(first_day, last_day, days_per_run)))
        task = progress.add_task(f"{first_day} .. {last_day}", total=total)

        def report(done: StepDone) -> None:
            made = "FAILED" if done.failure else f"{done.rows:,} rows"
            progress.console.print(
                f"  {done.first_day}..{done.last_day} {done.table:<23} {made:>13} {done.seconds:5.1f} s"
            )
            progress.advance(task)

        try:
            backfill(definitions, job_name, instance, first_day, last_day, days_per_run=days_per_run, report=report)
        except BackfillError as failed:
            progress.console.print(f"[red]{failed}[/red]\nThe chunks before it stand. Start the same command again.")
            return 1
    return 0


def fail_abandoned_runs(instance: dg.DagsterInstance, job_name: str) -> None:
    """Report the runs of terminals that were killed as failed.

    Dagster watches only runs it launched itself. A dead one would count as running and hold the chain's pool until its
    longest runtime is over: every schedule would wait for it, two hours long.
    """
    unfinished = dg.RunsFilter(job_name=job_name, statuses=UNFINISHED, tags=TERMINAL_TAGS)
    for run in instance.get_runs(unfinished):
        with Tables().alone(_right_of(run.run_id), wait=False) as is_abandoned:
            if is_abandoned:
                instance.report_run_failed(run, "The terminal that made this run is gone. Start the backfill again.")


def _right_of(run_id: str) -> str:
    return f"run {run_id}"


def days_of_a_run(text: str) -> int:
    """Days of one run as a command line names them.

    Raises
    ------
    ValueError
        If it is no whole number from 1 to 100,000.
    """
    days = int(text)
    if not 1 <= days <= 100_000:
        raise ValueError(f"Expected 1 to 100,000 days, was {days}")
    return days


def chunks(first_day: date, last_day: date, days_per_run: int) -> Iterator[tuple[date, date]]:
    """Cut a range of days into runs, oldest first.

    >>> [str(last) for _, last in chunks(date(2025, 1, 1), date(2025, 1, 5), 2)]
    ['2025-01-02', '2025-01-04', '2025-01-05']
    """
    day = first_day
    while day <= last_day:
        end = min(day + timedelta(days=days_per_run - 1), last_day)
        yield day, end
        day = end + timedelta(days=1)


class _StepWatch:
    """Turns the events of one run into one report a table."""

    def __init__(
        self, tables: Collection[str], first_day: date, last_day: date, report: Callable[[StepDone], None]
    ) -> None:
        self._tables = tables
        self._days = (first_day, last_day)
        self._report = report
        self._started = time.perf_counter()
        self._rows = 0
        self.failures: list[str] = []

    def see(self, entry: dg.EventLogEntry) -> None:
        """Take in one event of the run."""
        event = entry.dagster_event
        if event is None:
            return
        if event.event_type is dg.DagsterEventType.STEP_START:
            self._started, self._rows = time.perf_counter(), 0
        elif event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            count = event.step_materialization_data.materialization.metadata.get(ROWS_WRITTEN)
            self._rows = int(count.value) if count is not None else 0
        elif event.event_type is dg.DagsterEventType.STEP_SUCCESS:
            self._done(str(event.step_key), None)
        elif event.event_type is dg.DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            root = error.cause if error is not None and error.cause is not None else error
            self.failures.append(f"{event.step_key}: {root.message.strip() if root else 'no error recorded'}")
            self._done(str(event.step_key), self.failures[-1])

    def _done(self, step: str, failure: str | None) -> None:
        table = step.partition("__")[2]
        if table in self._tables or failure:  # the others are checks that only show
            self._report(StepDone(table, *self._days, time.perf_counter() - self._started, self._rows, failure))
