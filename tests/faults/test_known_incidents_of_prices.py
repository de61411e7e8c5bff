"""Prices that once ruined an earlier system's averages, from the rows as received to the states made of them.

Of one chain, every token was some 89,000 times too dear for 74 hours; one reader took prices in a chain's own coin for
USD; a backfill brought bars of x129, x153 and x67,743 on almost every token at once.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.regime.bar_load import Load
from domain.regime.bar_quarantine import BAR_KEY, RAW_SCHEMA
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe
from resources.candle_memory import CandleMemory
from resources.live_market import LiveMarket
from resources.tables import Tables
from tests.bar_loads import START, loaded, made_of
from tests.builders import random_walk
from tests.chain_runs import given_market, run_chain, stored
from tests.live_services import GECKOTERMINAL, NOW, live_services, market_of
from tests.loopback_api import Asked, Reply

HOURS, EPISODE = 500, range(380, 454)
"""Hours of each series, and the 74 of them in which the chain is in another unit."""
CHAIN, OTHERS = ("ASTER", "GIGGLE", "LIFE"), ("WAGER", "BREW")
LOWCAP = "regime.lowcap_price_data_ohlc"
PRICES = ("open_usd", "high_usd", "low_usd", "close_usd")


def bars(token: str, chain: str, closes: Sequence[float], *, timeframe: str = "1h") -> pl.DataFrame:
    """Bars that each look sound by themselves, from START on."""
    length = Timeframe(timeframe).duration
    rows = {
        "token_contract": token,
        "chain": chain,
        "timeframe": timeframe,
        "timestamp": [START + i * length for i in range(len(closes))],
        **{name: np.asarray(closes) * factor for name, factor in zip(PRICES, (1.0, 1.003, 0.997, 1.0), strict=True)},
        "volume": 1.0,
        "source": "venue",
    }
    return pl.DataFrame(rows, schema_overrides=RAW_SCHEMA).select(RAW_SCHEMA.keys())


def hours(load: Load, token: str) -> pl.DataFrame:
    return load.rows.filter(pl.col("token_contract") == token, pl.col("timeframe") == "1h")


def market(factor: float = 1.0, *, fading: float = 1.0, until: int | None = None) -> pl.DataFrame:
    """Three tokens of one chain, times `factor` in the episode (fading hour by hour), and two of another."""
    wrong = np.ones(HOURS)
    first, last = EPISODE[0], until or EPISODE[-1] + 1
    wrong[first:last] = factor * fading ** np.arange(last - first)
    made = [bars(name, "bsc", 0.1 * random_walk(HOURS, seed) * wrong) for seed, name in enumerate(CHAIN)]
    return pl.concat([*made, *(bars(name, "sol", random_walk(HOURS, 50 + i)) for i, name in enumerate(OTHERS))])


def without_episode(raw: pl.DataFrame) -> pl.DataFrame:
    at = pl.col("timestamp")
    first, last = (START + timedelta(hours=hour) for hour in (EPISODE[0], EPISODE[-1]))
    return raw.filter((pl.col("chain") != "bsc") | ~at.is_between(first, last))


@pytest.mark.parametrize("fading", [1.0, 0.885])
@pytest.mark.parametrize("factor", [89_000.0, 1 / 89_000])
def test_a_chain_in_another_unit_is_quarantined_whole_and_let_in_when_it_returns(factor, fading):
    load = loaded(market(factor, fading=fading if factor > 1 else 1 / fading))

    assert load.quarantined["reason"].to_list() == ["unit_step"] * (len(CHAIN) * len(EPISODE))
    right = [START + timedelta(hours=hour) for hour in range(HOURS) if hour not in EPISODE]
    assert all(hours(load, token)["timestamp"].to_list() == right for token in CHAIN)
    assert all(hours(load, token).height == HOURS for token in OTHERS)


def test_averages_and_states_know_nothing_of_a_chain_in_another_unit():
    averages, states = made_of(loaded(market(89_000.0, fading=0.885)))
    expected_averages, expected_states = made_of(loaded(without_episode(market())))

    assert_frame_equal(averages, expected_averages, check_exact=True)
    assert_frame_equal(states, expected_states, check_exact=True)
    assert states["state"].n_unique() > 1
    of_chain = averages.filter(pl.col("chain") == "bsc")
    assert of_chain["ema20"].max() < market().filter(pl.col("chain") == "bsc")["high_usd"].max()


@pytest.mark.postgres
def test_day_by_day_no_hour_of_a_chain_in_another_unit_is_stored_and_the_page_says_so(database):
    source = given_market(CandleMemory(bars={Universe.LOWCAP: market(89_000.0, fading=0.885)}))
    first, days = EPISODE[0] // 24, HOURS // 24
    for day in (START + timedelta(days=number) for number in range(first - 1, days)):
        run = run_chain(day.date(), day.date(), as_of=START + timedelta(days=60), market=source, tables=(LOWCAP,))

    kept = stored(LOWCAP).filter(pl.col("timeframe") == "1h", pl.col("chain") == "bsc")
    at = (START + timedelta(hours=hour) for hour in range(24 * (first - 1), 24 * days) if hour not in EPISODE)
    assert kept["timestamp"].unique().sort().to_list() == list(at)
    (shown,) = [each for each in run.get_asset_check_evaluations() if each.check_name == "no_bar_was_refused"]
    assert (shown.passed, shown.metadata["refused_by_reason"].value) == (False, {"unit_step": 3 * len(EPISODE)})


def test_a_new_price_that_lasts_stays_out_until_a_person_releases_it():
    lasting = market(1000.0, until=HOURS)
    refused = loaded(lasting).quarantined
    first = refused.filter(pl.col("timestamp") == refused["timestamp"].min())

    released = loaded(lasting, released=first["quarantine_id"].to_list())

    assert refused.height == len(CHAIN) * (HOURS - EPISODE[0])
    assert first.height == len(CHAIN)
    assert released.quarantined.is_empty()
    assert all(hours(released, token).height == HOURS for token in CHAIN)


def test_a_backfill_in_another_unit_never_rewrites_the_hours_that_are_stored():
    before = loaded(market())

    after = loaded(market(89_000.0), before.rows)

    assert_frame_equal(after.rows, before.rows)
    assert set(after.quarantined["reason"]) == {"unit_step"}


def test_a_backfill_that_corrects_a_little_keeps_what_was_believed_before():
    before = loaded(market())

    after = loaded(market(1.02), before.rows)

    believed = hours(before, CHAIN[0])["close_usd"][EPISODE[0]]
    kept = after.quarantined.filter(
        pl.col("token_contract") == CHAIN[0],
        pl.col("timeframe") == "1h",
        pl.col("timestamp") == START + timedelta(hours=EPISODE[0]),
    )
    assert hours(after, CHAIN[0])["close_usd"][EPISODE[0]] == pytest.approx(1.02 * believed)
    assert kept.select("reason", "close_usd").rows() == [("superseded", believed)]


COIN_USD, QUOTE_TOKENS = 160.0, 25_000.0
"""USD of one coin of the chain, and base tokens for one quote token."""


def pool(asked: Asked) -> Reply:
    """A pool as the service prices it: USD or the chain's coin, of the base or the quote token."""
    price_usd = 0.004 if asked.query.get("token", "base") == "base" else 0.004 * QUOTE_TOKENS
    price = price_usd if asked.query.get("currency", "usd") == "usd" else price_usd / COIN_USD
    before, step = int(asked.query["before_timestamp"]), {"minute": 900, "hour": 3600}[asked.path.rpartition("/")[2]]
    opens = range(before // step * step - step, before - 86_401, -step)
    return Reply({"data": {"attributes": {"ohlcv_list": [[at, *[price] * 4, 500.0] for at in opens]}}})


def candles_of(market: LiveMarket) -> pl.DataFrame:
    return market.candles(Universe.LOWCAP, NOW - timedelta(days=1), NOW)


def test_a_pools_bars_are_in_usd_of_its_base_token():
    with live_services() as (services, api):
        services.answers[GECKOTERMINAL] = pool
        found = candles_of(market_of(api))

    assert found.height == 24 + 96
    assert set(found["close_usd"]) == {0.004}


@pytest.mark.parametrize("coin_usd", [160.0, 1 / 160.0])
def test_prices_in_a_chains_own_coin_never_replace_prices_in_usd(coin_usd):
    in_usd = loaded(market()).rows
    in_coins = market().with_columns(pl.col(name) / coin_usd for name in PRICES)

    after = loaded(in_coins, in_usd, first_day=10)

    assert_frame_equal(after.rows, in_usd.filter(pl.col("timestamp") >= START + timedelta(days=10)))
    assert after.quarantined.height == 5 * (HOURS - 240)


@pytest.mark.parametrize("coin_usd", [160.0, 1 / 160.0])
def test_a_whole_history_in_a_chains_own_coin_never_replaces_one_in_usd(coin_usd):
    in_usd = loaded(market()).rows
    in_coins = market().with_columns(pl.col(name) / coin_usd for name in PRICES)

    after = loaded(in_coins, in_usd)
    by_day = [loaded(in_coins, in_usd, first_day=day).quarantined for day in (0, 7)]

    assert_frame_equal(after.rows, in_usd)
    assert after.quarantined["reason"].to_list() == ["unit_step"] * (5 * HOURS)
    assert_frame_equal(by_day[1], by_day[0].filter(pl.col("timestamp") >= START + timedelta(days=7)))


@pytest.mark.postgres
def test_a_history_loaded_anew_in_a_chains_own_coin_shows_on_the_page_and_changes_no_row(database):
    in_coins = market().with_columns(pl.col(name) / 160 for name in PRICES)
    days = (START.date(), (START + timedelta(days=1)).date())
    for bars_given in (market(), in_coins):
        source = given_market(CandleMemory(bars={Universe.LOWCAP: bars_given}))
        run = run_chain(*days, as_of=START + timedelta(days=60), market=source, tables=(LOWCAP,))
        rows = stored(LOWCAP)

    assert rows.filter(timeframe="1h")["close_usd"].to_list() == pytest.approx(
        market().filter(pl.col("timestamp") < START + timedelta(days=2)).sort(*BAR_KEY)["close_usd"].to_list()
    )
    (shown,) = [each for each in run.get_asset_check_evaluations() if each.check_name == "no_bar_was_refused"]
    assert (shown.passed, shown.metadata["refused_by_reason"].value) == (False, {"unit_step": 5 * 48})


def lone_jump(start: int = 100, *, lasting: bool = False) -> pl.DataFrame:
    """One token that jumps x25 at an hour and fades to x19, x9, x5.5 and back, or stays."""
    level = np.ones(HOURS)
    level[start:] = 25.0 if lasting else 1.0
    level[start : start + 4] = (25.0, 19.0, 9.0, 5.5)
    return bars("ASTER", "bsc", 0.1 * level)


def test_a_lone_jump_that_fades_below_the_limit_is_not_let_in_on_its_way():
    load = loaded(lone_jump())

    assert load.quarantined["reason"].to_list() == ["price_jump"] * 4
    assert set(hours(load, "ASTER")["close_usd"]) == {0.1}
    assert hours(load, "ASTER").height == HOURS - 4


def test_a_lone_new_price_that_lasts_is_let_in_whole_when_its_first_bar_is_released():
    lasting = lone_jump(lasting=True)
    refused = loaded(lasting).quarantined.sort("timestamp")

    released = loaded(lasting, released=refused["quarantine_id"].head(1).to_list())

    assert refused.height == HOURS - 100
    assert released.quarantined.is_empty()
    assert hours(released, "ASTER").height == HOURS


@pytest.mark.postgres
def test_a_lone_jump_that_fades_over_midnight_stays_out_day_by_day(database):
    source = given_market(CandleMemory(bars={Universe.LOWCAP: lone_jump(4 * 24 + 22)}))
    for day in (START + timedelta(days=number) for number in range(3, 7)):
        run_chain(day.date(), day.date(), as_of=START + timedelta(days=60), market=source, tables=(LOWCAP,))

    kept = stored(LOWCAP).filter(timeframe="1h")
    assert (kept.height, set(kept["close_usd"])) == (4 * 24 - 4, {0.1})
    assert Tables().query("count_refused_by_reason", (LOWCAP.split(".")[1],)).rows() == [("price_jump", 4)]


def test_of_two_rows_of_every_hour_the_one_in_another_unit_never_wins():
    both = pl.concat([market().with_columns(pl.col(name) * 89_000 for name in PRICES), market()])
    later = pl.col("timestamp") > START

    load = loaded(pl.concat([market().filter(~later), both.filter(later)]))

    assert_frame_equal(load.rows, loaded(market()).rows)
    assert load.quarantined.height == 5 * (HOURS - 1)


JUMPS: Mapping[int, float] = {37: 129.0, 411: 153.0, 412: 67_743.0}
"""Quarter of an hour, and ratio of open to close in it, of a backfill on almost every token."""


def spiked(seed: int, token: str, *, wrong: str = "close_usd", inverse: bool = False) -> pl.DataFrame:
    """Quarters of an hour of which three have an open or a close in another world."""
    sound = bars(token, "sol", random_walk(480, seed, volatility=0.005), timeframe="15m")
    factor = np.ones(480)
    factor[list(JUMPS)] = list(JUMPS.values())
    jumped = sound.with_columns(pl.col(wrong) * (1 / factor if inverse else factor))
    return jumped.with_columns(high_usd=pl.max_horizontal(PRICES), low_usd=pl.min_horizontal(PRICES))


SPIKED = {
    "close up": {},
    "close down": {"inverse": True},
    "open up": {"wrong": "open_usd"},
    "open down": {"wrong": "open_usd", "inverse": True},
}


@pytest.mark.parametrize("tokens", [1, 5])
@pytest.mark.parametrize("manner", SPIKED)
def test_a_bar_that_jumps_within_itself_is_kept_aside_with_its_reason(manner, tokens):
    raw = pl.concat(spiked(seed, f"t{seed}", **SPIKED[manner]) for seed in range(tokens))

    load = loaded(pl.concat([raw, bars("calm", "sol", random_walk(480, 99, volatility=0.005), timeframe="15m")]))

    at = [START + quarter * timedelta(minutes=15) for quarter in JUMPS]
    assert set(load.quarantined["reason"]) <= {"price_jump", "unit_step"}
    assert load.quarantined["timestamp"].to_list() == at * tokens
    quarters = load.rows.filter(pl.col("timeframe") == "15m")
    assert quarters.group_by("token_contract").len().sort("len")["len"].to_list() == [477] * tokens + [480]
    assert load.rows["high_usd"].max() / load.rows["low_usd"].min() < 20


def test_the_hour_of_a_jump_is_rolled_up_without_it_and_says_so():
    load = loaded(spiked(1, "t1"))
    sound = loaded(bars("t1", "sol", random_walk(480, 1, volatility=0.005), timeframe="15m"))

    at = START + timedelta(hours=102)  # quarters 408 to 411, of which the last jumps
    hour = hours(load, "t1").filter(pl.col("timestamp") == at)
    expected = sound.rows.filter(
        pl.col("timeframe") == "15m", pl.col("timestamp").is_between(at, at + timedelta(minutes=30))
    )
    assert hour.select("coverage", "partial").row(0) == (0.75, True)
    assert hour["high_usd"].item() == expected["high_usd"].max()


def test_a_series_that_begins_with_a_jump_is_not_judged_by_it():
    first = spiked(3, "t3").filter(pl.col("timestamp") >= START + 37 * timedelta(minutes=15))

    load = loaded(first)

    assert load.quarantined["reason"].to_list() == ["price_jump"] * 3
    assert load.rows.filter(pl.col("timeframe") == "15m").height == first.height - 3
