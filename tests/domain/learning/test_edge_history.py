"""Histories of edges: a day fits what it knows, cell by cell, as if each were alone."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from domain.config.learning import EdgeDecayConfig
from domain.learning.edge_decay import fit_one_edge_decay
from domain.learning.edge_history import CELL, decay_on

CONFIG = EdgeDecayConfig(min_snapshots=4)
T0, DAY = datetime(2025, 6, 1, tzinfo=UTC), timedelta(days=1)
FADING = {day: 2.0 * 0.8**day for day in range(10)}
STEADY = {day: 1.0 + 0.01 * (-1) ** day for day in range(2, 10)}


def history(**edges: dict[int, float]) -> pl.DataFrame:
    """Snapshots by the category of their cell, so many days after T0."""
    rows = [
        (*("pattern", category, "{}"), T0 + day * DAY, edge)
        for category, its in edges.items()
        for day, edge in its.items()
    ]
    return pl.DataFrame(rows, schema=[*CELL, "timestamp", "edge_raw"], orient="row")


def fits(frame: pl.DataFrame, day: int, config: EdgeDecayConfig = CONFIG) -> dict[str, dict[str, object]]:
    """Fit of each cell on a day, by its category; as text, where NaN is like NaN."""
    return {cell["action_category"]: str(fit) for cell, fit in decay_on(frame, T0 + day * DAY, config)}


def test_each_cell_is_fitted_as_if_it_were_alone_in_hours_since_its_first_snapshot():
    both = fits(history(add=STEADY, entry=FADING), 9)

    for category, edges in (("add", STEADY), ("entry", FADING)):
        hours = 24.0 * (np.array(list(edges)) - min(edges))
        assert both[category] == str(fit_one_edge_decay(hours, list(edges.values()), CONFIG))


def test_the_order_of_the_snapshots_changes_nothing():
    told = history(entry=FADING, add=STEADY)

    assert fits(told.sample(fraction=1.0, shuffle=True, seed=1), 9) == fits(told, 9)


def test_a_day_knows_no_later_one():
    whole, then = history(entry=FADING), history(entry={day: edge for day, edge in FADING.items() if day <= 6})

    assert fits(whole, 6) == fits(then, 6) != fits(whole, 9)


@pytest.mark.parametrize(("day", "cells"), [(2, []), (3, ["entry"]), (4, ["entry"]), (5, ["add", "entry"])])
def test_a_cell_is_told_of_from_enough_snapshots_on(day, cells):
    assert list(fits(history(entry=FADING, add=STEADY), day)) == cells


def test_a_cell_that_was_not_mined_on_the_day_is_not_told_of():
    told = history(entry=FADING, add={day: edge for day, edge in STEADY.items() if day != 8})

    assert list(fits(told, 8)) == ["entry"]
    assert list(fits(told, 9)) == ["add", "entry"]


def test_of_no_history_nothing_is_told():
    assert fits(history(entry=FADING).clear(), 9) == {}
