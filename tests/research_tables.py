"""Days of the lesson builder as tables hold them, and runs of the research layer over them: a real Postgres, no run of
Dagster, a given time."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import polars as pl

from domain.config.pm_config import effective_config
from domain.learning.research_digest import DigestCell
from domain.learning.scope_cell import cell_columns
from domain.learning.trade_fact import TradeFact
from domain.learning.trade_fact_row import fact_row
from domain.vocabulary.window import Window
from learning_assets import learning_lessons, llm_learning, pattern_trade_events
from learning_assets.learning_table import Study
from learning_assets.table_frame import table_frame
from resources.stamp import Stamp
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.domain.learning.research_days import cell

DAY = timedelta(days=1)
MIDNIGHT = datetime(2025, 3, 1, tzinfo=UTC)
CHECKS = {each.table: each.checks for each in llm_learning.STEP.tables}
LEARNING = Tables(role=DatabaseRole.LEARNING.value)
OF_THE_MAKING = ("run_id", "computed_at")


def store(table: str, number: int, rows: Iterable[dict[str, Any]], tables: Tables = LEARNING) -> None:
    """Let these be the rows of a day."""
    frame = table_frame(table, rows)
    if table != pattern_trade_events.TABLE:
        frame = frame.with_columns(config_version=pl.lit(1, dtype=pl.Int64))
    known = {column.name for column in tables.table(table).columns}
    window = Window(MIDNIGHT + number * DAY, MIDNIGHT + (number + 1) * DAY)
    tables.replace(
        table, window, frame.select(*(each for each in frame.columns if each in known)), stamp=Stamp("test", "1")
    )


def store_day(
    number: int, *asked: DigestCell, lessons: Iterable[DigestCell] = (), tables: Tables = LEARNING, **changed: Any
) -> None:
    """Let the lesson builder have asked about these cells on a day, and believe these; a tested cell unless said."""
    at = {"timestamp": MIDNIGHT + number * DAY, "as_of": MIDNIGHT + (number + 1) * DAY}
    counts = dict.fromkeys(
        ("n_trades_without_rr", "n_parked", "n_groups", "cells_found", "cells_mined", "cells_cut"), 0
    )
    counts |= {"n_facts": 80, "n_trades": 80, "n_hypotheses": 1, "n_promoted": 0, "n_retired": 0}
    run = {
        "promotion": "honest",
        "verdicts": '{"not_significant":1}',
        "baseline_rr": 0.1,
        "input_hash": f"facts {number}",
    }
    store(learning_lessons.RUN, number, [at | counts | run | changed], tables)
    store(learning_lessons.HYPOTHESIS, number, [_hypothesis(each) | at for each in asked or (cell(),)], tables)
    store(learning_lessons.TABLE, number, [_lesson(each, at["timestamp"]) | at for each in lessons], tables)


def store_facts(number: int, facts: Iterable[TradeFact]) -> None:
    """Let these trades have closed on a day."""
    rows = [
        fact_row(replace(each, action_id=_hex(each.action_id), closed_strand_id=_hex(each.trade_id))) for each in facts
    ]
    store(pattern_trade_events.TABLE, number, rows)


def research(
    first: int, last: int | None = None, *, at: datetime | None = None, tables: Tables = LEARNING, **config: Any
) -> dict[str, Any]:
    """Run the asset over days, as of an hour after the last unless said, and give what it tells."""
    end = MIDNIGHT + ((first if last is None else last) + 1) * DAY
    study = Study(
        window=Window(MIDNIGHT + first * DAY, end),
        now=at or end + timedelta(hours=1),
        tables=tables,
        config=effective_config({"learning": {"research": config}}),
        config_version=1,
        stamp=Stamp("test", "1"),
        checks=CHECKS,
    )
    (result,) = llm_learning.publish(study)
    assert isinstance(result, dg.MaterializeResult)
    return dict(result.metadata or {})


def notes(number: int | None = None, tables: Tables = LEARNING) -> list[dict[str, Any]]:
    """Stored notes, by day, level, model and id, without what tells one run from another."""
    frame = tables.read(llm_learning.TABLE, Window(MIDNIGHT - 999 * DAY, MIDNIGHT + 999 * DAY)).drop(OF_THE_MAKING)
    if number is not None:
        frame = frame.filter(pl.col("timestamp") == MIDNIGHT + number * DAY)
    return frame.sort("timestamp", "level", "model_id", "id").to_dicts()


def everything_else() -> dict[str, str]:
    """Digest of every table of the database but that of the notes, its stamps too."""
    with connect(DatabaseRole.OWNER) as owner:
        names = owner.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
            " AND table_schema NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        digest = "SELECT count(*) || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} AS t"
        return {
            name: owner.execute(digest.format(name).encode()).fetchone()[0]
            for (name,) in names
            if name != llm_learning.TABLE
        }


def _hypothesis(each: DigestCell) -> dict[str, Any]:
    numbers = ("n_trades", "effect_rr", "effect_low", "effect_high", "p_value", "oos_p_value", "verdict")
    absent = ("n_clusters", "parent_mask", "parent_values", "q_value", "oos_trades", "oos_effect_rr", "edge_raw")
    told = {name: getattr(each, name) for name in numbers} | dict.fromkeys((*absent, "explained_by"))
    return cell_columns(each.cell) | told | {"edge_used": each.edge}


def _lesson(each: DigestCell, at: datetime) -> dict[str, Any]:
    columns = {column.name: None for column in LEARNING.table(learning_lessons.TABLE).columns if column.nullable}
    days = dict.fromkeys(("born_on", "promoted_on", "measured_on"), at.date())
    numbers = dict.fromkeys(("avg_rr", "median_rr", "avg_rr_shrunk", "variance_rr", "win_rate_frac"), 0.5)
    words = {"module": "pm", "lesson_type": "pm_strength", "status": "active", "promotion": "honest"}
    counts = {"missed_runs": 0, "n_retirements": 0, "n_actions": each.n_trades, "n_wins": 1, "decay_mult": 1.0}
    told = {
        name: value
        for name, value in _hypothesis(each).items()
        if name not in ("verdict", "n_clusters", "explained_by")
    }
    more = {"lesson_id": _hex(each.name), "decay_state": "insufficient"}
    extra = {"is_representative": True}
    return columns | days | numbers | words | counts | told | more | extra


def _hex(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
