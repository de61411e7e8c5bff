"""What a step of a threshold would have made of the stored episodes: an estimate, in R an episode.

Formula: gain = (sum of rr over those it would let in - sum of rr over those it would shut out) / n

n are all concluded episodes of the cell: what is not bought makes 0 R. An episode that was bought counts with the rr of
its trade. One that was not has none, nor has one whose trade is open or has no rr: it counts with the mean rr of the
bought ones of the family that ended as it did, success or failure, and is counted as estimated. Where fewer than
`min_rr_episodes` of these have an rr there is no such mean, hence no gain: what is not known is not 0.

That is optimistic where what was left out would have ended less well than what was bought, with the same outcome. A
trade stands behind several episodes if it was added to; each bears its rr.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.config.tuning import TuningConfig
from domain.learning.episode_fact import EpisodeFact
from domain.learning.tuned_gate import TunedGate, bearings


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeMeans:
    """Mean rr of the bought episodes of a family that succeeded, and of those that failed; None where too few have one.

    n_success, n_failure: episodes behind them.
    """

    success: float | None
    failure: float | None
    n_success: int
    n_failure: int

    def of(self, episode: EpisodeFact) -> float | None:
        """Mean of an episode's outcome."""
        return self.success if episode.is_success else self.failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """What would have become of the episodes of one cell. n: those concluded.

    n_let_in, n_shut_out: episodes that change sides; n_estimated of them have no rr of their own. rr_let_in,
    rr_shut_out: R, added up; gain_rr: R an episode. All three are None where an episode needs a mean that is not known.
    """

    n: int
    n_let_in: int
    n_shut_out: int
    n_estimated: int
    rr_let_in: float | None
    rr_shut_out: float | None
    gain_rr: float | None

    @property
    def is_better(self) -> bool:
        """Whether it is known to be better than to stay."""
        return self.gain_rr is not None and self.gain_rr > 0

    def to_json(self) -> Mapping[str, float | int | None]:
        """Return it as JSON stores it."""
        return {
            "n": self.n,
            "n_let_in": self.n_let_in,
            "n_shut_out": self.n_shut_out,
            "n_estimated": self.n_estimated,
            "rr_let_in": self.rr_let_in,
            "rr_shut_out": self.rr_shut_out,
            "gain_rr": self.gain_rr,
        }


def outcome_means(episodes: Iterable[EpisodeFact], *, as_of_at: datetime, config: TuningConfig) -> OutcomeMeans:
    """Mean rr by outcome of the bought episodes whose trade had closed before an instant.

    Parameters
    ----------
    episodes : iterable of EpisodeFact
        Concluded episodes of one family, in any order.
    as_of_at : datetime
        With an offset.
    config : TuningConfig
        How many a mean needs.
    """
    known: dict[bool, list[float]] = {True: [], False: []}
    for episode in episodes:
        rr = episode.rr_as_of(as_of_at) if episode.is_acted else None
        if rr is not None:
            known[episode.is_success].append(rr)

    def mean(values: Sequence[float]) -> float | None:
        return math.fsum(values) / len(values) if len(values) >= config.min_rr_episodes else None

    return OutcomeMeans(
        success=mean(known[True]), failure=mean(known[False]), n_success=len(known[True]), n_failure=len(known[False])
    )


def replay_step(
    gate: TunedGate,
    episodes: Sequence[EpisodeFact],
    *,
    before: float,
    after: float,
    means: OutcomeMeans,
    as_of_at: datetime,
) -> Counterfactual:
    """Replay a cell's episodes under another multiplier of one threshold.

    Parameters
    ----------
    gate : TunedGate
        Whose threshold it is.
    episodes : sequence of EpisodeFact
        Concluded ones of the cell; those on which the gate does not decide alone stay as they are.
    before, after : float
        Multipliers.
    means : OutcomeMeans
        Of the family.
    as_of_at : datetime
        With an offset; of trades that closed later no rr is known.
    """
    was = {each.episode.episode_id: each.is_let_in for each in bearings(gate, episodes, before)}
    let_in: list[EpisodeFact] = []
    shut_out: list[EpisodeFact] = []
    for bearing in bearings(gate, episodes, after):
        if bearing.is_let_in != was[bearing.episode.episode_id]:
            (let_in if bearing.is_let_in else shut_out).append(bearing.episode)
    sums = [_sum([_rr(each, means, as_of_at) for each in side]) for side in (let_in, shut_out)]
    gain = None if sums[0] is None or sums[1] is None else sums[0] - sums[1]
    return Counterfactual(
        n=len(episodes),
        n_let_in=len(let_in),
        n_shut_out=len(shut_out),
        n_estimated=sum(each.rr_as_of(as_of_at) is None for each in (*let_in, *shut_out)),
        rr_let_in=None if gain is None else sums[0],
        rr_shut_out=None if gain is None else sums[1],
        gain_rr=None if gain is None else gain / len(episodes),
    )


def _rr(episode: EpisodeFact, means: OutcomeMeans, as_of_at: datetime) -> float | None:
    own = episode.rr_as_of(as_of_at)
    return means.of(episode) if own is None else own


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) if len(known) == len(values) else None
