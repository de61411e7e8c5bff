"""Which server, as whom, and what the server then enforces."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import psycopg
import pytest
import sqlalchemy

from sql import database
from sql.database import DatabaseConnectionError, connect, database_url
from sql.database_role import ROLE_LIMITS, SEARCH_PATH, DatabaseRole
from sql.database_url import DatabaseUrl
from sql.migrate import migrate
from tests.postgres_fixtures import PostgresServer, exported, temporary_postgres

PROJECT = Path(__file__).resolve().parents[2]
WRITERS = [DatabaseRole.REGIME, DatabaseRole.PM, DatabaseRole.LEARNING]


@pytest.fixture(scope="module")
def probed_database(module_database: DatabaseUrl) -> DatabaseUrl:
    """A migrated database with a table `probe` in each schema, made by the owner after the roles."""
    with connect(DatabaseRole.OWNER) as connection:
        for schema in ("regime", "pm", "learning"):
            connection.execute(f"CREATE TABLE {schema}.probe (id bigint GENERATED ALWAYS AS IDENTITY, n int)")
            connection.execute(f"CREATE TABLE {schema}.counted (id bigserial, n int)")
    return module_database


def fetch(connection: psycopg.Connection, statement: str) -> tuple[object, ...]:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row


@pytest.mark.postgres
@pytest.mark.parametrize("role", ROLE_LIMITS)
def test_each_role_is_itself_with_its_own_limits(probed_database: DatabaseUrl, role: DatabaseRole) -> None:
    limits = ROLE_LIMITS[role]
    names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]
    with connect(role) as connection:
        rows = connection.execute("SELECT name, setting::int FROM pg_settings WHERE name = ANY (%s)", [names])
        in_force = dict(rows.fetchall())

        assert fetch(connection, "SELECT current_user") == (limits.postgres_role,)
    assert in_force == {name: getattr(limits, f"{name}_ms") for name in names}


@pytest.mark.postgres
@pytest.mark.parametrize("role", ROLE_LIMITS)
def test_the_migration_and_the_code_agree_on_each_role(probed_database: DatabaseUrl, role: DatabaseRole) -> None:
    limits = ROLE_LIMITS[role]
    with connect(DatabaseRole.OWNER) as connection:
        found = connection.execute(
            "SELECT rolconnlimit, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolconfig "
            "FROM pg_roles WHERE rolname = %s",
            [limits.postgres_role],
        ).fetchone()
    assert found is not None
    *attributes, settings = found
    stated = dict(setting.split("=", 1) for setting in settings)

    assert attributes == [limits.connection_limit, True, False, False, False]
    assert stated == {
        "statement_timeout": f"{limits.statement_timeout_ms // 1000}s",
        "lock_timeout": f"{limits.lock_timeout_ms // 1000}s",
        "idle_in_transaction_session_timeout": f"{limits.idle_in_transaction_session_timeout_ms // 1000}s",
        "search_path": ", ".join(SEARCH_PATH),
        "TimeZone": "UTC",
    }


@pytest.mark.postgres
@pytest.mark.parametrize("schema", WRITERS)
@pytest.mark.parametrize("role", ROLE_LIMITS)
def test_a_role_reads_every_schema_and_writes_its_own(
    probed_database: DatabaseUrl, role: DatabaseRole, schema: DatabaseRole
) -> None:
    writes = [
        f"INSERT INTO {schema}.{{}} (n) VALUES (1)",
        f"UPDATE {schema}.{{}} SET n = 2",
        f"DELETE FROM {schema}.{{}}",
    ]
    with connect(role, autocommit=True) as connection:
        assert fetch(connection, f"SELECT count(*) FROM {schema}.probe") == (0,)
        for statement in [write.format(table) for write in writes for table in ("probe", "counted")]:
            if role == schema:
                assert connection.execute(statement.encode()).rowcount == 1
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())


@pytest.mark.postgres
@pytest.mark.parametrize("role", ROLE_LIMITS)
def test_no_role_changes_the_schema(probed_database: DatabaseUrl, role: DatabaseRole) -> None:
    with connect(role, autocommit=True) as connection:
        for statement in ("CREATE TABLE regime.mine ()", "CREATE TABLE public.mine ()", "DROP TABLE regime.probe"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


@pytest.mark.postgres
@pytest.mark.parametrize("role", DatabaseRole)
def test_sessions_speak_utc_and_find_tables_by_name(probed_database: DatabaseUrl, role: DatabaseRole) -> None:
    with connect(role) as connection:
        assert fetch(connection, "SELECT 'probe'::regclass::oid = 'regime.probe'::regclass::oid") == (True,)
        assert str(fetch(connection, "SELECT '2026-01-01T00:00:00Z'::timestamptz")[0]) == "2026-01-01 00:00:00+00:00"


@pytest.mark.postgres
def test_a_read_only_connection_writes_nothing_even_with_autocommit(probed_database: DatabaseUrl) -> None:
    with (
        connect(DatabaseRole.REGIME, autocommit=True, read_only=True) as connection,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        connection.execute("INSERT INTO regime.probe (n) VALUES (1)")


@pytest.mark.postgres
def test_waiting_for_a_lock_ends(probed_database: DatabaseUrl) -> None:
    with connect(DatabaseRole.OWNER) as holder, connect(DatabaseRole.CONSOLE) as waiter:
        holder.execute("LOCK TABLE pm.probe")

        with pytest.raises(psycopg.errors.LockNotAvailable):
            waiter.execute("SELECT FROM pm.probe")


@pytest.mark.postgres
def test_one_connection_too_many_is_refused(probed_database: DatabaseUrl, postgres_server: PostgresServer) -> None:
    if postgres_server.embedded is None:
        pytest.skip("on a server of TEST_DATABASE_URL every role keeps its login, whose limit is its own")
    limit = ROLE_LIMITS[DatabaseRole.PM].connection_limit
    with ExitStack() as stack:
        for _ in range(limit):
            stack.enter_context(connect(DatabaseRole.PM))

        with pytest.raises(DatabaseConnectionError, match='too many connections for role "lowcap_pm"'):
            connect(DatabaseRole.PM)
    connect(DatabaseRole.PM).close()


@pytest.mark.postgres
@pytest.mark.parametrize("role", [DatabaseRole.OWNER, DatabaseRole.LEARNING])
def test_every_driver_reaches_the_same_database_as_the_same_user(
    probed_database: DatabaseUrl, role: DatabaseRole
) -> None:
    who = "SELECT current_database()::text, current_user::text, current_setting('search_path')"
    url = database_url(role)
    with connect(role) as connection:
        expected = fetch(connection, who)
    assert pl.read_database_uri(who, url.libpq(), engine="adbc").row(0) == expected
    for driver in ("psycopg", "psycopg2"):
        engine = sqlalchemy.create_engine(url.sqlalchemy(driver), poolclass=sqlalchemy.NullPool)
        with engine.connect() as alchemy:
            assert tuple(alchemy.exec_driver_sql(who).one()) == expected


@pytest.fixture(scope="module")
def unset_variables() -> Iterator[None]:
    """No variable names a server; the project's embedded one lies in a temporary folder, and does not run."""
    with temporary_postgres() as server:
        variables = {"DATABASE_URL": "", "LOWCAP_POSTGRES_ROOT": str(server.location.root)}
        with exported(variables):
            yield


@pytest.mark.postgres
def test_without_a_variable_the_embedded_server_is_started_and_roles_log_in(unset_variables: None) -> None:
    with connect(DatabaseRole.OWNER) as connection:
        assert connection.info.dbname == "lowcap"
    with pytest.raises(DatabaseConnectionError, match=r"python -m sql\.migrate"):
        connect(DatabaseRole.PM)
    migrate()

    with connect(DatabaseRole.PM) as connection:
        assert fetch(connection, "SELECT session_user") == ("lowcap_pm",)
    assert database_url(DatabaseRole.PM).libpq().startswith("postgresql://lowcap_pm@/lowcap?host=/")


def test_a_named_server_keeps_its_login_and_takes_up_the_role() -> None:
    with exported({"DATABASE_URL": "postgres://ann:pw@db/low?sslmode=require"}):
        url = database_url(DatabaseRole.PM).libpq()

    assert url.startswith("postgresql://ann:pw@db/low?sslmode=require&options=")
    for option in ("role%3Dlowcap_pm", "statement_timeout%3D15000", "lock_timeout%3D5000"):
        assert f"-c%20{option}" in url


def test_a_role_may_have_an_address_of_its_own() -> None:
    with exported({"DATABASE_URL": "postgresql://db/low", "DATABASE_URL_PM": "postgres://pm:pw@pooler/low"}):
        assert database_url(DatabaseRole.PM).libpq() == "postgresql://pm:pw@pooler/low"
        assert database_url(DatabaseRole.REGIME).libpq().startswith("postgresql://db/low?")


def test_an_address_that_is_none_names_its_variable() -> None:
    with (
        exported({"DATABASE_URL_CONSOLE": "mysql://ann:pw@db/low"}),
        pytest.raises(DatabaseConnectionError, match="DATABASE_URL_CONSOLE: Expected a URL like"),
    ):
        database_url(DatabaseRole.CONSOLE)


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with (
        exported({"DATABASE_URL": "postgresql://ann:secret@127.0.0.1:1/low"}),
        pytest.raises(DatabaseConnectionError) as refusal,
    ):
        connect(DatabaseRole.OWNER)

    assert "Cannot connect to postgresql://ann:***@127.0.0.1:1/low" in str(refusal.value)
    assert "unset it to use the embedded Postgres" in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.postgres
def test_an_older_server_is_refused(probed_database: DatabaseUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "OLDEST_SERVER", 990_000)

    with pytest.raises(DatabaseConnectionError, match=r"Expected Postgres 99 or newer at .*, was 1[5-9]"):
        connect(DatabaseRole.OWNER)


def test_the_runtime_loads_neither_sqlalchemy_nor_anything_heavy() -> None:
    script = "import sys, sql.database, sql.migration_file, sql.queries; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, text=True, check=True, stdout=subprocess.PIPE)
    packages = {name.partition(".")[0] for name in loaded.stdout.split()}

    assert packages.isdisjoint({"sqlalchemy", "alembic", "dagster", "polars", "numpy", "scipy", "numba", "pydantic"})
    assert "psycopg" in packages
