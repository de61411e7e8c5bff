"""Statistics of every frequent cell as NumPy, Polars, DuckDB and pandas compute them: one group-by a set of dimensions.

Each gives count, mean, population variance, median and win rate of the cells with enough trades, set by set, in its own
form; `cells` lays them out for the comparison, untimed.
"""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.lesson_mining_trades import CATEGORIES, N_PATTERNS, SIZES, Trades, dimension_sets

N_GROUPS = N_PATTERNS * len(CATEGORIES)
MEASURES = ("n", "mean", "variance", "median", "win_rate")
FIRST_ITEM = np.concatenate([[1], 1 + np.cumsum(SIZES)])
BASE = int(FIRST_ITEM[-1])
NAMES = [f"d{j}" for j in range(len(SIZES))]

Cells = dict[str, NDArray[Any]]
"""Columns: key, a number for group and conditions; then the measures."""


def key_of(group: NDArray[np.int64], items: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """One number for a group and rising items, 0 where there is none."""
    key = group.astype(np.int64)
    for item in [np.zeros_like(key)] * (4 - len(items)) + items:
        key = key * BASE + item
    return key


def joined(parts: list[Cells]) -> Cells:
    """All cells by key."""
    columns = {name: np.concatenate([part[name] for part in parts]) for name in ("key", *MEASURES)}
    order = np.argsort(columns["key"])
    return {name: column[order] for name, column in columns.items()}


class NumpyPeer:
    """Counting by `bincount`; medians by the radix sort NumPy has for 16 bits, of trades sorted by outcome once."""

    def __init__(self, trades: Trades, depth: int, min_trades: int) -> None:
        self.sets, self.min_trades = dimension_sets(depth), min_trades
        self.trades = trades

    def run(self) -> list[Cells]:
        """Sort once, then a set at a time."""
        order = np.argsort(self.trades.steps, kind="stable")
        group, steps = self.trades.group[order].astype(np.int32), self.trades.steps[order]
        scope = np.ascontiguousarray(self.trades.scope[order].T).astype(np.int32)
        outcome = steps.astype(np.float64)
        squares, first_win = outcome * outcome, int(np.searchsorted(steps, 1))
        return [self._cells(chosen, group, scope, steps, outcome, squares, first_win) for chosen in self.sets]

    def _cells(self, chosen, group, scope, steps, outcome, squares, first_win) -> Cells:
        key, size = group, N_GROUPS
        for j in chosen:
            key, size = key * np.int32(SIZES[j]) + scope[j], size * SIZES[j]
        counts = np.bincount(key, minlength=size)
        kept = np.flatnonzero(counts >= self.min_trades)
        n = counts[kept]
        mean = np.bincount(key, weights=outcome, minlength=size)[kept] / n
        square = np.bincount(key, weights=squares, minlength=size)[kept] / n
        wins = np.bincount(key[first_win:], minlength=size)[kept]
        by_cell = np.argsort(key.astype(np.uint16) if size <= 1 << 16 else key, kind="stable")
        start = (np.cumsum(counts) - counts)[kept]
        median = (steps[by_cell[start + (n - 1) // 2]] + steps[by_cell[start + n // 2]]) / 2.0
        return dict(zip(("key", *MEASURES), (kept, n, mean, square - mean * mean, median, wins / n), strict=True))

    def cells(self, found: list[Cells]) -> Cells:
        """With the key of all."""
        named = [{**part, "key": self._key(s, part["key"])} for s, part in zip(self.sets, found, strict=True)]
        return joined(named)

    def _key(self, chosen: tuple[int, ...], kept: NDArray[np.int64]) -> NDArray[np.int64]:
        items, left = [], kept
        for j in reversed(chosen):
            items.insert(0, left % SIZES[j] + FIRST_ITEM[j])
            left = left // SIZES[j]
        return key_of(left, items)


class FramePeer:
    """What the peers with named columns share: how their cells are laid out."""

    def __init__(self, trades: Trades, depth: int, min_trades: int) -> None:
        self.sets, self.min_trades = dimension_sets(depth), min_trades
        columns = dict(zip(NAMES, np.ascontiguousarray(trades.scope.T), strict=True))
        self.columns = {"g": trades.group.astype(np.uint8), "steps": trades.steps.astype(np.int32), **columns}

    def cells(self, found: list[Any]) -> Cells:
        """With the key of all."""
        return joined([self._cells(chosen, part) for chosen, part in zip(self.sets, found, strict=True)])

    def _cells(self, chosen: tuple[int, ...], part: Any) -> Cells:
        columns = {name: np.asarray(part[name]) for name in ("g", *(NAMES[j] for j in chosen), *MEASURES)}
        items = [columns[NAMES[j]].astype(np.int64) + FIRST_ITEM[j] for j in chosen]
        return {"key": key_of(columns["g"], items), **{name: columns[name] for name in MEASURES}}


class PolarsPeer(FramePeer):
    """An eager group-by for each set; lazy ones of all sets at once take longer."""

    def __init__(self, trades: Trades, depth: int, min_trades: int) -> None:
        super().__init__(trades, depth, min_trades)
        self.frame = pl.DataFrame(self.columns)

    def run(self) -> list[pl.DataFrame]:
        """Group by a set at a time, on all cores."""
        steps = pl.col("steps")
        measures = (pl.len(), steps.mean(), steps.var(ddof=0), steps.median(), (steps > 0).mean())
        named = [measure.alias(name) for name, measure in zip(MEASURES, measures, strict=True)]
        is_frequent = pl.col("n") >= self.min_trades
        return [self.frame.group_by("g", *(NAMES[j] for j in s)).agg(named).filter(is_frequent) for s in self.sets]


class DuckDBPeer(FramePeer):
    """A statement for each set, on a table in memory."""

    def __init__(self, trades: Trades, depth: int, min_trades: int) -> None:
        import duckdb

        super().__init__(trades, depth, min_trades)
        self.connection = duckdb.connect()
        self.connection.register("given", self.columns)
        self.connection.execute("CREATE TABLE trades AS SELECT * FROM given")

    def run(self) -> list[dict[str, NDArray[Any]]]:
        """Group by a set at a time, on all cores."""
        return [self.connection.execute(self._query(chosen)).fetchnumpy() for chosen in self.sets]

    def _query(self, chosen: tuple[int, ...]) -> str:
        keys = ", ".join(["g", *(NAMES[j] for j in chosen)])
        return (
            f"SELECT {keys}, count(*) AS n, avg(steps) AS mean, var_pop(steps) AS variance, median(steps) AS median,"
            f" avg((steps > 0)::INT) AS win_rate FROM trades GROUP BY {keys} HAVING count(*) >= {self.min_trades}"
        )


class PandasPeer(FramePeer):
    """A group-by for each set."""

    def __init__(self, trades: Trades, depth: int, min_trades: int) -> None:
        import pandas as pd

        super().__init__(trades, depth, min_trades)
        self.frame = pd.DataFrame({**self.columns, "is_win": self.columns["steps"] > 0})

    def run(self) -> list[Any]:
        """Group by a set at a time."""
        return [self._frequent(["g", *(NAMES[j] for j in chosen)]) for chosen in self.sets]

    def _frequent(self, keys: list[str]) -> Any:
        grouped = self.frame.groupby(keys, sort=False)
        steps = grouped["steps"]
        columns = {
            "n": steps.size(), "mean": steps.mean(), "variance": steps.var(ddof=0), "median": steps.median(),
            "win_rate": grouped["is_win"].mean(),
        }  # fmt: skip
        found = type(self.frame)(columns)
        return found[found["n"] >= self.min_trades].reset_index()
