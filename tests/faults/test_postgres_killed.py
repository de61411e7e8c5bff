"""The database server is killed outright under a backfill, and started again."""

import os
import signal
import time

import polars as pl
import pytest

from sql.database_url import DatabaseUrl
from sql.embedded_postgres import EmbeddedPostgres
from sql.migrate import migrate
from sql.postmaster import recorded_pid
from sql.scratch_database import scratch_database
from tests.backfill_command import backfill_command, everything_stored, run_to_the_end, wait_for_tables
from tests.postgres_fixtures import PostgresServer, exported, temporary_postgres

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(
        bool(os.environ.get("TEST_DATABASE_URL", "").strip()), reason="only a server of our own may be killed"
    ),
]


@pytest.fixture(scope="module")
def own_server():
    """A server for this file alone."""
    with temporary_postgres() as embedded:
        embedded.start()
        yield embedded


@pytest.fixture
def own_database(own_server):
    """A migrated database on it, which DATABASE_URL names."""
    server = PostgresServer(DatabaseUrl.parse(own_server.start()), own_server)
    with scratch_database(server.url) as name, exported(server.environment(name)):
        migrate(server.url.with_database(name))
        yield name


def kill_postmaster(server: EmbeddedPostgres) -> None:
    """Kill the server without warning; what it had not yet written to disk is lost."""
    pid = recorded_pid(server.location.data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


def differing_tables(undisturbed: dict[str, pl.DataFrame]) -> list[str]:
    now = everything_stored()
    return [table for table, rows in undisturbed.items() if not now[table].equals(rows)]


def test_a_server_that_stays_dead_ends_the_command_with_a_clear_error(own_server, own_database, undisturbed):
    with backfill_command() as process:
        wait_for_tables(process, 8)
        time.sleep(0.4)
        kill_postmaster(own_server)
        output, _ = process.communicate(timeout=300)
    own_server.start()
    lost = differing_tables(undisturbed)
    status, _ = run_to_the_end()

    assert process.returncode == 1
    assert "the database is gone" in output
    assert "Start the same command again" in output
    assert "Traceback" not in output
    assert "regime.ae_score" in lost
    assert (status, differing_tables(undisturbed)) == (0, [])


def test_a_server_that_comes_back_is_used_again_or_the_command_fails(own_server, own_database, undisturbed):
    with backfill_command() as process:
        wait_for_tables(process, 5)
        kill_postmaster(own_server)
        own_server.start()
        output, _ = process.communicate(timeout=300)
    lost = differing_tables(undisturbed)

    assert lost == [] if process.returncode == 0 else "Start the same command again" in output
    if process.returncode != 0:
        assert run_to_the_end()[0] == 0
    assert differing_tables(undisturbed) == []
