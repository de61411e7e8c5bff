"""What the episodes say of one threshold where it stands: how often it missed, how often it was wrong to let in.

    MR_g   successes among what the gate alone kept out
    FPR_g  failures among what it let in by under one unit, which a tightening would have kept out

How sure a rate is above a bar is asked with the score test, whose p is at most 0.05 exactly where the lower bound of
the two-sided 90 % Wilson interval is not below the bar.

References
----------
Wilson (1927), Probable inference, the law of succession, and statistical inference.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scipy.special import ndtr

from domain.config.tuning import TuningConfig
from domain.learning.episode_fact import EpisodeFact
from domain.learning.tuned_gate import TunedGate, bearings
from domain.learning.tuning_rate import Rate


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """Rates of one gate in one cell.

    miss, false_positive: MR_g and FPR_g of the episodes decided since the threshold moved. n_bearing: episodes of the
    whole lookback in either, moved or not. n_new: concluded episodes of the cell decided since it moved.
    """

    miss: Rate
    false_positive: Rate
    n_bearing: int
    n_new: int

    def is_too_tight(self, config: TuningConfig) -> bool:
        """Whether the lower bound of MR_g is above its bar, of enough episodes."""
        return self.miss.is_above(config.loosen_above, config.min_episodes)

    def is_too_loose(self, config: TuningConfig) -> bool:
        """Whether the lower bound of FPR_g is above its bar, of enough episodes."""
        return self.false_positive.is_above(config.tighten_above, config.min_episodes)

    def p_values(self, config: TuningConfig) -> tuple[float, float]:
        """Return p of MR_g and of FPR_g being no higher than their bars; NaN where there are too few episodes."""
        return (
            _p_of_enough(self.miss, config.loosen_above, config),
            _p_of_enough(self.false_positive, config.tighten_above, config),
        )


def gate_evidence(
    gate: TunedGate,
    episodes: Sequence[EpisodeFact],
    *,
    stands: float,
    since: datetime | None,
    config: TuningConfig,
) -> GateEvidence:
    """Evidence of a cell's episodes on one threshold.

    Parameters
    ----------
    gate : TunedGate
        Whose threshold it is.
    episodes : sequence of EpisodeFact
        Concluded ones of the cell, in the lookback.
    stands : float
        Multiplier the threshold stands at: episodes are on the side they would be on now.
    since : datetime or None
        As of when it came there; earlier decisions had their say already. None where it never moved.
    config : TuningConfig
        Level of the intervals, reach of what was barely let in.
    """
    near = [each for each in bearings(gate, episodes, stands) if each.margin < config.near_margin]
    fresh = [each for each in near if is_since(each.episode, since)]
    missed = [each.episode.is_success for each in fresh if not each.is_let_in]
    wrong = [not each.episode.is_success for each in fresh if each.is_let_in]
    return GateEvidence(
        miss=Rate.of(sum(missed), len(missed), config.interval_level),
        false_positive=Rate.of(sum(wrong), len(wrong), config.interval_level),
        n_bearing=len(near),
        n_new=sum(is_since(each, since) for each in episodes),
    )


def is_since(episode: EpisodeFact, since: datetime | None) -> bool:
    """Whether an episode was decided at an instant or later; every one is where there is none."""
    return since is None or (episode.decided_at is not None and episode.decided_at >= since)


def p_above(rate: Rate, bar: float) -> float:
    """One-sided p of the score test of a rate being no higher than a bar: Phi(-(rate - bar) / sqrt(bar (1 - bar) / n)).

    Returns
    -------
    float
        0..1; NaN of no episodes.

    >>> [round(p_above(Rate.of(k, 33, 0.90), 0.60), 4) for k in (24, 25)]
    [0.0678, 0.0323]
    """
    if rate.rate is None:
        return math.nan
    return float(ndtr(-(rate.rate - bar) / math.sqrt(bar * (1.0 - bar) / rate.n)))


def _p_of_enough(rate: Rate, bar: float, config: TuningConfig) -> float:
    return p_above(rate, bar) if rate.n >= config.min_episodes else math.nan
