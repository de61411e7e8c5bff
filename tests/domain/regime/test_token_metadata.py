"""What a day's reading becomes: whether its cap can be used, what bars add to it, and when it gives way."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.token_metadata import METADATA_SCHEMA, READING_SCHEMA, bar_lookback, token_metadata
from domain.vocabulary.cap_status import CapStatus
from domain.vocabulary.universe import MAJORS
from domain.vocabulary.window import Window

CONFIG = CapBucketConfig()
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
T0 = datetime(2025, 3, 28, tzinfo=UTC)
NOON = T0 + 12 * HOUR
UNITS = {"venue": "base", "pool": "usd"}
BAR_SCHEMA = {
    **dict.fromkeys(("token_contract", "chain", "timeframe"), pl.String()),
    "timestamp": pl.Datetime("us", "UTC"),
    **dict.fromkeys(("close_usd", "volume"), pl.Float64()),
    "source": pl.String(),
}


def reading(cap: float | None = 1e6, at: datetime = NOON, token: str = "mog", **values: float | str | None) -> dict:
    row = {"token_contract": token, "chain": "base", "timestamp": at, "market_cap_usd": cap, "source": "index"}
    return dict.fromkeys(READING_SCHEMA) | row | values


def bar(closed_at: datetime, close: float = 2.0, volume: float = 10.0, timeframe: str = "1h", **values: str) -> dict:
    opened = closed_at - {"1m": HOUR / 60, "1h": HOUR, "1d": DAY}[timeframe]
    row = {"token_contract": "mog", "chain": "base", "timeframe": timeframe, "timestamp": opened}
    return row | {"close_usd": close, "volume": volume, "source": "venue"} | values


def made(
    *readings: dict,
    bars: list[dict] | None = None,
    stored: pl.DataFrame | None = None,
    days: int = 1,
    as_of: datetime = T0 + 9 * DAY,
    config: CapBucketConfig = CONFIG,
) -> pl.DataFrame:
    return token_metadata(
        pl.DataFrame(readings, schema=READING_SCHEMA),
        pl.DataFrame(schema=METADATA_SCHEMA) if stored is None else stored,
        pl.DataFrame(bars or [], schema=BAR_SCHEMA),
        window=Window(T0, T0 + days * DAY),
        as_of=as_of,
        volume_units=UNITS,
        config=config,
    )


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"cap": 1e6}, CapStatus.OK),
        ({"cap": 1e6, "circulating_supply": math.nan}, CapStatus.OK),
        ({"cap": None}, CapStatus.MISSING),
        ({"cap": 0.0}, CapStatus.ZERO),
        ({"cap": 1e6, "circulating_supply": 0.0}, CapStatus.ZERO),
        ({"cap": math.nan}, CapStatus.NOT_FINITE),
        ({"cap": math.inf}, CapStatus.NOT_FINITE),
        ({"cap": -1.0}, CapStatus.NEGATIVE),
    ],
)
def test_a_cap_stays_as_it_was_read_and_its_status_says_whether_to_use_it(values, status):
    (row,) = made(reading(**values)).to_dicts()

    assert row["market_cap_usd"] == pytest.approx(values["cap"], nan_ok=True, abs=0)
    assert row["cap_status"] == status
    assert row["market_cap_basis"] == (None if values["cap"] is None else "reported")


def test_a_reading_older_than_a_tag_may_be_at_the_end_of_its_day_is_stale():
    config = CapBucketConfig(tag_ttl_hours=12)

    assert made(reading(at=NOON), config=config)["cap_status"].item() == CapStatus.STALE
    assert made(reading(at=NOON + HOUR), config=config)["cap_status"].item() == CapStatus.OK


def test_the_last_reading_of_a_day_makes_its_row():
    rows = made(reading(1.0, at=NOON), reading(2.0, at=NOON + HOUR), reading(3.0, at=T0 + DAY), days=2)

    assert rows.select("timestamp", "market_cap_usd", "updated_at").rows() == [
        (T0, 2.0, NOON + HOUR),
        (T0 + DAY, 3.0, T0 + DAY),
    ]


def test_a_later_reading_without_a_cap_does_not_hide_behind_an_earlier_one():
    assert made(reading(1.0), reading(None, at=NOON + HOUR))["cap_status"].item() == CapStatus.MISSING


def test_of_two_readings_of_one_instant_one_with_a_cap_wins_in_any_order():
    both = [reading(None, source="z", circulating_supply=5.0), reading(7.0, source="a")]

    assert made(*both)["market_cap_usd"].item() == 7.0
    assert_frame_equal(made(*both), made(*reversed(both)))


def test_a_reading_after_as_of_or_outside_the_window_is_not_read():
    late, next_day = reading(2.0, at=NOON + HOUR), reading(3.0, at=T0 + DAY)

    assert made(reading(1.0), late, next_day, as_of=NOON)["market_cap_usd"].to_list() == [1.0]


def test_majors_and_rows_of_no_token_are_left_out():
    rows = made(*(reading(token=symbol) for symbol in (*MAJORS, "mog", None)))

    assert rows["token_contract"].to_list() == ["mog"]


def test_supply_times_the_last_close_stands_in_for_a_cap_that_was_not_given():
    bars = [bar(NOON - HOUR, 2.0), bar(NOON, 3.0), bar(NOON + HOUR / 60, 99.0, timeframe="1m"), bar(NOON + HOUR, 99.0)]

    (row,) = made(reading(None, circulating_supply=1e6), bars=bars).to_dicts()

    assert (row["market_cap_usd"], row["market_cap_basis"]) == (3e6, "supply_times_close")
    assert row["cap_status"] == CapStatus.OK


@pytest.mark.parametrize("supply", [None, 0.0, -1.0, math.nan, math.inf])
def test_a_supply_that_is_none_makes_no_cap(supply):
    (row,) = made(reading(None, circulating_supply=supply), bars=[bar(NOON)]).to_dicts()

    assert (row["market_cap_usd"], row["market_cap_basis"], row["cap_status"]) == (None, None, CapStatus.MISSING)


@pytest.mark.parametrize("cap", [0.0, math.nan])
def test_a_cap_that_was_given_is_not_replaced_by_supply_times_close(cap):
    (row,) = made(reading(cap, circulating_supply=1e6), bars=[bar(NOON)]).to_dicts()

    assert row["market_cap_basis"] == "reported"
    assert row["market_cap_usd"] == pytest.approx(cap, nan_ok=True)


def test_a_close_older_than_a_tag_may_be_makes_no_cap():
    ttl = timedelta(hours=CONFIG.tag_ttl_hours)
    supply = reading(None, circulating_supply=1.0)

    assert made(supply, bars=[bar(NOON - ttl)])["market_cap_usd"].item() == 2.0
    assert made(supply, bars=[bar(NOON - ttl - HOUR)])["market_cap_usd"].item() is None


def test_of_an_hour_and_a_day_that_close_together_the_hour_is_asked_for_the_price():
    bars = [bar(T0, 5.0, timeframe="1d"), bar(T0, 4.0)]
    supply = reading(None, at=T0, circulating_supply=1.0)

    assert made(supply, bars=bars)["market_cap_usd"].item() == 4.0
    assert made(supply, bars=bars[:1])["market_cap_usd"].item() == 5.0


def test_volume_that_was_not_given_is_that_of_the_hours_closed_in_the_24_before():
    inside = [bar(NOON - i * HOUR, 2.0, 10.0) for i in range(24)]
    outside = [bar(NOON - DAY, 2.0, 1e9), bar(NOON + HOUR, 2.0, 1e9), bar(T0, 2.0, 1e9, timeframe="1d")]

    assert made(reading(), bars=inside + outside)["volume_24h_usd"].item() == 24 * 20.0
    assert made(reading(volume_24h_usd=5.0), bars=inside)["volume_24h_usd"].item() == 5.0


@pytest.mark.parametrize(("source", "traded"), [("venue", 20.0), ("pool", 10.0), ("nobody", None)])
def test_volume_counts_by_the_unit_of_its_source(source, traded):
    assert made(reading(), bars=[bar(NOON, source=source)])["volume_24h_usd"].item() == traded


def test_a_day_bar_gives_the_volume_where_there_are_no_hours():
    assert made(reading(), bars=[bar(T0, 2.0, 50.0, timeframe="1d")])["volume_24h_usd"].item() == 100.0
    assert made(reading(), bars=[bar(T0 - DAY, timeframe="1d")])["volume_24h_usd"].item() is None


def test_hours_without_trades_are_a_volume_of_zero_and_no_bars_are_unknown():
    assert made(reading(), bars=[bar(NOON, volume=0.0)])["volume_24h_usd"].item() == 0.0
    assert made(reading())["volume_24h_usd"].item() is None


def test_the_same_reading_again_is_the_same_row_and_known_since_the_first_time():
    first = made(reading(), bars=[bar(NOON)], as_of=NOON)

    assert_frame_equal(made(reading(), bars=[bar(NOON)], stored=first, as_of=NOON + HOUR), first)


@pytest.mark.parametrize("change", [{"cap": 2e6}, {"liquidity_usd": 1.0}, {"at": NOON + HOUR}, {"source": "other"}])
def test_another_reading_replaces_the_row_and_is_known_since_now(change):
    first = made(reading(), as_of=NOON)

    later = made(reading(**change), stored=first, as_of=NOON + DAY)

    assert_frame_equal(later, made(reading(**change), as_of=NOON + DAY))


def test_what_was_read_later_stays_and_so_does_what_the_source_has_forgotten():
    stored = made(reading(2.0, at=NOON + HOUR), reading(3.0, token="pepe"), as_of=NOON + HOUR)

    assert_frame_equal(made(reading(1.0, at=NOON), stored=stored), stored)
    assert_frame_equal(made(stored=stored), stored)


def test_a_stored_reading_is_judged_anew_by_the_configuration_in_force():
    stored = made(reading(at=T0), as_of=NOON)

    rejudged = made(stored=stored, config=CapBucketConfig(tag_ttl_hours=24))

    assert (stored["cap_status"].item(), rejudged["cap_status"].item()) == (CapStatus.OK, CapStatus.STALE)
    assert_frame_equal(rejudged.drop("cap_status"), stored.drop("cap_status"))


def test_a_naive_as_of_raises():
    with pytest.raises(ValueError, match="as_of must be timezone-aware"):
        made(reading(), as_of=NOON.replace(tzinfo=None))


def feed(seed: int, days: int = 6, tokens: int = 12) -> tuple[list[dict], list[dict]]:
    """Readings at odd instants, some without cap or volume, and hour and day bars with holes."""
    rng = np.random.default_rng(seed)
    names = [f"t{i}" for i in range(tokens)]
    times = [T0 + DAY * float(x) for x in np.sort(rng.uniform(0, days, 300)).round(3)]
    readings = [
        reading(
            rng.choice([None, 0.0, math.nan, 1e6 * rng.random()]),
            at,
            str(rng.choice(names)),
            circulating_supply=rng.choice([None, 0.0, 1e6 * rng.random()]),
            volume_24h_usd=rng.choice([None, None, 7.0]),
        )
        for at in times
    ]
    hours = [(name, T0 + i * HOUR, "1h") for name in names[2:] for i in range(-72, 24 * days) if rng.random() > 0.3]
    day_bars = [(name, T0 + i * DAY, "1d") for name in names[1:] for i in range(-3, days) if rng.random() > 0.3]
    bars = [
        bar(at, rng.lognormal(), rng.lognormal(3), timeframe, token_contract=name)
        for name, at, timeframe in hours + day_bars
    ]
    return readings, bars


def test_day_by_day_gives_what_all_days_at_once_give():
    readings, bars = feed(3)
    whole = made(*readings, bars=bars, days=6)
    empty = pl.DataFrame(schema=METADATA_SCHEMA)

    single = [
        token_metadata(
            pl.DataFrame(readings, schema=READING_SCHEMA).filter(pl.col("timestamp") >= T0 + i * DAY),
            empty,
            pl.DataFrame(bars, schema=BAR_SCHEMA).filter(
                pl.col("timestamp").is_between(T0 + i * DAY - bar_lookback(CONFIG), T0 + (i + 1) * DAY, closed="left")
            ),
            window=Window(T0 + i * DAY, T0 + (i + 1) * DAY),
            as_of=T0 + 9 * DAY,
            volume_units=UNITS,
            config=CONFIG,
        )
        for i in range(6)
    ]

    assert set(whole["cap_status"]) >= {"ok", "missing", "zero", "not_finite"}
    assert set(whole["market_cap_basis"]) == {"reported", "supply_times_close", None}
    assert pl.concat(single).sort("token_contract", "chain", "timestamp").equals(whole)


@pytest.mark.parametrize("hours", [30, 49.5, 72])
def test_nothing_of_a_row_depends_on_what_came_after_its_reading(hours):
    readings, bars = feed(4)
    at = T0 + hours * HOUR
    past = [each for each in readings if each["timestamp"] <= at]
    length = {"1h": HOUR, "1d": DAY}
    garbled = [
        each | ({"close_usd": 1e9, "volume": 1e9} if each["timestamp"] + length[each["timeframe"]] > at else {})
        for each in bars
    ]

    then = made(*past, bars=garbled, days=6, as_of=at)
    now = made(*readings, bars=garbled, days=6, as_of=at)
    honest = made(*past, bars=bars, days=6, as_of=at)

    assert then.height > 10
    assert then.equals(now)
    assert then.equals(honest)


def test_readings_hour_by_hour_over_what_is_stored_end_where_one_load_ends():
    readings, bars = feed(5)
    stored = pl.DataFrame(schema=METADATA_SCHEMA)
    for i in range(0, 6 * 24 + 1, 5):
        at = T0 + i * HOUR
        stored = made(*readings, bars=bars, days=6, as_of=at, stored=stored)
    last = made(*readings, bars=bars, days=6, stored=stored)

    assert_frame_equal(last.drop("known_at"), made(*readings, bars=bars, days=6).drop("known_at"))
    assert last["known_at"].n_unique() > 10
