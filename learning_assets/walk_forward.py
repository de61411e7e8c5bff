"""Learned against neutral sizing, walked forward: every closed trade at the size the set known at its buys would give.

A set is scored only on trades it could not have known. The report tells the difference with an interval over closing
days, how often sizes were moved the right way, and which overrides cannot be told from noise. Whatever it says.
"""

from collections.abc import Iterator, Sequence

import dagster as dg
from psycopg.rows import dict_row

from domain.learning.walk_forward import TradeForward, forward_buys, trade_forwards
from domain.learning.walk_forward_report import WalkForwardReport, report_document, walk_forward_report
from domain.portfolio.override_set import OverrideSet, compile_overrides
from domain.portfolio.strict_json import canonical_json
from learning_assets import pattern_trade_events, pm_overrides
from learning_assets.forward_picture import forward_picture
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.table_frame import table_frame
from resources.tables import Tables
from sql.queries import query

TRADES, TABLE = "learning.walk_forward_trade", "learning.walk_forward"


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    facts = pattern_trade_events.read_facts(study)
    rows = trade_forwards(
        forward_buys(facts), read_sets(study.tables, study), weights=study.config.portfolio.mask_weight
    )
    reports = [(day, _report(study, rows, day)) for day in study.days]
    inside = [row for row in rows if study.window.start <= row.closed_at < study.window.end]
    yield study.replace(TRADES, table_frame(TRADES, map(trade_row, inside)))
    told = {"newest": summary(reports[-1][1])} if reports else {}
    picture = forward_picture([row for row in rows if row.closed_at < study.window.end])
    yield study.replace(
        TABLE,
        table_frame(TABLE, (report_row(day, report) for day, report in reports)),
        metadata={**told, **({"picture": dg.MetadataValue.md(picture)} if picture else {})},
    )


def read_sets(tables: Tables, study: Study) -> list[OverrideSet]:
    """Compile the newest set as of each instant, live overrides only."""
    with tables.session() as session, session.cursor(row_factory=dict_row) as cursor:
        stored = cursor.execute(query("sets_before").encode(), {"before": study.window.end}).fetchall()
        sets = []
        for each in stored:
            rows = cursor.execute(query("live_rows_of_set").encode(), {"set_id": each["set_id"]}).fetchall()
            sets.append(compile_overrides(rows, each["as_of"], set_id=each["set_id"]))
    return sets


def trade_row(row: TradeForward) -> dict[str, object]:
    """Row of a trade."""
    return {
        "timestamp": row.closed_at,
        "trade_id": row.trade_id,
        "set_id": row.set_id,
        "multiplier": row.multiplier,
        "rr": row.rr,
        "pnl_usd": row.pnl_usd,
        "pnl_neutral_usd": row.pnl_neutral_usd,
        "pnl_learned_usd": row.pnl_learned_usd,
        "lesson_ids": list(row.lesson_ids),
    }


def report_row(day: Day, report: WalkForwardReport) -> dict[str, object]:
    """Row of a day."""
    said = summary(report)
    return {**day.columns, **said, "report": canonical_json(report_document(report))}


def summary(report: WalkForwardReport) -> dict[str, object]:
    """Numbers of a report that stand in columns of their own; None where nothing is known."""
    numbers = {
        "n_trades": report.n_trades,
        "n_moved": report.n_moved,
        "pnl_neutral_usd": report.neutral_usd,
        "pnl_learned_usd": report.learned_usd,
        "difference_usd": report.difference_usd.value,
        "difference_low": report.difference_usd.lower,
        "difference_high": report.difference_usd.upper,
        "hit_rate": report.hits.rate_frac,
        "n_overrides": len(report.claims),
        "n_noise": sum(claim.verdict.value == "noise" for claim in report.claims),
    }
    return {name: None if value != value else value for name, value in numbers.items()}


def _report(study: Study, rows: Sequence[TradeForward], day: Day) -> WalkForwardReport:
    return walk_forward_report(
        [row for row in rows if row.closed_at < day.as_of],
        max_abs_rr=study.max_abs_rr,
        config=study.config.learning.walk_forward,
    )


STEP = LearningStep(
    tables=(
        LearningTable(TRADES, "Closed trades at the size they had, the neutral one and the learned one."),
        LearningTable(TABLE, __doc__ or ""),
    ),
    publish=publish,
    code_version="1",
    reads=(pattern_trade_events.TABLE, pm_overrides.TABLE),
)
