"""A refused bar, released by a person through the console."""

import json
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from console.cli import app
from domain.vocabulary.universe import Universe
from resources.candle_memory import CandleMemory
from resources.candle_source import CANDLE_SCHEMA
from resources.tables import Tables
from tests.chain_runs import given_market, run_chain, stored

pytestmark = pytest.mark.postgres

DAY = date(2026, 3, 1)
AT = datetime(2026, 3, 1, tzinfo=UTC)
RAW = ("regime.lowcap_price_data_ohlc",)


def market(*closes: float):
    """One token, one flat hour bar a close."""
    rows = {
        "token_contract": "moon",
        "chain": "x",
        "timeframe": "1h",
        "timestamp": [AT + timedelta(hours=i) for i in range(len(closes))],
        **{name: list(closes) for name in ("open_usd", "high_usd", "low_usd", "close_usd")},
        "volume": 1.0,
        "source": "venue",
    }
    bars = pl.DataFrame(rows, schema_overrides=CANDLE_SCHEMA).select(CANDLE_SCHEMA.keys())
    return given_market(CandleMemory(bars={Universe.LOWCAP: bars}))


def closes() -> list[float]:
    return stored(RAW[0]).filter(pl.col("timeframe") == "1h")["close_usd"].to_list()


def load() -> None:
    run_chain(DAY, DAY, as_of=AT + timedelta(days=1), market=market(1.0, 50.0, 51.0), tables=RAW)


def test_a_released_jump_is_accepted_by_the_next_load(database):
    load()
    refused = Tables().query("count_refused_by_reason", ("lowcap_price_data_ohlc",))
    assert (closes(), refused.rows()) == ([1.0], [("price_jump", 2)])

    for identity in _ids():
        done = CliRunner().invoke(app, ["quarantine", "release", identity[:16], "--reason", "listed on a big venue"])
        assert done.exit_code == 0, done.output
    load()

    assert closes() == [1.0, 50.0, 51.0]
    assert Tables().query("count_refused_by_reason", ("lowcap_price_data_ohlc",)).is_empty()


def _ids() -> list[str]:
    """Ids as the console lists them."""
    listed = CliRunner().invoke(app, ["quarantine", "list", "--json"])
    return [row["quarantine_id"] for row in json.loads(listed.stdout)["refused"]]


def test_an_unknown_id_is_refused(database):
    done = CliRunner().invoke(app, ["quarantine", "release", "abc", "--reason", "x"])

    assert done.exit_code == 2
    assert "No refused bar" in done.output
