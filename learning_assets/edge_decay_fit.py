"""Decay of every edge with enough snapshots, as of a day: a line, an exponential, and the multiplier that follows."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from domain.learning.edge_history import decay_on
from learning_assets import learning_edge_history
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.table_frame import table_frame

TABLE = "learning.edge_decay_fit"


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    history = study.tables.query("edge_history_before", (study.window.end,))
    config = study.config.learning.edge_decay
    rows = [fit_row(day, *told) for day in study.days for told in decay_on(history, day.midnight, config)]
    fits = table_frame(TABLE, rows)
    states = dict(fits.group_by("decay_state").len().sort("decay_state").iter_rows())
    yield study.replace(TABLE, fits, metadata={"states": states})


def fit_row(day: Day, cell: Mapping[str, Any], fit: Mapping[str, Any]) -> dict[str, Any]:
    """Row of one cell."""
    state, reason = fit["state"], fit["reason"]
    return {
        **day.columns,
        **cell,
        **fit,
        "decay_state": str(state),
        "reason": None if reason is None else str(reason),
    }


STEP = LearningStep(
    tables=(LearningTable(TABLE, __doc__ or ""),),
    publish=publish,
    code_version="1",
    reads=(learning_edge_history.TABLE,),
)
