"""Mined cells of published data sets against Polars: every frequent combination of up to three columns."""

from itertools import combinations
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from domain.config.lesson import MiningConfig
from domain.learning.lattice import mine_cells
from domain.learning.pattern_scope_stat import RR_SCALE
from tests.domain.learning.mined_group import column_group

pytestmark = pytest.mark.real_data

SETS = {
    "titanic_pysubgroup": ("Survived", ["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Cabin", "Embarked"]),
    "student_mat": ("G3", None),
    "credit_g": ("class", None),
    "housing_windsor": ("price", None),
}
MAX_COLUMNS = 14
N_BINS = 4
CONFIG = MiningConfig(min_trades=20, max_cells=1_000_000)


def read(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Codes of the columns, numbers in quarters, 0 where absent; the target in steps, standardised."""
    frame = pl.read_csv(folder / f"{name}.csv.gz", infer_schema_length=None, null_values=["", "NA"])
    target, columns = SETS[name]
    named = [column for column in frame.columns if column not in (target, "rownames", "")]
    codes = [code_of(frame[column]) for column in (columns or named)[:MAX_COLUMNS]]
    outcome = frame[target] if frame[target].dtype.is_numeric() else frame[target] == frame[target].max()
    values = outcome.cast(pl.Float64).to_numpy()
    steps = np.rint((values - values.mean()) / values.std() * RR_SCALE).astype(np.int64)
    return np.stack(codes, axis=1), steps


def code_of(column: pl.Series) -> np.ndarray:
    if column.dtype.is_numeric() and column.n_unique() > 2 * N_BINS:
        column = (column.rank("max") * N_BINS / (column.len() - column.null_count() + 1)).floor()
    return column.rank("dense").fill_null(0).to_numpy()


def frequent_sets(codes: np.ndarray) -> tuple[int, dict[bytes, tuple[int, tuple[int, ...]]]]:
    """How many combinations are frequent, and for each set of rows the first by length, mask and values."""
    names = [f"c{j}" for j in range(codes.shape[1])]
    frame = pl.DataFrame(dict(zip(names, codes.T, strict=True))).with_row_index("row")
    n_found, first = 1, {frame["row"].to_numpy().tobytes(): (0, ())}
    for depth in range(1, CONFIG.max_depth + 1):
        for chosen in sorted(combinations(range(len(names)), depth), key=lambda bits: bits[::-1]):
            keys = [names[bit] for bit in chosen]
            known = frame.filter(pl.all_horizontal(pl.col(keys) > 0))
            cells = known.group_by(keys).agg("row").filter(pl.col("row").list.len() >= CONFIG.min_trades).sort(keys)
            n_found += cells.height
            for row, *values in cells.select("row", *keys).iter_rows():
                first.setdefault(np.array(row, np.uint32).tobytes(), (sum(1 << bit for bit in chosen), tuple(values)))
    return n_found, first


@pytest.mark.parametrize("name", SETS)
def test_cells_of_a_published_set_are_those_of_polars(shared_data, name):
    codes, steps = read(shared_data / "subgroup_benchmarks", name)
    n_found, first = frequent_sets(codes)
    cells = mine_cells(column_group(codes, steps), CONFIG)
    named = [tuple(code for code in row if code) for row in cells.codes.tolist()]

    assert (cells.n_found, cells.n_closed, cells.n_cut) == (n_found, len(first), 0)
    assert list(zip(cells.masks.tolist(), named, strict=True)) == list(first.values())
    for i, rows in enumerate(first):
        of_cell = steps[np.frombuffer(rows, np.uint32)]
        stat = cells.stats(i)
        assert (stat.n_trades, cells.sum_steps[i], stat.n_wins) == (of_cell.size, of_cell.sum(), np.sum(of_cell > 0))
        assert stat.median_rr == np.median(of_cell) / RR_SCALE
        assert stat.variance_rr == pytest.approx(np.var(of_cell / RR_SCALE), rel=1e-9, abs=1e-12)
