"""The compiled step says what its Python source says, and survives any finite bar."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.config.uptrend import UptrendConfig
from domain.regime import uptrend_step as stepping
from domain.regime.uptrend_bar import Bar, DecayColumns, EmaStack, SignalColumns, StackColumns, uptrend_params
from domain.regime.uptrend_state import NO_STATE, S0, S1, S3, S4
from tests.builders import random_walk, uptrend_rows

PARAMS = uptrend_params(UptrendConfig())
PROJECT = Path(__file__).resolve().parents[3]
NO_LEVELS = np.empty(0)
NAMES = {"price": "close_usd", "close": "close_usd", "high": "high_usd", "low": "low_usd"}
finite = st.floats(allow_nan=False, allow_infinity=False)


def folded() -> tuple[np.ndarray, np.ndarray]:
    """Codes and scores of a walk of 1,200 bars, from arrays, without the frame around them."""
    rows = uptrend_rows(random_walk(1200, 4))
    columns = [
        kind(*(rows[NAMES.get(name, name)].to_numpy() for name in kind._fields))
        for kind in (StackColumns, SignalColumns, DecayColumns)
    ]
    panel = stepping.Panel(*columns, np.arange(1200) * 3_600_000_000)
    codes, scores = np.empty((1200, stepping.CODES), np.int64), np.empty((1200, stepping.SCORES))
    before = stepping.Memory(NO_STATE, False, stepping.NO_TIME, False)
    pivots = np.empty(500, np.int64)
    stepping.fold_series(panel, 0, 0, 1200, before, 3_600_000_000, NO_LEVELS, NO_LEVELS, PARAMS, pivots, codes, scores)
    return codes, scores


def test_the_compiled_fold_is_its_source(tmp_path):
    """Numba's cache looks at a function's own file only: edit a callee in another file and the old code runs on.

    If this fails after such an edit, remove the `*.nbi` and `*.nbc` files under `__pycache__`.
    """
    script = (
        "import sys, numpy; from tests.domain.regime.test_uptrend_step import folded;"
        "codes, scores = folded(); numpy.savez(sys.argv[1], codes=codes, scores=scores)"
    )
    saved = tmp_path / "uncompiled.npz"
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", script, str(saved)], check=True, env=environment, cwd=PROJECT)
    source = np.load(saved)
    codes, scores = folded()

    np.testing.assert_array_equal(codes, source["codes"])
    np.testing.assert_allclose(scores, source["scores"], rtol=1e-12)
    assert len(set(codes[:, stepping.STATE])) >= 4


@given(
    st.integers(NO_STATE, S4),
    st.tuples(*[finite] * 7).map(lambda values: EmaStack(*values)),
    st.tuples(*[finite] * 14),
    st.booleans(),
    st.booleans(),
)
@settings(deadline=None, max_examples=300)
def test_any_finite_bar_gets_a_state_and_bounded_scores(state, stack, values, bootstrapped, emergency):
    before = stepping.Memory(state, bootstrapped, 0, emergency)
    after = stepping.moved(before, stack, 7, True)
    flags, gates, scores = stepping.step(before, after, Bar(stack, *values), 0.5, 7, NO_LEVELS, NO_LEVELS, PARAMS)

    assert after.state in range(S0, S4 + 1)
    assert (after.s3_start == stepping.NO_TIME) == (after.state != S3)
    assert 0 <= flags < 1 << len(stepping.FLAGS)
    assert gates >= 0
    assert all(math.isnan(score) or 0.0 <= score <= 1.25 for score in scores)


def test_a_cold_bar_forgets_everything():
    stack = EmaStack(*[1.0] * 7)
    before = stepping.Memory(S3, True, 5, True)

    assert stepping.moved(before, stack, 7, False) == (S4, False, stepping.NO_TIME, False)


def test_the_emergency_of_an_exit_lasts_one_bar():
    bearish = EmaStack(90.0, 94.0, 95.0, 97.0, 100.0, 102.0, 105.0)
    exit_bar = stepping.moved(stepping.Memory(S1, False, stepping.NO_TIME, False), bearish, 7, True)
    next_bar = stepping.moved(exit_bar, bearish, 8, True)

    assert (exit_bar.state, exit_bar.is_emergency) == (S0, True)
    assert (next_bar.state, next_bar.is_emergency) == (S0, False)
