"""Databases for tests that need a real Postgres.

The server is the one TEST_DATABASE_URL names (a login that may create databases and roles; the roles lowcap_* stay
behind on it), else an embedded one in a temporary folder, stopped at the end; PG_BIN_DIR chooses its programs.

A test that asks for `database` runs against a migrated database of its own, which DATABASE_URL then names, in this
process and in those it starts. On the embedded server DATABASE_URL_REGIME and its sisters name logins of the roles
too, so that connection limits and timeouts are the server's, as they are in a project that sets no variable at all.
On a server of TEST_DATABASE_URL they are unset, and the roles are taken up by startup options.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from sql.database_role import ROLE_LIMITS
from sql.database_url import DatabaseUrl
from sql.embedded_postgres import EmbeddedPostgres
from sql.migrate import migrate
from sql.scratch_database import scratch_database
from tests.server_folder import server_folder

FOLDER_PREFIX = "lowcap-test-session-"
ROLE_VARIABLES = {role: f"DATABASE_URL_{role.name}" for role in ROLE_LIMITS}


@dataclass(frozen=True)
class PostgresServer:
    """A server tests may create databases on."""

    url: DatabaseUrl
    """Of some database, for a login that may create others."""
    embedded: EmbeddedPostgres | None
    """The supervisor; None for a server of TEST_DATABASE_URL."""

    def environment(self, database: str) -> dict[str, str]:
        """Variables that send every role to `database`."""
        variables = {"DATABASE_URL": self.url.with_database(database).libpq()}
        if self.embedded is not None:
            for role, variable in ROLE_VARIABLES.items():
                login = ROLE_LIMITS[role].postgres_role
                variables[variable] = self.embedded.url(user=login, database=database)
        return variables


@contextmanager
def temporary_postgres() -> Iterator[EmbeddedPostgres]:
    """An embedded server in a folder of its own, not started; stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=server_folder()))
    folder.chmod(0o755)  # for root's sake, whose server runs as nobody
    server = EmbeddedPostgres(folder / "postgres")
    try:
        yield server
    finally:
        remove(server, folder)


def remove(server: EmbeddedPostgres, folder: Path) -> None:
    """Stop a temporary server and delete its files."""
    server.stop()
    shutil.rmtree(server.location.socket_dir, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned_servers() -> None:
    """Remove the servers of test sessions that were killed and so could not do it themselves."""
    for folder in server_folder().glob(f"{FOLDER_PREFIX}*-*"):
        pid = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if pid.isdigit() and folder.stat().st_uid == os.geteuid() and not is_alive(int(pid)):
            remove(EmbeddedPostgres(folder / "postgres"), folder)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def exported(variables: dict[str, str]) -> Iterator[None]:
    """Set these variables, and unset those of roles that are not among them."""
    with pytest.MonkeyPatch.context() as patch:
        for variable in ROLE_VARIABLES.values():
            patch.delenv(variable, raising=False)
        for variable, value in variables.items():
            patch.setenv(variable, value)
        yield


@contextmanager
def throw_away_database(server: PostgresServer, template: str) -> Iterator[DatabaseUrl]:
    with scratch_database(server.url, template=template) as name, exported(server.environment(name)):
        yield server.url.with_database(name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """The server of this test session."""
    named = os.environ.get("TEST_DATABASE_URL", "").strip()
    if named:
        yield PostgresServer(DatabaseUrl.parse(named), None)
        return
    remove_abandoned_servers()
    with temporary_postgres() as server:
        url = DatabaseUrl.parse(server.start())
        hurry(url)
        yield PostgresServer(url, server)


def hurry(url: DatabaseUrl) -> None:
    """Let a server that is thrown away not wait for the disk: a database dropped once cost a second of it.

    What a process that is killed has committed is still there: the operating system has it.
    """
    with psycopg.connect(url.libpq(), autocommit=True) as connection:
        for statement in ("ALTER SYSTEM SET fsync = off", "ALTER SYSTEM SET full_page_writes = off"):
            connection.execute(statement)
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def database_template(postgres_server: PostgresServer) -> Iterator[str]:
    """Name of a migrated database to copy; nobody may be connected to it."""
    with scratch_database(postgres_server.url) as name:
        migrate(postgres_server.url.with_database(name))
        yield name


@pytest.fixture
def database(postgres_server: PostgresServer, database_template: str) -> Iterator[DatabaseUrl]:
    """The owner's address of a migrated database that only this test uses; DATABASE_URL names it."""
    with throw_away_database(postgres_server, database_template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database(postgres_server: PostgresServer, database_template: str) -> Iterator[DatabaseUrl]:
    """As `database`, one for all tests of a file, which must not disturb each other."""
    with throw_away_database(postgres_server, database_template) as url:
        yield url


@pytest.fixture
def empty_database(postgres_server: PostgresServer) -> Iterator[DatabaseUrl]:
    """The owner's address of a database without any migration; DATABASE_URL names it."""
    with scratch_database(postgres_server.url) as name, exported(postgres_server.environment(name)):
        yield postgres_server.url.with_database(name)
