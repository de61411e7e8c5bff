"""The fits against certified values of the NIST Statistical Reference Datasets.

Norris is a line. DanWood, y = b1 x^b2, is an exponential in ln x. Of Bennett5, Eckerle4 and MGH10, three parameters
each, the third is taken as certified: at it the other two are an amplitude and a rate in a time made of x, and the
certified least squares are the least of those two as well. The other data sets of the collection are other models.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from domain.config.learning import EdgeDecayConfig
from domain.learning.edge_decay import fit_one_edge_decay

pytestmark = pytest.mark.real_data
AS_GIVEN = EdgeDecayConfig(min_snapshots=3, max_outlier_frac=0.0, min_rate_t=0.0, min_exponential_r2=0.0)


def published(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray, list[float], float]:
    """x, y, certified parameters, certified residual sum of squares."""
    problems = json.loads((folder / "nist_strd" / "nonlinear.json").read_text(encoding="utf-8"))
    (problem,) = [problem for problem in problems if problem["name"] == name]
    y, x = np.array(problem["data"]).T
    return x, y, [parameter["certified"] for parameter in problem["params"]], problem["rss"]


def squares_of(row: dict, y: np.ndarray) -> float:
    return (1.0 - row["r2_exponential"]) * np.sum((y - y.mean()) ** 2)


def amplitude_at_zero(row: dict, hours: np.ndarray) -> float:
    return row["amplitude"] * math.exp(-row["rate_per_hour"] * hours.min())


def test_the_line_is_that_of_norris(shared_data):
    lines = (shared_data / "nist_strd" / "linear" / "Norris.dat").read_text(encoding="utf-8").splitlines()[60:96]
    y, x = np.array([[float(word) for word in line.split()] for line in lines]).T
    row = fit_one_edge_decay(x, y, AS_GIVEN)

    assert row["slope_per_hour"] == pytest.approx(1.00211681802045, rel=1e-12)
    assert row["intercept"] - row["slope_per_hour"] * x.min() == pytest.approx(-0.262323073774029, rel=1e-9)
    assert row["r2_linear"] == pytest.approx(0.999993745883712, rel=1e-12)


def test_the_power_law_of_danwood_is_an_exponential_in_the_logarithm(shared_data):
    x, y, (b1, b2), squares = published(shared_data, "DanWood")
    row = fit_one_edge_decay(np.log(x), y, AS_GIVEN)

    assert row["rate_per_hour"] == pytest.approx(b2, rel=1e-9)
    assert amplitude_at_zero(row, np.log(x)) == pytest.approx(b1, rel=1e-9)
    assert squares_of(row, y) == pytest.approx(squares, rel=1e-9)


def test_bennett5_at_its_certified_shift(shared_data):
    x, y, (b1, b2, b3), squares = published(shared_data, "Bennett5")
    hours = np.log(b2 + x)
    row = fit_one_edge_decay(hours, y, AS_GIVEN)

    assert row["rate_per_hour"] == pytest.approx(-1.0 / b3, rel=1e-9)
    assert amplitude_at_zero(row, hours) == pytest.approx(b1, rel=1e-8)
    assert squares_of(row, y) == pytest.approx(squares, rel=1e-6)


def test_the_gaussian_of_eckerle4_at_its_certified_centre(shared_data):
    x, y, (b1, b2, b3), squares = published(shared_data, "Eckerle4")
    hours = (x - b3) ** 2
    row = fit_one_edge_decay(hours, y, AS_GIVEN)

    assert math.sqrt(-0.5 / row["rate_per_hour"]) == pytest.approx(b2, rel=1e-9)
    assert amplitude_at_zero(row, hours) * b2 == pytest.approx(b1, rel=1e-9)
    assert squares_of(row, y) == pytest.approx(squares, rel=1e-9)


def test_the_steep_thermistor_of_mgh10_at_its_certified_shift(shared_data):
    x, y, (b1, b2, b3), squares = published(shared_data, "MGH10")
    hours = 1.0 / (x + b3)
    row = fit_one_edge_decay(hours, y, AS_GIVEN)

    assert row["rate_per_hour"] == pytest.approx(b2, rel=1e-9)
    assert amplitude_at_zero(row, hours) == pytest.approx(b1, rel=1e-7)
    assert squares_of(row, y) == pytest.approx(squares, rel=1e-8)
