"""Migrations as files, and whether a database and these files agree.

A migration is `migrations/NNNN_verb_object.sql`. Append-only: an applied file is never edited, a mistake is corrected
by the next file. The database keeps the checksum of every applied file, so both an edited file and a database that
is ahead of the code are noticed. Loads psycopg only: the runtime asks `pending_migrations` when it starts.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import psycopg

MIGRATIONS_DIR = Path(__file__).resolve().parent / "migrations"
_FILE_NAME = re.compile(r"^(\d{4})_[a-z0-9]+(?:_[a-z0-9]+)+\.sql$")


class MigrationError(RuntimeError):
    """The database's schema and the code's migrations contradict each other, or one could not be applied."""


@dataclass(frozen=True, slots=True)
class MigrationFile:
    """One step of the schema."""

    path: Path

    @property
    def revision(self) -> str:
        """The number the file name begins with, e.g. 0001."""
        return self.path.name[:4]

    def text(self) -> str:
        """Return the SQL; line ends are those of Unix, whatever a checkout made of them."""
        return self.path.read_text(encoding="utf-8")

    def sha256(self) -> str:
        """Checksum of the text, 64 hexadecimal digits."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def list_migrations(folder: Path = MIGRATIONS_DIR) -> list[MigrationFile]:
    """Every migration file, in the order they apply.

    Raises
    ------
    MigrationError
        If a file is not named `NNNN_verb_object.sql`, or the numbers do not run from 0001 without gap or repeat.
    """
    paths = sorted(folder.glob("*.sql"))
    for number, path in enumerate(paths, start=1):
        check_name(path, number)
    return [MigrationFile(path) for path in paths]


def check_name(path: Path, number: int) -> None:
    """Raise `MigrationError` if a file is not named as migration `number`."""
    named = _FILE_NAME.match(path.name)
    if named is None or int(named[1]) != number:
        raise MigrationError(f"Expected migration {number:04d}_verb_object.sql, was {path.name}")


def pending_migrations(connection: psycopg.Connection, folder: Path = MIGRATIONS_DIR) -> list[MigrationFile]:
    """Files the database has not had yet, in order; empty when it is up to date.

    Raises
    ------
    MigrationError
        If the database holds a revision this code does not know, or an applied file has been edited since.
    """
    migrations = list_migrations(folder)
    applied = _applied_checksums(connection)
    unknown = sorted(applied.keys() - {migration.revision for migration in migrations})
    if unknown:
        newest = migrations[-1].revision if migrations else "none"
        raise MigrationError(
            f"The database is newer than this code: it holds migration {', '.join(unknown)}, the newest file is "
            f"{newest}. Update the code, or name the right database by DATABASE_URL"
        )
    edited = [m.path.name for m in migrations if applied.get(m.revision, m.sha256()) != m.sha256()]
    if edited:
        raise MigrationError(
            f"Edited after it was applied: {', '.join(edited)}. Restore the file, and put the change into a new one"
        )
    return [migration for migration in migrations if migration.revision not in applied]


def _applied_checksums(connection: psycopg.Connection) -> dict[str, str]:
    """Checksum by revision; empty for a database that was never migrated."""
    found = connection.execute("SELECT to_regclass('public.lowcap_migration_checksum')").fetchone()
    if found is None or found[0] is None:
        return {}
    rows = connection.execute("SELECT revision, sha256 FROM public.lowcap_migration_checksum").fetchall()
    return dict(rows)
