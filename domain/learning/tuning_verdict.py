"""The judge: whether a threshold of the buy rules is too tight or too loose, and the one step that follows.

Of a gate g in a cell, read under the threshold that stands, from the episodes decided since it last moved:

    MR_g   successes among what g alone kept out            loosen   where its Wilson lower bound is above 0.60
    FPR_g  failures among what g let in by under one unit   tighten  where its Wilson lower bound is above 0.50

Both ask at least 33 episodes; where both hold nothing is done. A run asks dozens of thresholds, some of which pass a
bound by chance: those that do must also stand among all that were asked (`false_step_rate`). A step is 5 % of the
threshold, at most one a week, not before 33 new episodes, never beyond the bounds, and only where a replay of the
stored episodes says it pays. What was asked once is not asked again: an earlier judge counted misses without end and
ran every threshold into its clamp. A threshold that no longer has enough episodes returns to where it came from, a step
at a time.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from domain.config.plan import PlanConfig
from domain.config.tuning import TuningConfig
from domain.config.uptrend import UptrendConfig
from domain.learning.counterfactual import Counterfactual, OutcomeMeans, outcome_means, replay_step
from domain.learning.episode_fact import EpisodeFact
from domain.learning.false_discovery import benjamini_hochberg
from domain.learning.judged_gate import JudgedGate, TuningVerdict
from domain.learning.tuned_gate import Direction, TunedGate, tuned_gates
from domain.learning.tuning_cell import TuningCell, coarse_first, concluded, episodes_by_cell
from domain.learning.tuning_evidence import GateEvidence, gate_evidence
from domain.learning.tuning_rate import Rate
from domain.learning.tuning_state import Home, Key, TuningState, home_of, states_by_key
from domain.scopes.pattern_key import TuningFamily


@dataclass(frozen=True, slots=True)
class TuningRun:
    """States after a run, and what was said of every threshold, coarse cells first."""

    states: tuple[TuningState, ...]
    verdicts: tuple[JudgedGate, ...]


def judge(
    previous: Sequence[TuningState],
    episodes: Iterable[EpisodeFact],
    *,
    as_of_at: datetime,
    config: TuningConfig,
    plan: PlanConfig,
    uptrend: UptrendConfig,
) -> TuningRun:
    """Judge every threshold once: a fold over runs, from states to states.

    Parameters
    ----------
    previous : sequence of TuningState
        After the run before; none for a first run. One that the configuration no longer allows so far is taken as at
        the bound; one whose gate can no longer be tuned is dropped.
    episodes : iterable of EpisodeFact
        All that are stored, in any order. What was known only at `as_of_at` or later is not looked at.
    as_of_at : datetime
        With an offset; not before any state.
    config, plan, uptrend : TuningConfig, PlanConfig, UptrendConfig
        Rules of the judge, bounds and scales of the thresholds, the thresholds themselves.

    Returns
    -------
    TuningRun
        A verdict for every gate of every cell that has episodes or a state. States only of thresholds that have moved
        in their own cell and not returned.

    Raises
    ------
    ValueError
        If the instant has no offset or lies before a state, or a state or an episode comes twice.
    """
    cells = episodes_by_cell(episodes, as_of_at=as_of_at, config=config)
    states = states_by_key(previous)
    if any(max(state.since, state.fed_at) > as_of_at for state in previous):
        raise ValueError(f"As of {as_of_at.isoformat()} no later state is known")
    told = {cell: tuple(concluded(members, as_of_at)) for cell, members in cells.items()}
    gates = tuned_gates(plan, uptrend)
    questions = [
        _question(gate, cell, told.get(cell, ()), states, as_of_at, config)
        for cell in coarse_first({*told, *(state.cell for state in previous)})
        for gate in gates
        if gate.family is cell.family
    ]
    turn = _Turn(_means(told, as_of_at, config), as_of_at, config)
    judged = [turn.of(question, q) for question, q in zip(questions, _q_values(questions, config), strict=True)]
    return TuningRun(tuple(state for _, state in judged if state is not None), tuple(verdict for verdict, _ in judged))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """One threshold as a run finds it: where it stands and since when, and what the episodes say of it there."""

    gate: TunedGate
    cell: TuningCell
    episodes: Sequence[EpisodeFact]
    own: TuningState | None
    home: Home
    stands: float
    evidence: GateEvidence
    is_cooling: bool


def _question(
    gate: TunedGate,
    cell: TuningCell,
    episodes: Sequence[EpisodeFact],
    states: Mapping[Key, TuningState],
    as_of_at: datetime,
    config: TuningConfig,
) -> _Question:
    own, home = states.get((cell, gate.gate)), home_of(states, cell, gate.gate)
    stands = gate.bounded(home.multiplier if own is None else own.multiplier)
    since = home.since if own is None else own.since
    evidence = gate_evidence(gate, episodes, stands=stands, since=since, config=config)
    is_too_soon = since is not None and as_of_at - since < timedelta(days=config.step_days)
    if own is not None:
        is_fed = evidence.n_bearing >= config.min_episodes
        own = replace(own, multiplier=stands, fed_at=as_of_at if is_fed else own.fed_at)
    return _Question(
        gate=gate,
        cell=cell,
        episodes=episodes,
        own=own,
        home=home,
        stands=stands,
        evidence=evidence,
        is_cooling=is_too_soon or (since is not None and evidence.n_new < config.cooldown_episodes),
    )


def _q_values(questions: Sequence[_Question], config: TuningConfig) -> list[float]:
    """Return q of each question's passed bound among all that were asked; NaN where none or both are passed."""
    p = np.array([(math.nan,) * 2 if each.is_cooling else each.evidence.p_values(config) for each in questions])
    q = benjamini_hochberg(p.reshape(-1)).reshape(-1, 2)
    found = []
    for each, (q_tight, q_loose) in zip(questions, q.tolist(), strict=True):
        is_tight, is_loose = each.evidence.is_too_tight(config), each.evidence.is_too_loose(config)
        found.append(math.nan if is_tight is is_loose else q_tight if is_tight else q_loose)
    return found


@dataclass(frozen=True, slots=True)
class _Turn:
    """One run: what is the same for every threshold."""

    means: Mapping[TuningFamily, OutcomeMeans]
    at: datetime
    config: TuningConfig

    def of(self, asked: _Question, q: float) -> tuple[JudgedGate, TuningState | None]:
        """Verdict on one threshold, and its state after it; None where it has none of its own."""
        verdict, to, replayed = self._verdict(asked, q)
        judged = JudgedGate(
            cell=asked.cell,
            gate=asked.gate.gate,
            verdict=verdict,
            step_from=asked.stands,
            step_to=to,
            base=asked.gate.base,
            threshold=asked.gate.threshold(to),
            evidence=asked.evidence,
            q=q,
            replay=replayed,
        )
        return judged, self._state(judged, asked)

    def _verdict(self, asked: _Question, q: float) -> tuple[TuningVerdict, float, Counterfactual | None]:
        """Return the verdict, where the threshold then stands, and the replay that was asked."""
        gate, stands = asked.gate, asked.stands
        if asked.own is not None and self._is_starved(asked.own):
            return TuningVerdict.RETURNED, gate.returned(stands, asked.home.multiplier, self.config), None
        direction = self._direction(asked, q)
        if not isinstance(direction, Direction):
            return direction, stands, None
        to = gate.stepped(stands, direction, self.config)
        if to == stands:
            return TuningVerdict.AT_BOUND, stands, None
        means = self.means[gate.family]
        replayed = replay_step(gate, asked.episodes, before=stands, after=to, means=means, as_of_at=self.at)
        if not replayed.is_better:
            is_unknown = replayed.gain_rr is None
            return (TuningVerdict.RR_UNKNOWN if is_unknown else TuningVerdict.NO_GAIN), stands, replayed
        return _MOVED[direction], to, replayed

    def _direction(self, asked: _Question, q: float) -> Direction | TuningVerdict:
        config, evidence = self.config, asked.evidence
        if asked.is_cooling:
            return TuningVerdict.COOLING
        is_tight, is_loose = evidence.is_too_tight(config), evidence.is_too_loose(config)
        if is_tight and is_loose:
            return TuningVerdict.CONTRADICTION
        if is_tight or is_loose:
            if q > config.false_step_rate:
                return TuningVerdict.CHANCE
            return Direction.LOOSEN if is_tight else Direction.TIGHTEN
        most = max(evidence.miss.n, evidence.false_positive.n)
        return TuningVerdict.TOO_FEW if most < config.min_episodes else TuningVerdict.WITHIN

    def _is_starved(self, own: TuningState) -> bool:
        week = timedelta(days=self.config.step_days)
        return self.at - own.fed_at >= self.config.return_runs * week and self.at - own.since >= week

    def _state(self, judged: JudgedGate, asked: _Question) -> TuningState | None:
        if judged.verdict is TuningVerdict.RETURNED and asked.own is not None:
            is_home = judged.step_to == asked.home.multiplier
            return None if is_home else replace(asked.own, multiplier=judged.step_to, since=self.at)
        if judged.verdict not in _MOVED.values():
            return asked.own
        said = asked.evidence
        rate: Rate = said.miss if judged.verdict is TuningVerdict.LOOSENED else said.false_positive
        return TuningState(
            cell=judged.cell,
            gate=judged.gate,
            multiplier=judged.step_to,
            since=self.at,
            fed_at=self.at,
            n_evidence=rate.n,
        )


_MOVED = {Direction.LOOSEN: TuningVerdict.LOOSENED, Direction.TIGHTEN: TuningVerdict.TIGHTENED}


def _means(
    told: Mapping[TuningCell, Sequence[EpisodeFact]], as_of_at: datetime, config: TuningConfig
) -> dict[TuningFamily, OutcomeMeans]:
    """Mean outcomes of each family, over all of its cells."""
    episodes = {each.episode_id: each for members in told.values() for each in members}
    return {
        family: outcome_means(
            (each for each in episodes.values() if each.family is family), as_of_at=as_of_at, config=config
        )
        for family in TuningFamily
    }
