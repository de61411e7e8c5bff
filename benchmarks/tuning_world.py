"""Simulated windows of opportunity for the judge: what they were worth is known, because it was made so.

A window has a trend strength and a distance (S1) or a discount (S3), and a scope: one of two timeframes and buckets. It
is bought where all gates are open, under the thresholds the runtime would make of what the judge decided so far: states
to overrides, overrides to a compiled set, the set to multipliers, as in a tick.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from domain.config.plan import PlanConfig
from domain.config.portfolio import MaskWeightConfig
from domain.config.tuning import TuningConfig
from domain.config.uptrend import UptrendConfig
from domain.learning.episode_fact import EpisodeFact
from domain.learning.judged_gate import JudgedGate
from domain.learning.tuned_gate import TunedGate, tuned_gates
from domain.learning.tuning_override import tuned_pattern, tuning_overrides
from domain.learning.tuning_state import TuningState
from domain.learning.tuning_verdict import TuningRun, judge
from domain.portfolio.episode import EpisodeDecision, EpisodeOutcome
from domain.portfolio.gate import Gate, GateReading, fact, measured
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.pm_strength import StrengthRequest, pm_strengths
from domain.scopes.pattern_key import TuningFamily
from domain.scopes.scope import Scope
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe

START = datetime(2025, 1, 6, tzinfo=UTC)
WEEK, HOUR = timedelta(days=7), timedelta(hours=1)
CONFIG, PLAN, UPTREND = TuningConfig(), PlanConfig(), UptrendConfig()
GATES = tuned_gates(PLAN, UPTREND)
SCOPES: tuple[Scope, ...] = tuple(
    {ScopeDimension.MCAP_BUCKET: bucket, ScopeDimension.TIMEFRAME: timeframe}
    for bucket in ("nano", "micro")
    for timeframe in ("1h", "4h")
)
MIDDLE = {Gate.TREND_STRENGTH: (0.60, 0.08), Gate.NEAR_EMA60: (0.9, 0.3), Gate.DISCOUNTED: (0.60, 0.08)}
"""Mean and spread of what each gate measures at the bar nearest to a buy."""

Chance = Callable[[dict[Gate, float]], float]
"""Probability of success of a window, from what its gates measured."""


@dataclass(slots=True)
class TuningWorld:
    """Weeks of windows, one after the other, under what the judge decided before.

    chance: what success depends on. weekly: windows of a family and week. others_open: share of windows in which no
    gate but the tuned ones is shut.
    """

    chance: Chance
    seed: int
    weekly: int = 120
    others_open: float = 0.8
    families: tuple[TuningFamily, ...] = tuple(TuningFamily)
    config: TuningConfig = CONFIG
    episodes: list[EpisodeFact] = field(default_factory=list)
    states: tuple[TuningState, ...] = ()
    runs: list[TuningRun] = field(default_factory=list)

    def play(self, n_weeks: int) -> "TuningWorld":
        """Play some weeks, each judged at its end."""
        for _ in range(n_weeks):
            week = len(self.runs)
            rng = np.random.default_rng([self.seed, week])
            at = START + week * WEEK
            for family in self.families:
                self.episodes += self._windows(family, at, in_force(self.states, family, at), rng)
            run = judge(self.states, self.episodes, as_of_at=at + WEEK, config=self.config, plan=PLAN, uptrend=UPTREND)
            self.runs.append(run)
            self.states = run.states
        return self

    def path(self, family: TuningFamily, gate: Gate) -> list[float]:
        """Multiplier of one gate in the coarsest cell after each run."""
        return [judged_root(run, family, gate).step_to for run in self.runs]

    def farthest(self) -> float:
        """Return how many steps up or down the farthest threshold of any cell ever stood from its base."""
        moved = (abs(math.log(each.step_to)) for run in self.runs for each in run.verdicts)
        return max(moved) / -math.log1p(-self.config.step_frac)

    def _windows(
        self, family: TuningFamily, at: datetime, forces: Sequence[dict[Gate, float]], rng: np.random.Generator
    ) -> Iterator[EpisodeFact]:
        gates = [each for each in GATES if each.family is family]
        for number in range(self.weekly):
            place = int(rng.integers(len(SCOPES)))
            values = {each.gate: abs(float(rng.normal(*MIDDLE[each.gate]))) for each in gates}
            readings = [reading(each, values[each.gate], forces[place][each.gate]) for each in gates]
            readings.append(fact(Gate.LEVER_A, bool(rng.random() < self.others_open)))
            is_success = bool(rng.random() < self.chance(values))
            rr = float(rng.uniform(0.2, 2.0)) * (1.0 if is_success else -1.0)
            yield window(
                f"{family}-{at:%Y%m%d}-{number:04}",
                readings,
                is_success=is_success,
                rr=rr,
                family=family,
                started_at=at + float(rng.uniform(0, 160)) * HOUR,
                hours=float(rng.uniform(3, 96)),
                scope=SCOPES[place],
            )


def in_force(states: Sequence[TuningState], family: TuningFamily, at: datetime) -> list[dict[Gate, float]]:
    """Multiplier of every gate of a family in each of SCOPES, as the runtime makes it of the overrides."""
    wanted = tuning_overrides(states, config=CONFIG).wanted
    rows = [each.row(at + 2 * WEEK) | {"override_id": number} for number, each in enumerate(wanted)]
    compiled = compile_overrides(rows, at)
    if compiled.refused:
        raise ValueError(f"Expected overrides that are believed, was {compiled.refused[0]}")
    pattern = str(tuned_pattern(family))
    asked = [StrengthRequest(pattern_key=pattern, category=ActionCategory.ENTRY, scope=scope) for scope in SCOPES]
    panel = pm_strengths(compiled, asked, as_of=at, weights=MaskWeightConfig())
    gates = [each for each in GATES if each.family is family]
    return [{each.gate: float(panel.multiplier[each.lever][place]) for each in gates} for place in range(len(SCOPES))]


def reading(gate: TunedGate, value: float, multiplier: float = 1.0) -> GateReading:
    """Return the reading of a tuned gate at a bar that does not move its threshold."""
    threshold = gate.threshold(multiplier)
    room = threshold - value if gate.opens_upwards else value - threshold
    return measured(
        gate.gate,
        value=value,
        threshold_base=gate.base,
        threshold=threshold,
        passed=room >= 0,
        margin=room / gate.scale,
    )


def window(
    name: str,
    gates: Sequence[GateReading],
    *,
    is_success: bool,
    rr: float | None,
    family: TuningFamily,
    started_at: datetime,
    hours: float = 24.0,
    scope: Scope = SCOPES[0],
) -> EpisodeFact:
    """Make a concluded window, decided an hour after it began: acted where all gates are open, its trade closed."""
    is_acted = all(gate.passed for gate in gates)
    outcome_at = started_at + hours * HOUR
    has_rr = is_acted and rr is not None
    return EpisodeFact(
        episode_id=name,
        family=family,
        timeframe=Timeframe.H1,
        started_at=started_at,
        decision=EpisodeDecision.ACTED if is_acted else EpisodeDecision.SKIPPED,
        decided_at=started_at + HOUR,
        gates=tuple(gates),
        scope=tuple(scope.items()),
        trade_id=f"trade of {name}" if is_acted else None,
        outcome=EpisodeOutcome.SUCCESS if is_success else EpisodeOutcome.FAILURE,
        outcome_at=outcome_at,
        rr=rr if has_rr else None,
        rr_known_at=outcome_at + HOUR if has_rr else None,
    )


def judged_root(run: TuningRun, family: TuningFamily, gate: Gate) -> JudgedGate:
    """Verdict of a run on one gate in the coarsest cell."""
    return next(
        each for each in run.verdicts if each.cell.mask == 0 and each.cell.family is family and each.gate is gate
    )


def right_at(gate: Gate, threshold: float, *, above: float = 0.85, below: float = 0.15) -> Chance:
    """Success where what one gate measures is on the good side of the right threshold, whatever is configured."""
    is_halo = gate is Gate.NEAR_EMA60

    def chance(values: dict[Gate, float]) -> float:
        if gate not in values:
            return 0.55
        return above if (values[gate] <= threshold if is_halo else values[gate] >= threshold) else below

    return chance


def coin(share: float) -> Chance:
    """Success that depends on nothing."""
    return lambda _: share
