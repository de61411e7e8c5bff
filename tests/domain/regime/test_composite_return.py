"""The composite: shares of the buckets that speak, stored beside the return, and a chain that can be cut."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.composite_return import CompositeReturns, composite_returns

START = datetime(2025, 3, 29, tzinfo=UTC)
CONFIG = CapBucketConfig()
TIMESTAMP = pl.Datetime("us", "UTC")
NO_LEVELS = pl.DataFrame(schema={"timestamp": TIMESTAMP, "index_level": pl.Float64})
NO_REFERENCES = pl.DataFrame(schema={"timestamp": TIMESTAMP, "r_btc": pl.Float64, "r_alt": pl.Float64})
RETURNS = {"bucket": pl.String, "timestamp": TIMESTAMP, "r_bucket": pl.Float64, "coverage": pl.Float64}


def at(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def returns(*hours: dict[str, float]) -> pl.DataFrame:
    """One mapping of bucket to return an hour."""
    rows = [(bucket, at(i), r, 1.0) for i, hour in enumerate(hours) for bucket, r in hour.items()]
    return pl.DataFrame(rows, schema=RETURNS, orient="row")


def blended(rows: pl.DataFrame, hours: int = 3, **changed: object) -> CompositeReturns:
    asked = pl.Series([at(hour) for hour in range(hours)], dtype=TIMESTAMP)
    arguments = {"references": NO_REFERENCES, "last_levels": NO_LEVELS, "start": START, "end": at(hours)}
    return composite_returns(rows, **{**arguments, "timestamps": asked, "config": CONFIG, **changed})


def test_two_of_five_buckets_share_the_whole():
    found = blended(returns({"micro": 0.01, "big": -0.005})).returns

    assert found["r_composite"].item() == pytest.approx(0.004)
    assert found.select("weight_nano", "weight_micro", "weight_big", "group_count").row(0) == (None, 0.6, 0.4, 2)
    assert found["index_level"].item() == pytest.approx(100 * math.exp(0.004))


def test_all_five_have_their_configured_shares():
    found = blended(returns(dict.fromkeys(("nano", "micro", "mid", "big", "large"), 0.02))).returns

    assert found["r_composite"].item() == pytest.approx(0.02)
    weights = found.select(f"weight_{name}" for name in ("nano", "micro", "mid", "big", "large")).row(0)
    assert weights == pytest.approx((0.15, 0.30, 0.25, 0.20, 0.10))


def test_xl_has_no_part():
    found = blended(returns({"micro": 0.01, "xl": 9.0})).returns

    assert found["r_composite"].item() == pytest.approx(0.01)
    assert "weight_xl" not in found.columns


def test_hours_in_which_no_bucket_speaks_are_skipped_and_named():
    found = blended(returns({"micro": 0.01}, {"xl": 0.5}, {"micro": 0.02}))

    assert found.returns["timestamp"].to_list() == [at(0), at(2)]
    assert found.skipped["timestamp"].to_list() == [at(1)]
    assert found.returns["index_level"][-1] == pytest.approx(100 * math.exp(0.03))


def test_with_no_bucket_at_all_the_composite_is_unknown_everywhere():
    found = blended(returns())

    assert found.returns.is_empty()
    assert found.skipped.height == 3


def test_residuals_are_of_the_blend():
    references = pl.DataFrame({"timestamp": [at(0)], "r_btc": [0.003], "r_alt": [None]}, schema=NO_REFERENCES.schema)
    found = blended(returns({"micro": 0.01}), references=references).returns

    assert found["resid_btc"].item() == pytest.approx(0.007)
    assert found["resid_alt"].item() is None


def random_returns(seed: int, hours: int = 48) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    names = ("nano", "micro", "mid", "big", "large", "xl")
    return returns(*({n: float(rng.normal(0, 0.02)) for n in names if rng.random() < 0.5} for _ in range(hours)))


@pytest.mark.parametrize("seed", range(3))
def test_shares_sum_to_one_and_equal_the_definition(seed):
    rows = random_returns(seed)
    found = blended(rows, 48).returns
    shares = CONFIG.composite_bucket_weights
    for row in found.iter_rows(named=True):
        spoken = dict(rows.filter(timestamp=row["timestamp"]).select("bucket", "r_bucket").rows())
        total = sum(shares[name] for name in shares if name in spoken)
        assert row["r_composite"] == pytest.approx(sum(shares[n] * spoken[n] for n in shares if n in spoken) / total)
        assert sum(row[f"weight_{name}"] or 0 for name in shares) == pytest.approx(1.0)


@pytest.mark.parametrize("cut", [1, 17, 47])
def test_a_resumed_composite_equals_an_unbroken_one(cut):
    rows = random_returns(5)
    whole = blended(rows.sample(fraction=1, shuffle=True, seed=1), 48)
    head = blended(rows, 48, end=at(cut))
    tail = blended(rows, 48, start=at(cut), last_levels=head.returns.select("timestamp", "index_level"))

    assert_frame_equal(pl.concat([head.returns, tail.returns]), whole.returns)
    assert_frame_equal(pl.concat([head.skipped, tail.skipped]), whole.skipped)


def test_other_groups_take_weights_of_their_own():
    rows = returns({"micro": 0.01, "big": 0.03}).rename({"bucket": "chain"})
    found = blended(rows, group="chain", weights={"micro": 1.0, "big": 3.0}).returns

    assert found["r_composite"].item() == pytest.approx(0.025)


def test_what_cannot_be_is_refused():
    rows = returns({"micro": 0.01})

    with pytest.raises(ValueError, match="had two"):
        blended(pl.concat([rows, rows]))
    with pytest.raises(ValueError, match="must be finite"):
        blended(returns({"micro": math.nan}))
    with pytest.raises(ValueError, match="Weights must be"):
        blended(rows, weights={"micro": 0.0})
