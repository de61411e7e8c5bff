"""Test sessions clean up after each other, and a test's database is its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sql.database import connect
from sql.database_role import DatabaseRole
from sql.database_url import DatabaseUrl
from sql.embedded_postgres import EmbeddedPostgres
from tests.postgres_fixtures import PostgresServer, remove_abandoned_servers

pytestmark = pytest.mark.postgres
PROJECT = Path(__file__).resolve().parents[2]
START_AND_WAIT = """
import time
from tests.postgres_fixtures import temporary_postgres
with temporary_postgres() as server:
    server.start()
    print(server.location.root, flush=True)
    time.sleep(60)
"""


def test_the_server_of_a_killed_session_is_removed_by_the_next() -> None:
    command = [sys.executable, "-c", START_AND_WAIT]
    with subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE) as session:
        assert session.stdout is not None
        root = Path(session.stdout.readline().strip())
        session.send_signal(signal.SIGKILL)
    assert EmbeddedPostgres(root).is_ready()
    remove_abandoned_servers()

    assert not root.parent.exists()


def test_a_running_sessions_server_is_left_alone(postgres_server: PostgresServer) -> None:
    remove_abandoned_servers()

    assert postgres_server.embedded is None or postgres_server.embedded.is_ready()


def test_every_role_and_every_started_process_meet_in_the_tests_database(database: DatabaseUrl) -> None:
    script = "from sql.database import *; print(*[connect(role).info.dbname for role in DatabaseRole])"
    with connect(DatabaseRole.OWNER) as connection:
        name = connection.info.dbname
    started = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, text=True, check=True, stdout=subprocess.PIPE)

    assert started.stdout.split() == [name] * len(DatabaseRole)
    assert os.environ["DATABASE_URL"] == database.libpq()
