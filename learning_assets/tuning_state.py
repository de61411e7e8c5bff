"""Thresholds of the buy rules, and what windows of opportunity say of them as of a day: rates, verdicts, states.

A gate that kept out what would have paid is loosened, one that let in what did not is tightened: a step at a time,
only on an interval, only where a replay of the stored episodes gains, within bounds, and back again without evidence.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from domain.learning.episode_fact import EpisodeIntake, read_episodes
from domain.learning.tuning_cell import TuningCell
from domain.learning.tuning_rate import tuning_rates
from domain.learning.tuning_state import TuningState
from domain.learning.tuning_verdict import TuningRun, judge
from domain.portfolio.gate import Gate
from domain.portfolio.strict_json import canonical_json
from domain.scopes.pattern_key import TuningFamily
from domain.scopes.scope import parse_scope, scope_mask
from learning_assets import pattern_trade_events
from learning_assets.learning_table import Day, LearningStep, LearningTable, Study
from learning_assets.table_frame import table_frame
from learning_assets.upstream import EPISODES

RATE, VERDICT, TABLE = "learning.tuning_rate", "learning.tuning_verdict", "learning.tuning_state"


def publish(study: Study) -> Iterator[dg.MaterializeResult]:
    intake = read_intake(study)
    stored = study.tables.query("tuning_states_of_last_day", (study.window.start,))
    states: Sequence[TuningState] = [stored_state(row) for row in stored.iter_rows(named=True)]
    rates: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    standing: list[dict[str, Any]] = []
    for day in study.days:
        run = judge_day(study, intake, day, states)
        states = run.states
        told = tuning_rates(intake.episodes, as_of_at=day.as_of, config=study.config.learning.tuning)
        rates += [_of_day(day, rate.row()) for rate in told]
        verdicts += [_of_day(day, each.row()) for each in run.verdicts]
        standing += [_of_day(day, state.row()) for state in states]
    refused = {"episodes": len(intake.episodes), "episodes_refused": len(intake.refused)}
    yield study.replace(RATE, table_frame(RATE, rates), metadata=refused)
    yield study.replace(VERDICT, table_frame(VERDICT, verdicts), metadata=refused)
    yield study.replace(TABLE, table_frame(TABLE, standing), metadata={**refused, "moved_thresholds": len(states)})


def read_intake(study: Study) -> EpisodeIntake:
    """Read the episodes that began before the end of the range, with the outcomes of their trades."""
    rows = study.tables.query("episodes_before", (study.window.end,))
    facts = pattern_trade_events.read_facts(study)
    return read_episodes(rows.iter_rows(named=True), facts, max_abs_rr=study.max_abs_rr)


def judge_day(study: Study, intake: EpisodeIntake, day: Day, states: Sequence[TuningState]) -> TuningRun:
    """Judge every threshold as of a day."""
    return judge(
        states,
        intake.episodes,
        as_of_at=day.as_of,
        config=study.config.learning.tuning,
        plan=study.config.plan,
        uptrend=study.config.regime.uptrend,
    )


def stored_state(row: Mapping[str, Any]) -> TuningState:
    """Read where a threshold stood."""
    scope = parse_scope(json.loads(row["scope_values"]))
    return TuningState(
        cell=TuningCell(TuningFamily(row["family"]), scope_mask(scope), tuple(scope.values())),
        gate=Gate(row["gate"]),
        multiplier=row["multiplier"],
        since=row["since"],
        fed_at=row["fed_at"],
        n_evidence=row["n_evidence"],
    )


def _of_day(day: Day, row: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: canonical_json(value) if isinstance(value, dict) else value for name, value in row.items()}
    return {**day.columns, **told}


STEP = LearningStep(
    tables=(
        LearningTable(RATE, "Episodes by decision and outcome, with rates and their intervals."),
        LearningTable(VERDICT, "What the judge said of every threshold, and by what."),
        LearningTable(TABLE, __doc__ or ""),
    ),
    publish=publish,
    code_version="1",
    reads=(EPISODES, pattern_trade_events.TABLE),
)
