"""A unit step of a whole chain that lasts over midnight and fades: no part of it may slip in at a window's edge."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from domain.vocabulary.universe import Universe
from resources.candle_memory import CandleMemory
from resources.candle_source import CANDLE_SCHEMA
from tests.chain_runs import given_market, run_chain, stored

pytestmark = pytest.mark.postgres

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
START = datetime(2026, 3, 1, tzinfo=UTC)
RAW = ("regime.lowcap_price_data_ohlc",)


def factor(hour: int) -> float:
    """Wrong by x6 from 20:00, by x4.5 after midnight until 06:00."""
    return 6.0 if 20 <= hour < 24 else 4.5 if 24 <= hour < 30 else 1.0


def stepping_market():
    """Six tokens of one chain over two days, hour bars."""
    hours = [(token, hour) for token in range(6) for hour in range(48)]
    prices = [10.0 * (token + 1) * factor(hour) for token, hour in hours]
    rows = {
        "token_contract": [f"t{token}" for token, _ in hours],
        "timestamp": [START + timedelta(hours=hour) for _, hour in hours],
        **dict.fromkeys(("open_usd", "high_usd", "low_usd", "close_usd"), prices),
        "chain": "x",
        "timeframe": "1h",
        "volume": 1.0,
        "source": "venue",
    }
    bars = pl.DataFrame(rows, schema_overrides=CANDLE_SCHEMA).select(CANDLE_SCHEMA.keys())
    return given_market(CandleMemory(bars={Universe.LOWCAP: bars}))


def hours_stored() -> list[int]:
    hours = stored(RAW[0]).filter(pl.col("timeframe") == "1h", pl.col("token_contract") == "t0")["timestamp"]
    return [int((at - START).total_seconds() // 3600) for at in hours]


@pytest.mark.parametrize("days", [[(FIRST, SECOND)], [(FIRST, FIRST), (SECOND, SECOND)]], ids=["at once", "by day"])
def test_a_fading_step_stays_out_whatever_the_windows(database, days):
    for first, last in days:
        run_chain(first, last, as_of=START + timedelta(days=2), market=stepping_market(), tables=RAW)

    assert hours_stored() == [hour for hour in range(48) if factor(hour) == 1.0]
