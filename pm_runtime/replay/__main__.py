"""Replay a past window: `python -m pm_runtime.replay --from ISO --to ISO`, or `lowcap replay`.

Exit code 0 with a report; 1 when it failed or was stopped, and goes on when started again; 2 when what was asked for
cannot be, or the database and this code do not fit.
"""

import gc
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from domain.config.pm_config import ConfigError
from domain.scores.score_reading import CorruptScoreError
from pm_runtime.log_line import log_to_stderr
from pm_runtime.ports import StopRequest
from pm_runtime.replay.equity_picture import equity_picture
from pm_runtime.replay.report import Report, report_of
from pm_runtime.replay.report_text import print_report
from pm_runtime.replay.session import Made, ReplaySession, bar_count, open_replay, run_session
from pm_runtime.replay.settings import ReplaySettings, read_command_line
from pm_runtime.settings import process_holder
from pm_runtime.system_clock import StopSignal
from pm_runtime.tick import TickOutcome
from sql.database import DatabaseConnectionError
from sql.migration_file import MigrationError
from sql.replay_schema import ReplayRefusedError

DONE, FAILED, REFUSED = 0, 1, 2
WIDTH_OF_A_PIPE = 140


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    settings = read_command_line(arguments)
    log_to_stderr("warning")
    gc.collect()
    gc.freeze()  # what was loaded is never garbage
    stop = StopSignal()
    stop.install()
    try:
        report = replay(settings, stop=stop)
    except (MigrationError, ReplayRefusedError, ConfigError) as error:
        _complain(error)
        return REFUSED
    except (DatabaseConnectionError, psycopg.Error, CorruptScoreError) as error:
        _complain(error)
        return FAILED
    finally:
        stop.close()
    if report is None:
        return FAILED
    _tell(settings, report)
    return DONE


def replay(settings: ReplaySettings, *, stop: StopRequest) -> Report | None:
    """Replay a window to its end and report on it; None when a stop was asked for before."""
    with open_replay(settings, holder=process_holder(datetime.now(UTC))) as session:
        made = _watched_run(session, stop)
        if made.left:
            _say(f"Stopped with {made.left:,} ticks to go: the same command goes on from there")
            return None
        return report_of(session, made)


def _watched_run(session: ReplaySession, stop: StopRequest) -> Made:
    """Run a session under a progress bar."""
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("ticks {task.fields[pace]:5.1f}/s  {task.fields[trades]} trades closed  {task.description}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    total = bar_count(session.settings)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("", total=total, completed=total - len(session.bars), pace=0.0, trades=0)

        def watch(outcome: TickOutcome) -> None:
            closed = outcome.tick.portfolio.trades_closed if outcome.tick is not None else 0
            shown = progress.tasks[0]
            progress.update(
                task,
                advance=1,
                pace=shown.speed or 0.0,
                trades=shown.fields["trades"] + closed,
                description=f"{outcome.bar.closed_at:%Y-%m-%d %H:%M}",
            )

        return run_session(session, stop=stop, watch=watch)


def _tell(settings: ReplaySettings, report: Report) -> None:
    if settings.as_json:
        sys.stdout.write(json.dumps(report.facts, indent=2, allow_nan=False) + "\n")
    else:
        print_report(report.facts, Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE))
    if settings.pictures is not None:
        _say(f"Equity curve: {_draw(settings, settings.pictures, report)}")


def _draw(settings: ReplaySettings, folder: Path, report: Report) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{settings.schema_name}.svg"
    asked = report.facts["replay"]
    window = f"{asked['from'][:10]} .. {asked['to'][:10]}"
    title = f"{asked['schema']}: {window}, equity in USD, rows {asked['rows_hash'][:12]}"
    file.write_text(equity_picture(report.curve, title), encoding="utf-8")
    return file


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _complain(error: Exception) -> None:
    sys.stderr.write(f"{error}\n")


if __name__ == "__main__":
    raise SystemExit(main())
