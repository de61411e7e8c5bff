from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.config.indicator import IndicatorConfig
from domain.config.uptrend import UptrendConfig
from domain.learning.planted_edge import PLANTED_EDGES
from domain.regime.indicator import indicator_frame
from domain.regime.uptrend_engine import uptrend_frame
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.universe import Universe
from resources.simulated_breakout import CHAINS, CURATORS, INTENTS, breakout_bars, breakout_tokens
from resources.simulated_market import LISTED_DAY, SimulatedMarket

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LISTED = START + LISTED_DAY * DAY
KEY = ("token_contract", "chain")


def market(days: int = LISTED_DAY + 20, **changes) -> SimulatedMarket:
    given = {"minute_days": 1, "hour_days": 20, "n_lowcaps": 0, "n_breakouts": 8} | changes
    return SimulatedMarket(start=START, end=START + days * DAY, **given)


def test_curators_intents_and_chains_cross_each_other_evenly():
    tokens = breakout_tokens(144, seed=7)

    assert set(Counter(token.curator for token in tokens).values()) == {144 // len(CURATORS)}
    assert set(Counter(token.intent for token in tokens).values()) == {144 // len(INTENTS)}
    assert set(Counter(token.instrument.chain for token in tokens).values()) == {144 // len(CHAINS)}
    assert set(Counter((token.intent, token.instrument.chain) for token in tokens).values()) == {4}


def test_every_planted_scope_is_some_tokens_and_not_most():
    tokens = breakout_tokens(144, seed=7)

    for edge in PLANTED_EDGES:
        assert 15 <= sum(token.attributes[edge.dimension] == edge.value for token in tokens) <= 25


def test_more_hours_and_more_tokens_change_no_bar_that_was_there():
    few, many = breakout_tokens(3, seed=7), breakout_tokens(6, seed=7)
    short, long = breakout_bars(7, 100, few), breakout_bars(7, 900, many)

    for values, longer in zip(short, long, strict=True):
        assert np.array_equal(values, longer[:3, :100])


def test_bars_are_whole_and_each_opens_where_the_last_one_closed():
    bars = breakout_bars(7, 600, breakout_tokens(5, seed=7))

    assert (bars.low <= np.minimum(bars.open, bars.close)).all()
    assert (bars.high >= np.maximum(bars.open, bars.close)).all()
    assert np.array_equal(bars.open[:, 1:], bars.close[:, :-1])
    assert (bars.volume > 0).all()


def test_tokens_have_no_bar_and_no_cap_before_their_listing_and_hours_after_it():
    made = market()
    bars, caps = made.candles(Universe.LOWCAP, START, made.end), made.market_caps(START, made.end)

    assert bars["timestamp"].min() == LISTED
    assert bars["timeframe"].unique().to_list() == ["1h"]
    assert bars.group_by("token_contract").len()["len"].to_list() == [20 * 24] * 8
    lowcaps = caps.filter(pl.col("token_contract").str.starts_with("simulated-"))
    assert lowcaps["timestamp"].min() == LISTED


def test_older_days_come_as_whole_days_that_the_hours_roll_up_to():
    hours = market().candles(Universe.LOWCAP, LISTED, LISTED + DAY)
    days = market(hour_days=0, minute_days=0).candles(Universe.LOWCAP, LISTED, LISTED + DAY)

    rolled = hours.group_by("token_contract", maintain_order=True).agg(
        pl.col("open_usd").first(), pl.col("high_usd").max(), pl.col("low_usd").min(), pl.col("close_usd").last()
    )
    assert days["timeframe"].unique().to_list() == ["1d"]
    assert_frame_equal(rolled, days.select(rolled.columns), check_row_order=False)


def test_a_later_end_changes_no_breakout_that_was_there_before():
    window = (Universe.LOWCAP, LISTED, LISTED + 5 * DAY)
    early, late = market(), market(days=LISTED_DAY + 300, hour_days=300)

    assert_frame_equal(early.candles(*window), late.candles(*window), check_exact=True)


def test_a_market_that_ends_before_the_listing_has_no_breakouts():
    made = market(days=100)

    assert made.candles(Universe.LOWCAP, START, made.end).is_empty()
    assert made.watchlist() == []


def test_the_watchlist_names_every_token_with_what_is_known_at_its_listing():
    rows = market().watchlist()

    assert len(rows) == len({row["token_contract"] for row in rows}) == 8
    assert {row["curator"] for row in rows} == set(CURATORS)
    assert all(float(row["market_cap_usd"]) > 0 and float(row["volume_usd"]) > 0 for row in rows)


@pytest.fixture(scope="module")
def breakouts() -> pl.DataFrame:
    """Buys of the engine at a breakout, with how far the price rose within three days of each."""
    made = market(days=LISTED_DAY + 100, hour_days=100, n_breakouts=54)
    bars = made.candles(Universe.LOWCAP, LISTED, made.end)
    rows = bars.join(
        indicator_frame(bars, None, key=(*KEY, "timeframe"), config=IndicatorConfig()),
        on=[*KEY, "timeframe", "timestamp"],
    )
    states = uptrend_frame(rows, None, key=KEY, config=UptrendConfig())
    best = pl.col("price").reverse().rolling_max(72, min_samples=1).reverse().over("token_contract") / pl.col("price")
    curator = pl.col("token_contract").str.split("-").list.get(1)
    return states.with_columns(best=best - 1, curator=curator).filter(pl.col("buy_signal"))


def test_the_engine_buys_breakouts_and_most_of_them_fail(breakouts):
    has_run = breakouts["best"] > 0.25

    assert breakouts["token_contract"].n_unique() == 54
    assert 0.1 < has_run.mean() < 0.6


def test_breakouts_run_more_often_where_an_edge_lifts_them_and_less_where_it_weighs(breakouts):
    runs = dict(breakouts.group_by("curator").agg((pl.col("best") > 0.25).mean()).iter_rows())
    plain = np.mean([share for name, share in runs.items() if name not in ("orca", "moth", "heron")])
    named = {edge.value for edge in PLANTED_EDGES if edge.dimension is ScopeDimension.CURATOR}

    assert named == {"orca", "moth", "heron"}
    assert runs["orca"] > plain + 0.2
    assert runs["heron"] > plain + 0.1
    assert runs["moth"] < plain - 0.1
