"""Whether a database fits this code; asked by everybody who is about to use it. Loads psycopg only."""

import psycopg

from sql.migration_file import MigrationError, pending_migrations


def refuse_unmigrated(connection: psycopg.Connection) -> None:
    """Raise `MigrationError` if the database is older or newer than this code; the message says what to do."""
    missing = pending_migrations(connection)
    if missing:
        names = ", ".join(migration.path.name for migration in missing)
        raise MigrationError(f"The database lacks {names}. Run: python -m sql.migrate")
