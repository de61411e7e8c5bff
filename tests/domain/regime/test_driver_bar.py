"""Driver bars: a composite is an index of returns, chained, closed, and the same however it is cut."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from domain.config.driver_bar import DriverBarConfig
from domain.regime.bar_quarantine import PRICE_COLUMNS, VALUE_COLUMNS
from domain.regime.driver_bar import DRIVER_BAR_SCHEMA, IndexBars, index_bars, majors_driver
from domain.regime.rollup import TIMESTAMP, roll_up
from domain.vocabulary.timeframe import Timeframe

START = datetime(2025, 1, 1, tzinfo=UTC)
END = START + timedelta(days=4)
ALT_BASKET = ("BNB", "ETH", "HYPE", "SOL")
NO_LEVELS = pl.DataFrame(schema=DRIVER_BAR_SCHEMA)
CONFIG = DriverBarConfig()


def member_bars(
    symbols: tuple[str, ...] = ALT_BASKET, *, seed: int, timeframe: Timeframe = Timeframe.H1, gap_frac: float = 0.0
) -> pl.DataFrame:
    """Bars of random walks over START - 2 days .. END, prices from 1e-8 to 1e4 USD, a share of them missing."""
    rng = np.random.default_rng(seed)
    opens = [START - timedelta(days=2) + i * timeframe.duration for i in range(6 * 1440 // timeframe.minutes)]
    frames = []
    for symbol in symbols:
        close = 10.0 ** rng.uniform(-8, 4) * np.exp(np.cumsum(rng.normal(0, 0.02, len(opens))))
        open_ = close * np.exp(rng.normal(0, 0.01, len(opens)))
        frame = pl.DataFrame({"symbol": symbol, "timeframe": timeframe.value, "timestamp": opens, "open_usd": open_})
        frames.append(
            frame.with_columns(
                high_usd=np.maximum(open_, close) * np.exp(rng.uniform(0, 0.02, len(opens))),
                low_usd=np.minimum(open_, close) * np.exp(-rng.uniform(0, 0.02, len(opens))),
                close_usd=pl.Series(close),
                volume=rng.uniform(1, 2, len(opens)),
                source=pl.lit("venue"),
                coverage=pl.lit(1.0),
                partial=pl.lit(value=False),
            ).filter(pl.Series(rng.random(len(opens)) >= gap_frac))
        )
    return pl.concat(frames).cast({"timestamp": TIMESTAMP})


def always(*symbols: str, driver: str = "ALT") -> pl.DataFrame:
    return pl.DataFrame(
        {"driver": driver, "symbol": symbols, "day": None}, schema_overrides={"day": pl.Date, "symbol": pl.String}
    )


def index(bars: pl.DataFrame, membership: pl.DataFrame | None = None, **changed: object) -> IndexBars:
    """Index over START .. END with the documents' settings, unless changed."""
    membership = always(*ALT_BASKET) if membership is None else membership
    arguments = {"member": ["symbol"], "start": START, "end": END, "config": CONFIG, "last_levels": NO_LEVELS}
    return index_bars(bars, membership, **{**arguments, **changed})


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_a_bar_is_the_level_times_the_mean_return_of_the_members():
    bars = member_bars(seed=1)
    made = index(bars).bars

    level, before = 100.0, bars.filter(pl.col("timestamp") == at(-1)).sort("symbol")
    for bar in made.head(5).iter_rows(named=True):
        now = bars.filter(timestamp=bar["timestamp"]).sort("symbol")
        for name in PRICE_COLUMNS:
            assert bar[name] == pytest.approx(level * (now[name] / before["close_usd"]).mean(), rel=1e-12)
        assert bar["volume"] == pytest.approx(now["volume"].sum())
        level, before = bar["close_usd"], now


def test_bars_have_the_shape_of_driver_bars():
    made = index(member_bars(seed=1)).bars

    assert made.schema == DRIVER_BAR_SCHEMA
    assert made["timestamp"].to_list() == [at(i) for i in range(96)]
    assert made.select("driver", "book_id", "source", "component_count", "coverage", "carried").unique().rows() == [
        ("ALT", "onchain_crypto", "composite", 4, 1.0, False)
    ]


@pytest.mark.parametrize("seed", range(5))
def test_index_bars_are_valid_bars(seed):
    made = index(member_bars(seed=seed, gap_frac=0.3)).bars

    assert made.height > 50
    assert (made["high_usd"] >= made.select(pl.max_horizontal("open_usd", "close_usd")).to_series()).all()
    assert (made["low_usd"] <= made.select(pl.min_horizontal("open_usd", "close_usd")).to_series()).all()
    assert (made["low_usd"] > 0).all()


def test_a_member_that_joins_or_leaves_does_not_move_the_level():
    bars = member_bars(("A", "B", "C", "D"), seed=2).with_columns(
        pl.when(pl.col("symbol") == "D").then(5e4).otherwise(pl.lit(3.0)).alias(name) for name in PRICE_COLUMNS
    )
    days = [START.date() + timedelta(days=i) for i in range(4)]
    stay = pl.DataFrame({"driver": "ALT", "symbol": ["A", "B", "C"]}).join(pl.DataFrame({"day": days}), how="cross")
    visit = pl.DataFrame({"driver": "ALT", "symbol": "D", "day": days[1:3]})
    made = index(bars, pl.concat([stay, visit])).bars

    assert made["component_count"].to_list() == [3] * 24 + [4] * 48 + [3] * 24
    assert made["close_usd"].to_list() == [100.0] * 96


def test_the_price_unit_of_a_member_means_nothing():
    bars = member_bars(seed=3, gap_frac=0.1)
    scaled = {
        factor: bars.with_columns(
            pl.when(pl.col("symbol") == "SOL").then(pl.col(name) * factor).otherwise(pl.col(name)).alias(name)
            for name in PRICE_COLUMNS
        )
        for factor in (1000.0, 1024.0)
    }

    plain = index(bars).bars
    assert index(scaled[1024.0]).bars.equals(plain)  # a power of two only moves the exponent
    for name in PRICE_COLUMNS:
        np.testing.assert_allclose(index(scaled[1000.0]).bars[name], plain[name], rtol=1e-12)


def test_hype_joins_on_its_second_bar_without_a_jump():
    bars = member_bars(seed=4).filter((pl.col("symbol") != "HYPE") | (pl.col("timestamp") >= at(10)))
    made, three = index(bars).bars, index(bars, always("BNB", "ETH", "SOL")).bars

    assert made["component_count"].to_list() == [3] * 11 + [4] * 85
    assert made.head(11).equals(three.head(11))
    members = bars.filter(pl.col("timestamp").is_in([at(10), at(11)])).sort("symbol", "timestamp")
    moves = members.group_by("symbol").agg(pl.col("close_usd").last() / pl.col("close_usd").first())
    assert made["close_usd"][11] / made["close_usd"][10] == pytest.approx(moves["close_usd"].mean(), rel=1e-12)


def test_relative_range_of_a_composite_lies_inside_its_members():
    # Members open at their last close: then a member's true range is its range, and the mean lies inside.
    bars = (
        member_bars(seed=5)
        .sort("symbol", "timestamp")
        .with_columns(open_usd=pl.col("close_usd").shift(1).over("symbol").fill_null(pl.col("close_usd")))
        .with_columns(
            high_usd=pl.max_horizontal("open_usd", "high_usd", "close_usd"),
            low_usd=pl.min_horizontal("open_usd", "low_usd", "close_usd"),
        )
    )
    made = index(bars).bars
    members = [mean_true_range(rows.filter(pl.col("timestamp") >= at(0))) for _, rows in bars.group_by("symbol")]

    assert min(members) <= mean_true_range(made) <= max(members)


def mean_true_range(bars: pl.DataFrame) -> float:
    """Mean true range over the previous close, a fraction of price."""
    before = pl.col("close_usd").shift(1)
    reach = pl.max_horizontal("high_usd", before) - pl.min_horizontal("low_usd", before)
    return bars.sort("timestamp").select((reach / before).mean()).item()


@pytest.mark.parametrize("seed", range(6))
def test_any_split_of_the_range_gives_the_same_bits(seed):
    bars = pl.concat(
        [member_bars(seed=seed, timeframe=each, gap_frac=0.6) for each in (Timeframe.M15, Timeframe.H1, Timeframe.D1)]
    )
    whole = index(bars)
    cut = at(float(np.random.default_rng(seed).integers(1, 95)))
    first = index(bars.filter(pl.col("timestamp") < cut), end=cut)
    lookback = pl.col("timeframe").replace_strict(
        {t.value: t.duration + timedelta(hours=6) for t in Timeframe}, return_dtype=pl.Duration("us")
    )
    last_levels = first.bars.select("driver", "timeframe", "timestamp", "close_usd")
    second = index(bars.filter(pl.col("timestamp") >= cut - lookback), start=cut, last_levels=last_levels)

    for name in IndexBars._fields:
        parts = pl.concat([getattr(first, name), getattr(second, name)]).sort("timeframe", "timestamp")
        assert parts.equals(getattr(whole, name).sort("timeframe", "timestamp")), name


def test_a_window_made_again_does_not_start_from_its_own_old_rows():
    bars = member_bars(seed=6, gap_frac=0.3)
    whole = index(bars).bars

    again = index(bars, start=at(48), last_levels=whole.sample(fraction=1.0, shuffle=True, seed=1)).bars
    assert again.equals(whole.filter(pl.col("timestamp") >= at(48)))


def test_cutting_the_future_or_shuffling_rows_changes_nothing():
    bars = member_bars(seed=7, gap_frac=0.3)
    whole = index(bars).bars

    assert index(bars.sample(fraction=1.0, shuffle=True, seed=1)).bars.equals(whole)
    for hours in (1, 17, 50):
        past = bars.filter(pl.col("timestamp") < at(hours))
        assert index(past).bars.equals(whole.filter(pl.col("timestamp") < at(hours)))
        assert index(bars, end=at(hours)).bars.equals(whole.filter(pl.col("timestamp") < at(hours)))


def test_a_clock_over_three_boundaries_yields_three_bars():
    minutes = member_bars(seed=8, timeframe=Timeframe.M1).drop("coverage", "partial")
    heights = []
    for now in (0, 59, 60, 119, 120, 180):
        as_of = START + timedelta(minutes=now)
        closed = roll_up(minutes, key=["symbol"], as_of=as_of, timeframes=[Timeframe.H1])
        heights.append(index(closed).bars.height)

    assert heights == [0, 0, 1, 1, 2, 3]


def test_silence_shows_in_the_coverage_and_a_total_outage_in_what_was_skipped():
    bars = member_bars(("A", "B", "C"), seed=9).filter(~pl.col("timestamp").is_between(at(30), at(49)))
    silent = bars.filter((pl.col("symbol") != "C") | ~pl.col("timestamp").is_between(at(10), at(15)))
    made = index(silent, always("A", "B", "C"))

    gap = made.bars.filter(pl.col("timestamp").is_between(at(10), at(15)))
    assert gap.select("component_count", "coverage", "partial", "carried").unique().rows() == [(3, 2 / 3, True, False)]
    assert [round((each - START) / timedelta(hours=1)) for each in made.bars["timestamp"]] == [
        *range(30),
        *range(51, 96),
    ]
    assert made.skipped.rows() == [("ALT", "1h", at(50), 0)]


def test_too_few_members_make_no_bar_and_are_reported():
    bars = member_bars(seed=12).filter(pl.col("symbol").is_in(["ETH", "SOL"]))
    made = index(bars)

    assert made.bars.height == 0
    assert made.skipped["component_count"].unique().to_list() == [2]
    assert index(bars, always("ETH", "SOL", driver="micro")).bars.height == 0
    relaxed = DriverBarConfig(bucket_min_members=1)
    assert index(bars, always("ETH", "SOL", driver="micro"), config=relaxed).bars.height == 96


def test_a_clipped_member_is_counted():
    spiked = member_bars(("A", "B", "C"), seed=13).with_columns(
        pl.when((pl.col("symbol") == "A") & (pl.col("timestamp") == at(20))).then(100.0).otherwise(1.0).alias(name)
        for name in PRICE_COLUMNS
    )
    made = index(spiked, always("A", "B", "C"))

    assert made.bars["close_usd"].max() == pytest.approx(100 * (3 + 1 + 1) / 3)
    assert made.clipped.rows() == [("ALT", "1h", at(20), 1), ("ALT", "1h", at(21), 1)]


def test_each_driver_and_timeframe_is_a_chain_of_its_own():
    hours, quarters = member_bars(seed=14), member_bars(seed=15, timeframe=Timeframe.M15)
    both = always(*ALT_BASKET), always("ETH", "BNB", driver="big")
    config = DriverBarConfig(bucket_min_members=2)
    made = index(pl.concat([hours, quarters]), pl.concat(both), config=config).bars

    assert made.select("driver", "timeframe").unique(maintain_order=True).rows() == [
        (driver, timeframe) for driver in ("ALT", "big") for timeframe in ("15m", "1h")
    ]
    alone = [index(bars, membership, config=config).bars for membership in both for bars in (quarters, hours)]
    assert pl.concat(alone).equals(made)


def test_what_cannot_be_right_raises():
    bars = member_bars(seed=16)

    with pytest.raises(ValueError, match="one bar a member and time"):
        index(pl.concat([bars, bars.head(60).tail(1).with_columns(source=pl.lit("other"))]))
    with pytest.raises(ValueError, match="finite and > 0"):
        index(bars.with_columns(close_usd=pl.lit(0.0)))
    with pytest.raises(ValueError, match="UTC-aware"):
        index(bars, start=datetime(2025, 1, 1))  # noqa: DTZ001 - the naive time is the case
    with pytest.raises(ValueError, match="start < end"):
        index(bars, start=END)


def test_no_bars_and_no_members_give_no_rows():
    bars = member_bars(seed=17)

    for made in (index(bars.clear()), index(bars, always()), index(bars, always("XYZ"))):
        assert [frame.height for frame in made] == [0, 0, 0]
        assert made.bars.schema == DRIVER_BAR_SCHEMA


def test_the_btc_driver_is_a_copy_of_its_bars():
    bars = member_bars(("BTC", "ETH"), seed=18)
    copied = majors_driver(bars)

    assert copied.schema == DRIVER_BAR_SCHEMA
    assert copied.select(VALUE_COLUMNS).equals(bars.filter(symbol="BTC").select(VALUE_COLUMNS))
    assert copied.select("driver", "source", "component_count", "carried").unique().rows() == [
        ("BTC", "venue", 1, False)
    ]


@pytest.mark.real_data
def test_hype_joins_the_recorded_basket_without_a_jump(shared_data):
    wide = pl.col("symbol").is_in([f"{symbol}USDT" for symbol in ALT_BASKET])
    recorded = pl.read_parquet(shared_data / "binance_um_futures" / "ohlcv_1h.parquet").filter(wide)
    bars = recorded.select(
        pl.col("symbol").str.strip_suffix("USDT"),
        pl.lit("1h").alias("timeframe"),
        pl.col("ts").dt.replace_time_zone("UTC").alias("timestamp"),
        *[pl.col(name.removesuffix("_usd")).alias(name) for name in VALUE_COLUMNS],
        pl.lit(1.0).alias("coverage"),
    )
    joined = bars.filter(symbol="HYPE")["timestamp"].min()
    made = index(bars, start=joined - timedelta(days=30), end=joined + timedelta(days=20)).bars.sort("timestamp")

    move = pl.col("close_usd") / pl.col("close_usd").shift(1)
    moves = bars.sort("symbol", "timestamp").with_columns(move=move.over("symbol")).group_by("timestamp")
    spread = moves.agg(least=pl.col("move").min(), most=pl.col("move").max())
    both = made.with_columns(move=move).drop_nulls("move").join(spread, on="timestamp")
    assert both["component_count"].value_counts().sort("component_count").rows() == [(3, 720), (4, 479)]
    assert both.filter(pl.col("move").is_between(pl.col("least") - 1e-12, pl.col("most") + 1e-12)).height == both.height
