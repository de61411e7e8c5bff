"""Decay of every edge with enough snapshots, as of a day: a line, an exponential, and the multiplier that follows."""

from collections.abc import Iterator

import dagster as dg
import numpy as np
import polars as pl

from domain.config.learning import EdgeDecayConfig
from domain.learning.edge_decay import EdgeDecay, fit_edge_decay
from learning_assets import learning_edge_history
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.table_frame import table_frame

TABLE = "learning.edge_decay_fit"
CELL = ["pattern_key", "action_category", "scope_signature"]


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    history = study.tables.query("edge_history_before", (study.window.end,))
    frames = [day_fits(history, day, study.config.learning.edge_decay) for day in study.days]
    fits = pl.concat([table_frame(TABLE, []), *frames])
    states = dict(fits.group_by("decay_state").len().sort("decay_state").iter_rows())
    yield study.replace(TABLE, fits, metadata={"states": states})


def day_fits(history: pl.DataFrame, day: Day, config: EdgeDecayConfig) -> pl.DataFrame:
    """Fits of the cells that were mined on a day and have enough snapshots by then."""
    known = history.filter(pl.col("timestamp") <= day.midnight)
    counted = known.group_by(CELL).agg(pl.len(), pl.col("timestamp").max().alias("newest"))
    fitted = counted.filter((pl.col("len") >= config.min_snapshots) & (pl.col("newest") == day.midnight)).sort(CELL)
    points = fitted.select(CELL).join(known, on=CELL, how="left", maintain_order="left").sort([*CELL, "timestamp"])
    since = (pl.col("timestamp") - pl.col("timestamp").min().over(CELL)).dt.total_seconds() / 3600
    offsets = np.concatenate([[0], np.cumsum(fitted["len"].to_numpy())]).astype(np.int64)
    fit = fit_edge_decay(offsets, points.select(since).to_series().to_numpy(), points["edge_raw"].to_numpy(), config)
    rows = [
        {"timestamp": day.midnight, "as_of": day.as_of, **cell, **_columns(fit, number)}
        for number, cell in enumerate(fitted.select(CELL).iter_rows(named=True))
    ]
    return table_frame(TABLE, rows)


def _columns(fit: EdgeDecay, cell: int) -> dict[str, object]:
    told = fit.of(cell)
    return {
        **told,
        "decay_state": str(told["state"]),
        "reason": None if told["reason"] is None else str(told["reason"]),
    }


STEP = LearningStep(
    tables=(LearningTable(TABLE, __doc__ or ""),),
    publish=publish,
    code_version="1",
    reads=(learning_edge_history.TABLE,),
)
