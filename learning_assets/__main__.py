"""`python -m learning_assets`: learn a range of days, of live trades or of a replay's; what Dagster needs to start."""

import argparse
import os
import sys
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg

from learning_assets.automation import FACTS, LEARN
from learning_assets.definitions import build_definitions
from learning_assets.exchange import COMMANDS as EXCHANGE
from learning_assets.exchange import add_exchange_commands, exchange
from learning_assets.learning_table import POOL
from learning_assets.rebuild import Scratch, Stretch, compare, finished_stretches, take_in_everything
from learning_assets.replay_journal import ReplayJournal, ReplayJournalError, open_journal
from resources.deployment import AS_OF_VARIABLE, Deployment
from resources.pm_settings import PmSettings
from resources.tables import Tables
from resources.terminal_backfill import backfill_on_terminal, days_of_a_run, fail_abandoned_runs, project_instance
from sql.database import DatabaseConnectionError, connect
from sql.database_role import DatabaseRole
from sql.migrate import migrate
from sql.migration_file import MigrationError

PROJECT = Path(__file__).resolve().parents[1]
FAILED, REFUSED = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command; exit status 1 when a run failed, 2 when what was asked for cannot be."""
    try:
        return _main(arguments)
    except (DatabaseConnectionError, MigrationError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED


def _main(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(prog="lowcap learn", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("backfill", help="learn a range of days, each as of its end")
    command.add_argument("--from", dest="first_day", type=date.fromisoformat, help="first day, UTC")
    command.add_argument("--to", dest="last_day", type=date.fromisoformat, help="last day, UTC; default: yesterday")
    command.add_argument("--replay", help="learn from the trades of this replay, all of its days, in a schema apart")
    command.add_argument(
        "--facts-only", action="store_true", help="take in the trades of these days, learn nothing yet"
    )
    command.add_argument("--days-per-run", type=days_of_a_run, default=400, help="days of one Dagster run")
    commands.add_parser("prepare", help="register the pool of learning, free it of the dead")
    rebuild = commands.add_parser("rebuild", help="make learned state again from the event log")
    rebuild.add_argument("--verify", action="store_true", help="change nothing: compare with what stands, by hash")
    rebuild.add_argument("--days-per-run", type=days_of_a_run, default=400, help="days of one Dagster run")
    add_exchange_commands(commands)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", dg.BetaWarning)  # backfill policies are beta, and pinned with Dagster
    if options.command == "prepare":
        return _prepare()
    if options.command in EXCHANGE:
        return exchange(options)
    if options.command == "rebuild":
        return _rebuild(options.days_per_run, is_verified=options.verify)
    if options.replay and options.facts_only:
        parser.error("--facts-only is for live trades: a replay is learned from whole")
    if options.replay:
        return _learn_from_replay(options.replay, options.days_per_run)
    last_day = options.last_day or (datetime.now(UTC) - timedelta(days=1)).date()
    if options.first_day is None or last_day < options.first_day:
        parser.error(f"--from is needed and must not be after --to, was {options.first_day}, {last_day}")
    job = FACTS if options.facts_only else LEARN
    return _backfill(job.name, options.first_day, last_day, options.days_per_run)


def _prepare() -> int:
    with project_instance(PROJECT) as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
        fail_abandoned_runs(instance, LEARN.name)
    return 0


def _backfill(job_name: str, first_day: date, last_day: date, days_per_run: int) -> int:
    migrate()
    definitions = build_definitions(Deployment.DEV, as_of=os.environ.get(AS_OF_VARIABLE, ""))
    with project_instance(PROJECT) as instance:
        return backfill_on_terminal(definitions, job_name, instance, first_day, last_day, days_per_run=days_per_run)


def _learn_from_replay(name: str, days_per_run: int) -> int:
    migrate()
    try:
        with open_journal(name) as journal, dg.DagsterInstance.ephemeral() as instance:  # its days are not live ones
            first_day, last_day = journal.first_day, journal.last_day
            return backfill_on_terminal(
                _definitions(journal), LEARN.name, instance, first_day, last_day, days_per_run=days_per_run
            )
    except ReplayJournalError as refused:
        sys.stderr.write(f"{refused}\n")
        return REFUSED


def _rebuild(days_per_run: int, *, is_verified: bool) -> int:
    """Make every finished day again, in place or beside it; 1 when a run failed or a table differs."""
    migrate()
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with connect(DatabaseRole.LEARNING, read_only=True) as connection:
        stretches = finished_stretches(connection, end)
    if not stretches:
        sys.stderr.write("No finished day was learned yet: there is nothing to rebuild\n")
        return REFUSED
    if not is_verified:
        with project_instance(PROJECT) as instance:
            return _each_stretch(stretches, instance, Tables(role=DatabaseRole.LEARNING.value), end, days_per_run)
    scratch = Scratch()
    with scratch as tables, dg.DagsterInstance.ephemeral() as instance:
        status = _each_stretch(stretches, instance, tables, end, days_per_run)
        with connect(DatabaseRole.LEARNING, read_only=True) as connection:
            verdicts = compare(connection, scratch.schema, stretches)
    for each in verdicts:
        said = "equal" if each.is_equal else f"DIFFERS: rebuilt {each.rebuilt_rows:,} rows"
        sys.stdout.write(f"  {each.table:<23} {each.rows:>10,} rows  {said}\n")
    return status or (0 if all(each.is_equal for each in verdicts) else 1)


def _each_stretch(
    stretches: list[Stretch], instance: dg.DagsterInstance, tables: Tables, end: datetime, days_per_run: int
) -> int:
    """Learn each stretch of days under its own configuration."""
    park_hours = PmSettings(version=stretches[-1].config_version).current().config.learning.park_hours
    take_in_everything(tables, at=end, park_hours=park_hours)
    for stretch in stretches:
        definitions = build_definitions(
            Deployment.TEST,
            as_of=end.isoformat(),
            replaced={"tables": tables, "pm_settings": PmSettings(version=stretch.config_version)},
        )
        status = backfill_on_terminal(
            definitions, LEARN.name, instance, stretch.first_day, stretch.last_day, days_per_run=days_per_run
        )
        if status:
            return status
    return 0


def _definitions(journal: ReplayJournal) -> dg.Definitions:
    return build_definitions(
        Deployment.TEST,
        as_of=journal.end.isoformat(),
        replaced={"tables": journal.tables},
    )


if __name__ == "__main__":
    sys.exit(main())
