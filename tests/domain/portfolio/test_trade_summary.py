"""Many trades in a few numbers."""

import numpy as np
import pytest

from domain.portfolio.trade_summary import LEVELS, ClosedTrade, spread, summarise_trades


def trade(pnl_usd: float, **values) -> ClosedTrade:
    given = {"trade_id": "t", "timeframe": "1h", "bucket": "nano", "fees_usd": 1.0, "rr": 1.0, "roi_frac": 0.1}
    return ClosedTrade(pnl_usd=pnl_usd, **(given | {"held_hours": 3.0} | values))


def test_a_trade_that_made_nothing_is_not_won():
    summary = summarise_trades([trade(2.0), trade(0.0), trade(-1.0), trade(5.0)])

    assert (summary.trades, summary.won, summary.win_rate, summary.pnl_usd) == (4, 2, 0.5, 6.0)


def test_no_trade_has_no_win_rate():
    summary = summarise_trades([])

    assert (summary.trades, summary.win_rate, summary.rr.mean, summary.rr.quantiles) == (0, None, None, None)


def test_a_result_a_trade_does_not_have_is_left_out_and_counted_so():
    summary = summarise_trades([trade(1.0, rr=3.0), trade(1.0, rr=None)])

    assert (summary.trades, summary.rr.n, summary.rr.mean) == (2, 1, 3.0)


def test_quantiles_are_those_of_numpy():
    values = np.random.default_rng(5).normal(size=101)

    found = spread([*values.tolist(), None])

    assert found.n == 101
    assert found.quantiles == pytest.approx(tuple(np.quantile(values, LEVELS)))
    assert found.mean == pytest.approx(values.mean())
