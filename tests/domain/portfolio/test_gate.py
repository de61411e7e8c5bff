"""A gate reading says what was asked, what was found, and how far it was off."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.portfolio.gate import (
    Gate,
    GateReading,
    at_least,
    blocking_gates,
    fact,
    is_open,
    measured,
    missing,
    reading_from_json,
    units,
)
from domain.regime.uptrend_gate import GATES


def test_gates_of_the_engine_bear_its_names():
    of_the_engine = [gate.value for gate in Gate][:10]

    assert set(of_the_engine) <= set(GATES)


@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.01, 1))
def test_a_threshold_that_is_met_exactly_is_met(value, threshold, scale):
    gate = at_least(Gate.LEVER_A, value, base=threshold, threshold=threshold, scale=scale)

    assert gate.passed is (value >= threshold)
    assert at_least(Gate.LEVER_A, value, base=value, threshold=value, scale=scale).margin == 0.0


def test_a_shortfall_is_the_missing_margin_or_one_where_there_is_none():
    short = at_least(Gate.TREND_STRENGTH, 0.55, base=0.6, threshold=0.6, scale=0.1)

    assert short.shortfall == pytest.approx(0.5)
    assert fact(Gate.HELD, False).shortfall == missing(Gate.LEVER_A, "no score").shortfall == 1.0
    assert fact(Gate.HELD, True).shortfall == 0.0


def test_a_missing_value_is_a_shut_gate_that_says_what_is_missing():
    gate = missing(Gate.LEVER_E, "the score is stale", threshold_base=0.1, threshold=0.2)

    assert (gate.passed, gate.value, gate.margin, gate.detail) == (False, None, None, "missing: the score is stale")


def test_a_margin_that_rounding_put_on_the_other_side_gets_the_sign_of_the_verdict():
    common = {"value": 1.0, "threshold_base": 1.0, "threshold": 1.0}

    assert measured(Gate.NEAR_EMA60, passed=True, margin=-1e-17, **common).margin == 0.0
    assert measured(Gate.NEAR_EMA60, passed=False, margin=1e-17, **common).margin < 0


@pytest.mark.parametrize(("amount", "unit"), [(1.0, 0.0), (1e300, 1e-300), (-1e300, 1e-300)])
def test_what_no_number_can_count_is_not_counted(amount, unit):
    assert units(amount, unit) is None


def test_nothing_asked_is_not_allowed():
    assert not is_open(())
    assert not is_open([fact(Gate.HELD, True), fact(Gate.MODE, False)])
    assert blocking_gates([fact(Gate.HELD, True), fact(Gate.MODE, False)]) == (Gate.MODE,)


finite = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.builds(
        GateReading,
        name=st.sampled_from(Gate),
        value=finite,
        threshold_base=finite,
        threshold=finite,
        margin=finite,
        passed=st.booleans(),
        detail=st.none() | st.text(),
    )
)
def test_a_reading_returns_from_json_as_it_was(gate):
    assert reading_from_json(json.loads(json.dumps(gate.to_json(), allow_nan=False))) == gate


@pytest.mark.parametrize("wrong", [{"name": "no_such_gate"}, {"further": 1}])
def test_a_reading_this_code_did_not_write_is_refused(wrong):
    with pytest.raises(ValueError, match=r"keys|no_such_gate"):
        reading_from_json(fact(Gate.HELD, True).to_json() | wrong)


def test_every_margin_is_finite():
    assert math.isfinite(at_least(Gate.LEVER_A, 0.5, base=0.1, threshold=0.1, scale=1e-300).margin or 0.0)
