"""A fill is a fact: what cannot be one is refused at the door."""

import math
from dataclasses import replace
from datetime import datetime

import pytest

from domain.portfolio.mark import Mark
from tests.domain.portfolio.trade_paths import HOUR, START, bar, fill

GOOD = fill("buy", 100.0, 0.5, hour=0, fee=0.1)


@pytest.mark.parametrize("name", ["quantity", "price_usd", "notional_usd"])
@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf])
def test_a_number_that_is_no_amount_is_refused(name, wrong):
    with pytest.raises(ValueError, match=f"{name} of fill buy-0 must be finite and > 0"):
        replace(GOOD, **{name: wrong})


@pytest.mark.parametrize("wrong", [-0.01, math.nan, math.inf])
def test_a_fee_is_not_negative(wrong):
    with pytest.raises(ValueError, match="fee_usd"):
        replace(GOOD, fee_usd=wrong)


@pytest.mark.parametrize("factor", [10.0, 1000.0, 0.1, 0.001])
def test_wrong_decimals_are_found_in_the_money(factor):
    with pytest.raises(ValueError, match="decimals"):
        replace(GOOD, quantity=GOOD.quantity * factor)


def test_rounding_to_cents_is_allowed():
    assert replace(GOOD, quantity=14.9, price_usd=0.3333, notional_usd=4.97).notional_usd == 4.97


def test_a_fill_needs_an_id_and_an_offset():
    with pytest.raises(ValueError, match="must have an id"):
        replace(GOOD, fill_id="")
    with pytest.raises(ValueError, match="with an offset"):
        replace(GOOD, at=datetime(2025, 3, 1))  # noqa: DTZ001  # the point of the test


@pytest.mark.parametrize(("low", "close"), [(0.0, 1.0), (2.0, 1.0), (math.nan, 1.0), (1.0, math.inf), (-1.0, 1.0)])
def test_a_bar_that_cannot_be_is_refused(low, close):
    with pytest.raises(ValueError, match="0 < low <= close"):
        bar(low, close, hour=0)


def test_a_bar_closes_after_it_opens_and_says_when():
    with pytest.raises(ValueError, match="close after it opens"):
        Mark(opened_at=START, closed_at=START, low_usd=1.0, close_usd=1.0)
    with pytest.raises(ValueError, match="with an offset"):
        Mark(opened_at=START.replace(tzinfo=None), closed_at=START + HOUR, low_usd=1.0, close_usd=1.0)
