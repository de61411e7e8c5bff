"""The doctor reads Dagster's own tables: a dead daemon, and a run nobody ends."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from dagster import DagsterRunStatus
from dagster._core.test_utils import create_run_for_test
from dagster._daemon.types import DaemonHeartbeat

from console.dagster_checks import daemons, open_runs
from console.finding import Level
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.dagster_runs import dagster_in

pytestmark = pytest.mark.postgres


def seen(check, later: timedelta):
    """Look as of so long from now."""
    with connect(DatabaseRole.OWNER, autocommit=True, read_only=True) as connection:
        return check(connection, datetime.now(UTC) + later)


def test_the_daemon_lives_while_it_writes_and_a_run_may_last_two_hours(database, tmp_path):
    before = seen(daemons, timedelta()), seen(open_runs, timedelta())
    with dagster_in(tmp_path / "home") as instance:
        empty = seen(daemons, timedelta())
        for name in ("SCHEDULER", "SENSOR"):
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), name, "id", []))
        create_run_for_test(instance, job_name="toy", status=DagsterRunStatus.STARTED)
    minute, hours = timedelta(minutes=1), timedelta(hours=3)

    assert [each.level for each in (*before, empty)] == [Level.WARN, Level.OK, Level.FAIL]
    assert [seen(daemons, later).level for later in (minute, hours)] == [Level.OK, Level.FAIL]
    assert [seen(open_runs, later).level for later in (minute, hours)] == [Level.OK, Level.WARN]
    assert "1 open, the oldest for 3h" in seen(open_runs, hours).said
