"""The index kernel against the definition in plain Python, and what it does with silence, holes and spikes."""

import math

import numpy as np
import pytest

from domain.regime.return_index import DAY_US, IndexRows, IndexRule, MemberBars, chain_returns

HOUR_US = 3_600_000_000
RULE = IndexRule(bar_us=HOUR_US, max_fill_us=6 * HOUR_US, max_abs_log_return=math.log(3), min_members=1)


def hourly(close: np.ndarray, *, spread: float = 0.0) -> MemberBars:
    """Bars from closes of shape (n_hours, n_members), hour 0 at the epoch; NaN = no bar."""
    at, member = np.nonzero(~np.isnan(close))
    values = close[at, member]
    ohlc = np.stack([values, values * (1 + spread), values * (1 - spread), values], axis=1)
    return MemberBars(at * HOUR_US, member, ohlc, np.ones(values.size), np.ones(values.size))


def chained(close: np.ndarray, *, from_hour: int = 1, rule: IndexRule = RULE) -> IndexRows:
    """Index of `hourly` bars from level 100, all members eligible on all days."""
    eligible = np.ones((len(close) // 24 + 1, close.shape[1]), dtype=np.bool_)
    return chain_returns(hourly(close), eligible, start_us=from_hour * HOUR_US, level=100.0, rule=rule)


def by_definition(bars: MemberBars, eligible: np.ndarray, rule: IndexRule) -> list[tuple[int, list[float], int]]:
    """Hour, OHLC and members used of each bar, by looking back from every bar anew."""
    rows = {(at // HOUR_US, who): bars.ohlc[i] for i, (at, who) in enumerate(zip(bars.at_us, bars.member, strict=True))}
    level, made = 100.0, []
    for hour in sorted({at for at, _ in rows}):
        ratios, traded = [], 0
        for who in np.flatnonzero(eligible[hour // 24]):
            within = [at for at, other in rows if other == who and hour - 1 - rule.max_fill_us // HOUR_US <= at < hour]
            if within and (hour, who) in rows:
                ratios.append(np.clip(rows[hour, who] / rows[max(within), who][3], 1 / 3, 3))
                traded += 1
            elif within:
                ratios.append(np.ones(4))
        if len(ratios) >= rule.min_members and traded:
            bar = level * np.mean(ratios, axis=0)
            level = bar[3]
            made.append((hour, list(bar), len(ratios)))
    return made


@pytest.mark.parametrize("seed", range(4))
def test_the_kernel_equals_the_definition(seed):
    rng = np.random.default_rng(seed)
    close = np.exp(np.cumsum(rng.normal(0, 0.5, (72, 6)), axis=0))
    close[rng.random(close.shape) < 0.8] = np.nan
    bars, eligible = hourly(close, spread=0.01), rng.random((3, 6)) < 0.7
    rule = RULE._replace(min_members=2)

    rows = chain_returns(bars, eligible, start_us=0, level=100.0, rule=rule)
    expected = by_definition(bars, eligible, rule)
    assert len(expected) > 10
    np.testing.assert_array_equal(rows.at_us[rows.is_made] // HOUR_US, [hour for hour, _, _ in expected])
    np.testing.assert_allclose(rows.ohlc[rows.is_made], [bar for _, bar, _ in expected], rtol=1e-12)
    np.testing.assert_array_equal(rows.used[rows.is_made], [used for _, _, used in expected])


def test_a_silent_member_is_flat_and_loses_nothing_when_it_trades_again():
    close = np.ones((9, 3))
    close[2:8, 2] = np.nan
    close[8, 2] = 2.0
    rows = chained(close)

    assert rows.used.tolist() == [3] * 8
    assert rows.traded.tolist() == [3] + [2] * 6 + [3]
    assert rows.coverage.tolist() == [1.0] + [2 / 3] * 6 + [1.0]
    assert rows.ohlc[:7, 3].tolist() == [100.0] * 7
    assert rows.ohlc[7, 3] == pytest.approx(100 * (1 + 1 + 2) / 3)


def test_after_a_longer_hole_a_member_counts_from_its_second_bar():
    close = np.ones((11, 3))
    close[2:9, 2] = np.nan  # closed at 02:00, back at 09:00: seven hours
    close[9:, 2] = 2.0
    rows = chained(close)

    assert rows.used.tolist() == [3] * 8 + [2, 3]
    assert rows.present.tolist() == [3] + [2] * 7 + [3, 3]
    assert rows.ohlc[:, 3].tolist() == [100.0] * 10


def test_after_a_total_outage_the_level_waits_and_goes_on():
    close = np.ones((24, 3)) * 1.01 ** np.arange(24)[:, None]
    close[5:20] = np.nan
    rows = chained(close)

    assert (rows.at_us // HOUR_US).tolist() == [1, 2, 3, 4, 20, 21, 22, 23]
    assert rows.is_made.tolist() == [True] * 4 + [False] + [True] * 3
    assert rows.ohlc[5, 3] / rows.ohlc[3, 3] == pytest.approx(1.01)


def test_no_bar_when_nobody_with_a_reference_trades():
    close = np.ones((4, 2))
    close[:, 1] = [np.nan, np.nan, 1.0, 1.0]
    close[2:, 0] = np.nan
    rows = chained(close)

    # At 02:00 the one that trades is new and the one with a reference is silent: flat would be invented.
    assert rows.is_made.tolist() == [True, False, True]
    assert np.isnan(rows.ohlc[1]).all()


def test_a_hundredfold_spike_is_clipped_to_threefold_both_ways():
    close = np.ones((4, 3))
    close[2, 0] = 100.0
    rows = chained(close)

    assert rows.clipped.tolist() == [0, 1, 1]
    assert rows.ohlc[1, 3] == pytest.approx(100 * 5 / 3)
    assert rows.ohlc[2, 3] == pytest.approx(100 * 5 / 3 * (1 / 3 + 2) / 3)


def test_bars_before_the_start_only_give_references():
    close = np.ones((4, 1)) * np.array([[1.0], [2.0], [3.0], [4.5]])

    rows = chained(close, from_hour=3)
    assert rows.at_us.tolist() == [3 * HOUR_US]
    assert rows.ohlc[0, 3] == pytest.approx(150.0)


def test_a_member_counts_only_on_its_days():
    close = np.ones((72, 2))
    eligible = np.array([[True, True], [True, False], [True, True]])
    rows = chain_returns(hourly(close), eligible, start_us=HOUR_US, level=1.0, rule=RULE)

    assert rows.used.tolist() == [2] * 23 + [1] * 24 + [2] * 24
    assert DAY_US == 24 * HOUR_US


def test_a_missing_volume_stays_missing_and_harms_no_price():
    bars = hourly(np.ones((3, 2)))
    bars.volume[2] = np.nan
    rows = chain_returns(bars, np.ones((1, 2), np.bool_), start_us=HOUR_US, level=1.0, rule=RULE)

    assert np.isnan(rows.volume).tolist() == [True, False]
    assert rows.ohlc[:, 3].tolist() == [1.0, 1.0]


def test_what_cannot_be_right_raises():
    bars = hourly(np.ones((3, 2)))
    eligible = np.ones((1, 2), np.bool_)

    with pytest.raises(ValueError, match="sorted by time and member"):
        chain_returns(bars._replace(at_us=bars.at_us[::-1]), eligible, start_us=0, level=1.0, rule=RULE)
    with pytest.raises(ValueError, match="finite and > 0"):
        chain_returns(bars._replace(ohlc=bars.ohlc * np.inf), eligible, start_us=0, level=1.0, rule=RULE)
    with pytest.raises(ValueError, match="level must be"):
        chain_returns(bars, eligible, start_us=0, level=math.nan, rule=RULE)
