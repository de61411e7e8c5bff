"""Tell what happened, without Dagster: `python -m resources.notify [--once]`, for cron, a timer or a service.

Exit code 0 when all that was due was told or will be tried again; 1 when something was given up, or the database is in
the way; 2 when no notifier is named, or it cannot be used. It looks at the daemon and the runtime in every case.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg

from domain.config.pm_config import ConfigError
from resources.named_notifier import CHOICES, read_notifier
from resources.notification_sender import SendingRound, send_round
from resources.notifier import Notifier
from resources.outside_look import look_from_outside
from sql.database import DatabaseConnectionError, connect
from sql.database_role import DatabaseRole
from sql.migrated import refuse_unmigrated
from sql.migration_file import MigrationError
from sql.pm_config import read_pm_config

ENDED, FAILED, REFUSED = 0, 1, 2
BY = "lowcap notify"


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    given = _parser().parse_args(arguments)
    try:
        notifier = read_notifier(os.environ)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    status = ENDED
    try:
        while True:
            status = _look_and_send(notifier)
            if given.once or status == REFUSED:
                return status
            time.sleep(given.every_s)
    except KeyboardInterrupt:
        return status


def _look_and_send(notifier: Notifier | None) -> int:
    try:
        with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
            refuse_unmigrated(connection)
            settled = look_from_outside(connection, at=datetime.now(UTC), by=BY)
            for alarm in settled.raised:
                sys.stdout.write(f"raised: {alarm.sentence}\n")
            if notifier is None:
                sys.stderr.write(f"Nobody to tell: set one of {', '.join(CHOICES)}\n")
                return REFUSED
            config = read_pm_config(connection).config.alarms.notify
            done = send_round(connection, notifier, config, now=lambda: datetime.now(UTC))
    except (DatabaseConnectionError, MigrationError, ConfigError, psycopg.Error) as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    if done.did_anything:
        sys.stdout.write(_line(done, notifier))
    sys.stdout.flush()
    return FAILED if done.given_up else ENDED


def _line(done: SendingRound, notifier: Notifier) -> str:
    return (
        f"{done.collected} new, {done.delivered} told by {notifier.name}, {done.retried} to be tried again,"
        f" {done.given_up} given up\n"
    )


def _pause(text: str) -> float:
    """Seconds between rounds: at least a twentieth, at most a day."""
    seconds = float(text)
    if not 0.05 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"expected 0.05 to 86,400 seconds, was {text!r}")
    return seconds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lowcap notify",
        description="Look at the daemon and the runtime, and tell what happened to the notifier that is named.",
    )
    parser.add_argument("--once", action="store_true", help="one round, then end; by default until Ctrl-C")
    parser.add_argument("--every-s", type=_pause, default=30.0, metavar="S", help="pause between rounds (30)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
