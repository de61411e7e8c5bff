"""From when on rows differ from those stored."""

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from resources.row_change import first_change

AT = datetime(2025, 1, 2, tzinfo=UTC)
KEY = ("name", "timestamp")


def rows(*values: float | None, name: str = "a") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "name": name,
            "timestamp": [AT + timedelta(hours=i) for i in range(len(values))],
            "value": values,
            "carry": [[1.0, value] for value in values],
        },
        schema_overrides={
            "name": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
            "value": pl.Float64,
            "carry": pl.List(pl.Float64),
        },
    )


def changed_after(stored: pl.DataFrame, wanted: pl.DataFrame) -> float | None:
    """Hours after AT; None for no change."""
    at = first_change(stored, wanted, key=KEY, time="timestamp")
    return None if at is None else (at - AT) / timedelta(hours=1)


@pytest.mark.parametrize(
    ("stored", "wanted", "hours"),
    [
        (rows(1, 2, 3), rows(1, 2, 3), None),
        (rows(1, None, math.nan), rows(1, None, math.nan), None),
        (rows(1, 2, 3), rows(1, 2, 4), 2),
        (rows(1, 2, 3), rows(1, None, 4), 1),
        (rows(1, 2), rows(1, 2, 3), 2),
        (rows(1, 2, 3), rows(1, 2), 2),
        (rows(), rows(1), 0),
        (rows(1), rows(), 0),
        (rows(1, 2), rows(1, 2, name="b"), 0),
        (rows(1, 2), rows(1, 2).with_columns(carry=pl.Series([[1.0, 1.0], [1.0, 2.5]])), 1),
    ],
)
def test_the_first_row_that_is_new_gone_or_different_is_found(stored, wanted, hours):
    assert changed_after(stored, wanted) == hours


def test_the_order_of_the_rows_does_not_matter():
    assert changed_after(rows(1, 2, 3), rows(1, 2, 3).reverse()) is None


def test_columns_that_are_not_stored_to_compare_are_left_out():
    assert changed_after(rows(1, 2), rows(1, 2).with_columns(run_id=pl.lit("another"))) is None
