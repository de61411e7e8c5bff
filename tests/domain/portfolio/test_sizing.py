"""The cascade: the documents' order, bounds that hold for any input, and factors that multiply to the order."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.portfolio import PortfolioConfig, SizingConfig
from domain.portfolio.sizing import BUY_STEPS, TRIM_STEPS, BuySize, SizeBasis, size_buy, size_exit, size_trim
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.lever_mode import LeverMode
from domain.vocabulary.timeframe import Timeframe

CONFIG = PortfolioConfig()
ENTRY, ADD = ActionCategory.ENTRY, ActionCategory.ADD
LEVERS = st.floats(0, 1)
RATIOS = st.floats(1e-3, 1e3)
BUYS = st.sampled_from([ENTRY, ADD])


def buy(category: ActionCategory = ENTRY, **changed: float) -> BuySize:
    given_ = {
        "a": 0.4,
        "wallet_usd": 20_000.0,
        "timeframe_split": CONFIG.sizing.timeframe_splits[Timeframe.H1],
        "net_invested_usd": 0.0,
        "pm_strength": 1.0,
        "exposure_skew": 1.0,
    }
    return size_buy(category, config=CONFIG, **{**given_, **changed})


def test_the_documents_order():
    order = buy(a=0.40, pm_strength=1.15, exposure_skew=1.047)

    assert (order.cap_usd, order.remaining_usd, order.size_frac) == pytest.approx((1400, 1400, 0.30))
    assert order.final_frac == pytest.approx(0.3612, abs=5e-5)
    assert order.order_usd == pytest.approx(505.7, abs=0.05)
    assert order.basis is SizeBasis.SIZED


@pytest.mark.parametrize(("a", "frac"), [(0.05, 0.125), (0.55, 0.375), (0.65, 0.425), (1.0, 0.60)])
def test_an_entry_grows_with_a(a, frac):
    assert buy(a=a).size_frac == pytest.approx(frac)


@pytest.mark.parametrize(("a", "frac"), [(0.0, 0.05), (0.29, 0.05), (0.30, 0.15), (0.69, 0.15), (0.70, 0.25)])
def test_an_add_goes_by_the_mode_of_a(a, frac):
    assert buy(ADD, a=a).size_frac == frac


@pytest.mark.parametrize(
    ("e", "mode", "frac"), [(0.1, "patient", 0.03), (0.5, "normal", 0.05), (0.75, "aggressive", 0.1)]
)
def test_a_trim_goes_by_the_mode_of_e(e, mode, frac):
    trim = size_trim(2000.0, e=e, config=CONFIG)

    assert (trim.quantity, trim.size_frac, trim.mode) == (pytest.approx(2000 * frac), frac, LeverMode(mode))
    assert [(step.name, step.amount) for step in trim.waterfall] == list(
        zip(TRIM_STEPS, (2000, trim.quantity), strict=True)
    )


def test_an_exit_sells_everything_whatever_the_levers_say():
    assert (size_exit(0.1).quantity, size_exit(0.1).mode) == (0.1, None)


def test_below_the_least_a_nothing_is_entered_but_a_holding_may_be_added_to():
    below = math.nextafter(0.05, 0)

    assert (buy(a=below).order_usd, buy(a=below).basis) == (0.0, SizeBasis.LEVER_TOO_LOW)
    assert buy(a=0.05).order_usd > 0
    assert buy(ADD, a=below).basis is SizeBasis.SIZED


@pytest.mark.parametrize(
    ("net_invested", "remaining"), [(0.0, 1400), (400.0, 1000), (1400.0, 0), (5000.0, 0), (-900.0, 1400)]
)
def test_what_remains_is_never_more_than_the_cap(net_invested, remaining):
    order = buy(net_invested_usd=net_invested)

    assert order.remaining_usd == pytest.approx(remaining)
    assert (order.basis is SizeBasis.CAP_REACHED) == (remaining == 0)


@given(BUYS, LEVERS, st.floats(0, 1e9), LEVERS, st.floats(-1e9, 1e9), RATIOS, RATIOS)
def test_no_order_passes_what_remains_and_its_factors_are_the_order(category, a, wallet, split, net, strength, skew):
    order = buy(
        category,
        a=a,
        wallet_usd=wallet,
        timeframe_split=split,
        net_invested_usd=net,
        pm_strength=strength,
        exposure_skew=skew,
    )

    assert 0 <= order.order_usd <= order.remaining_usd <= order.cap_usd <= wallet * 0.1 + 1e-9
    assert 0 <= order.final_frac <= 1
    assert 0.3 <= order.pm_strength_applied <= 3.0
    assert 0.33 <= order.exposure_skew_applied <= 1.33
    assert tuple(step.name for step in order.waterfall) == BUY_STEPS
    product = math.prod(step.factor for step in order.waterfall)
    assert product == pytest.approx(order.order_usd, rel=1e-9, abs=1e-12)
    assert order.waterfall[-1].amount == pytest.approx(order.order_usd, rel=1e-9, abs=1e-12)
    assert (order.order_usd > 0) <= (order.basis is SizeBasis.SIZED)


@given(BUYS, st.lists(st.tuples(LEVERS, RATIOS, RATIOS), min_size=1, max_size=60))
def test_however_often_it_buys_a_position_stays_within_its_cap(category, buys):
    invested = 0.0
    for a, strength, skew in buys:
        order = buy(category, a=a, net_invested_usd=invested, pm_strength=strength, exposure_skew=skew)
        invested += order.order_usd

    assert invested <= 1400 * (1 + 1e-12)


@given(BUYS, LEVERS, LEVERS, RATIOS, RATIOS)
def test_more_appetite_or_strength_never_buys_less(category, one, other, weak, strong):
    assert buy(category, a=min(one, other)).order_usd <= buy(category, a=max(one, other)).order_usd
    weak, strong = sorted([weak, strong])
    assert buy(category, pm_strength=weak).order_usd <= buy(category, pm_strength=strong).order_usd
    assert buy(category, exposure_skew=weak).order_usd <= buy(category, exposure_skew=strong).order_usd


@given(LEVERS, LEVERS, st.floats(1e-9, 1e15))
def test_a_trim_never_sells_more_than_is_held_nor_less_at_a_higher_e(one, other, quantity):
    low, high = (size_trim(quantity, e=e, config=CONFIG).quantity for e in sorted([one, other]))

    assert 0 < low <= high <= quantity


def test_the_splits_share_one_cap():
    caps = [buy(timeframe_split=split).cap_usd for split in CONFIG.sizing.timeframe_splits.values()]

    assert math.fsum(caps) == pytest.approx(2000)


def test_another_table_is_obeyed():
    config = PortfolioConfig(sizing=SizingConfig(default_allocation_pct=15.0, min_entry_a=0.5))
    order = size_buy(
        ENTRY,
        a=0.4,
        wallet_usd=1000.0,
        timeframe_split=1.0,
        net_invested_usd=0.0,
        pm_strength=1.0,
        exposure_skew=1.0,
        config=config,
    )

    assert (order.cap_usd, order.basis) == (pytest.approx(150.0), SizeBasis.LEVER_TOO_LOW)


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": math.nan},
        {"a": 1.1},
        {"wallet_usd": -1.0},
        {"wallet_usd": math.inf},
        {"timeframe_split": 1.01},
        {"timeframe_split": math.nan},
        {"net_invested_usd": math.nan},
        {"pm_strength": math.nan},
        {"pm_strength": 0.0},
        {"exposure_skew": math.inf},
    ],
)
def test_what_is_no_number_of_the_cascade_is_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        buy(**wrong)


def test_a_buy_is_no_sale_and_nothing_cannot_be_sold():
    with pytest.raises(ValueError, match="an action that buys"):
        buy(ActionCategory.TRIM)
    for nothing in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="holding"):
            size_exit(nothing)
    with pytest.raises(ValueError, match="lever"):
        size_trim(1.0, e=math.nan, config=CONFIG)
