"""Overrides: what was learned of the size of a buy and of its gates, in versioned sets, each with a life of its own.

    proposed -> shadow (watched, without effect) -> live -> expired | revoked

A day's set stands on the set of the day before, so a set made again is the same set. Of live trades the set of today
becomes the one the runtime reads, unless a person holds another; of a replay each set counts from the instant it knows.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg
import polars as pl
import psycopg

from domain.config.override import OverrideConfig
from domain.learning.edge_decay import DecayState
from domain.learning.lesson_state import LessonStanding
from domain.learning.override import LessonEvidence, WantedOverrides, wanted_overrides
from domain.learning.override_evidence import guardrail_verdicts
from domain.learning.override_life_cycle import LifeCycle, advance
from domain.learning.override_record import OverrideRecord
from domain.learning.scope_cell import cell_of_columns
from domain.learning.trade_fact import TradeFact
from domain.learning.tuning_override import tuning_overrides
from domain.portfolio.strict_json import canonical_json
from domain.vocabulary.lesson_type import LessonType
from learning_assets import (
    learning_latent_factors,
    learning_lessons,
    learning_regime_weights,
    pattern_trade_events,
    tuning_state,
)
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.override_store import Making, NewSet, make_live, newest_set, revocations, store_set
from learning_assets.regime_edges import RegimeEdges
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
        yield dg.MaterializeResult(asset_key=asset_key(table), metadata={ROWS_WRITTEN: rows[table], **told})


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
        active = lessons.filter(_is_active())["timestamp"]
        learned = frozenset(runs["timestamp"]) - (frozenset(active) - frozenset(factors["timestamp"]))
        facts = pattern_trade_events.read_facts(study.tables, study.window.end)
        is_served = study.config.learning.regime_weight.is_served
        regime = RegimeEdges.of(study, facts) if is_served else None
        return cls(learned, frozenset(verdicts["timestamp"]), facts, lessons, factors, thresholds, regime)


def make_set(study: Study, session: psycopg.Connection, day: Day, read: Read) -> DaySet:
    """Make the set of one day from the one before it and what the day learned."""
    previous, revoked = newest_set(session, day.midnight), revocations(session, day.midnight)
    lessons = read.lessons.filter(pl.col("timestamp") == day.midnight)
    factors = read.factors.filter(pl.col("timestamp") == day.midnight)
    active, retired = _evidence(lessons, _speakers(factors, previous))
    if read.regime is not None:
        rows = {row["lesson_id"]: row for row in lessons.iter_rows(named=True)}
        active = [read.regime.served(day, each, rows[each.lesson_id]) for each in active]
    states = [
        tuning_state.stored_state(row)
        for row in read.thresholds.filter(pl.col("timestamp") == day.midnight).iter_rows(named=True)
    ]
    tuned = tuning_overrides(states, config=study.config.learning.tuning, standing=[record.key for record in previous])
    config = study.config.learning.override
    # Those of most episodes first: of 0 rows, which is how a person switches learning off, none is left.
    thresholds = sorted(tuned.wanted, key=lambda each: (-each.n_trades, each.key))[: config.max_rows]
    withdrawn = tuned.withdrawn if day.midnight in read.judged else frozenset()
    sizes = wanted_overrides(active, _with_room_for(config, len(thresholds)))
    facts = [fact for fact in read.facts if fact.closed_at < day.as_of]
    verdicts = guardrail_verdicts(
        [(record.override, record.proposed_at) for record in previous if record.override.edge is not None],
        facts,
        as_of_at=day.as_of,
        max_abs_rr=study.config.portfolio.trade_outcome.max_abs_rr,
        config=config.guardrail,
    )
    cycle = advance(
        previous,
        [*sizes.overrides, *thresholds],
        verdicts,
        as_of_at=day.as_of,
        retired=retired | withdrawn,
        revoked_at=revoked,
        config=config,
    )
    by = Making(
        run_id=study.stamp.run_id,
        made_at=study.stamp.computed_at,
        code_version=study.stamp.code_version,
        config_version=study.config_version,
    )
    new = NewSet(as_of=day.as_of, input_hash=_hash(previous, cycle), records=cycle.records, steps=cycle.steps)
    set_id, is_new = store_set(session, new, by)
    is_today = day.midnight <= study.now < day.midnight + timedelta(days=1)
    reason = f"learned as of {day.as_of.isoformat()}"
    is_live = (is_today or not study.is_live) and make_live(
        session, set_id, at=study.stamp.computed_at if study.is_live else day.as_of, reason=reason
    )
    return DaySet(day, set_id, is_new, is_live, sizes, cycle)


def _with_room_for(config: OverrideConfig, n_thresholds: int) -> OverrideConfig:
    """Caps of the sizes, so that tuned thresholds fit into the set beside them."""
    return config.model_copy(update={"max_rows": config.max_rows - n_thresholds})


def _is_active() -> pl.Expr:
    return (pl.col("lesson_type") == LessonType.PM_STRENGTH.value) & (pl.col("status") == LessonStanding.ACTIVE.value)


def _speakers(factors: pl.DataFrame, previous: Sequence[OverrideRecord]) -> frozenset[str]:
    """Lesson of each factor that may make an override: one whose override stands already, else the representative.

    Of two lessons about the same trades now the one, now the other has the larger edge. Were each day's representative
    taken, the override of the one before would act beside it until it expires.
    """
    standing = {each.key.lesson_id: each.proposed_at for each in previous if each.override.edge is not None}
    return frozenset(
        min((each for each in members if each in standing), key=lambda each: (standing[each], each), default=first)
        for first, members in factors.select("representative", "lesson_ids").iter_rows()
    )


def _evidence(lessons: pl.DataFrame, speakers: frozenset[str]) -> tuple[list[LessonEvidence], frozenset[str]]:
    """Lessons that can make an override, and the ids of those that are retired; of a factor only who speaks for it."""
    sizes = lessons.filter(pl.col("lesson_type") == LessonType.PM_STRENGTH.value)
    retired = sizes.filter(pl.col("status") == LessonStanding.RETIRED.value)["lesson_id"]
    active = sizes.filter(_is_active() & (pl.col("missed_runs") == 0) & pl.col("lesson_id").is_in(sorted(speakers)))
    evidence = [
        LessonEvidence(
            lesson_id=row["lesson_id"],
            cell=cell_of_columns(row),
            n_trades=row["n_trades"],
            edge_raw=row["edge_raw"],
            edge_used=row["edge_used"],
            support_score=row["support_score"],
            reliability_score=row["reliability_score"],
            decay_mult=row["decay_mult"],
            decay_state=DecayState(row["decay_state"]),
            half_life_hours=row["half_life_hours"],
        )
        for row in active.iter_rows(named=True)
    ]
    return evidence, frozenset(retired)


def _hash(previous: Sequence[OverrideRecord], cycle: LifeCycle) -> str:
    """Hash of the set before and of what it became: the same input as of the same instant is the same set."""
    text = canonical_json(
        {
            "before": [_words(record) for record in previous],
            "after": [_words(record) for record in cycle.records],
            "steps": [[step.key.lesson_id, step.key.lever.value, step.to_state.value] for step in cycle.steps],
        }
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _words(record: OverrideRecord) -> dict[str, object]:
    row = record.row()
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


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
