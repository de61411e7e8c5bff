import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.simulated_bridge import draws, split
from resources.simulated_path import Bars


def some_bars(seed: int, count: int = 5) -> Bars:
    """Bars of very different prices, ranges and volumes; one of them has no range."""
    rng = np.random.default_rng(seed)
    opened = 10.0 ** rng.uniform(-9, 5, count)
    closed = opened * np.exp(rng.normal(0, 0.3, count))
    high = np.maximum(opened, closed) * np.exp(np.abs(rng.normal(0, 0.1, count)))
    low = np.minimum(opened, closed) * np.exp(-np.abs(rng.normal(0, 0.1, count)))
    for values in (high, low, closed):
        values[0] = opened[0]
    return Bars(opened, high, low, closed, np.floor(10.0 ** rng.uniform(0, 13, count)))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), parts=st.sampled_from([2, 24, 60]))
def test_parts_roll_up_to_the_bar_exactly_and_each_is_a_valid_bar(seed, parts):
    bars = some_bars(seed)

    made = split(bars, parts, *draws(seed, list(range(5)), 3, parts, 2, 0.5))

    assert (made.open[:, 0] == bars.open).all()
    assert (made.close[:, -1] == bars.close).all()
    assert (made.high.max(axis=1) == bars.high).all()
    assert (made.low.min(axis=1) == bars.low).all()
    assert (made.volume.sum(axis=1) == bars.volume).all()
    assert (made.high >= np.maximum(made.open, made.close)).all()
    assert (made.low <= np.minimum(made.open, made.close)).all()
    assert (made.volume >= 0).all()


def test_each_part_opens_where_the_last_one_closed():
    made = split(some_bars(1), 24, *draws(1, list(range(5)), 3, 24, 2, 0.5))

    assert (made.open[:, 1:] == made.close[:, :-1]).all()


def test_an_instruments_numbers_do_not_depend_on_its_company():
    alone, together = draws(1, [7], 3, 24, 2, 0.5), draws(1, [4, 7, 9], 3, 24, 2, 0.5)

    assert (alone[0][0] == together[0][1]).all()
    assert (alone[1][0] == together[1][1]).all()


@pytest.mark.parametrize("changed", [{"seed": 2}, {"day": 4}, {"layer": 3}])
def test_another_seed_day_or_layer_gives_other_numbers(changed):
    asked = {"seed": 1, "numbers": [7], "day": 3, "parts": 24, "layer": 2, "correlation": 0.5}

    assert (draws(**asked)[0] != draws(**(asked | changed))[0]).all()


def test_steps_of_two_instruments_are_correlated_as_asked():
    step, _ = draws(1, [4, 7], 3, 200_000, 2, 0.6)

    assert np.corrcoef(step)[0, 1] == pytest.approx(0.36, abs=0.03)
    assert step.std() == pytest.approx(1.0, abs=0.05)
