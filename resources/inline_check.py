"""Checks of a window before it is published: facts that must hold, or nothing is written.

They run on what was written, in its transaction (`resources.tables.Tables.replace`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.vocabulary.window import Window
from sql.queries import query


@dataclass(frozen=True)
class InlineCheck:
    """A fact that must hold for a window before it is published.

    `query` names a query that takes the window's start and end, and what the replacement's `values` hold for it, and
    gives the number of rows that break it.
    """

    name: str
    query: str
    description: str


class BlockedByCheckError(RuntimeError):
    """Blocking checks failed; the transaction was rolled back and the old window still stands."""

    def __init__(self, table: str, window: Window, failed: Mapping[str, int]) -> None:
        self.failed = dict(failed)
        counts = ", ".join(f"{name} ({rows} rows)" for name, rows in failed.items())
        super().__init__(f"{table} {window}: {counts}. Nothing was written; the rows of the last good run still stand.")


def failed_checks(
    connection: Any, checks: Sequence[InlineCheck], window: Window, values: Mapping[str, Sequence[Any]]
) -> dict[str, int]:
    """Rows that break each check that fails, by its name."""
    counts = {check.name: _broken_rows(connection, check, window, values.get(check.query, ())) for check in checks}
    return {name: rows for name, rows in counts.items() if rows}


def _broken_rows(connection: Any, check: InlineCheck, window: Window, values: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query(check.query), (window.start, window.end, *values))
        return int(cursor.fetch_polars().item())
