"""`python -m regime_assets`: the chain for a range of days, the market's span, what Dagster needs to start."""

import argparse
import csv
import json
import os
import sys
import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg

from domain.vocabulary.timeframe import Timeframe
from regime_assets.automation import BACKFILL_CHAIN
from regime_assets.chain_asset import POOL
from regime_assets.definitions import build_definitions
from resources.candle_source import CandleSource
from resources.deployment import AS_OF_VARIABLE, DEPLOYMENT_VARIABLE, Deployment, parse_deployment
from resources.market import Market
from resources.simulated_market import SimulatedMarket
from resources.terminal_backfill import backfill_on_terminal, days_of_a_run, fail_abandoned_runs, project_instance
from sql.database import DatabaseConnectionError
from sql.migrate import migrate
from sql.migration_file import MigrationError

PROJECT = Path(__file__).resolve().parents[1]
FAILED, REFUSED = 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run the command; exit status 1 when a chunk failed."""
    try:
        return _main(arguments)
    except (DatabaseConnectionError, MigrationError) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED


def _main(arguments: list[str] | None) -> int:
    parser = argparse.ArgumentParser(prog="python -m regime_assets", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("backfill", help="make the chain for a range of days")
    command.add_argument("--from", dest="first_day", type=date.fromisoformat, required=True, help="first day, UTC")
    command.add_argument("--to", dest="last_day", type=date.fromisoformat, help="last day, UTC; default: yesterday")
    command.add_argument("--days-per-run", type=days_of_a_run, default=120, help="days of one Dagster run")
    commands.add_parser("market", help="print what the market's source is and spans, as JSON")
    commands.add_parser("watchlist", help="print the tokens a simulated market plants edges in, as a file for `watch`")
    commands.add_parser("prepare", help="make Dagster's tables, register the chain's pool, free it of the dead")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore", dg.BetaWarning)  # backfill policies are beta, and pinned with Dagster
    if options.command == "market":
        return _market()
    if options.command == "watchlist":
        return _watchlist()
    if options.command == "prepare":
        return _prepare()
    last_day = options.last_day or (datetime.now(UTC) - timedelta(days=1)).date()
    if last_day < options.first_day:
        parser.error(f"--to must not be before --from, was {last_day} before {options.first_day}")
    return _backfill(options.first_day, last_day, options.days_per_run)


def _market() -> int:
    as_of = _as_of()
    source = _source(as_of)
    first, end = source.span()
    told = {
        "description": source.description(),
        "is_simulated": source.is_simulated,
        "first": first.isoformat(),
        "end": as_of if source.is_simulated else end.isoformat(),
    }
    print(json.dumps(told))  # noqa: T201 - this is the command's output
    return 0


def _watchlist() -> int:
    source = _source(_as_of())
    if not isinstance(source, SimulatedMarket):
        sys.stderr.write("Only the simulated market knows whom to watch: name the tokens of another one yourself\n")
        return REFUSED
    rows = source.watchlist()
    if rows:
        file = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
        file.writeheader()
        file.writerows(rows)
    return 0


def _as_of() -> str:
    return os.environ.get(AS_OF_VARIABLE, "") or Timeframe.D1.floor(datetime.now(UTC)).isoformat()


def _source(as_of: str) -> CandleSource:
    deployment = parse_deployment(os.environ.get(DEPLOYMENT_VARIABLE, ""))
    return Market(simulation_allowed=deployment is not Deployment.PROD).source(datetime.fromisoformat(as_of))


def _prepare() -> int:
    with project_instance(PROJECT) as instance:
        instance.event_log_storage.set_concurrency_slots(POOL, 1)
        fail_abandoned_runs(instance, BACKFILL_CHAIN.name)
    return 0


def _backfill(first_day: date, last_day: date, days_per_run: int) -> int:
    migrate()
    deployment = parse_deployment(os.environ.get(DEPLOYMENT_VARIABLE, ""))
    definitions = build_definitions(deployment, as_of=os.environ.get(AS_OF_VARIABLE, ""))
    with project_instance(PROJECT) as instance:
        return backfill_on_terminal(
            definitions, BACKFILL_CHAIN.name, instance, first_day, last_day, days_per_run=days_per_run
        )


if __name__ == "__main__":
    sys.exit(main())
