"""How well each timeframe did of late, and how an allocation is split between them.

    average: S <- f S + x, W <- f W + 1 with f = 2^(-hours between trades / half-life); mean = S / W
    advantage = short average of the timeframe - short average of all
    weight = clamp(exp(g x advantage x n / (n + k)), 0.5, 2)
    split = default x weight / sum of default x weight

The average stands on the times of the trades, not on when they arrived: any order gives the same, and a rebuild from
the facts gives what a running total has. The documents' own average, taken on by configuration, blends each trade in
with alpha = w / (w + 1), w = exp(-age at intake / tau). A trade is taken in at the end of its day, so it counts nearly
half, whatever the tau; and a ratio of two negative averages would call the worse timeframe the better.

What belongs here: averages, weights, splits. What does not: the defaults (`config.portfolio.sizing.timeframe_splits`).
The unit is the trade; rr is winsorised.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.config.timeframe_weight import TimeframeEstimator, TimeframeWeightConfig
from domain.learning.pattern_scope_stat import RR_STEP, rr_steps
from domain.learning.trade_fact import TradeFact
from domain.vocabulary.timeframe import Timeframe

_DAY = timedelta(days=1)
_START_RR = 1.0
"""Where the documents' averages begin, R."""


@dataclass(frozen=True, slots=True)
class EventTimeMean:
    """Moving average on the times of its events, as a running total.

    total, weight: sums of values and of ones, each event halving every half-life before `last_at`; NaN mean without an
    event.
    """

    half_life: timedelta
    total: float = 0.0
    weight: float = 0.0
    last_at: datetime | None = None

    @property
    def mean(self) -> float:
        """Average; NaN of nothing."""
        return self.total / self.weight if self.weight else math.nan

    def taken(self, value: float, at: datetime) -> "EventTimeMean":
        """Return the average with one more event, which may be older than those before.

        >>> month = EventTimeMean(timedelta(days=14)).taken(0.0, datetime(2025, 1, 1)).taken(3.0, datetime(2025, 1, 15))
        >>> month.mean, month.taken(3.0, datetime(2025, 1, 1)).mean
        (2.0, 2.25)
        """
        last_at = self.last_at or at
        age = abs(at - last_at) / self.half_life
        if at >= last_at:
            return EventTimeMean(self.half_life, self.total * 2.0**-age + value, self.weight * 2.0**-age + 1.0, at)
        return EventTimeMean(self.half_life, self.total + value * 2.0**-age, self.weight + 2.0**-age, last_at)


@dataclass(frozen=True, slots=True)
class RrAverage:
    """Outcomes of some trades: short and long average (R, NaN of none), how many, and when the last was closed."""

    rr_short: float
    rr_long: float
    n_trades: int
    last_closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class TimeframeWeights:
    """Weights and splits as of a day.

    averages: by timeframe of the defaults. overall: of all trades, those of other timeframes too. weights: ratios.
    splits: as they apply; wanted_splits: where they are heading; each sums to what the defaults sum to.
    """

    averages: Mapping[Timeframe, RrAverage]
    overall: RrAverage
    weights: Mapping[Timeframe, float]
    wanted_splits: Mapping[Timeframe, float]
    splits: Mapping[Timeframe, float]

    def config_data(self) -> dict[str, object]:
        """Return the document of `learning_configs`; null where nothing is known, instants as ISO 8601."""
        return {
            "timeframe_weights": {
                timeframe.value: {"weight": self.weights[timeframe], **_average_data(average)}
                for timeframe, average in self.averages.items()
            },
            "global_rr": _average_data(self.overall),
            "splits": {timeframe.value: split for timeframe, split in self.splits.items()},
            "wanted_splits": {timeframe.value: split for timeframe, split in self.wanted_splits.items()},
        }


def timeframe_weights(
    facts: Iterable[TradeFact],
    *,
    as_of_at: datetime,
    default_splits: Mapping[Timeframe, float],
    previous_splits: Mapping[Timeframe, float] | None,
    max_abs_rr: float,
    config: TimeframeWeightConfig,
) -> TimeframeWeights:
    """Weights and splits from the trades closed before an instant.

    Parameters
    ----------
    facts : iterable of TradeFact
        Facts of closed trades, any number a trade; the result is the same bits in any order.
    as_of_at : datetime
        Trades closed at it or later are not known yet; with an offset.
    default_splits : mapping of Timeframe to float
        Shares while nothing is learned; they sum to 1.
    previous_splits : mapping of Timeframe to float, or None
        Splits of the day before, which limit today's; None on the first day, which starts from the defaults.
    max_abs_rr : float
        Winsor limit of an outcome, R.
    config : TimeframeWeightConfig
        Estimator, half-lives, gain, clamps, limit.

    Returns
    -------
    TimeframeWeights
        A timeframe without trades has weight 1.

    Raises
    ------
    ValueError
        If `as_of_at` has no offset, facts of one trade differ in outcome, or the splits are no shares.
    """
    if as_of_at.utcoffset() is None:
        raise ValueError(f"as_of_at must have an offset, was {as_of_at.isoformat()}")
    known: dict[str, tuple[datetime, str, Timeframe, float]] = {}
    for fact in facts:
        if fact.rr is None or fact.closed_at >= as_of_at:
            continue
        trade = (fact.closed_at, fact.trade_id, fact.timeframe, rr_steps(fact.rr, max_abs_rr) * RR_STEP)
        if known.setdefault(fact.trade_id, trade) != trade:
            raise ValueError(f"Facts of trade {fact.trade_id} differ: {known[fact.trade_id]}, {trade}")
    ordered = sorted(known.values())
    of_timeframe: defaultdict[Timeframe, list[tuple[datetime, float]]] = defaultdict(list)
    for at, _, timeframe, rr in ordered:
        of_timeframe[timeframe].append((at, rr))
    overall = _average([(at, rr) for at, _, _, rr in ordered], config)
    averages = {timeframe: _average(of_timeframe[timeframe], config) for timeframe in default_splits}
    weights = {timeframe: timeframe_weight(average, overall, config) for timeframe, average in averages.items()}
    wanted = weighted_splits(default_splits, weights)
    before = default_splits if previous_splits is None else previous_splits
    return TimeframeWeights(averages, overall, weights, wanted, limited_splits(before, wanted, config.max_change_frac))


def timeframe_weight(average: RrAverage, overall: RrAverage, config: TimeframeWeightConfig) -> float:
    """Weight of one timeframe, a ratio within the clamps; 1 without trades.

    By the documents' estimator it is clamp(short average / short average of all), 1 where the latter is not positive.

    >>> tf, all_of_them = RrAverage(1.08, 1.05, 42, None), RrAverage(1.05, 0.98, 150, None)
    >>> round(timeframe_weight(tf, all_of_them, TimeframeWeightConfig(estimator="documents")), 4)
    1.0286
    >>> round(timeframe_weight(tf, all_of_them, TimeframeWeightConfig()), 4)
    1.0102
    """
    if not average.n_trades:
        return 1.0
    if config.estimator is TimeframeEstimator.DOCUMENTS:
        weight = average.rr_short / overall.rr_short if overall.rr_short > 0 else 1.0
    else:
        n = average.n_trades
        weight = math.exp(config.gain * (average.rr_short - overall.rr_short) * n / (n + config.shrinkage_trades))
    return min(max(weight, config.weight_min), config.weight_max)


def document_alpha(age: timedelta, tau: timedelta) -> float:
    """Share of a trade in the documents' average: w / (w + 1), w = exp(-age / tau).

    >>> [round(document_alpha(timedelta(days=age), timedelta(days=14)), 4) for age in (0, 1, 14)]
    [0.5, 0.4822, 0.2689]
    """
    w = math.exp(-(age / tau))
    return w / (w + 1.0)


def weighted_splits(
    default_splits: Mapping[Timeframe, float], weights: Mapping[Timeframe, float]
) -> dict[Timeframe, float]:
    """Shares in proportion to default x weight; exactly the defaults where all weights are 1.

    Raises
    ------
    ValueError
        If a share is negative or all are 0, a weight is not positive, or a timeframe has none.
    """
    _refuse_wrong_shares(default_splits)
    if any(not weights.get(timeframe, 0.0) > 0 for timeframe in default_splits):
        raise ValueError(f"Every timeframe must have a weight > 0, was {dict(weights)}")
    total = math.fsum(default_splits.values())
    scale = total / math.fsum(split * weights[timeframe] for timeframe, split in default_splits.items())
    return {timeframe: split * (weights[timeframe] * scale) for timeframe, split in default_splits.items()}


def limited_splits(
    before: Mapping[Timeframe, float], wanted: Mapping[Timeframe, float], max_change_frac: float
) -> dict[Timeframe, float]:
    """Move the splits towards those wanted, none by more than a fraction of what it was.

    All move the same share of their way: before + t x (wanted - before), t the largest that keeps every change within
    the limit. Clipping each alone and normalising again would push some beyond the limit; this way the sum stays, and
    all arrive together. A timeframe that had nothing is not limited (a fraction of 0 would hold it there for ever); one
    that is wanted no more is left out first, its share going to the others in proportion.

    Raises
    ------
    ValueError
        If a share is negative, or all are 0.

    >>> moved = limited_splits({Timeframe.M1: 0.05, Timeframe.H1: 0.95}, {Timeframe.M1: 0.15, Timeframe.H1: 0.85}, 0.1)
    >>> [round(split, 4) for split in moved.values()]
    [0.055, 0.945]
    """
    _refuse_wrong_shares(wanted)
    kept = {timeframe: before.get(timeframe, 0.0) for timeframe in wanted}
    _refuse_wrong_shares(kept)
    scale = math.fsum(wanted.values()) / math.fsum(kept.values())
    start = {timeframe: split * scale for timeframe, split in kept.items()}
    ways = {timeframe: wanted[timeframe] - split for timeframe, split in start.items()}
    shares = [
        max_change_frac * start[timeframe] / abs(way) for timeframe, way in ways.items() if way and kept[timeframe]
    ]
    share = min(shares, default=1.0)
    return (
        dict(wanted) if share >= 1 else {timeframe: start[timeframe] + share * way for timeframe, way in ways.items()}
    )


def _average(trades: Sequence[tuple[datetime, float]], config: TimeframeWeightConfig) -> RrAverage:
    """Averages of trades by closure, oldest first."""
    average = _document_mean if config.estimator is TimeframeEstimator.DOCUMENTS else _event_time_mean
    return RrAverage(
        rr_short=average(trades, timedelta(days=config.short_days)),
        rr_long=average(trades, timedelta(days=config.long_days)),
        n_trades=len(trades),
        last_closed_at=trades[-1][0] if trades else None,
    )


def _event_time_mean(trades: Iterable[tuple[datetime, float]], half_life: timedelta) -> float:
    mean = EventTimeMean(half_life)
    for at, rr in trades:
        mean = mean.taken(rr, at)
    return mean.mean


def _document_mean(trades: Sequence[tuple[datetime, float]], tau: timedelta) -> float:
    """Blend of trades, each taken in by the run at the end of the day it was closed on."""
    mean = _START_RR if trades else math.nan
    for at, rr in trades:
        day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        taken_in_at = day + _DAY
        alpha = document_alpha(taken_in_at - at, tau)
        mean = (1.0 - alpha) * mean + alpha * rr
    return mean


def _refuse_wrong_shares(splits: Mapping[Timeframe, float]) -> None:
    if any(not 0 <= split <= 1 for split in splits.values()) or not sum(splits.values()) > 0:
        raise ValueError(f"Splits must each lie within 0..1, not all 0, were {dict(splits)}")


def _average_data(average: RrAverage) -> dict[str, object]:
    return {
        "rr_short": None if math.isnan(average.rr_short) else average.rr_short,
        "rr_long": None if math.isnan(average.rr_long) else average.rr_long,
        "n": average.n_trades,
        "updated_at": None if average.last_closed_at is None else average.last_closed_at.isoformat(),
    }
