"""What can be handed to others: lessons, overrides, trades; the tables of each, and the columns of its file."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sql.schema import Column, table_schema


class ExchangedKind(StrEnum):
    """What a file holds; a query `exported_...` gives its rows."""

    LESSONS = "lessons"
    OVERRIDES = "overrides"
    TRADES = "trades"

    @property
    def tables(self) -> tuple[str, ...]:
        """Tables its rows are of, those first that others refer to."""
        return {
            ExchangedKind.LESSONS: ("learning.learning_lessons",),
            ExchangedKind.OVERRIDES: ("learning.override_set", "learning.pm_overrides"),
            ExchangedKind.TRADES: ("learning.pattern_trade_events",),
        }[self]

    @property
    def columns(self) -> tuple[Column, ...]:
        """Columns of its rows, in order; what one table has of another is named once."""
        columns = {column.name: column for table in self.tables for column in reversed(table_schema(table).columns)}
        first, *others = self.tables
        order = [column.name for column in table_schema(first).columns]
        for table in others:
            order += [column.name for column in table_schema(table).columns if column.name not in order]
        return tuple(columns[name] for name in order)


Row = tuple[object, ...]
"""A value a column: text, int, float, bool, date, an instant in UTC, or None for NULL. JSON is its text."""


def in_utc(row: Row) -> Row:
    """Row whose instants are of one kind of UTC: drivers have several, which are equal and look different."""
    return tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Rows of a kind, in the order of its columns."""

    kind: ExchangedKind
    rows: list[Row]

    def rows_of(self, table: str) -> list[Row]:
        """Rows of one of its tables, each once; an override that is not there, of an empty version, is none."""
        names = [column.name for column in self.kind.columns]
        schema = table_schema(table)
        places = [names.index(column.name) for column in schema.columns]
        keys = [names.index(name) for name in schema.primary_key]
        found = {tuple(row[place] for place in places): None for row in self.rows if row[keys[0]] is not None}
        return list(found)
