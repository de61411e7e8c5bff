"""Which bars of the tokens are followed."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from domain.regime.followed_token import followed_bars, minutes_start

MIDNIGHT = datetime(2026, 3, 9, tzinfo=UTC)
UTC_US = pl.Datetime("us", "UTC")


def bars(*rows: tuple[str, str, float]) -> pl.DataFrame:
    """One bar for each (token, timeframe, hours after midnight), with a close that tells them apart."""
    return pl.DataFrame(
        {
            "token_contract": [token for token, _, _ in rows],
            "chain": "x",
            "timeframe": [timeframe for _, timeframe, _ in rows],
            "timestamp": [MIDNIGHT + timedelta(hours=hours) for _, _, hours in rows],
            "close_usd": [float(number) for number in range(len(rows))],
        },
        schema_overrides={"timestamp": UTC_US},
    )


def tokens(**followed_from: datetime) -> pl.DataFrame:
    columns = {"token_contract": list(followed_from), "chain": "x", "followed_from": list(followed_from.values())}
    return pl.DataFrame(columns, schema_overrides={"followed_from": UTC_US})


def kept(given: pl.DataFrame, followed: pl.DataFrame, *, minutes_from: datetime = MIDNIGHT) -> list[float]:
    return followed_bars(given, followed, timeframes=("1m", "1h"), minutes_from=minutes_from)["close_usd"].to_list()


def test_bars_count_from_the_midnight_a_token_is_followed_from():
    given = bars(("a", "1h", -1), ("a", "1h", 0), ("b", "1h", -30), ("b", "1h", 23), ("c", "1h", 5))

    assert kept(given, tokens(a=MIDNIGHT, b=MIDNIGHT - timedelta(days=1))) == [1.0, 3.0]


def test_minutes_count_from_their_own_first_midnight():
    given = bars(("a", "1m", -0.1), ("a", "1h", -1), ("a", "1m", 0))

    assert kept(given, tokens(a=MIDNIGHT - timedelta(days=9))) == [1.0, 2.0]


def test_a_timeframe_that_is_not_asked_for_is_left_out():
    assert kept(bars(("a", "4h", 4), ("a", "1h", 5)), tokens(a=MIDNIGHT)) == [1.0]


def test_columns_and_order_of_the_bars_stay():
    given = bars(("b", "1h", 3), ("a", "1h", 5), ("b", "1h", 1))

    assert followed_bars(given, tokens(a=MIDNIGHT, b=MIDNIGHT), timeframes=("1h",), minutes_from=MIDNIGHT).equals(given)


def test_the_same_token_on_another_chain_is_another_token():
    assert kept(bars(("a", "1h", 5)), tokens(a=MIDNIGHT).with_columns(chain=pl.lit("y"))) == []


def test_a_token_that_is_followed_twice_is_refused():
    twice = pl.concat([tokens(a=MIDNIGHT), tokens(a=MIDNIGHT)])

    with pytest.raises(pl.exceptions.ComputeError, match="m:1"):
        kept(bars(("a", "1h", 5)), twice)


@pytest.mark.parametrize(("days", "before"), [(1, 0), (3, 2)])
def test_the_present_day_is_one_of_the_days_of_minutes(days, before):
    for as_of in (MIDNIGHT, MIDNIGHT + timedelta(hours=23, minutes=59)):
        assert minutes_start(as_of, days) == MIDNIGHT - timedelta(days=before)


def test_no_day_of_minutes_is_refused():
    with pytest.raises(ValueError, match="must be > 0, was 0"):
        minutes_start(MIDNIGHT, 0)
