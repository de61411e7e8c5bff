"""Overrides: what was learned of the size of a buy and of its gates, in versioned sets, each with a life of its own.

    proposed -> shadow (watched, without effect) -> live -> expired | revoked

A day's set stands on the set of the day before, so a set made again is the same set. Of live trades the set of today
becomes the one the runtime reads, unless a person holds another; of a replay each set counts from the instant it knows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg
import polars as pl
import psycopg

from domain.learning.factor_speaker import factor_speakers
from domain.learning.lesson_state import LessonStanding
from domain.learning.override import LessonEvidence, WantedOverrides
from domain.learning.override_day import OverrideDay, override_day
from domain.learning.override_life_cycle import LifeCycle
from domain.learning.trade_fact import TradeFact
from learning_assets import (
    learning_latent_factors,
    learning_lessons,
    learning_regime_weights,
    pattern_trade_events,
    tuning_state,
)
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.lesson_row import lesson_evidence, sizes_of
from learning_assets.override_store import Making, NewSet, make_live, newest_set, revocations, store_set
from learning_assets.regime_edges import RegimeEdges
from resources.page_link import page_link
from resources.table_asset import ROWS_WRITTEN, asset_key

SET, TABLE, STEP_TABLE = "learning.override_set", "learning.pm_overrides", "learning.override_step"
SHOWN = 20


@dataclass(frozen=True)
class DaySet:
    """What came of one day: the set, whether it was stored anew, and what it has that the one before had not."""

    day: Day
    set_id: int
    is_new: bool
    is_live: bool
    wanted: WantedOverrides
    cycle: LifeCycle


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    read = Read.of(study)
    with study.tables.session() as session:
        made = [make_set(study, session, day, read) for day in study.days if day.midnight in read.learned]
    told = {**_told(made), "days_without_lessons_made": len(study.days) - len(made)}
    rows = {SET: len(made), STEP_TABLE: sum(len(each.cycle.steps) for each in made if each.is_new)}
    rows[TABLE] = sum(len(each.cycle.records) for each in made if each.is_new)
    for table in (SET, STEP_TABLE, TABLE):
        link = page_link(table, min(study.window.end, study.now))
        yield dg.MaterializeResult(asset_key=asset_key(table), metadata={ROWS_WRITTEN: rows[table], **link, **told})


@dataclass(frozen=True)
class Read:
    """What the days of a range share: facts, and what each day learned of sizes, regimes and thresholds.

    learned: days that lessons and their factors were made of. Of another nothing is known, so no set is made: it would
    take back what stands. judged: days that thresholds were judged on; of another no threshold is taken back.
    """

    learned: frozenset[datetime]
    judged: frozenset[datetime]
    facts: Sequence[TradeFact]
    lessons: pl.DataFrame
    factors: pl.DataFrame
    thresholds: pl.DataFrame
    regime: RegimeEdges | None

    @classmethod
    def of(cls, study: Study) -> "Read":
        """Read a range."""
        runs, lessons, factors, verdicts, thresholds = (
            study.tables.read(table, study.window)
            for table in (
                *(learning_lessons.RUN, learning_lessons.TABLE, learning_latent_factors.TABLE),
                *(tuning_state.VERDICT, tuning_state.TABLE),
            )
        )
        active = sizes_of(lessons, LessonStanding.ACTIVE)["timestamp"]
        learned = frozenset(runs["timestamp"]) - (frozenset(active) - frozenset(factors["timestamp"]))
        facts = pattern_trade_events.read_facts(study)
        is_served = study.config.learning.regime_weight.is_served
        regime = RegimeEdges.of(study, facts) if is_served else None
        return cls(learned, frozenset(verdicts["timestamp"]), facts, lessons, factors, thresholds, regime)


def make_set(study: Study, session: psycopg.Connection, day: Day, read: Read) -> DaySet:
    """Make the set of one day from the one before it and what the day learned."""
    previous = newest_set(session, day.midnight)
    lessons = day.rows_of(read.lessons)
    made = override_day(
        previous,
        _evidence(day, lessons, factor_speakers(_members(day.rows_of(read.factors)), previous), read.regime),
        [tuning_state.stored_state(row) for row in day.rows_of(read.thresholds).iter_rows(named=True)],
        read.facts,
        as_of_at=day.as_of,
        retired=frozenset(sizes_of(lessons, LessonStanding.RETIRED)["lesson_id"]),
        is_judged=day.midnight in read.judged,
        revoked_at=revocations(session, day.midnight),
        config=study.config.learning,
        max_abs_rr=study.max_abs_rr,
    )
    set_id, is_new = _stored(study, session, day, made)
    is_today = day.midnight <= study.now < day.midnight + timedelta(days=1)
    reason = f"learned as of {day.as_of.isoformat()}"
    is_live = (is_today or not study.is_live) and make_live(
        session, set_id, at=study.stamp.computed_at if study.is_live else day.as_of, reason=reason
    )
    return DaySet(day, set_id, is_new, is_live, made.sizes, made.cycle)


def _stored(study: Study, session: psycopg.Connection, day: Day, made: OverrideDay) -> tuple[int, bool]:
    by = Making(
        run_id=study.stamp.run_id,
        made_at=study.stamp.computed_at,
        code_version=study.stamp.code_version,
        config_version=study.config_version,
    )
    cycle = made.cycle
    new = NewSet(as_of=day.as_of, input_hash=made.input_hash, records=cycle.records, steps=cycle.steps)
    return store_set(session, new, by)


def _members(factors: pl.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Tell the representative and the lessons of each factor."""
    return factors.select("representative", "lesson_ids").iter_rows()


def _evidence(
    day: Day, lessons: pl.DataFrame, speakers: frozenset[str], regime: RegimeEdges | None
) -> list[LessonEvidence]:
    """Lessons of a day that can make an override, as its regime has them where it is served."""
    active = sizes_of(lessons, LessonStanding.ACTIVE)
    found_again = active.filter(pl.col("missed_runs") == 0, pl.col("lesson_id").is_in(sorted(speakers)))
    rows = {row["lesson_id"]: row for row in found_again.iter_rows(named=True)}
    evidence = [lesson_evidence(row) for row in rows.values()]
    return evidence if regime is None else regime.served(day, evidence, rows)


def _told(made: Sequence[DaySet]) -> dict[str, object]:
    """Say what the newest set changed, for the asset's page."""
    if not made:
        return {"sets": 0}
    last = made[-1]
    diff = last.cycle.diff
    return {
        "sets": len(made),
        "newest_set": last.set_id,
        "as_of": last.day.as_of.isoformat(),
        "became_live": last.is_live,
        "overrides": len(last.cycle.records),
        "live_overrides": len(last.cycle.live),
        "added": [str(key) for key in diff.added[:SHOWN]],
        "changed": {str(each.key): f"{each.before:.3f} -> {each.after:.3f}" for each in diff.changed[:SHOWN]},
        "retired": {str(key): reason.value for key, reason in diff.retired[:SHOWN]},
        "left_out": {str(each.lesson_id): each.reason.value for each in last.wanted.left_out[:SHOWN]},
    }


STEP = LearningStep(
    tables=(
        LearningTable(SET, "A version of the learned overrides; never changed."),
        LearningTable(STEP_TABLE, "Every step in the life of an override. Append-only."),
        LearningTable(TABLE, __doc__ or ""),
    ),
    publish=publish,
    code_version="1",
    reads=(
        *(pattern_trade_events.TABLE, learning_lessons.RUN, learning_lessons.TABLE, learning_latent_factors.TABLE),
        *(learning_regime_weights.TABLE, tuning_state.VERDICT, tuning_state.TABLE, "regime.ae_score"),
    ),
)
