"""How often buying and leaving went well: win, false positive, miss and dodge rate of each cell of episodes.

    WR = AS / (AS + AF)   FPR = AF / (AS + AF) = 1 - WR      A acted, S skipped; S success, F failure
    MR = SS / (SS + SF)   DR  = SF / (SS + SF) = 1 - MR

Two of the four say everything; the others are told because people ask for them. Each bears a Wilson interval, for a
bare rate of 5 episodes looks like one of 500. Of nothing there is no rate: None, not 0.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.config.tuning import TuningConfig
from domain.learning.episode_fact import EpisodeFact
from domain.learning.false_discovery import wilson_interval
from domain.learning.tuning_cell import TuningCell, concluded, episodes_by_cell
from domain.portfolio.episode import EpisodeOutcome


@dataclass(frozen=True, slots=True)
class Rate:
    """Share of `n_hits` among `n`, 0..1, with its interval; all three are None where n is 0."""

    n_hits: int
    n: int
    rate: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, n_hits: int, n: int, level: float) -> "Rate":
        """Rate with its two-sided Wilson interval.

        >>> rate = Rate.of(39, 60, 0.90)
        >>> rate.rate, round(rate.low, 3), Rate.of(0, 0, 0.90).rate
        (0.65, 0.544, None)
        """
        if n == 0:
            return cls(0, 0, None, None, None)
        low, high = wilson_interval(n_hits, n, level)
        return cls(n_hits, n, n_hits / n, low, high)

    def is_above(self, bar: float, min_n: int) -> bool:
        """Whether there is enough of it and its lower bound is above a bar."""
        return self.low is not None and self.n >= min_n and self.low > bar


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRate:
    """Rates of one cell. n_pending, n_expired: episodes without a verdict, in no rate."""

    cell: TuningCell
    n_acted_success: int
    n_acted_failure: int
    n_skipped_success: int
    n_skipped_failure: int
    n_pending: int
    n_expired: int
    level: float

    @property
    def n_acted(self) -> int:
        """Concluded episodes in which something was bought."""
        return self.n_acted_success + self.n_acted_failure

    @property
    def n_skipped(self) -> int:
        """Concluded episodes in which nothing was."""
        return self.n_skipped_success + self.n_skipped_failure

    @property
    def wr(self) -> Rate:
        """Win rate: successes of what was bought."""
        return Rate.of(self.n_acted_success, self.n_acted, self.level)

    @property
    def fpr(self) -> Rate:
        """False positive rate: failures of what was bought."""
        return Rate.of(self.n_acted_failure, self.n_acted, self.level)

    @property
    def mr(self) -> Rate:
        """Miss rate: successes of what was left."""
        return Rate.of(self.n_skipped_success, self.n_skipped, self.level)

    @property
    def dr(self) -> Rate:
        """Dodge rate: failures of what was left."""
        return Rate.of(self.n_skipped_failure, self.n_skipped, self.level)

    def row(self) -> dict[str, object]:
        """Columns of `learning.tuning_rate`, without when and by whom."""
        rates = {"wr": self.wr, "fpr": self.fpr, "mr": self.mr, "dr": self.dr}
        told: dict[str, object] = {}
        for name, rate in rates.items():
            told |= {name: rate.rate, f"{name}_low": rate.low, f"{name}_high": rate.high}
        return {
            **self.cell.columns(),
            "n_acted": self.n_acted,
            "n_skipped": self.n_skipped,
            "n_acted_success": self.n_acted_success,
            "n_acted_failure": self.n_acted_failure,
            "n_skipped_success": self.n_skipped_success,
            "n_skipped_failure": self.n_skipped_failure,
            "n_pending": self.n_pending,
            "n_expired": self.n_expired,
            **told,
        }


def tuning_rates(
    episodes: Iterable[EpisodeFact], *, as_of_at: datetime, config: TuningConfig
) -> tuple[TuningRate, ...]:
    """Rates of every cell that has an episode, as they were known at an instant.

    Parameters
    ----------
    episodes : iterable of EpisodeFact
        Any order: the result does not depend on it. One whose outcome came later was pending.
    as_of_at : datetime
        With an offset.
    config : TuningConfig
        Masks, lookback, level of the intervals.

    Returns
    -------
    tuple of TuningRate
        By family, those of fewer dimensions first.

    Raises
    ------
    ValueError
        If the instant has no offset, or an episode comes twice.
    """
    cells = episodes_by_cell(episodes, as_of_at=as_of_at, config=config)
    return tuple(_rate(cell, members, as_of_at, config.interval_level) for cell, members in cells.items())


def _rate(cell: TuningCell, episodes: Sequence[EpisodeFact], as_of_at: datetime, level: float) -> TuningRate:
    told = concluded(episodes, as_of_at)
    counts = Counter((each.is_acted, each.is_success) for each in told)
    n_expired = sum(each.outcome is EpisodeOutcome.EXPIRED and each.is_told(as_of_at) for each in episodes)
    return TuningRate(
        cell=cell,
        n_acted_success=counts[True, True],
        n_acted_failure=counts[True, False],
        n_skipped_success=counts[False, True],
        n_skipped_failure=counts[False, False],
        n_pending=len(episodes) - len(told) - n_expired,
        n_expired=n_expired,
        level=level,
    )
