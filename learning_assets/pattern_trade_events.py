"""Facts: one row an action of a closed trade, all of a trade bearing its one outcome.

Three ways lead here and give the same rows: the sensor takes a closure as it is told, a sweep takes what the sensor
missed, and a run of a day takes all of the day again. A trade waits, visibly, until all its actions have come.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import dagster as dg
import polars as pl

from domain.learning.trade_fact import TradeFact
from domain.learning.trade_fact_row import fact_of_row, fact_row
from domain.learning.trade_intake import Intake, IntakeRecord, StoredStrand, take_in
from domain.vocabulary.window import Window
from learning_assets.learning_table import LearningStep, LearningTable, Study
from learning_assets.table_frame import table_frame
from learning_assets.upstream import STRANDS
from resources.inline_check import InlineCheck
from resources.stamp import STAMPS, Stamp
from resources.tables import Tables
from sql.queries import query
from sql.schema import table_schema

TABLE, INTAKE = "learning.pattern_trade_events", "learning.trade_intake"
CODE_VERSION = "1"


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    begun = study.window.start + timedelta(microseconds=1)  # of a day that begins now nothing is known
    past = replace(study, window=Window(study.window.start, max(begun, min(study.window.end, study.now))))
    with study.tables.alone(INTAKE):  # what the sensor takes in meanwhile would be replaced by what was read before
        closed = study.tables.query("closures_between", (past.window.start, past.window.end))
        elsewhere = _known_outside(study.tables, closed, past.window)
        intake = _taken_in(study.tables, closed, elsewhere, at=study.now, park_hours=study.config.learning.park_hours)
        _record(study.tables, intake, study.now)
        made = past.replace(TABLE, fact_frame(intake.facts), metadata=told(intake))
    yield made


def process_strand_event(
    tables: Tables, closed: pl.DataFrame, *, at: datetime, park_hours: float, stamp: Stamp
) -> Intake:
    """Take in closures as they are told, in any order, once or many times; facts that are stored already stay.

    Parameters
    ----------
    closed : DataFrame
        Rows of the event log, as `closures_after` gives them.
    at : datetime
        The instant of this look.
    """
    with tables.alone(INTAKE):
        intake = _taken_in(tables, closed, _known(tables, closed), at=at, park_hours=park_hours)
        _record(tables, intake, at)  # first: a trade without facts is looked at again, one that has them is not
        tables.append(TABLE, fact_frame(intake.facts), stamp=stamp)
    return intake


def read_facts(study: Study) -> list[TradeFact]:
    """Facts of every trade closed before the end of a range."""
    columns = [column.name for column in table_schema(TABLE).columns if column.name not in STAMPS]
    rows = study.tables.query("facts_before", (study.window.end,)).select(columns)
    return [fact_of_row(row) for row in rows.iter_rows(named=True)]


def fact_frame(facts: Iterable[TradeFact]) -> pl.DataFrame:
    """Rows of the table, without stamps."""
    return table_frame(TABLE, (fact_row(fact) for fact in facts))


def told(intake: Intake) -> dict[str, object]:
    """Say what a look at the event log found, for its asset's page."""
    return {
        "trades_taken": len(intake.taken),
        "trades_waiting": len(intake.parked),
        "closures_refused": len(intake.refused),
        "closures_told_again": intake.n_repeated,
    }


def _taken_in(
    tables: Tables, closed: pl.DataFrame, already: dict[str, str], *, at: datetime, park_hours: float
) -> Intake:
    closures = [_strand(row) for row in closed.iter_rows(named=True)]
    trades = sorted({each.trade_id for each in closures})
    actions = tables.query("actions_of_trades", (",".join(trades),))
    seen = tables.query("intake_first_seen", (",".join(each.strand_id for each in closures),))
    return take_in(
        closures,
        {row["strand_id"]: _strand(row) for row in actions.iter_rows(named=True)},
        already,
        at=at,
        park_hours=park_hours,
        first_seen=dict(seen.iter_rows()),
    )


def _strand(row: dict[str, object]) -> StoredStrand:
    return StoredStrand(**row)  # type: ignore[arg-type]


def _known(tables: Tables, closed: pl.DataFrame) -> dict[str, str]:
    """Trades among the closures that have facts, with the closure these came from."""
    trades = ",".join(closed["trade_id"].unique().sort().to_list())
    return {trade_id: strand_id for trade_id, strand_id, _ in tables.query("taken_trades", (trades,)).iter_rows()}


def _known_outside(tables: Tables, closed: pl.DataFrame, window: Window) -> dict[str, str]:
    """Do as `_known`, of facts that a run of this window does not make again."""
    trades = ",".join(closed["trade_id"].unique().sort().to_list())
    rows = tables.query("taken_trades", (trades,)).iter_rows()
    return {trade_id: strand_id for trade_id, strand_id, at in rows if not window.start <= at < window.end}


def _record(tables: Tables, intake: Intake, at: datetime) -> None:
    """Say what became of the closures that were not taken at once; those that came whole after all are marked so."""
    rows = [_intake_row(each, at) for each in (*intake.parked, *intake.refused)]
    with tables.session() as session, session.cursor() as cursor:
        cursor.executemany(query("upsert_trade_intake").encode(), rows)
        cursor.executemany(
            query("mark_intake_taken").encode(), [{"strand_id": each.strand_id, "at": at} for each in intake.taken]
        )


def _intake_row(record: IntakeRecord, at: datetime) -> dict[str, object]:
    place = f"{record.pointer}: " if record.pointer else ""
    return {
        "strand_id": record.strand_id,
        "trade_id": record.trade_id,
        "timestamp": record.occurred_at,
        "status": record.status.value,
        "actions_told": record.actions_told,
        "actions_missing": record.actions_missing,
        "reason": place + record.reason,
        "first_seen_at": record.first_seen_at,
        "last_seen_at": at,
    }


STEP = LearningStep(
    tables=(
        LearningTable(
            TABLE,
            __doc__ or "",
            (
                InlineCheck(
                    "a_trade_has_one_outcome", "check_a_trade_has_one_outcome", "All facts of a trade bear the same."
                ),
                InlineCheck(
                    "rr_and_pnl_have_one_sign", "check_rr_and_pnl_have_one_sign", "A gain is no loss in another unit."
                ),
                InlineCheck(
                    "a_fact_is_no_older_than_its_trade",
                    "check_a_fact_is_within_its_trade",
                    "An ingestion time once stood for the time of the action: every decay was fitted to it.",
                ),
            ),
        ),
    ),
    publish=publish,
    code_version=CODE_VERSION,
    reads=(STRANDS,),
)
