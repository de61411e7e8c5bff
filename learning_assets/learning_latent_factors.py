"""Lessons that are about the same trades, as of a day: a factor, and the one lesson that stands for it.

Two lessons that share 70 % of their trades are one thing told twice. Only the representative may become an override,
so that nothing acts twice. A factor keeps its name from day to day.
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import polars as pl

from domain.learning.latent_factor import FactorLesson, KnownFactor, LatentFactor, latent_factors
from domain.learning.lesson_state import LessonStanding
from domain.learning.scope_cell import cell_of_columns
from domain.learning.trade_fact import ScopeCell, TradeFact
from domain.learning.trade_group import TradeGroup, trade_groups
from domain.scopes.bitmask import dimensions_of
from domain.vocabulary.action import ActionCategory, parse_action_category
from domain.vocabulary.scope_dimension import BIT
from learning_assets import learning_lessons, pattern_trade_events
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.lesson_row import sizes_of
from learning_assets.table_frame import table_frame

TABLE = "learning.learning_latent_factors"


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    facts = pattern_trade_events.read_facts(study)
    lessons = study.tables.read(learning_lessons.TABLE, study.window)
    stored = study.tables.query("factors_of_last_day", (study.window.start,))
    known: Sequence[KnownFactor] = [_known(row) for row in stored.iter_rows(named=True)]
    rows: list[dict[str, object]] = []
    for day in study.days:
        factors = day_factors(study, facts, day.rows_of(lessons), day, known)
        known = [factor.known for factor in factors] or known  # a day without lessons takes no factor its name
        rows += [{**day.columns, **factor.row()} for factor in factors]
    told_twice = sum(row["n_lessons"] > 1 for row in rows)  # type: ignore[operator]
    yield study.replace(TABLE, table_frame(TABLE, rows), metadata={"factors_of_several_lessons": told_twice})


def day_factors(
    study: Study, facts: Sequence[TradeFact], lessons: pl.DataFrame, day: Day, known: Sequence[KnownFactor]
) -> tuple[LatentFactor, ...]:
    """Factors of the active lessons of a day."""
    active = sizes_of(lessons, LessonStanding.ACTIVE)
    if active.is_empty():
        return ()
    groups = {
        (group.pattern_key, group.action_category): group
        for group in trade_groups(facts, as_of_at=day.as_of, max_abs_rr=study.max_abs_rr)
    }
    listed = [
        FactorLesson(
            lesson_id=row["lesson_id"],
            cell=cell,
            trade_ids=trades_of(cell, groups),
            edge_used=float("nan") if row["edge_used"] is None else row["edge_used"],
            support_score=float("nan") if row["support_score"] is None else row["support_score"],
        )
        for row in active.iter_rows(named=True)
        for cell in [cell_of_columns(row)]
    ]
    return latent_factors(listed, study.config.learning.latent_factor, previous=known)


def trades_of(cell: ScopeCell, groups: Mapping[tuple[str, ActionCategory], TradeGroup]) -> frozenset[str]:
    """Ids of the trades of a cell."""
    group = groups[cell.pattern_key, cell.action_category]
    bits = [BIT[dimension] for dimension in dimensions_of(cell.mask)]
    codes = {bit: group.values[bit].index(value) + 1 for bit, value in zip(bits, cell.values, strict=True)}
    members = group.members(cell.mask, codes)
    return frozenset(name for name, is_in in zip(group.trade_ids, members.tolist(), strict=True) if is_in)


def _known(row: Mapping[str, object]) -> KnownFactor:
    return KnownFactor(
        factor_id=str(row["factor_id"]),
        action_category=parse_action_category(str(row["action_category"])),
        representative=str(row["representative"]),
        lesson_ids=frozenset(row["lesson_ids"]),  # type: ignore[call-overload]
    )


STEP = LearningStep(
    tables=(LearningTable(TABLE, __doc__ or ""),),
    publish=publish,
    code_version="1",
    reads=(pattern_trade_events.TABLE, learning_lessons.TABLE),
)
