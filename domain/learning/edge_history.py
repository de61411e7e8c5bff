"""History of the edges of cells, one snapshot a day, and the decay of each as of a day.

What belongs here: which snapshots a day knows, and in what order they are fitted. What does not: the fit
(`edge_decay`).
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl

from domain.config.learning import EdgeDecayConfig
from domain.learning.edge_decay import fit_edge_decay

CELL = ("pattern_key", "action_category", "scope_signature")
"""Columns that name a cell."""


def decay_on(
    history: pl.DataFrame, on: datetime, config: EdgeDecayConfig
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Decay of the cells that were mined on a day and have `min_snapshots` by then, by cell.

    Parameters
    ----------
    history : DataFrame
        Snapshots in any order: the columns of `CELL`, `timestamp` (midnight of the day) and `edge_raw`, R, finite.
        Those of later days are not known.
    on : datetime
        Midnight of the day.

    Yields
    ------
    tuple of mapping
        Columns of the cell, and its row of `fit_edge_decay`; hours count from its first snapshot.

    Raises
    ------
    ValueError
        If an edge is not finite.
    """
    cell = list(CELL)
    known = history.filter(pl.col("timestamp") <= on)
    counted = known.group_by(cell).agg(pl.len(), pl.col("timestamp").max().alias("newest"))
    fitted = counted.filter((pl.col("len") >= config.min_snapshots) & (pl.col("newest") == on)).sort(cell)
    points = fitted.select(cell).join(known, on=cell, how="left", maintain_order="left").sort([*cell, "timestamp"])
    since = (pl.col("timestamp") - pl.col("timestamp").min().over(cell)).dt.total_seconds() / 3600
    offsets = np.concatenate([[0], np.cumsum(fitted["len"].to_numpy())]).astype(np.int64)
    fit = fit_edge_decay(offsets, points.select(since).to_series().to_numpy(), points["edge_raw"].to_numpy(), config)
    for number, named in enumerate(fitted.select(cell).iter_rows(named=True)):
        yield named, fit.of(number)
