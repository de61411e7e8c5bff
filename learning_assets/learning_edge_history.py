"""One snapshot of the edge of every mined cell a day: the history that decay is fitted to."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from learning_assets import pattern_scope_stats
from learning_assets.learning_table import LearningStep, LearningTable, Study
from resources.inline_check import InlineCheck

TABLE = "learning.learning_edge_history"
COLUMNS = ("timestamp", "as_of", "pattern_key", "action_category", "scope_values", "edge_raw", "n_trades")


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    stats = study.tables.read(pattern_scope_stats.TABLE, study.window, columns=COLUMNS)
    snapshots = stats.filter(pl.col("edge_raw").is_not_null()).rename({"scope_values": "scope_signature"})
    without = stats.height - snapshots.height
    yield study.replace(
        TABLE,
        snapshots.select(*COLUMNS[:4], "scope_signature", *COLUMNS[5:]),
        metadata={"cells_without_an_edge": without},
    )


STEP = LearningStep(
    tables=(
        LearningTable(
            TABLE,
            __doc__ or "",
            (
                InlineCheck(
                    "every_mined_day_has_a_snapshot",
                    "check_every_mined_day_has_a_snapshot",
                    "A history once had no writer: every decay was fitted to nothing.",
                ),
            ),
        ),
    ),
    publish=publish,
    code_version="1",
    reads=(pattern_scope_stats.TABLE,),
)
