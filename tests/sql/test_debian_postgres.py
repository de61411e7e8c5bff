"""The private cluster of Debian's Postgres: what the command sees, and that nothing of it stays behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from sql.database_url import DatabaseUrl
from tests.debian_postgres import BIN_DIR, FOLDER_PREFIX, cluster, remove_abandoned_folders
from tests.server_folder import server_folder

PROJECT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(not (BIN_DIR / "initdb").exists(), reason="Debian's Postgres 15 is not installed"),
]


def folders_of(pid: int) -> list[Path]:
    return list(server_folder().glob(f"{FOLDER_PREFIX}{pid}-*"))


def start(*command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.debian_postgres", *command], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )


def answers(url: DatabaseUrl) -> bool:
    try:
        psycopg.connect(url.libpq(), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_its_login_makes_databases_and_roles_and_is_no_superuser():
    with cluster() as url, psycopg.connect(DatabaseUrl.parse(url).libpq()) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        version = connection.info.server_version // 10_000

    assert row == (False, True, True)
    assert version == 15
    assert folders_of(os.getpid()) == []


def test_the_exit_status_is_the_commands():
    with start("sh", "-c", 'test -n "$TEST_DATABASE_URL" && exit 7') as process:
        assert process.wait(60) == 7

    assert folders_of(process.pid) == []


def test_interrupted_it_ends_the_command_and_removes_the_cluster():
    with start("sh", "-c", "echo begun; exec sleep 600") as process:
        assert process.stdout.readline() == "begun\n"
        assert len(folders_of(process.pid)) == 1
        process.send_signal(signal.SIGTERM)
        status = process.wait(60)

    assert status == 128 + signal.SIGTERM
    assert folders_of(process.pid) == []


def test_killed_outright_it_takes_the_server_with_it():
    with start("sh", "-c", 'echo "$TEST_DATABASE_URL"; exec sleep 3') as process:
        url = DatabaseUrl.parse(process.stdout.readline())
        process.kill()
        process.wait(60)

    assert eventually(lambda: not answers(url))
    remove_abandoned_folders()
    assert folders_of(process.pid) == []
