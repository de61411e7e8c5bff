"""Averages by timeframe, weights and splits: the documented vectors, order, outliers, limits."""

import json
import math
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.config.portfolio import SizingConfig
from domain.config.timeframe_weight import TimeframeEstimator, TimeframeWeightConfig
from domain.learning.timeframe_weight import (
    EventTimeMean,
    RrAverage,
    TimeframeWeights,
    document_alpha,
    limited_splits,
    timeframe_weight,
    timeframe_weights,
    weighted_splits,
)
from domain.vocabulary.timeframe import Timeframe
from tests.domain.learning.closed_trades import facts
from tests.domain.learning.override_worlds import DAY, T0

M1, M15, H1, H4 = Timeframe.M1, Timeframe.M15, Timeframe.H1, Timeframe.H4
DEFAULTS = SizingConfig().timeframe_splits
CONFIG = TimeframeWeightConfig()
DOCUMENTS = TimeframeWeightConfig(estimator=TimeframeEstimator.DOCUMENTS)
EVENTS = st.lists(st.tuples(st.floats(-10, 10), st.integers(0, 400)), min_size=1, max_size=25)
SHARES = st.lists(st.floats(0.01, 1), min_size=4, max_size=4).map(
    lambda parts: dict(zip(DEFAULTS, [part / sum(parts) for part in parts], strict=True))
)


def closed(trade_id: str, rr: float | None, timeframe: Timeframe = H1, days_ago: float = 1.0, n_actions: int = 1):
    """Facts of a trade closed so many days before T0."""
    at = T0 - days_ago * DAY
    scopes = ({"timeframe": timeframe.value},) * n_actions
    return facts(trade_id, rr, scopes, timeframe=timeframe, opened_at=at - DAY * 100, closed_at=at)


def weighed(given_facts, config=CONFIG, previous=None, as_of_at=T0) -> TimeframeWeights:
    return timeframe_weights(
        given_facts,
        as_of_at=as_of_at,
        default_splits=DEFAULTS,
        previous_splits=previous,
        max_abs_rr=10.0,
        config=config,
    )


def folded(events, half_life_days: float = 14.0) -> EventTimeMean:
    mean = EventTimeMean(timedelta(days=half_life_days))
    for value, hours in events:
        mean = mean.taken(value, T0 + timedelta(hours=hours))
    return mean


def test_an_event_one_half_life_old_counts_half():
    assert folded([(3.0, 0), (0.0, 14 * 24)]).mean == 1.0


def test_nothing_has_no_average():
    assert math.isnan(EventTimeMean(DAY).mean)


@given(EVENTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_count(events, random):
    shuffled = random.sample(events, len(events))

    assert folded(shuffled).mean == pytest.approx(folded(events).mean, rel=1e-9, abs=1e-9)
    assert folded(shuffled).last_at == folded(events).last_at


@given(EVENTS)
def test_the_running_average_is_the_weighted_mean(events):
    values, hours = np.array(events, dtype=np.float64).T
    weight = 2.0 ** -((hours.max() - hours) / (14 * 24))

    assert folded(events).mean == pytest.approx(np.average(values, weights=weight), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("age_days", "tau_days", "alpha"),
    [(0, 14, 0.5), (0, 90, 0.5), (1, 14, 0.4822), (14, 14, 0.2689), (14, 90, 0.4612), (90, 14, 0.0016)],
)
def test_the_documents_alpha_is_as_documented(age_days, tau_days, alpha):
    assert document_alpha(timedelta(days=age_days), timedelta(days=tau_days)) == pytest.approx(alpha, abs=5e-5)


def test_documented_weights_give_the_documented_splits():
    splits = weighted_splits(DEFAULTS, {M1: 2.0, M15: 1.0, H1: 0.5, H4: 1.0})

    assert [splits[each] for each in (M1, M15, H1, H4)] == pytest.approx([0.1429, 0.1786, 0.5, 0.1786], abs=5e-5)


def test_alike_timeframes_keep_exactly_the_default_splits():
    assert weighted_splits(DEFAULTS, dict.fromkeys(DEFAULTS, 1.0)) == DEFAULTS
    assert weighed([]).splits == DEFAULTS
    assert set(weighed([]).weights.values()) == {1.0}


def test_a_timeframe_without_trades_keeps_its_default_share_beside_the_others():
    found = weighed([*closed("a", 2.0, M1), *closed("b", -1.0, H4)])

    assert (found.weights[H1], found.weights[M15]) == (1.0, 1.0)
    assert found.wanted_splits[H1] / found.wanted_splits[M15] == pytest.approx(0.70 / 0.125)


def average(rr_short: float, n: int = 42) -> RrAverage:
    return RrAverage(rr_short, 1.0, n, T0)


@pytest.mark.parametrize(
    ("own", "overall", "n", "config", "weight"),
    [
        (1.08, 1.05, 42, DOCUMENTS, 1.0286),
        (0.95, 1.05, 28, DOCUMENTS, 0.9048),
        (-2.0, -1.0, 9, DOCUMENTS, 1.0),
        (-2.0, -1.0, 20, CONFIG, math.exp(0.5 * -1.0 * 0.5)),
        (1.5, 0.5, 20, CONFIG, math.exp(0.5 * 1.0 * 0.5)),
        (10.0, -10.0, 500, CONFIG, 2.0),
        (-10.0, 10.0, 500, CONFIG, 0.5),
        (math.nan, 1.0, 0, CONFIG, 1.0),
    ],
)
def test_a_weight_is_as_documented_and_the_worse_timeframe_is_never_the_better(own, overall, n, config, weight):
    assert timeframe_weight(average(own, n), average(overall), config) == pytest.approx(weight, abs=5e-5)


def test_one_huge_outcome_does_not_make_the_best_timeframe():
    outlier = weighed([*closed("x", 12.793, M1), *closed("y", 0.4, M1, 2.0), *closed("z", 0.3, M1, 3.0)])

    assert outlier.averages[M1].rr_short < 10.0 / 3 + 1
    assert weighed(closed("x", 1e9, M1)).averages[M1].rr_short == 10.0
    assert max(outlier.weights.values()) <= 2.0
    assert outlier.splits[M1] <= 0.05 * 1.1 + 1e-12


def test_all_trades_make_the_average_of_all_and_the_short_one_forgets_sooner():
    found = weighed([*closed("old", 4.0, M1, 90.0), *closed("new", 0.0, H1, 0.5)])

    assert found.overall.n_trades == 2
    assert found.overall.rr_short < 0.05 < 1.3 < found.overall.rr_long < 1.4
    assert (found.averages[M1].rr_short, found.averages[M1].n_trades) == (4.0, 1)


def test_a_trade_counts_once_whatever_its_actions():
    once, often = (weighed([*closed("a", 2.0, M1, n_actions=n), *closed("b", -1.0, M1, 2.0)]) for n in (1, 56))

    assert once == often


def test_what_is_not_closed_yet_or_has_no_outcome_is_not_counted():
    unseen = [*closed("at", 5.0, M1, 0.0), *closed("later", 5.0, M1, -3.0), *closed("unknown", None, M1)]

    assert weighed(unseen).overall.n_trades == 0
    assert weighed(unseen, as_of_at=T0 + timedelta(microseconds=1)).overall.n_trades == 1


MANY = [
    fact
    for i in range(40)
    for fact in closed(f"t{i}", math.sin(i) * 3, list(DEFAULTS)[i % 4], days_ago=1 + i * 7.3 % 60)
]


@pytest.mark.parametrize("config", [CONFIG, DOCUMENTS], ids=["event_time", "documents"])
@given(st.permutations(MANY))
def test_the_order_of_the_facts_changes_no_bit(config, shuffled):
    assert weighed(shuffled, config) == weighed(MANY, config)


def test_the_documents_average_blends_each_trade_as_its_day_ends():
    found = weighed([*closed("a", 3.0, H1, 2.5), *closed("b", 0.0, H1, 1.5)], DOCUMENTS).averages[H1]
    alpha = document_alpha(timedelta(hours=12), timedelta(days=14))

    assert found.rr_short == pytest.approx((1 - alpha) * ((1 - alpha) * 1.0 + alpha * 3.0))


def test_each_estimator_answers_by_itself():
    assert weighed(MANY, CONFIG).weights != weighed(MANY, DOCUMENTS).weights


@given(SHARES, SHARES, st.floats(0.01, 1))
def test_no_split_changes_by_more_than_it_may_and_all_sum_to_one(before, wanted, limit):
    moved = limited_splits(before, wanted, limit)

    assert math.fsum(moved.values()) == pytest.approx(1.0, abs=1e-12)
    assert all(abs(moved[each] - before[each]) <= limit * before[each] + 1e-12 for each in moved)
    assert all(min(before[each], wanted[each]) - 1e-12 <= moved[each] for each in moved)
    assert all(moved[each] <= max(before[each], wanted[each]) + 1e-12 for each in moved)


@given(SHARES, SHARES)
def test_day_by_day_the_splits_arrive_where_they_are_wanted(before, wanted):
    path = [before]
    for _ in range(120):
        path.append(limited_splits(path[-1], wanted, 0.10))

    assert path[-1] == wanted
    assert all(abs(later[H1] - wanted[H1]) <= abs(sooner[H1] - wanted[H1]) + 1e-12 for sooner, later in pairwise(path))


def test_a_timeframe_that_had_nothing_may_begin_and_one_not_wanted_any_more_goes():
    moved = limited_splits({M1: 0.2, M15: 0.2, H1: 0.6}, {M1: 0.25, H1: 0.65, H4: 0.1}, 0.1)

    assert set(moved) == {M1, H1, H4}
    assert 0 < moved[H4] <= 0.1
    assert math.fsum(moved.values()) == pytest.approx(1.0)


def test_the_first_day_starts_from_the_defaults_and_the_next_from_there():
    first = weighed(MANY)
    second = weighed(MANY, previous=first.splits)
    changes = [abs(second.splits[each] / first.splits[each] - 1) for each in DEFAULTS]

    assert all(abs(first.splits[each] / DEFAULTS[each] - 1) <= 0.10 + 1e-12 for each in DEFAULTS)
    assert 0 < max(changes) <= 0.10 + 1e-12


def test_the_document_has_the_documented_shape_and_no_nan():
    document = weighed(closed("a", 2.0, H1, 1.0)).config_data()

    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert set(document["timeframe_weights"]["1h"]) == {"weight", "rr_short", "rr_long", "n", "updated_at"}
    assert document["timeframe_weights"]["1h"]["updated_at"] == "2025-05-31T00:00:00+00:00"
    assert document["timeframe_weights"]["4h"] == {
        "weight": 1.0,
        "rr_short": None,
        "rr_long": None,
        "n": 0,
        "updated_at": None,
    }
    assert (document["global_rr"]["rr_short"], document["global_rr"]["n"]) == (2.0, 1)
    assert set(document["splits"]) == {"1m", "15m", "1h", "4h"}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: weighed([], as_of_at=T0.replace(tzinfo=None)), "must have an offset"),
        (lambda: weighed([*closed("a", 1.0), *closed("a", 2.0)]), "differ"),
        (lambda: weighted_splits({M1: -0.1, H1: 1.0}, {M1: 1.0, H1: 1.0}), "within 0..1"),
        (lambda: weighted_splits({M1: 1.0}, {}), "must have a weight"),
        (lambda: limited_splits({M1: 0.0}, {M1: 1.0}, 0.1), "not all 0"),
    ],
)
def test_what_cannot_be_right_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_weights_have_the_documented_constants():
    assert (CONFIG.short_days, CONFIG.long_days, CONFIG.estimator) == (14.0, 90.0, TimeframeEstimator.EVENT_TIME)
    assert (CONFIG.gain, CONFIG.shrinkage_trades, CONFIG.max_change_frac) == (0.5, 20.0, 0.10)
    with pytest.raises(ValidationError, match="short_days must be < long_days"):
        TimeframeWeightConfig(short_days=90.0)
