"""Bucket returns: membership and units never move a level, and any cut gives the same rows."""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.bucket_return import BucketReturns, bucket_returns, chain_levels, reference_returns
from domain.vocabulary.timeframe import Timeframe

START = datetime(2025, 3, 29, tzinfo=UTC)
HOURS = 72
END = START + timedelta(hours=HOURS)
CONFIG = CapBucketConfig(bucket_phase_min_population=2)
TIMESTAMP = pl.Datetime("us", "UTC")
NO_LEVELS = pl.DataFrame(schema={"bucket": pl.String, "timestamp": TIMESTAMP, "index_level": pl.Float64})
NO_REFERENCES = pl.DataFrame(schema={"timestamp": TIMESTAMP, "r_btc": pl.Float64, "r_alt": pl.Float64})


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def bars(closes: dict[str, list[float | None]], *, first_hour: int = -1) -> pl.DataFrame:
    """Hourly closes by token from START - 1 h on; None is no bar."""
    rows = [
        (token, "base", "1h", at(first_hour + i), close)
        for token, series in closes.items()
        for i, close in enumerate(series)
        if close is not None
    ]
    schema = ["token_contract", "chain", "timeframe", "timestamp", "close_usd"]
    return pl.DataFrame(rows, schema=schema, orient="row", schema_overrides={"timestamp": TIMESTAMP})


def members(*rows: tuple[str, str], days: int = HOURS // 24, liquidity: dict[str, float] | None = None) -> pl.DataFrame:
    """Bucket and token of each member, the same on all days."""
    named = [
        (bucket, token, "base", date(2025, 3, 29) + timedelta(days=day), (liquidity or {}).get(token))
        for bucket, token in rows
        for day in range(days)
    ]
    schema = {"bucket": pl.String, "token_contract": pl.String, "chain": pl.String, "day": pl.Date}
    return pl.DataFrame(named, schema={**schema, "liquidity_usd": pl.Float64}, orient="row")


def made(prices: pl.DataFrame, held: pl.DataFrame, **changed: object) -> BucketReturns:
    arguments = {"references": NO_REFERENCES, "last_levels": NO_LEVELS, "start": START, "end": END, "config": CONFIG}
    return bucket_returns(prices, held, **{**arguments, **changed})


def world(seed: int, *, tokens: int = 10, gap: float = 0.2) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Random walks with holes from a day before START, and tokens that change bucket by the day."""
    rng = np.random.default_rng(seed)
    walk = np.exp(np.cumsum(rng.normal(0, 0.3, (HOURS + 24, tokens)), axis=0)) * 10.0 ** rng.uniform(-8, 3, tokens)
    walk[rng.random(walk.shape) < gap] = np.nan
    closes = {f"0x{i}": [None if math.isnan(v) else v for v in walk[:, i]] for i in range(tokens)}
    held = members(*((str(rng.choice(["nano", "micro"])), f"0x{i}") for i in range(tokens)))
    shuffled = held.with_columns(bucket=pl.Series(rng.permutation(held["bucket"].to_numpy())))
    return bars(closes, first_hour=-24), shuffled.filter(pl.Series(rng.random(held.height) < 0.8))


def test_every_member_counts_the_same_whatever_it_costs():
    found = made(bars({"a": [1e-8, 2e-8], "b": [1e4, 1e4]}), members(("nano", "a"), ("nano", "b"))).returns

    assert found.select("bucket", "member_count", "traded_count", "dropped_count").row(0) == ("nano", 2, 2, 0)
    assert found["r_bucket"].item() == pytest.approx(math.log(2) / 2)
    assert found["index_level"].item() == pytest.approx(100 * math.sqrt(2))


def test_liquidity_weighs_and_a_member_without_it_is_dropped():
    config = CapBucketConfig(bucket_phase_min_population=2, weighting="liquidity")
    held = members(*(("nano", token) for token in "abc"), liquidity={"a": 3.0, "b": 1.0})
    found = made(bars({"a": [1.0, 2.0], "b": [1.0, 1.0], "c": [1.0, 2.9]}), held, config=config).returns

    assert found["r_bucket"].item() == pytest.approx(0.75 * math.log(2))
    assert found.select("member_count", "dropped_count").row(0) == (2, 1)


def test_a_silent_member_is_flat_for_one_bar_and_loses_nothing_on_its_return():
    held = members(("nano", "a"), ("nano", "b"), ("nano", "c"))
    found = made(bars({"a": [1.0] * 3, "b": [1.0] * 3, "c": [1.0, None, 2.0]}), held).returns

    assert found["r_bucket"].to_list() == pytest.approx([0.0, math.log(2) / 3])
    assert found.select("member_count", "traded_count").rows() == [(3, 2), (3, 3)]


def test_after_two_missing_bars_a_member_counts_from_its_second_bar():
    held = members(("nano", "a"), ("nano", "b"), ("nano", "c"))
    found = made(bars({"a": [1.0] * 5, "b": [1.0] * 5, "c": [1.0, None, None, 8.0, 8.8]}), held).returns

    assert found["r_bucket"].to_list() == pytest.approx([0.0, 0.0, 0.0, math.log(1.1) / 3])
    assert found["dropped_count"].to_list() == [0, 1, 1, 0]


def test_a_spike_is_clipped_at_three_and_counted():
    found = made(bars({"a": [1.0, 67_743.0], "b": [1.0, 1.0]}), members(("nano", "a"), ("nano", "b"))).returns

    assert found["r_bucket"].item() == pytest.approx(math.log(3) / 2)
    assert found["clipped_count"].item() == 1


def test_too_few_members_make_no_row_but_are_counted():
    held = members(("nano", "a"), ("micro", "b"), ("micro", "c"))
    found = made(bars({"a": [1.0, 2.0], "b": [1.0, 1.0], "c": [1.0, 1.0]}), held)

    assert found.returns["bucket"].to_list() == ["micro"]
    assert found.skipped.select("bucket", "member_count", "dropped_count").rows() == [("nano", 1, 0)]


def test_without_members_or_bars_there_is_nothing():
    prices = bars({"a": [1.0, 2.0]})

    assert made(prices, members()).returns.is_empty()
    assert made(prices.clear(), members(("nano", "a"))).returns.is_empty()


def test_residuals_are_against_btc_and_alt_and_null_without_them():
    references = pl.DataFrame(
        {"timestamp": [at(0), at(1)], "r_btc": [0.01, None], "r_alt": [-0.02, 0.03]},
        schema={"timestamp": TIMESTAMP, "r_btc": pl.Float64, "r_alt": pl.Float64},
    )
    prices = bars({"a": [1.0, 1.1, 1.1, 1.1], "b": [1.0, 1.1, 1.1, 1.1]})
    found = made(prices, members(("nano", "a"), ("nano", "b")), references=references).returns

    r = math.log(1.1)
    assert found["resid_btc"].to_list() == pytest.approx([r - 0.01, None, None])
    assert found["resid_alt"].to_list() == pytest.approx([r + 0.02, -0.03, None])


@pytest.mark.parametrize("joins", [True, False])
def test_a_dear_member_that_joins_or_leaves_does_not_move_the_level(joins):
    flat = {token: [1.0] * (HOURS + 1) for token in "ab"} | {"dear": [9e9] * (HOURS + 1)}
    held = members(("nano", "a"), ("nano", "b"), ("nano", "dear"))
    is_second_day = pl.col("day") > date(2025, 3, 29)
    one_sided = held.filter((pl.col("token_contract") != "dear") | (is_second_day if joins else ~is_second_day))

    assert set(made(bars(flat), one_sided).returns["index_level"]) == {100.0}


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 9))
def test_a_unit_of_price_means_nothing(seed, scaled):
    prices, held = world(seed)
    unit = pl.when(token_contract=f"0x{scaled}").then(1024.0).otherwise(1.0)  # exact in binary

    assert_frame_equal(made(prices.with_columns(pl.col("close_usd") * unit), held).returns, made(prices, held).returns)


def test_a_thousandfold_unit_agrees_to_rounding():
    prices, held = world(3)
    thousand = prices.with_columns(pl.col("close_usd") * pl.when(token_contract="0x1").then(1000.0).otherwise(1.0))

    assert_frame_equal(made(thousand, held).returns, made(prices, held).returns, rel_tol=1e-12, abs_tol=1e-13)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_rows_means_nothing(seed):
    prices, held = world(seed)
    shuffled = made(prices.sample(fraction=1, shuffle=True, seed=seed), held.sample(fraction=1, shuffle=True, seed=1))

    assert_frame_equal(shuffled.returns, made(prices, held).returns)
    assert_frame_equal(shuffled.skipped, made(prices, held).skipped)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, HOURS - 1))
def test_a_resumed_series_equals_an_unbroken_one(seed, cut):
    prices, held = world(seed)
    whole = made(prices, held).returns
    head = made(prices, held, end=at(cut)).returns
    recent = prices.filter(pl.col("timestamp") >= at(cut - 2))
    tail = made(recent, held, start=at(cut), last_levels=head.select("bucket", "timestamp", "index_level")).returns

    assert_frame_equal(pl.concat([head, tail]).sort("bucket", "timestamp"), whole)


def test_a_window_made_again_goes_on_from_the_level_before_it():
    prices, held = world(2)
    whole = made(prices, held).returns

    assert_frame_equal(made(prices, held, last_levels=whole).returns, whole)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, HOURS - 1))
def test_bars_after_a_time_change_nothing_before_it(seed, cut):
    prices, held = world(seed)
    known = made(prices.filter(pl.col("timestamp") < at(cut)), held).returns

    assert_frame_equal(known, made(prices, held).returns.filter(pl.col("timestamp") < at(cut)))


def test_other_timeframes_and_later_bars_are_not_read():
    prices, held = world(1)
    noise = pl.concat([prices, prices.with_columns(timeframe=pl.lit("4h"), close_usd=pl.lit(-1.0))])

    assert_frame_equal(made(noise, held, end=at(9)).returns, made(prices, held, end=at(9)).returns)


def test_any_tag_can_group():
    prices = bars({"a": [1.0, 1.1], "b": [1.0, 1.1]})
    held = members(("x", "a"), ("x", "b")).drop("bucket").select("token_contract", "chain", "day")
    found = made(prices, held, group="chain", last_levels=NO_LEVELS.rename({"bucket": "chain"})).returns

    assert found.select("chain", "member_count").rows() == [("base", 2)]


def test_what_cannot_be_is_refused():
    prices, held = bars({"a": [1.0, 1.0]}), members(("nano", "a"))

    with pytest.raises(ValueError, match="one group a day"):
        made(prices, pl.concat([held, members(("micro", "a"))]))
    with pytest.raises(ValueError, match="each pair once"):
        made(pl.concat([prices, prices]), held)
    with pytest.raises(ValueError, match="start < end"):
        made(prices, held, end=START)
    with pytest.raises(ValueError, match="timestamp must be"):
        made(prices.with_columns(pl.col("timestamp").dt.replace_time_zone(None)), held)
    with pytest.raises(ValueError, match="level must be"):
        chain_levels([0.1], math.nan)


def test_references_are_log_returns_with_holes_left_out():
    rows = [("BTC", at(hour), price) for hour, price in [(0, 1.0), (1, 2.0), (3, 4.0), (6, 9.0)]]
    drivers = pl.DataFrame(
        [*rows, ("ALT", at(1), 5.0), ("nano", at(1), 5.0)],
        schema={"driver": pl.String, "timestamp": TIMESTAMP, "close_usd": pl.Float64},
        orient="row",
    ).with_columns(timeframe=pl.lit("1h"))
    found = reference_returns(drivers, timeframe=Timeframe.H1, config=CONFIG)

    assert found["r_btc"].to_list() == pytest.approx([None, math.log(2), math.log(2), None])
    assert found["r_alt"].to_list() == [None] * 4


@pytest.mark.real_data
def test_real_altcoins_chain_to_the_mean_of_their_log_returns(shared_data):
    first = datetime(2025, 3, 1, tzinfo=UTC)
    rows = (
        pl.read_parquet(shared_data / "binance_um_futures" / "ohlcv_1h.parquet")
        .with_columns(timestamp=pl.col("ts").dt.replace_time_zone("UTC").cast(TIMESTAMP))
        .filter(pl.col("timestamp").is_between(first - timedelta(hours=2), first + timedelta(days=7), closed="left"))
        .select(
            token_contract="symbol", chain=pl.lit("x"), timeframe=pl.lit("1h"), timestamp="timestamp", close_usd="close"
        )
    )
    days = pl.DataFrame({"day": pl.date_range(first.date(), first.date() + timedelta(days=6), eager=True)})
    held = rows.select("token_contract", "chain").unique().join(days, how="cross").with_columns(bucket=pl.lit("mid"))
    found = made(rows, held, start=first, end=first + timedelta(days=7)).returns
    move = (pl.col("close_usd") / pl.col("close_usd").shift(1)).log().over("token_contract", order_by="timestamp")
    plain = rows.with_columns(r=move).filter(pl.col("timestamp") >= first).group_by("timestamp").agg(pl.col("r").mean())

    assert found.height == 168
    np.testing.assert_allclose(found["r_bucket"], plain.sort("timestamp")["r"], atol=1e-12)
    assert found["index_level"][-1] == pytest.approx(100 * math.exp(plain["r"].sum()))
