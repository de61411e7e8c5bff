"""The test of a hypothesis: whether trades entered after it was made end the way it says.

A claim is made of what trades showed; the same trades would confirm it whatever it is worth. So only trades count that
were entered later, and it is judged once: on the first day with enough of them. It is not asked day after day until
chance says yes.

What belongs here: the comparison and what follows for the hypothesis. What does not: who made it. Nothing leads from
here to an override: a claim that holds is found by the lesson builder too, which asks for more.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from domain.config.research import ResearchConfig
from domain.learning.contrast import NO_DIFFERENCE, Difference, contrasts
from domain.learning.false_discovery import benjamini_hochberg
from domain.learning.research_note import NoteStatus, TradeSlice, shown_value
from domain.learning.trade_group import TradeGroup
from domain.scopes.bitmask import mask_of
from domain.vocabulary.scope_dimension import BIT

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class OpenHypothesis:
    """A claim that waits for trades. `made_at`: when it was made, with an offset; trades entered from then on count."""

    claim: TradeSlice
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a hypothesis. `results`: numbers of the test, or why it was given up; None while it waits."""

    status: NoteStatus
    results: dict[str, Any] | None


def compare_slice(claim: TradeSlice, groups: Sequence[TradeGroup], *, entered_from: datetime) -> Difference:
    """Compare a slice with the other trades of its pattern and category.

    Parameters
    ----------
    claim : TradeSlice
        The slice.
    groups : sequence of TradeGroup
        Closed trades known at the time. Trades whose rr is unknown take no part.
    entered_from : datetime
        With an offset; trades entered before do not count. Trades that are still open do not count either, on both
        sides alike, so the first days see the quick ones.

    Returns
    -------
    Difference
        R; p one-sided in the direction claimed, clusters are UTC days of closing. NaN and 0 trades where there is
        nothing to compare.
    """
    group = next(
        (
            each
            for each in groups
            if (each.pattern_key, each.action_category) == (claim.pattern_key, claim.action_category)
        ),
        None,
    )
    if group is None:
        return NO_DIFFERENCE
    counts = group.opened_us >= (entered_from - _EPOCH) // _MICROSECOND
    inside = _members(claim, group)[counts][None]
    direction = np.array([1.0 if claim.expected_sign == "better" else -1.0])
    found = contrasts(group.rr[counts], group.closed_us[counts] // _DAY_US, inside, ~inside)
    return found.towards(direction).of(0)


def judge_hypotheses(
    waiting: Sequence[OpenHypothesis], groups: Sequence[TradeGroup], *, as_of_at: datetime, config: ResearchConfig
) -> tuple[Judgement, ...]:
    """Judge each hypothesis that has enough trades; give up one that waits for too long.

    Those judged on one day are one family: of the ones validated, `validate_rate` may be chance.

    Parameters
    ----------
    waiting : sequence of OpenHypothesis
        Claims that were not judged before.
    groups : sequence of TradeGroup
        Closed trades known at `as_of_at`.
    as_of_at : datetime
        With an offset.
    config : ResearchConfig
        Trades and clusters of each side, the rate, the age.

    Returns
    -------
    tuple of Judgement
        In the order given.
    """
    found = [compare_slice(each.claim, groups, entered_from=each.made_at) for each in waiting]
    p = np.array([each.p if _is_ready(each, config) else math.nan for each in found], np.float64)
    q = benjamini_hochberg(p).tolist()
    oldest = timedelta(days=config.max_age_days)
    return tuple(
        _judgement(difference, rate, as_of_at - each.made_at > oldest, config)
        for each, difference, rate in zip(waiting, found, q, strict=True)
    )


def _judgement(found: Difference, q: float, is_old: bool, config: ResearchConfig) -> Judgement:
    numbers = {name: None if value != value else value for name, value in found._asdict().items()}
    results = numbers | {"min_trades": config.min_trades}
    if not math.isnan(q):
        status = NoteStatus.VALIDATED if q <= config.validate_rate else NoteStatus.REJECTED
        return Judgement(status, results | {"q": q})
    if is_old:
        return Judgement(NoteStatus.DEPRECATED, results | {"given_up": f"too few trades in {config.max_age_days} days"})
    return Judgement(NoteStatus.HYPOTHESIS, None)


def _is_ready(found: Difference, config: ResearchConfig) -> bool:
    return (
        min(found.n_in, found.n_rest) >= config.min_trades
        and min(found.clusters_in, found.clusters_rest) >= config.min_clusters
        and not math.isnan(found.p)
    )


def _members(claim: TradeSlice, group: TradeGroup) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Trades of a slice, (n_trades,); a value no trade has is no trade's."""
    codes = {}
    for dimension, wanted in claim.scope.items():
        shown = [shown_value(dimension, value) for value in group.values[BIT[dimension]]]
        if wanted not in shown:
            return np.zeros(group.n_trades, np.bool_)
        codes[BIT[dimension]] = shown.index(wanted) + 1
    return group.members(mask_of(claim.scope), codes)
