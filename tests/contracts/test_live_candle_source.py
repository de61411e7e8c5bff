"""The contract of every source of candles, on the live market over a loopback port.

Left out: that older dominance and caps are a cut of a longer window, as a live service has none.
Claims of its own stand for them.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from polars.testing import assert_frame_equal

from resources.live_market import LiveMarket
from tests.contracts import test_candle_source as contract
from tests.live_services import LISTED, NOW, live_services, market_of

test_candles_have_the_declared_columns_and_known_timeframes = (
    contract.test_candles_have_the_declared_columns_and_known_timeframes
)
test_a_window_holds_what_a_larger_window_holds_of_it = contract.test_a_window_holds_what_a_larger_window_holds_of_it
test_dominance_is_a_percentage_of_a_known_metric = contract.test_dominance_is_a_percentage_of_a_known_metric
test_no_bar_lies_outside_the_span = contract.test_no_bar_lies_outside_the_span
test_a_universe_holds_majors_or_the_others = contract.test_a_universe_holds_majors_or_the_others
test_an_empty_window_gives_empty_frames_of_the_same_shape = (
    contract.test_an_empty_window_gives_empty_frames_of_the_same_shape
)
test_a_window_that_cannot_be_right_raises = contract.test_a_window_that_cannot_be_right_raises
test_every_source_of_the_rows_has_its_terms = contract.test_every_source_of_the_rows_has_its_terms
test_asking_twice_gives_the_same_rows_in_the_same_order = (
    contract.test_asking_twice_gives_the_same_rows_in_the_same_order
)
test_market_caps_have_the_declared_columns_and_name_what_they_are_of = (
    contract.test_market_caps_have_the_declared_columns_and_name_what_they_are_of
)
test_an_empty_window_has_no_market_caps = contract.test_an_empty_window_has_no_market_caps
test_a_window_of_market_caps_that_cannot_be_right_raises = (
    contract.test_a_window_of_market_caps_that_cannot_be_right_raises
)


@pytest.fixture
def source() -> Iterator[LiveMarket]:
    with live_services() as (_, api):
        yield market_of(api, lowcaps=(LISTED,))


def test_the_present_is_the_end_of_the_contract():
    assert contract.END == NOW


def test_dominance_is_there_for_a_window_that_reaches_the_present_only(source):
    recent = source.dominance(NOW - timedelta(hours=1), NOW)

    assert recent.height == 2
    assert_frame_equal(recent, source.dominance(NOW - timedelta(days=100), NOW))
    assert source.dominance(NOW - timedelta(days=2), NOW - timedelta(days=1)).is_empty()


def test_market_caps_are_there_for_a_window_that_reaches_the_present_only(source):
    recent = source.market_caps(NOW - timedelta(hours=1), NOW + timedelta(minutes=1))

    assert recent.height == 1
    assert_frame_equal(recent, source.market_caps(NOW - timedelta(days=100), NOW + timedelta(days=1)))
    assert source.market_caps(NOW - timedelta(days=3), NOW - timedelta(days=2)).is_empty()


def test_a_live_market_says_what_it_is(source):
    assert (source.name, source.is_simulated) == ("live", False)
    assert source.description() == "live: 3 symbols from hyperliquid, binance_usd_m, geckoterminal"
