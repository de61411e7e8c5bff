"""R/R is money made over money at risk on the path that was held; the two incidents it was defined for."""

import pytest
from hypothesis import given

from domain.config.portfolio import TradeOutcomeConfig
from domain.portfolio.position import NO_POSITION
from domain.portfolio.trade_outcome import trade_outcome
from tests.domain.portfolio.trade_paths import bar, fill, folded, trades

CONFIG = TradeOutcomeConfig()


def test_a_trade_that_made_its_money_by_trims_has_no_negative_rr():
    """Made 27.1 %, with the rest sold below the entry: a return of -6.16 % by price over a drawdown of 20 %, -0.308."""
    entry, last, low = 1.0, 0.9384, 0.8
    trimmed = 0.5
    trim_price = (1.271 - (1 - trimmed) * last) / trimmed
    outcome = trade_outcome(
        folded(
            fill("buy", 1000, entry, hour=0),
            bar(low, 1.2, hour=0),
            fill("sell", 1000 * trimmed, trim_price, hour=5),
            fill("sell", 1000 * (1 - trimmed), last, hour=9),
        ),
        CONFIG,
    )

    assert (last - entry) / entry / ((entry - low) / entry) == pytest.approx(-0.308)
    assert outcome.roi_frac == pytest.approx(0.271)
    assert outcome.risk_usd == pytest.approx(200)
    assert outcome.rr == pytest.approx(1.355)


def test_a_tiny_drawdown_makes_no_giant():
    """Made 6.9 % with a drawdown of 0.91 %: recorded as 12.79, which ruled what was learned about its timeframe."""
    outcome = trade_outcome(
        folded(
            fill("buy", 1000, 1.0, hour=0),
            bar(1 - 0.0091, 1.0, hour=0),
            fill("sell", 500, 1.0216, hour=3),
            fill("sell", 500, 1.1164, hour=5),
        ),
        CONFIG,
    )

    assert pytest.approx(12.79, abs=0.005) == 0.1164 / 0.0091
    assert outcome.roi_frac == pytest.approx(0.069)
    assert (outcome.is_risk_floored, outcome.risk_usd) == (True, pytest.approx(20))
    assert outcome.rr == outcome.rr_raw == pytest.approx(3.45)


@pytest.mark.parametrize(
    ("low", "last", "rr"), [(0.5, 1.2, 0.4), (0.98, 1.05, 2.5), (1.0, 1.05, 2.5), (0.5, 0.5, -1.0)]
)
def test_entry_low_and_exit_alone_give_the_documents_ratio(low, last, rr):
    outcome = trade_outcome(
        folded(fill("buy", 100, 1.0, hour=0), bar(low, 1.0, hour=0), fill("sell", 100, last, hour=1)), CONFIG
    )

    assert outcome.rr == pytest.approx(rr)


def test_a_perfect_trade_has_a_finite_rr_and_its_raw_value_is_kept():
    outcome = trade_outcome(folded(fill("buy", 100, 1.0, hour=0), fill("sell", 100, 3.0, hour=7)), CONFIG)

    assert (outcome.rr, outcome.rr_raw, outcome.held_hours) == (10.0, pytest.approx(100.0), 7.0)


def test_a_trade_that_never_bought_has_no_ratio_and_not_zero():
    outcome = trade_outcome(NO_POSITION, CONFIG)

    assert (outcome.rr, outcome.rr_raw, outcome.roi_frac, outcome.risk_usd, outcome.held_hours) == (None,) * 5


def test_fees_are_part_of_the_loss_and_of_the_risk():
    outcome = trade_outcome(folded(fill("buy", 100, 1.0, hour=0, fee=4), fill("sell", 100, 1.0, hour=1, fee=4)), CONFIG)

    assert (outcome.pnl_usd, outcome.risk_usd, outcome.rr) == (-8.0, 8.0, -1.0)


def test_what_is_still_held_counts_at_the_last_price():
    outcome = trade_outcome(folded(fill("buy", 100, 1.0, hour=0), bar(0.9, 1.3, hour=0)), CONFIG)

    assert outcome.rr == pytest.approx(3.0)


@given(trades())
def test_rr_has_the_sign_of_the_money_and_bounds(events):
    outcome = trade_outcome(folded(*events), CONFIG)
    signs = [(number > 0) - (number < 0) for number in (outcome.pnl_usd, outcome.rr, outcome.rr_raw, outcome.roi_frac)]

    assert len(set(signs)) == 1
    assert -1.0 <= outcome.rr <= 10.0
    assert abs(outcome.rr) <= abs(outcome.rr_raw)
    assert outcome.risk_usd > 0
