"""The database server is killed outright under a backfill, and started again."""

import os
import signal
import time

import pytest

from sql.database_url import DatabaseUrl
from sql.embedded_postgres import EmbeddedPostgres
from sql.migrate import migrate
from sql.postmaster import recorded_pid
from sql.scratch_database import scratch_database
from tests.backfill_command import STEPS, backfill_command, everything_stored, run_to_the_end, wait_for_tables
from tests.postgres_fixtures import PostgresServer, exported, temporary_postgres

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(
        bool(os.environ.get("TEST_DATABASE_URL", "").strip()), reason="only a server of our own may be killed"
    ),
]


@pytest.fixture(scope="module")
def own_server():
    """A server for this file alone, with a migrated database that DATABASE_URL names."""
    with temporary_postgres() as embedded:
        server = PostgresServer(DatabaseUrl.parse(embedded.start()), embedded)
        with scratch_database(server.url) as name, exported(server.environment(name)):
            migrate(server.url.with_database(name))
            yield embedded


def kill_postmaster(server: EmbeddedPostgres) -> None:
    """Kill the server without warning; what it had not yet written to disk is lost."""
    pid = recorded_pid(server.location.data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def test_x(own_server, undisturbed):
    with backfill_command() as process:
        wait_for_tables(process, 9)
        time.sleep(0.3)
        kill_postmaster(own_server)
        output, _ = process.communicate(timeout=120)
    print(process.returncode, output)
    own_server.start()
    status, out = run_to_the_end()
    print(status, out)
    e = everything_stored()
    for table, rows in undisturbed.items():
        assert e[table].equals(rows), table
    assert 0
