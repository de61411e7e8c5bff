"""Bring a database's schema up to the code: `python -m sql.migrate [--check]`.

Plain SQL files, driven by alembic: each in a transaction of its own, one migrator at a time, checksums kept. Beside
each NNNN_verb_object.sql stands a revision file of the same name, which says the two numbers and calls
`apply_sql_beside`; `python -m sql.migrate --new add_edge_decay` writes the pair.
"""

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from alembic import op
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory

from sql.database import DatabaseConnectionError, database_url, open_connection
from sql.database_role import DatabaseRole
from sql.database_url import DatabaseUrl
from sql.migration_file import (
    MIGRATIONS_DIR,
    MigrationError,
    MigrationFile,
    check_name,
    list_migrations,
    pending_migrations,
)

VERSION_TABLE = "lowcap_migration"
ADVISORY_LOCK = 0x6C6F7763
"""Key of the lock a migrator holds, the letters "lowc"."""
LONGEST_TURN = "10min"
"""How long to wait for another migrator."""
LONGEST_LOCK_WAIT = "30s"
"""A migration that queues behind a long reader makes every later reader queue behind it: give up instead."""
NOT_MIGRATED, REFUSED = 1, 2
"""Exit codes of the command line."""
REVISION_FILE = '''"""Apply {2}."""

from sql.migrate import apply_sql_beside

revision, down_revision = "{0:04d}", {1}


def upgrade() -> None:
    """Execute the .sql file beside this one."""
    apply_sql_beside(__file__)
'''


def migrate(url: DatabaseUrl | None = None, *, folder: Path = MIGRATIONS_DIR) -> list[str]:
    """Apply every migration the database has not had, each in a transaction of its own.

    Parameters
    ----------
    url : DatabaseUrl, optional
        Database, with a login that owns it and may create roles; by default the owner's.
    folder : Path
        Where the migrations lie.

    Returns
    -------
    list of str
        Revisions applied now, in order; empty when there was nothing to do.

    Raises
    ------
    MigrationError
        If the database is newer than the code, an applied file was edited, another migrator does not end, or a file
        fails: it then leaves nothing behind, and the files before it stay applied.
    DatabaseConnectionError
        If the database cannot be reached.
    """
    url = url or database_url()
    with _turn(url) as guard:
        missing = pending_migrations(guard, folder)
        if missing:
            _apply(url, folder)
    return [migration.revision for migration in missing]


def pending(url: DatabaseUrl | None = None, *, folder: Path = MIGRATIONS_DIR) -> list[MigrationFile]:
    """Files the database has not had yet; changes nothing. Raises as `migrate` does."""
    with open_connection(url or database_url(), DatabaseRole.OWNER) as connection:
        return pending_migrations(connection, folder)


def apply_sql_beside(revision_file: str) -> None:
    """Execute the .sql file beside an alembic revision file, and record its checksum, in alembic's transaction."""
    migration = MigrationFile(Path(revision_file).with_suffix(".sql"))
    connection = op.get_bind().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError(f"Expected a psycopg connection, was {type(connection).__name__}")
    try:
        connection.execute(migration.text().encode())
    except psycopg.Error as error:
        raise MigrationError(f"{migration.path.name} failed, nothing of it remains: {str(error).strip()}") from error
    connection.execute(
        "INSERT INTO public.lowcap_migration_checksum (revision, file_name, sha256) VALUES (%s, %s, %s)",
        [migration.revision, migration.path.name, migration.sha256()],
    )


@contextlib.contextmanager
def _turn(url: DatabaseUrl) -> Iterator[psycopg.Connection]:
    """Wait until no other migrator is in this database, and keep others out."""
    patient = url.with_settings(statement_timeout=0, idle_session_timeout=0, lock_timeout=LONGEST_TURN)
    with open_connection(patient, DatabaseRole.OWNER, autocommit=True) as guard:
        try:
            guard.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        except psycopg.errors.LockNotAvailable:
            raise MigrationError(f"Another migration has been running for {LONGEST_TURN} in {url}") from None
        guard.execute(
            "CREATE TABLE IF NOT EXISTS public.lowcap_migration_checksum (revision text PRIMARY KEY, "
            "file_name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        guard.execute("GRANT SELECT ON public.lowcap_migration_checksum TO PUBLIC")
        yield guard


def _apply(url: DatabaseUrl, folder: Path) -> None:
    """Let alembic run the revision files up to the newest."""
    script = ScriptDirectory(str(folder), version_locations=[str(folder)])
    scripted = {revision.revision for revision in script.walk_revisions()}
    if alone := [m.path.name for m in list_migrations(folder) if m.revision not in scripted]:
        raise MigrationError(f"No revision file beside {', '.join(alone)}")

    def to_newest(heads: Any, _context: MigrationContext) -> list[RevisionStep]:
        return script._upgrade_revs("head", heads)  # as alembic's own `upgrade` command does

    impatient = url.with_settings(statement_timeout=0, lock_timeout=LONGEST_LOCK_WAIT)
    engine = sqlalchemy.create_engine(impatient.sqlalchemy("psycopg"), poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection, EnvironmentContext(Config(), script, fn=to_newest) as environment:
        environment.configure(
            connection=connection,
            version_table=VERSION_TABLE,
            version_table_schema="public",
            transaction_per_migration=True,
        )
        try:
            environment.run_migrations()
        except sqlalchemy.exc.DBAPIError as error:
            raise MigrationError(f"The database was lost in the middle of a migration: {error.orig}") from error


def write_pair(name: str, folder: Path = MIGRATIONS_DIR) -> Path:
    """Write the next, empty .sql file and its revision file; returns the .sql file."""
    revision = len(list_migrations(folder)) + 1
    before = f'"{revision - 1:04d}"' if revision > 1 else None
    sql_file = folder / f"{revision:04d}_{name}.sql"
    check_name(sql_file, revision)
    sql_file.write_text("-- Why: \n", encoding="utf-8")
    sql_file.with_suffix(".py").write_text(REVISION_FILE.format(revision, before, name), encoding="utf-8")
    return sql_file


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code: 0 up to date, 1 not migrated (--check), 2 refused."""
    parser = argparse.ArgumentParser(prog="python -m sql.migrate", description="Bring the schema up to the code.")
    parser.add_argument("--check", action="store_true", help="change nothing, say what is missing")
    parser.add_argument("--new", metavar="verb_object", help="write the files of the next migration")
    given = parser.parse_args(arguments)
    if given.new:
        sys.stdout.write(f"{write_pair(given.new)}\n")
        return 0
    try:
        url = database_url()
        revisions = [migration.revision for migration in pending(url)] if given.check else migrate(url)
    except (MigrationError, DatabaseConnectionError) as error:
        sys.stderr.write(f"{error}\n")
        return REFUSED
    if not revisions:
        sys.stdout.write("up to date\n")
        return 0
    sys.stdout.write(f"{'missing' if given.check else 'applied'}: {', '.join(revisions)}\n")
    return NOT_MIGRATED if given.check else 0


if __name__ == "__main__":
    raise SystemExit(main())
