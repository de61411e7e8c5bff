"""Another grouping goes the whole way by its name alone: chains instead of cap buckets, from caps to phases."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from domain.config.cap_bucket import CapBucketConfig
from domain.config.driver_bar import DriverBarConfig
from domain.config.spiral import SpiralConfig
from domain.regime.bucket_eligibility import group_eligibility, made_members
from domain.regime.bucket_rank import BucketScore, rank_buckets
from domain.regime.bucket_return import bucket_returns, member_coverage, reference_returns
from domain.regime.composite_return import composite_returns
from domain.regime.daily_tag import DAILY_TAG_SCHEMA, daily_tags
from domain.regime.driver_bar import majors_driver
from domain.regime.driver_set import driver_set_bars
from domain.regime.rollup import roll_up
from domain.regime.spiral_phase import phase_frame
from domain.regime.spiral_stream import stream_frame
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe
from domain.vocabulary.window import Window
from resources.simulated_market import SimulatedMarket

END = datetime(2026, 3, 9, tzinfo=UTC)
START = END - timedelta(days=6)
CONFIG = CapBucketConfig(bucket_min_members=4, bucket_phase_min_population=4)
MARKET = SimulatedMarket(end=END, minute_days=0, hour_days=10, n_lowcaps=60)
WINDOW = Window(START, END)


def rolled(universe: Universe) -> pl.DataFrame:
    bars = MARKET.candles(universe, START - timedelta(days=1), END).unique(
        ["token_contract", "chain", "timestamp"], keep="first", maintain_order=True
    )
    return roll_up(bars, key=["token_contract", "chain"], as_of=END)


@pytest.fixture(scope="module")
def drivers() -> pl.DataFrame:
    no_levels = pl.DataFrame(
        schema={
            "driver": pl.String,
            "timeframe": pl.String,
            "timestamp": pl.Datetime("us", "UTC"),
            "close_usd": pl.Float64,
        }
    )
    nobody = pl.DataFrame(schema={"bucket": pl.String, "token_contract": pl.String, "chain": pl.String, "day": pl.Date})
    majors = rolled(Universe.MAJORS).rename({"token_contract": "symbol"})
    made = driver_set_bars(
        majors=majors,
        lowcaps=rolled(Universe.LOWCAP).clear(),
        members=nobody,
        samples=MARKET.dominance(START, END),
        last_levels=no_levels,
        window=WINDOW,
        as_of=END,
        config=DriverBarConfig(),
    )
    assert made.bars.filter(driver="BTC").equals(majors_driver(majors.filter(pl.col("timestamp") >= START)))
    return made.bars


@pytest.fixture(scope="module")
def returns(drivers) -> pl.DataFrame:
    """Hourly returns of the chains, each with at least four tokens."""
    midnights = WINDOW.opens(Timeframe.D1, END - timedelta(microseconds=1))
    caps = MARKET.market_caps(START - timedelta(days=1), END).with_columns(updated_at="timestamp")
    tags = daily_tags(caps, pl.DataFrame(schema=DAILY_TAG_SCHEMA), midnights=midnights, config=CONFIG).tags
    judged = group_eligibility(tags, midnights=midnights, config=CONFIG, group="chain", expected=(), telemetry=())
    return bucket_returns(
        rolled(Universe.LOWCAP),
        made_members(tags, judged, group="chain"),
        reference_returns(drivers, timeframe=Timeframe.H1, config=CONFIG),
        pl.DataFrame(schema={"chain": pl.String, "timestamp": pl.Datetime("us", "UTC"), "index_level": pl.Float64}),
        start=START,
        end=END,
        config=CONFIG,
        group="chain",
    ).returns


def test_chains_have_returns_of_their_members(returns):
    assert returns["chain"].n_unique() >= 2
    assert returns["member_count"].min() >= 4
    assert returns.filter(pl.col("resid_btc").is_not_null()).height > 0.9 * returns.height


def test_chains_blend_into_a_composite_of_their_own_weights(returns, drivers):
    weights = dict.fromkeys(returns["chain"].unique().to_list(), 1.0)
    found = composite_returns(
        returns.with_columns(coverage=member_coverage()),
        reference_returns(drivers, timeframe=Timeframe.H1, config=CONFIG),
        returns.clear(),
        start=START,
        end=END,
        timestamps=returns["timestamp"],
        config=CONFIG,
        group="chain",
        weights=weights,
    )

    assert found.skipped.is_empty()
    by_hour = returns.group_by("timestamp").agg(pl.col("r_bucket").mean()).sort("timestamp")
    assert found.returns["r_composite"].to_list() == pytest.approx(by_hour["r_bucket"].to_list())


def test_chains_have_phases_and_a_rank(returns, drivers):
    subjects = returns.rename({"chain": "subject"}).with_columns(coverage=member_coverage())
    streams = stream_frame(subjects, drivers, start=START, end=END, max_missing_bars=1)
    phases = phase_frame(streams, None, start=END - timedelta(days=1), config=SpiralConfig())
    newest = phases.filter(pl.col("timestamp") == phases["timestamp"].max(), pl.col("horizon") == "meso")
    scores = [BucketScore(row["subject"], row["timestamp"], row["score"]) for row in newest.to_dicts()]
    chains = tuple(sorted(returns["chain"].unique()))

    rank = rank_buckets(scores, newest["timestamp"][0], tie_order=chains, excluded=())

    assert set(phases["horizon"].unique()) == {"macro", "meso", "micro"}
    assert sorted(rank.order) == list(chains)
    assert rank.position(rank.order[0]) == 1
