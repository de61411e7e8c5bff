from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from domain.config.scores import ScoresConfig
from domain.regime.ae_channel import ae_score_frame, channel_lookback
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import CHANNEL_NAMES
from domain.vocabulary.timeframe import Timeframe

CONFIG = ScoresConfig()
NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
NANO = (CapBucket.NANO,)
UTC_US = pl.Datetime("us", "UTC")


def states(driver: str, timeframe: str, rows: list[tuple[datetime, str]], **columns) -> pl.DataFrame:
    """States of one driver; every flag is down and no transition happens unless `columns` says so."""
    values = {
        "driver": driver,
        "timeframe": timeframe,
        "timestamp": [at for at, _ in rows],
        "state": [state for _, state in rows],
        "status": "ok",
        "transition": None,
        "buy_signal": False,
        "buy_flag": False,
        "first_dip_buy_flag": False,
        "trim_flag": False,
    }
    return pl.DataFrame({**values, **columns}, schema_overrides={"timestamp": UTC_US, "transition": pl.String})


def evaluations(*timestamps: datetime, timeframe: str = "1h") -> pl.DataFrame:
    rows = {"timeframe": timeframe, "timestamp": list(timestamps)}
    return pl.DataFrame(rows, schema_overrides={"timestamp": UTC_US})


def scored(given: pl.DataFrame, *timestamps: datetime, config: ScoresConfig = CONFIG, timeframe: str = "1h"):
    frame = ae_score_frame(
        given, evaluations(*timestamps, timeframe=timeframe), book_id="b", config=config, buckets=NANO
    )
    return frame.to_dicts()


def status_of(row: dict, channel: str) -> str:
    return row["channel_status"][CHANNEL_NAMES.index(channel)]


def test_a_channel_reads_the_newest_bar_that_has_closed():
    hours = states("BTC", "1h", [(NOON - timedelta(hours=1), "S1"), (NOON, "S2"), (NOON + timedelta(hours=1), "S3")])

    (row,) = scored(hours, NOON)

    assert row["btc_meso"] == "S2"
    assert row["channel_timestamp"][CHANNEL_NAMES.index("btc_meso")] == NOON


def test_a_daily_bar_is_not_read_before_its_day_is_over():
    days = states("BTC", "1d", [(datetime(2025, 2, 28, tzinfo=UTC), "S1"), (datetime(2025, 3, 1, tzinfo=UTC), "S3")])

    noon, midnight = scored(days, NOON, datetime(2025, 3, 1, 23, tzinfo=UTC))

    assert (noon["btc_macro"], midnight["btc_macro"]) == ("S1", "S3")


def test_a_channel_past_its_time_to_live_is_stale_and_adds_nothing():
    hours = states("BTC", "1h", [(NOON - timedelta(hours=4), "S1")])

    within, beyond = scored(hours, NOON - timedelta(hours=1), NOON)

    assert (status_of(within, "btc_meso"), within["coverage"]) == ("ok", 1)
    assert (status_of(beyond, "btc_meso"), beyond["coverage"]) == ("stale", 0)
    assert (beyond["a"], beyond["btc_meso"]) == (None, None)


def test_a_driver_that_warms_up_is_no_channel():
    (row,) = scored(states("ALT", "1h", [(NOON, "S4")], status="warming_up"), NOON)

    assert (status_of(row, "alt_meso"), row["coverage"]) == ("warming_up", 0)


def test_an_unclear_state_is_a_channel_that_adds_nothing():
    (row,) = scored(states("ALT", "1h", [(NOON, "S4")]), NOON)

    assert (row["alt_meso"], row["coverage"], row["a"]) == ("S4", 1, 0.5)


def test_a_transition_speaks_for_one_bar_of_its_own_horizon():
    rows = [(NOON, "S0"), (NOON + timedelta(hours=1), "S0")]
    hours = states("BTC", "1h", rows, transition=["S3->S0", None])

    on_it, after = scored(hours, NOON, NOON + timedelta(hours=1))

    signal = CHANNEL_NAMES.index("btc_meso")
    assert (on_it["channel_signal"][signal], after["channel_signal"][signal]) == ("S0+S3->S0", "S0")
    assert on_it["a"] - after["a"] == pytest.approx(-0.5 * 0.22)


def test_evaluating_more_often_does_not_lose_a_transition():
    hours = states("BTC", "1h", [(NOON, "S0")], transition=["S3->S0"])
    minutes = [NOON + timedelta(hours=1, minutes=i) for i in range(3)]

    rows = scored(hours, *minutes, timeframe="1m")

    assert {row["channel_signal"][CHANNEL_NAMES.index("btc_meso")] for row in rows} == {"S0+S3->S0"}


def test_a_longer_hold_fades_over_the_bars_after_the_fall():
    config = ScoresConfig(transition_hold_bars=2)
    hours = states(
        "BTC", "1h", [(NOON + timedelta(hours=i), "S0") for i in range(3)], transition=["S3->S0", None, None]
    )

    rows = scored(hours, *(NOON + timedelta(hours=i) for i in range(3)), config=config)

    index = CHANNEL_NAMES.index("btc_meso")
    assert [row["channel_a"][index] for row in rows] == pytest.approx([-0.8 * 0.22, -0.55 * 0.22, -0.3 * 0.22])


def test_each_bucket_hears_its_own_driver():
    given = pl.concat([states("nano", "1h", [(NOON, "S3")]), states("mid", "1h", [(NOON, "S0")])])

    frame = ae_score_frame(given, evaluations(NOON), book_id="b", config=CONFIG)

    heard = dict(frame.select("bucket", "bucket_meso").rows())
    assert heard == {"nano": "S3", "mid": "S0", "micro": None, "big": None, "large": None}


def test_the_order_of_the_rows_does_not_matter():
    rows = [(NOON + timedelta(hours=i), state) for i, state in enumerate(["S0", "S1", "S2", "S3"])]
    hours = states("BTC", "1h", rows)
    times = [NOON + timedelta(hours=i) for i in range(4)]

    assert scored(hours, *times) == scored(hours.sample(fraction=1, shuffle=True, seed=1), *reversed(times))


def test_no_evaluation_gives_an_empty_frame_of_the_same_shape():
    some = ae_score_frame(states("BTC", "1h", [(NOON, "S1")]), evaluations(NOON), book_id="b", config=CONFIG)
    none = ae_score_frame(states("BTC", "1h", [(NOON, "S1")]), evaluations(), book_id="b", config=CONFIG)

    assert none.is_empty()
    assert none.schema == some.schema


def test_the_look_back_covers_the_slowest_time_to_live():
    assert channel_lookback(CONFIG) >= timedelta(days=2) + Timeframe.D1.duration
