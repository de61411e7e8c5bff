from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.config.bar import BarConfig
from domain.regime.bar import validate_bars
from domain.regime.bar_jump import LAST_CLOSE_SCHEMA
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, UPPER_EDGE_USD
from domain.vocabulary.universe import MAJORS, Universe
from resources.candle_source import MARKET_CAP_SCHEMA
from resources.simulated_market import SimulatedMarket

END = datetime(2025, 7, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NO_CLOSE = pl.DataFrame(schema=LAST_CLOSE_SCHEMA)
OHLCV = [
    pl.col("open_usd").first(),
    pl.col("high_usd").max(),
    pl.col("low_usd").min(),
    pl.col("close_usd").last(),
    pl.col("volume").sum(),
]


def market(**changes) -> SimulatedMarket:
    return SimulatedMarket(**({"end": END, "n_lowcaps": 10, "imperfections": False} | changes))


def rolled(bars: pl.DataFrame, every: str) -> pl.DataFrame:
    """OHLCV of longer bars, of each token."""
    return (
        bars.sort("token_contract", "timestamp")
        .group_by_dynamic("timestamp", every=every, group_by="token_contract")
        .agg(OHLCV)
        .sort("token_contract", "timestamp")
    )


@pytest.mark.parametrize("universe", Universe)
@pytest.mark.parametrize(("finer", "coarser", "every"), [((2, 9), (0, 9), "1h"), ((0, 9), (0, 0), "1d")])
def test_finer_bars_roll_up_exactly_to_the_coarser_ones(universe, finer, coarser, every):
    fine, coarse = (market(minute_days=minute, hour_days=hour) for minute, hour in (finer, coarser))
    window = (END - 2 * DAY, END)

    made = rolled(fine.candles(universe, *window), every)

    assert_frame_equal(made, rolled(coarse.candles(universe, *window), every), check_exact=True)


def test_a_day_comes_in_one_timeframe_by_its_distance_from_the_end():
    bars = market(minute_days=2, hour_days=5).candles(Universe.MAJORS, END - 7 * DAY, END)

    by_day = bars.group_by(pl.col("timestamp").dt.date()).agg(pl.col("timeframe").unique()).sort("timestamp")
    assert by_day["timeframe"].to_list() == [["1d"]] * 2 + [["1h"]] * 3 + [["1m"]] * 2


def test_a_later_end_changes_no_day_that_was_there_before():
    start = END - 100 * DAY
    windows = [
        market(start=start, end=end, minute_days=0, hour_days=0).candles(Universe.LOWCAP, start, END)
        for end in (END, END + 300 * DAY)
    ]

    assert_frame_equal(*windows, check_exact=True)


def test_fewer_lowcaps_are_the_first_of_many():
    few, many = (market(n_lowcaps=count).candles(Universe.LOWCAP, END - DAY, END) for count in (3, 10))

    assert_frame_equal(few, many.filter(pl.col("token_contract").is_in(few["token_contract"].unique().implode())))


def test_another_seed_is_another_market():
    one, two = (market(seed=seed).candles(Universe.MAJORS, END - DAY, END) for seed in (1, 2))

    assert (one["close_usd"] != two["close_usd"]).all()


def test_everything_is_labelled_as_simulated():
    made = market()
    frames = [made.candles(universe, END - DAY, END) for universe in Universe]
    frames += [made.dominance(END - DAY, END), made.market_caps(END - DAY, END)]

    assert made.is_simulated
    assert {source for frame in frames for source in frame["source"]} == {"simulated"}


def test_without_imperfections_every_bar_is_there_and_valid():
    bars = market().candles(Universe.LOWCAP, END - 2 * DAY, END)

    result = validate_bars(bars, NO_CLOSE, as_of=END, config=BarConfig())
    assert result.accepted.height == 10 * 2 * 1440
    assert result.quarantined.is_empty()


@pytest.mark.parametrize("universe", Universe)
def test_imperfections_are_found_in_lowcaps_only(universe):
    bars = market(imperfections=True).candles(universe, END - 10 * DAY, END)

    result = validate_bars(bars, NO_CLOSE, as_of=END, config=BarConfig())
    found = set(result.quarantined["reason"])
    assert found == ({"price_jump", "ohlc_order"} if universe is Universe.LOWCAP else set())
    assert (result.duplicates, result.quarantined.height) == ((10, 10) if universe is Universe.LOWCAP else (0, 0))


def test_imperfections_do_not_hang_on_the_window_asked_for():
    made = market(imperfections=True)
    whole = made.candles(Universe.LOWCAP, END - 3 * DAY, END)

    hours = [
        made.candles(Universe.LOWCAP, END - 3 * DAY + hour * DAY / 24, END - 3 * DAY + (hour + 1) * DAY / 24)
        for hour in range(72)
    ]
    assert_frame_equal(pl.concat(hours).sort(whole.columns), whole.sort(whole.columns))


def ema_orders(close: np.ndarray, warm_up: int = 333) -> set[str]:
    """Which of the four states' conditions a series of closes meets once it is warm."""
    series = pl.Series(close)
    ema = {n: series.ewm_mean(span=n, adjust=False).to_numpy() for n in (20, 30, 60, 144, 250, 333)}
    fast_above = (ema[20] > ema[60]) & (ema[30] > ema[60])
    fast_below = (ema[20] < ema[60]) & (ema[30] < ema[60])
    falling = fast_below & (ema[60] < ema[144]) & (ema[144] < ema[250]) & (ema[250] < ema[333])
    rising = fast_above & (ema[60] > ema[144]) & (ema[144] > ema[250]) & (ema[250] > ema[333])
    conditions = {
        "S0": falling,
        "S1": fast_above & (close > ema[60]) & (close < ema[333]),
        "S2": (close > ema[333]) & ~rising,
        "S3": rising,
    }
    return {state for state, meets in conditions.items() if meets[warm_up:].any()}


@pytest.mark.parametrize(
    ("minute_days", "hour_days", "days"), [(0, 0, 500), (0, 120, 120), (8, 120, 8)], ids=["1d", "1h", "1m"]
)
def test_bitcoin_and_the_alts_go_through_every_state_in_every_timeframe(minute_days, hour_days, days):
    made = market(minute_days=minute_days, hour_days=hour_days)
    bars = made.candles(Universe.MAJORS, END - days * DAY, END)

    wide = bars.pivot(on="token_contract", index="timestamp", values="close_usd").sort("timestamp")
    log_close = wide.select(MAJORS).to_numpy().T
    log_close = np.log(log_close / log_close[:, :1])
    for close in (log_close[0], log_close[1:].mean(axis=0)):
        assert ema_orders(np.exp(close)) == {"S0", "S1", "S2", "S3"}


def test_dominance_comes_at_the_interval_of_its_day():
    samples = market(minute_days=2, hour_days=5).dominance(END - 400 * DAY, END)

    counts = samples.filter(metric="BTC.d").group_by("timeframe").len()
    assert dict(counts.rows()) == {"1d": 395, "1h": 3 * 24, "5m": 2 * 288}


def test_dominance_falls_when_the_market_rises():
    made = market(minute_days=0, hour_days=0)
    daily = made.dominance(END - 400 * DAY, END).pivot(on="metric", index="timestamp", values="value_pct")
    bitcoin = made.candles(Universe.MAJORS, END - 400 * DAY, END).filter(token_contract="BTC")
    moves = daily.join(bitcoin, on="timestamp").select(
        pl.col(name).log().diff().drop_nulls() for name in ("USDT.d", "BTC.d", "open_usd")
    )
    assert moves.select(pl.corr("USDT.d", "open_usd")).item() < -0.9
    assert moves.select(pl.corr("BTC.d", "open_usd")).item() < -0.1
    assert daily["BTC.d"].is_between(35, 70).all()


def test_every_bucket_keeps_its_members():
    caps = market(n_lowcaps=40).market_caps(END - 120 * DAY, END).filter(pl.col("token_contract").str.contains("-"))
    lower = 0.0
    for bucket in REGIME_BUCKETS:
        upper = UPPER_EDGE_USD[bucket]
        near = pl.col("market_cap_usd").is_between(0.9 * lower, 1.1 * upper)  # a tag leaves 10 % beyond its edge
        tier = caps.filter(pl.col("token_contract").str.contains(f"-{bucket.value}-")).group_by("timestamp")
        assert tier.agg(near.sum())["market_cap_usd"].min() >= 7
        lower = upper


def test_market_caps_know_nothing_of_the_day_they_stand_on():
    start = END - 30 * DAY
    longer, shorter = (market(start=start, end=end).market_caps(start, END) for end in (END, END - DAY))

    assert_frame_equal(longer.filter(pl.col("timestamp") < END - DAY), shorter, check_row_order=False)
    assert longer.filter(pl.col("timestamp") == start)["volume_24h_usd"].null_count() == 15


def test_market_caps_are_complete_for_lowcaps_and_plausible():
    caps = market(n_lowcaps=40).market_caps(END - 30 * DAY, END)
    lowcaps = caps.filter(pl.col("token_contract").str.contains("-"))

    assert dict(caps.schema) == MARKET_CAP_SCHEMA
    assert lowcaps.null_count().sum_horizontal().item() == 0
    assert (lowcaps["fdv_usd"] >= lowcaps["market_cap_usd"]).all()
    assert (lowcaps["liquidity_usd"] / lowcaps["market_cap_usd"]).is_between(0.01, 0.5).all()
    majors = caps.filter(pl.col("token_contract").is_in(MAJORS))
    assert majors.height == 30 * 5
    assert majors.select("fdv_usd", "liquidity_usd").null_count().row(0) == (30 * 5, 30 * 5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"end": END.replace(tzinfo=None)},
        {"end": END + timedelta(hours=1)},
        {"start": END},
        {"minute_days": 9, "hour_days": 8},
        {"n_lowcaps": -1},
    ],
)
def test_parameters_that_cannot_be_right_raise(wrong):
    with pytest.raises((ValueError, TypeError), match=r"must|offset"):
        market(**wrong)


def test_a_market_without_lowcaps_has_majors_only():
    made = market(n_lowcaps=0)

    assert made.candles(Universe.LOWCAP, END - DAY, END).is_empty()
    assert made.candles(Universe.MAJORS, END - DAY, END).height == 5 * 1440
    assert set(made.market_caps(END - DAY, END)["token_contract"]) == set(MAJORS)
