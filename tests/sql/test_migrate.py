"""Migrations apply once, whole, one migrator at a time, and contradictions are refused."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sql.database import DatabaseConnectionError, connect
from sql.database_role import ROLE_LIMITS, DatabaseRole
from sql.database_url import DatabaseUrl
from sql.embedded_postgres import EmbeddedPostgres
from sql.migrate import main, migrate, pending, write_pair
from sql.migration_file import MigrationError, list_migrations, pending_migrations
from tests.postgres_fixtures import exported, temporary_postgres

pytestmark = pytest.mark.postgres
PROJECT = Path(__file__).resolve().parents[2]
ALL = [migration.revision for migration in list_migrations()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two migrations that make a table each."""
    for name in ("add_one", "add_two"):
        write_pair(name, tmp_path).write_text(f"CREATE TABLE public.{name} (percent text DEFAULT '100 %');\n")
    return tmp_path


@pytest.fixture
def fresh_server() -> Iterator[EmbeddedPostgres]:
    """A server without our roles."""
    with temporary_postgres() as server:
        server.start()
        yield server


def start_migrating(url: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "sql.migrate"]
    return subprocess.Popen(
        command, cwd=PROJECT, env=os.environ | {"DATABASE_URL": url}, text=True, stdout=-1, stderr=subprocess.STDOUT
    )


def finish(migrators: list["subprocess.Popen[str]"]) -> list[tuple[int, str]]:
    outputs = [migrator.communicate(timeout=120)[0].strip() for migrator in migrators]
    return [(migrator.returncode, output) for migrator, output in zip(migrators, outputs, strict=True)]


def tables(url: DatabaseUrl) -> list[str]:
    with psycopg.connect(url.libpq()) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
    return [name for (name,) in rows if not name.startswith("lowcap_migration")]


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_migrating_twice_applies_once(empty_database: DatabaseUrl) -> None:
    assert migrate() == ALL
    assert migrate() == []


def test_each_applied_file_is_recorded_with_its_checksum(database: DatabaseUrl) -> None:
    with connect(DatabaseRole.OWNER) as connection:
        rows = connection.execute("SELECT file_name, sha256 FROM public.lowcap_migration_checksum ORDER BY revision")
        recorded = rows.fetchall()
        version = connection.execute("SELECT version_num FROM public.lowcap_migration").fetchall()

    assert recorded == [(migration.path.name, migration.sha256()) for migration in list_migrations()]
    assert version == [(ALL[-1],)]


def test_two_migrators_at_once_apply_each_file_once(empty_database: DatabaseUrl) -> None:
    finished = finish([start_migrating(empty_database.libpq()) for _ in range(2)])

    assert sorted(finished) == [(0, f"applied: {', '.join(ALL)}"), (0, "up to date")]


def test_three_databases_of_a_new_server_migrate_at_once(fresh_server: EmbeddedPostgres) -> None:
    names = ["one", "two", "three"]
    for name in names:
        execute(fresh_server.url(), f"CREATE DATABASE {name}")
    finished = finish([start_migrating(fresh_server.url(database=name)) for name in names])

    assert finished == [(0, f"applied: {', '.join(ALL)}")] * 3


def test_an_edited_file_is_refused_by_name(empty_database: DatabaseUrl, folder: Path) -> None:
    migrate(empty_database, folder=folder)
    with (folder / "0001_add_one.sql").open("a") as applied:
        applied.write("-- harmless\n")
    write_pair("add_three", folder).write_text("CREATE TABLE public.add_three ();\n")

    with pytest.raises(MigrationError, match=r"Edited after it was applied: 0001_add_one\.sql\."):
        migrate(empty_database, folder=folder)
    assert tables(empty_database) == ["add_one", "add_two"]


def test_a_database_that_is_newer_than_the_code_is_refused(empty_database: DatabaseUrl, folder: Path) -> None:
    migrate(empty_database, folder=folder)
    for path in folder.glob("0002*"):
        path.unlink()

    with pytest.raises(MigrationError, match="newer than this code: it holds migration 0002, the newest file is 0001"):
        migrate(empty_database, folder=folder)


def test_a_file_that_fails_leaves_nothing_and_can_be_run_again(empty_database: DatabaseUrl, folder: Path) -> None:
    second = folder / "0002_add_two.sql"
    good = second.read_text()
    second.write_text(good + "SELECT 1 / 0;\n")

    with pytest.raises(MigrationError, match=r"0002_add_two\.sql failed, nothing of it remains: division by zero"):
        migrate(empty_database, folder=folder)
    assert tables(empty_database) == ["add_one"]
    second.write_text(good)
    assert migrate(empty_database, folder=folder) == ["0002"]


def test_a_migrator_that_is_killed_leaves_nothing(empty_database: DatabaseUrl, folder: Path) -> None:
    second = folder / "0002_add_two.sql"
    good = second.read_text()
    second.write_text(good + "SELECT pg_terminate_backend(pg_backend_pid());\n")

    with pytest.raises(MigrationError, match="lost in the middle"):
        migrate(empty_database, folder=folder)
    second.write_text(good)
    assert migrate(empty_database, folder=folder) == ["0002"]


def test_sql_without_its_revision_file_is_refused(empty_database: DatabaseUrl, folder: Path) -> None:
    (folder / "0002_add_two.py").unlink()

    with pytest.raises(MigrationError, match=r"No revision file beside 0002_add_two\.sql"):
        migrate(empty_database, folder=folder)
    assert tables(empty_database) == []


def test_asking_what_is_pending_changes_nothing(empty_database: DatabaseUrl) -> None:
    assert [migration.revision for migration in pending()] == ALL
    assert tables(empty_database) == []


@pytest.mark.parametrize("role", ROLE_LIMITS)
def test_every_role_may_ask_whether_the_schema_fits(database: DatabaseUrl, role: DatabaseRole) -> None:
    with connect(role) as connection:
        assert pending_migrations(connection) == []


def test_the_command_line_tells_by_its_exit_code(
    empty_database: DatabaseUrl, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [main(["--check"]), main([]), main(["--check"]), main([])]
    said = capsys.readouterr().out.splitlines()
    execute(empty_database.libpq(), "UPDATE public.lowcap_migration_checksum SET sha256 = 'x' WHERE revision = '0001'")

    assert codes == [1, 0, 0, 0]
    assert said == [f"missing: {', '.join(ALL)}", f"applied: {', '.join(ALL)}", "up to date", "up to date"]
    assert main(["--check"]) == main([]) == 2
    assert "Edited after it was applied: 0001_create_schemas_and_roles.sql" in capsys.readouterr().err


def test_an_owner_who_is_not_superuser_migrates_and_takes_up_the_roles(fresh_server: EmbeddedPostgres) -> None:
    execute(fresh_server.url(), "CREATE ROLE ann LOGIN CREATEROLE")
    execute(fresh_server.url(), "CREATE DATABASE anns OWNER ann")
    with exported({"DATABASE_URL": fresh_server.url(user="ann", database="anns")}):
        migrate()

        for role in ROLE_LIMITS:
            with connect(role) as connection:
                who = connection.execute("SELECT session_user, current_user").fetchone()
            assert who == ("ann", ROLE_LIMITS[role].postgres_role)


def test_an_owner_may_share_the_roles_another_owner_made(fresh_server: EmbeddedPostgres) -> None:
    migrate(DatabaseUrl.parse(fresh_server.url()))
    execute(fresh_server.url(), "CREATE ROLE bob LOGIN")
    execute(fresh_server.url(), "CREATE DATABASE bobs OWNER bob")
    bobs = fresh_server.url(user="bob", database="bobs")

    with pytest.raises(MigrationError, match=r"As superuser: GRANT lowcap_regime, [a-z_, ]* TO bob"):
        migrate(DatabaseUrl.parse(bobs))
    granted = ", ".join(limits.postgres_role for limits in ROLE_LIMITS.values())
    execute(fresh_server.url(), f"GRANT {granted} TO bob")
    assert migrate(DatabaseUrl.parse(bobs)) == ALL


def test_a_missing_database_is_named(empty_database: DatabaseUrl) -> None:
    with (
        exported({"DATABASE_URL": empty_database.with_database("nowhere").libpq()}),
        pytest.raises(DatabaseConnectionError, match='database "nowhere" does not exist'),
    ):
        connect(DatabaseRole.OWNER)


def test_copied_migrations_build_the_same(empty_database: DatabaseUrl, tmp_path: Path) -> None:
    copied = shutil.copytree(list_migrations()[0].path.parent, tmp_path / "copied")

    assert migrate(empty_database, folder=copied) == ALL
    assert pending(empty_database) == []
