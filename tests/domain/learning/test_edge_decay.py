"""Decay of an edge: the mapping, what is refused, robustness, planted rates and the equality of batch and single."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from domain.config.learning import EdgeDecayConfig
from domain.learning.edge_decay import (
    DecayReason,
    DecayState,
    EdgeDecay,
    decay_multiplier,
    fit_edge_decay,
    fit_one_edge_decay,
)

CONFIG = EdgeDecayConfig()
DAYS = 24.0 * np.arange(30)
SEEDS = st.integers(0, 2**32 - 1)


def rate_of(half_life_hours: float) -> float:
    return -math.log(2) / half_life_hours


def fitted(edge, hours=DAYS, config: EdgeDecayConfig = CONFIG) -> dict:
    return fit_one_edge_decay(hours[: len(edge)], edge, config)


def planted_cells(n_cells: int, seed: int, noise: float = 0.1):
    """Exponentials of 18 to 300 snapshots at irregular times, half-life 0.1 to 3 spans, noise relative to the start."""
    rng = np.random.default_rng(seed)
    counts = np.exp(rng.uniform(np.log(18), np.log(300), n_cells)).astype(np.int64)
    spans, half_spans = rng.uniform(24, 2160, n_cells), np.exp(rng.uniform(np.log(0.1), np.log(3), n_cells))
    rates = -math.log(2) / (spans * half_spans)
    hours, edges = [], []
    for n, span, rate in zip(counts, spans, rates, strict=True):
        steps = np.cumsum(rng.exponential(1.0, n))
        hours.append((steps - steps[0]) * span / (steps[-1] - steps[0]))
        start = rng.choice([-1, 1]) * rng.uniform(0.2, 2)
        edges.append(start * np.exp(rate * hours[-1]) + rng.normal(0, noise * abs(start), n))
    return np.concatenate([[0], np.cumsum(counts)]), np.concatenate(hours), np.concatenate(edges), rates


@pytest.mark.parametrize(("half_life_hours", "mult"), [(24, 0.419), (168, 0.754), (720, 0.991), (0.001, 0.33)])
def test_a_decaying_edge_has_the_documented_multiplier(half_life_hours, mult):
    assert decay_multiplier(rate_of(half_life_hours), CONFIG) == pytest.approx(mult, abs=5e-4)


@pytest.mark.parametrize(("doubling_hours", "mult"), [(48, 1.248), (0.001, 1.33), (2161, 1.0), (math.inf, 1.0)])
def test_an_improving_edge_has_the_documented_multiplier(doubling_hours, mult):
    assert decay_multiplier(-rate_of(doubling_hours), CONFIG) == pytest.approx(mult, abs=5e-4)


@given(st.lists(st.floats(allow_infinity=True, allow_nan=True), max_size=20))
def test_a_multiplier_lies_within_its_bounds_and_rises_with_the_rate(rates):
    mult = decay_multiplier(sorted(rate for rate in rates if not math.isnan(rate)), CONFIG)

    assert ((mult >= 0.33) & (mult <= 1.33)).all()
    assert (np.diff(mult) >= 0).all()
    assert decay_multiplier(math.nan, CONFIG) == 1.0


@pytest.mark.parametrize("start", [1.0, -1.0])
@pytest.mark.parametrize("half_life_hours", [12.0, 100.0, 500.0])
def test_a_clean_decay_of_either_sign_gives_its_half_life_back(start, half_life_hours):
    row = fitted(start * np.exp(rate_of(half_life_hours) * DAYS))

    assert (row["half_life_hours"], row["amplitude"]) == pytest.approx((half_life_hours, start), rel=1e-9)
    assert (row["state"], row["reason"], row["n_outliers"]) == (DecayState.DECAYING, None, 0)
    assert row["decay_mult"] == pytest.approx(float(decay_multiplier(rate_of(half_life_hours), CONFIG)))


def test_a_growing_edge_improves():
    row = fitted(0.1 * np.exp(-rate_of(200.0) * DAYS))

    assert (row["state"], row["half_life_hours"]) == (DecayState.IMPROVING, pytest.approx(200.0))
    assert row["decay_mult"] == pytest.approx(1 + 0.33 * math.exp(-200 / 168))


def test_seventeen_snapshots_are_too_few_and_eighteen_are_not():
    edge = np.exp(rate_of(48.0) * DAYS)
    few, enough = fitted(edge[:17]), fitted(edge[:18])

    assert (few["state"], few["reason"], few["decay_mult"]) == (
        DecayState.INSUFFICIENT,
        DecayReason.TOO_FEW_SNAPSHOTS,
        1.0,
    )
    assert math.isnan(few["slope_per_hour"])
    assert enough["state"] is DecayState.DECAYING


@pytest.mark.parametrize("n_points", [3, 18])
def test_outcomes_that_cross_zero_are_no_clean_decay_although_two_thirds_are_positive(n_points):
    edge = np.interp(np.linspace(0, 2, n_points), [0, 1, 2], [2.0, 1.0, -0.5])
    row = fitted(edge, config=EdgeDecayConfig(min_snapshots=3))

    assert (row["reason"], row["n_outliers"], row["state"]) == (DecayReason.CROSSES_ZERO, 0, DecayState.DECAYING)
    assert math.isnan(row["half_life_hours"])
    assert row["r2_exponential"] < row["r2_linear"]


def test_leaving_out_the_negative_ones_would_give_another_answer():
    edge = np.linspace(2.0, -2.0, 30)[:24]
    kept = fitted(edge)
    without = fitted(edge[edge > 0], config=EdgeDecayConfig(min_snapshots=3))

    assert (kept["reason"], without["reason"]) == (DecayReason.CROSSES_ZERO, None)
    assert kept["n_snapshots"] == 24
    assert kept["decay_mult"] < without["decay_mult"]


def test_a_line_speaks_where_no_exponential_is_believed():
    edge = np.linspace(1.0, -0.5, 30)
    row = fitted(edge)

    assert row["slope_per_hour"] == pytest.approx(-1.5 / DAYS[-1])
    assert row["relative_rate_per_hour"] == pytest.approx(row["slope_per_hour"] / np.abs(edge).mean())
    assert row["decay_mult"] == decay_multiplier(row["relative_rate_per_hour"], CONFIG)


def test_an_edge_that_changed_its_sign_is_never_boosted():
    row = fitted(np.linspace(0.5, -2.0, 30))

    assert (row["state"], row["decay_mult"], row["reason"]) == (DecayState.STABLE, 1.0, DecayReason.CROSSES_ZERO)


@pytest.mark.parametrize(
    ("edge", "hours", "reason"),
    [
        (np.zeros(30), DAYS, DecayReason.NO_EDGE),
        (np.full(30, 0.5), DAYS, DecayReason.NO_CLEAR_TREND),
        (np.ones(30), np.zeros(30), DecayReason.NO_TIME_SPAN),
        (0.5 + 0.4 * np.random.default_rng(3).normal(size=30), DAYS, DecayReason.NO_CLEAR_TREND),
        (np.where(np.arange(30) < 1, 1.0, 0.0), DAYS, DecayReason.NO_CLEAR_TREND),
    ],
    ids=["zeros", "flat", "one instant", "noise", "one value"],
)
def test_what_cannot_be_told_is_refused_with_its_reason_and_changes_nothing(edge, hours, reason):
    row = fitted(edge, hours)

    assert (row["reason"], row["state"], row["decay_mult"]) == (reason, DecayState.STABLE, 1.0)
    assert math.isnan(row["half_life_hours"])


def test_pure_noise_seldom_has_a_trend():
    rng = np.random.default_rng(11)
    edge = 0.5 + 0.3 * rng.normal(size=(2000, 30))
    decay = fit_edge_decay(np.arange(0, 60_001, 30), np.tile(DAYS, 2000), edge.ravel(), CONFIG)

    assert np.mean(decay.state == DecayState.STABLE) > 0.93


def test_planted_rates_are_within_a_quarter_in_95_of_100_cells():
    offsets, hours, edge, rates = planted_cells(1500, seed=7)
    decay = fit_edge_decay(offsets, hours, edge, CONFIG)
    is_believed = ~np.isnan(decay.rate_per_hour)
    is_near = np.abs(decay.rate_per_hour / rates - 1) <= 0.25

    assert is_believed.mean() > 0.92
    assert is_near[is_believed].mean() > 0.95


def test_the_exponential_is_never_worse_than_an_iterative_least_squares_fit():
    offsets, hours, edge, rates = planted_cells(60, seed=8)
    decay = fit_edge_decay(offsets, hours, edge, EdgeDecayConfig(max_outlier_frac=0.0))
    checked = 0
    for cell in np.flatnonzero(~np.isnan(decay.rate_per_hour)):
        t, y = (column[offsets[cell] : offsets[cell + 1]] for column in (hours - hours[offsets[cell]], edge))
        model = lambda t, a, b: a * np.exp(b * t)  # noqa: E731 - what curve_fit asks for
        best, _ = curve_fit(model, t, y, p0=(y[0], rates[cell]))
        ours = np.sum((y - model(t, decay.amplitude[cell], decay.rate_per_hour[cell])) ** 2)

        assert ours <= np.sum((y - model(t, *best)) ** 2) * (1 + 1e-9)
        checked += 1
    assert checked > 50


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(0, 29), st.sampled_from([-1, 1]), st.sampled_from([100.0, 300.0, 700.0]))
def test_one_outlier_anywhere_and_of_either_sign_changes_little(seed, place, sign, half_life_hours):
    rng = np.random.default_rng(seed)
    clean = np.exp(rate_of(half_life_hours) * DAYS) + rng.normal(0, 0.02, 30)
    spoiled = clean.copy()
    spoiled[place] += sign * rng.uniform(1.0, 20.0)
    row = fitted(spoiled)

    assert row["n_outliers"] == 1
    assert row["rate_per_hour"] == pytest.approx(fitted(clean)["rate_per_hour"], rel=0.1)


def test_two_bad_snapshots_in_a_row_are_news_and_stay():
    edge = np.exp(rate_of(400.0) * DAYS)
    edge[-2:] = -1.0

    assert fitted(edge)["n_outliers"] == 0


@pytest.mark.parametrize("gap", [slice(2, 10), slice(8, 20), slice(15, 26)])
def test_a_gap_changes_little(gap):
    edge = np.exp(rate_of(200.0) * DAYS) + np.random.default_rng(2).normal(0, 0.01, 30)
    kept = np.delete(np.arange(30), gap)

    row = fit_one_edge_decay(DAYS[kept], edge[kept], CONFIG)

    assert row["half_life_hours"] == pytest.approx(200.0, rel=0.05)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_a_cell_has_the_same_bits_alone_and_among_others(seed):
    offsets, hours, edge, _ = planted_cells(6, seed, noise=0.3)
    among = fit_edge_decay(offsets, hours, edge, CONFIG)
    alone = [fit_edge_decay(np.array([0, b - a]), hours[a:b], edge[a:b], CONFIG) for a, b in pairwise(offsets)]

    joined = EdgeDecay(*(np.concatenate(columns) for columns in zip(*alone, strict=True)))
    assert repr([column.tolist() for column in joined]) == repr([column.tolist() for column in among])


@pytest.mark.parametrize("n_threads", [2, 3, 50])
def test_threads_change_no_bit(n_threads):
    rng = np.random.default_rng(11)
    counts = rng.integers(0, 60, 40)
    offsets = np.concatenate([[0], np.cumsum(counts), [counts.sum()]])
    hours = np.concatenate([np.sort(rng.uniform(0, 900, n)) for n in counts])
    edge = rng.normal(0.5, 0.4, hours.size)
    alone, shared = (fit_edge_decay(offsets, hours, edge, CONFIG, n_threads=n) for n in (1, n_threads))

    assert [column.tolist() for column in alone[-2:]] == [column.tolist() for column in shared[-2:]]
    assert [column.tobytes() for column in alone[:-2]] == [column.tobytes() for column in shared[:-2]]


def test_no_thread_fits_nothing_and_is_refused():
    with pytest.raises(ValueError, match="n_threads must be >= 1, was 0"):
        fit_edge_decay(np.array([0]), np.array([]), np.array([]), CONFIG, n_threads=0)


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.randoms(use_true_random=False))
def test_sign_scale_origin_and_order_of_the_snapshots_do_not_matter(seed, random):
    _, hours, edge, _ = planted_cells(1, seed)
    order = list(range(hours.size))
    random.shuffle(order)
    row = fit_one_edge_decay(hours, edge, CONFIG)
    other = fit_one_edge_decay(hours[order] + 1024.0, -4.0 * edge[order], CONFIG)

    assert other["rate_per_hour"] == pytest.approx(row["rate_per_hour"], rel=1e-9, nan_ok=True)
    assert other["decay_mult"] == pytest.approx(row["decay_mult"], rel=1e-9)


@pytest.mark.parametrize(
    ("offsets", "hours", "edge", "says"),
    [
        ([0, 2], [0.0, 1.0], [1.0, math.nan], "must be finite"),
        ([0, 2], [1.0, 0.0], [1.0, 1.0], "must not fall within a cell, fell at 1"),
        ([0, 3], [0.0, 1.0], [1.0, 1.0], "rise from 0 to 2"),
        ([0, 2], [0.0, 1.0], [1.0], "two equal columns"),
    ],
)
def test_a_history_that_cannot_be_is_refused(offsets, hours, edge, says):
    with pytest.raises(ValueError, match=says):
        fit_edge_decay(np.array(offsets), np.array(hours), np.array(edge), CONFIG)


def test_no_cells_and_an_empty_cell_give_rows_without_a_fit():
    none = fit_edge_decay(np.array([0]), np.empty(0), np.empty(0), CONFIG)
    empty = fit_edge_decay(np.array([0, 0]), np.empty(0), np.empty(0), CONFIG)

    assert none.state.size == 0
    assert empty.of(0)["reason"] is DecayReason.TOO_FEW_SNAPSHOTS
