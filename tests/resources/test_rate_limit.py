import pytest

from resources.rate_limit import PatienceError, RateLimit
from tests.loopback_api import MovedTime


def taken_at(weights: list[int], per_minute: int) -> list[float]:
    """Seconds after the start at which each weight is let through."""
    time = MovedTime(at=0.0)
    rate = RateLimit(per_minute, time.stopwatch)
    instants = []
    for weight in weights:
        rate.take(weight, patience_s=1e9)
        instants.append(time.at)
    return instants


def test_what_fits_into_a_minute_does_not_wait():
    assert taken_at([20, 20, 60], per_minute=100) == [0, 0, 0]


def test_what_does_not_fit_waits_until_the_first_weights_are_a_minute_old():
    assert taken_at([60, 40, 2, 99], per_minute=100) == [0, 0, 60, 120]


@pytest.mark.parametrize("weights", [[7, 90, 3, 50, 50, 1, 99, 100], [1] * 250, [33] * 12])
def test_no_minute_ever_holds_more_than_the_limit(weights):
    instants = taken_at(weights, per_minute=100)

    pairs = list(zip(instants, weights, strict=True))
    for end in instants:
        assert sum(weight for at, weight in pairs if end - 60 < at <= end) <= 100


def test_a_charge_after_the_call_counts_as_well():
    time = MovedTime(at=0.0)
    rate = RateLimit(100, time.stopwatch)
    rate.take(20, patience_s=0)
    rate.charge(70)

    assert rate.take(20, patience_s=100) == 60


def test_an_impatient_caller_is_told_and_nothing_is_counted():
    time = MovedTime(at=0.0)
    rate = RateLimit(10, time.stopwatch)
    rate.take(10, patience_s=0)
    with pytest.raises(PatienceError, match="opens in 60 s, 5 s are left"):
        rate.take(1, patience_s=5)

    assert time.slept == []
    assert rate.take(10, patience_s=60) == 60


def test_a_closed_limit_lets_nobody_through_until_it_opens():
    time = MovedTime(at=0.0)
    rate = RateLimit(100, time.stopwatch)
    rate.close_for(30)
    rate.close_for(3)

    assert rate.take(1, patience_s=60) == 30


def test_what_can_never_fit_is_refused():
    with pytest.raises(ValueError, match="weight must be <= 10, was 11"):
        RateLimit(10, MovedTime().stopwatch).take(11, patience_s=1e9)
    with pytest.raises(ValueError, match="must be > 0, was 0"):
        RateLimit(0)
