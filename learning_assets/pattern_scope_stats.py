"""Statistics of every mined cell as of a day: trades, actions, R/R, and the edge with its six components.

A cell is the trades of a pattern and action category that share the values of some scope dimensions. All frequent
ones up to a depth are mined; of cells with the very same trades the one with the fewest conditions stays.
"""

from collections.abc import Iterator
from datetime import datetime

import dagster as dg

from domain.learning.mined_day import REMEMBERED, CellEdge, MinedDay, RecentEdges, mine_day
from domain.learning.pattern_scope_stat import PatternScopeStat
from domain.learning.scope_cell import cell_columns, cell_of_columns
from domain.learning.trade_fact import TradeFact
from learning_assets import pattern_trade_events
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.table_frame import table_frame
from resources.inline_check import InlineCheck

TABLE = "learning.pattern_scope_stats"
STAT_COLUMNS = frozenset(PatternScopeStat.__dataclass_fields__) - {"n_trades_without_rr"}


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    facts = pattern_trade_events.read_facts(study)
    recent = recent_edges(study, study.window.start)
    rows: list[dict[str, object]] = []
    for day in study.days:
        recent.begin_day(day.midnight)
        mined = mine(study, facts, day)
        edges = list(mined.edges(recent, study.config.learning))
        recent.add({each.cell: each.score.edge_raw for each in edges}, day.midnight)
        rows += [stat_row(day, mined, each) for each in edges]
    yield study.replace(TABLE, table_frame(TABLE, rows), metadata=_told(rows))


def mine(study: Study, facts: list[TradeFact], day: Day) -> MinedDay:
    """Mine what was known on a day."""
    return mine_day(
        facts,
        as_of_at=day.as_of,
        config=study.config.learning,
        max_abs_rr=study.max_abs_rr,
    )


def recent_edges(study: Study, before: datetime) -> RecentEdges:
    """Latest edges of every cell before a day."""
    length = study.config.learning.edge.stability_snapshots
    recent = RecentEdges(length)
    stored = study.tables.query("recent_edges", (before, length, before - REMEMBERED))
    for row in stored.iter_rows(named=True):
        recent.add({cell_of_columns(row): row["edge_raw"]}, row["timestamp"])
    return recent


def stat_row(day: Day, mined: MinedDay, edge: CellEdge) -> dict[str, object]:
    """Row of the table, of one cell."""
    return {
        **day.columns,
        **cell_columns(edge.cell),
        **{name: getattr(edge.stat, name) for name in STAT_COLUMNS},
        **edge.score._asdict(),
        "baseline_rr": mined.baseline_rr,
    }


def _told(rows: list[dict[str, object]]) -> dict[str, object]:
    last = max((row["timestamp"] for row in rows), default=None)  # type: ignore[type-var]
    return {"cells_on_the_last_day": sum(row["timestamp"] == last for row in rows)}


STEP = LearningStep(
    tables=(
        LearningTable(
            TABLE,
            __doc__ or "",
            (
                InlineCheck(
                    "n_counts_trades", "check_n_counts_trades", "A trade with 56 adds once counted as 56 trades."
                ),
            ),
        ),
    ),
    publish=publish,
    code_version="1",
    reads=(pattern_trade_events.TABLE,),
)
