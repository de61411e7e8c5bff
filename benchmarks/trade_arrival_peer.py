"""Those who keep the cells in a table, and write all of a trade's cells to it when the trade arrives.

Each has tables of its own and one transaction a trade: the row of the fact, then every cell. They are handed the names
of the cells and the outcome ready made; the table is as narrow as it can be.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psycopg

from benchmarks.trade_arrival_world import Arrival

FACTS = "learning.pattern_trade_events"
CELL = """
CREATE TABLE {schema}.cell (name bigint PRIMARY KEY, n_trades integer NOT NULL, total bigint NOT NULL,
    squares bigint NOT NULL, n_wins integer NOT NULL) WITH (fillfactor = 50)
"""
ADDED = """
ON CONFLICT (name) DO UPDATE SET n_trades = cell.n_trades + 1, total = cell.total + excluded.total,
    squares = cell.squares + excluded.squares, n_wins = cell.n_wins + excluded.n_wins
"""
UNNEST = """
INSERT INTO {schema}.cell AS cell
SELECT name, 1, %(steps)s, %(square)s, %(win)s FROM unnest(%(names)s::bigint[]) AS name
"""
STAGED = "INSERT INTO {schema}.cell AS cell SELECT name, 1, %(steps)s, %(square)s, %(win)s FROM stage"
ONE = "INSERT INTO {schema}.cell AS cell VALUES (%(name)s, 1, %(steps)s, %(square)s, %(win)s)"


@dataclass(frozen=True)
class Keeper:
    """A contender's schema and its connection."""

    schema: str
    connection: psycopg.Connection

    def statement(self, text: str) -> bytes:
        """Text with the name of the schema in it."""
        return text.format(schema=self.schema).encode()

    def insert_fact(self, arrival: Arrival) -> None:
        """Write the row of the fact."""
        names = ", ".join(f'"{name}"' for name in arrival.row)
        values = ", ".join(f"%({name})s" for name in arrival.row)
        text = f"INSERT INTO {self.schema}.fact ({names}) VALUES ({values})"
        self.connection.execute(text.encode(), arrival.row, prepare=True)


def summed_cells(arrivals: Sequence[Arrival]) -> str:
    """Cells as some trades leave them, as text to copy in."""
    names, cell = np.unique(np.concatenate([each.names for each in arrivals]), return_inverse=True)
    steps = np.repeat([each.steps for each in arrivals], [each.names.size for each in arrivals])
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(names.size))
    columns = (np.ones_like(steps), steps, steps**2, (steps > 0).astype(np.int64))
    summed = (np.add.reduceat(column[order], starts).tolist() for column in columns)
    return "".join("\t".join(map(str, row)) + "\n" for row in zip(names.tolist(), *summed, strict=True))


def make_tables(keeper: Keeper, cells: str) -> None:
    """Create the table of facts, and that of cells."""
    keeper.connection.execute(keeper.statement("CREATE SCHEMA {schema}"))
    keeper.connection.execute(keeper.statement("CREATE TABLE {schema}.fact (LIKE " + FACTS + " INCLUDING ALL)"))
    keeper.connection.execute(keeper.statement(CELL))
    with keeper.connection.cursor().copy(keeper.statement("COPY {schema}.cell FROM STDIN")) as copy:
        copy.write(cells)
    keeper.connection.execute(keeper.statement("VACUUM ANALYZE {schema}.cell"))
    keeper.connection.execute("CREATE TEMP TABLE stage (name bigint NOT NULL)")


def unnest_upsert(keeper: Keeper, arrival: Arrival) -> None:
    """Send all cells as one array."""
    with keeper.connection.transaction():
        keeper.insert_fact(arrival)
        values = _values(arrival) | {"names": arrival.names.tolist()}
        keeper.connection.execute(keeper.statement(UNNEST + ADDED), values, prepare=True, binary=True)


def copy_upsert(keeper: Keeper, arrival: Arrival) -> None:
    """Copy all cells to a temporary table, and from there."""
    with keeper.connection.transaction():
        keeper.insert_fact(arrival)
        with keeper.connection.cursor().copy("COPY stage FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8"])
            for name in arrival.names.tolist():
                copy.write_row((name,))
        keeper.connection.execute(keeper.statement(STAGED + ADDED), _values(arrival), prepare=True)
        keeper.connection.execute("TRUNCATE stage")


def many_upserts(keeper: Keeper, arrival: Arrival) -> None:
    """Send each cell as a statement of its own, all in one pipeline."""
    with keeper.connection.transaction():
        keeper.insert_fact(arrival)
        values = _values(arrival)
        rows = [values | {"name": name} for name in arrival.names.tolist()]
        keeper.connection.cursor().executemany(keeper.statement(ONE + ADDED), rows)


def _values(arrival: Arrival) -> dict[str, object]:
    return {"steps": arrival.steps, "square": arrival.steps**2, "win": int(arrival.steps > 0)}
