"""Start the runtime: `python -m pm_runtime` loops, `--once` and `--from ... --to ...` tick and end.

Exit code 0 at the end, also when another process holds the lease (it says which); 1 when a bounded run failed;
2 when the command line is wrong, the venue cannot be used, or the database and this code do not fit.
"""

import contextlib
import gc
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import psycopg

from domain.config.pm_config import ConfigError, PmConfig
from domain.scores.score_reading import CorruptScoreError
from pm_runtime.bounded_run import run_bounded
from pm_runtime.log_line import log_to_stderr
from pm_runtime.loop import RuntimeLoop
from pm_runtime.named_venue import open_named_venue
from pm_runtime.ports import StaleRowError
from pm_runtime.postgres_store import open_postgres_store
from pm_runtime.settings import RuntimeSettings, process_holder, read_command_line
from pm_runtime.system_clock import StopSignal, SystemClock
from pm_runtime.tick import FutureBarError
from pm_runtime.venue import Venue
from sql.database import DatabaseConnectionError
from sql.migration_file import MigrationError
from sql.plugin import PluginError

ENDED, FAILED, REFUSED = 0, 1, 2
REFUSALS = (ConfigError, CorruptScoreError, FutureBarError, StaleRowError)
"""Why a tick of a bounded run may refuse; said without a traceback."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    settings = read_command_line(arguments)
    log_to_stderr(settings.log_level)
    stop = StopSignal()
    stop.install()
    try:
        open_venue = open_named_venue(settings.venue)
        if settings.once or settings.from_at is not None:
            _bounded(settings, stop, open_venue)
        else:
            _loop(settings, stop, open_venue)
    except (MigrationError, PluginError) as error:
        _complain(error)
        return REFUSED
    except (DatabaseConnectionError, psycopg.Error, *REFUSALS) as error:
        _complain(error)
        return FAILED
    finally:
        stop.close()
    return ENDED


def _loop(settings: RuntimeSettings, stop: StopSignal, open_venue: Callable[[PmConfig], Venue]) -> None:
    holder = process_holder(datetime.now(UTC))
    gc.collect()
    gc.freeze()
    gc.disable()  # a tick of a thousand positions takes half the time; the clock collects while it waits
    loop = RuntimeLoop(
        lambda: open_postgres_store(holder),
        clock=SystemClock(stop),
        stop=stop,
        settings=settings,
        open_venue=open_venue,
    )
    report = loop.run()
    if report.held_by is not None:
        _say(f"The lease is held by {report.held_by}: nothing to do here")


def _bounded(settings: RuntimeSettings, stop: StopSignal, open_venue: Callable[[PmConfig], Venue]) -> None:
    with contextlib.closing(open_postgres_store(process_holder(datetime.now(UTC)))) as store:
        run_bounded(store, settings=settings, clock=SystemClock(stop), stop=stop, say=_say, open_venue=open_venue)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # a demo or a log reader follows line by line


def _complain(error: Exception) -> None:
    sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    raise SystemExit(main())
