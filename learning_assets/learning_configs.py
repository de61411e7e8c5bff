"""Timeframe weights of the decision maker, as of a day: which share of an approval each timeframe's position may take.

The shares start from the configured ones and move by what trades of each timeframe made, recent ones counting more.
"""

import json
from collections.abc import Iterator

import dagster as dg

from domain.learning.timeframe_weight import timeframe_weights
from domain.portfolio.strict_json import canonical_json
from domain.vocabulary.timeframe import Timeframe
from learning_assets import pattern_trade_events
from learning_assets.learning_table import LearningStep, LearningTable, Study
from learning_assets.table_frame import table_frame

TABLE = "learning.learning_configs"
MODULE = "decision_maker"


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    facts = pattern_trade_events.read_facts(study)
    stored = study.tables.query("newest_learning_config", (MODULE, study.window.start))
    splits = stored_splits(stored.item()) if stored.height else None
    rows = []
    for day in study.days:
        learned = timeframe_weights(
            facts,
            as_of_at=day.as_of,
            default_splits=study.config.portfolio.sizing.timeframe_splits,
            previous_splits=splits,
            max_abs_rr=study.max_abs_rr,
            config=study.config.learning.timeframe_weight,
        )
        splits = learned.splits
        data = canonical_json(learned.config_data())
        rows.append({**day.columns, "module_id": MODULE, "config_data": data})
    newest = rows[-1]["config_data"] if rows else "none"
    yield study.replace(TABLE, table_frame(TABLE, rows), metadata={"newest": newest})


def stored_splits(config_data: str) -> dict[Timeframe, float]:
    """Read the splits of a stored row."""
    return {Timeframe(name): share for name, share in json.loads(config_data)["splits"].items()}


STEP = LearningStep(
    tables=(LearningTable(TABLE, __doc__ or ""),),
    publish=publish,
    code_version="1",
    reads=(pattern_trade_events.TABLE,),
)
