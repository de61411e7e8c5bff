"""`lowcap trades`: what is held and what was, with its result; a replay is looked at in its own schema."""

import json
from typing import Any

import pytest

from sql.database import connect
from sql.database_role import DatabaseRole
from sql.replay_schema import ReplayRun, make_replay_schema
from tests.console.ticked_trade import BARS, tick, watch_and_learn
from tests.domain.portfolio.strand_documents import changed, iso, position_closed
from tests.portfolio_rows import HOUR, START, position_row, sha256
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.stored_rows import insert_rows

pytestmark = pytest.mark.postgres

COPIED = ("lowcap_positions", "pm_order", "pm_fill", "ad_strands")


@pytest.fixture(scope="module")
def ended(ended_trade) -> PostgresPortfolioWorld:
    """One trade that was left, beside a position that is held, and a replay of nothing."""
    make_replay("summer")
    return ended_trade


def test_a_trade_is_told_with_its_result_pattern_and_bucket(ended, lowcap_json):
    held, closed = lowcap_json("trades")["trades"]

    assert (closed["is_open"], closed["token_ticker"], closed["timeframe"]) == (False, "TOK", "1h")
    assert (closed["pattern_key"], closed["bucket"]) == ("pm.uptrend.S1.buy_flag", "nano")
    assert closed["exit_reason"] == "pm.uptrend.S0.exit_position"
    assert (closed["hold_hours"], closed["rr"]) == (3.0, pytest.approx(closed["pnl_usd"] / 27.65109))
    assert (held["is_open"], held["token_ticker"], held["bucket"]) == (True, "NEI", "nano")
    assert (held["pnl_usd"], held["roi"]) == (10.0, pytest.approx(10 / 90))


def test_only_what_is_open_can_be_asked_for(ended, lowcap_json):
    assert [trade["token_ticker"] for trade in lowcap_json("trades", "--open")["trades"]] == ["NEI"]


def test_the_table_has_a_line_a_trade(ended, lowcap):
    lines = [" ".join(line.split()) for line in lowcap("trades").stdout.splitlines() if line.strip()]

    assert lines[0] == "1 open, 1 closed"
    assert lines[-1].endswith("TOK 1h 2025-06-01 01:00 2025-06-01 04:00 S1.buy_flag nano +48.04 +1.74 +23.2% 3.0h")


def test_without_trades_it_says_so(database, lowcap, lowcap_json):
    assert lowcap_json("trades") == {"open": 0, "trades": []}
    assert lowcap("trades").stdout.startswith("0 open, 0 closed")


def test_the_newest_closure_comes_first_and_an_unreadable_one_is_told(database, lowcap, lowcap_json):
    store_closure("older", position_closed(), hour=0)
    store_closure("newer", changed(position_closed(), "/completed_trades/0/rr", 9.0), hour=1)

    newer, older = lowcap_json("trades")["trades"]

    assert (older["rr"], older["roi"], older["pnl_usd"], older["problem"]) == (2.3, 0.12, 1250.5, None)
    assert (older["entered_at"], older["token_ticker"]) == (iso(), None)
    assert newer["problem"].startswith("/completed_trades/0:")
    assert newer["rr"] is None
    result = lowcap("trades", "--most", "1")
    assert (result.exit_code, f"trade {sha256('newer')[:8]} cannot be read" in result.stderr) == (0, True)


def test_a_replay_is_looked_at_in_its_own_schema_only(database, lowcap_json):
    world = PostgresPortfolioWorld()
    watch_and_learn(world)
    tick(world, *range(len(BARS)))
    move_to_replay("spring")

    assert lowcap_json("trades") == {"open": 0, "trades": []}
    (_, closed) = lowcap_json("trades", "--replay", "spring")["trades"]
    explained = lowcap_json("explain", closed["trade_id"], "--replay", "spring")
    assert (closed["token_ticker"], closed["hold_hours"]) == ("TOK", 3.0)
    assert explained["from_fills"]["agrees_with_told"] is True
    entry = lowcap_json("explain", explained["actions"][0]["order_id"], "--replay", "spring")
    assert entry["levers"]["channels_note"] is None


@pytest.mark.parametrize("name", ["winter", "sumer", "pm", "'; DROP TABLE x; --"])
@pytest.mark.parametrize("command", [("trades",), ("explain", "a" * 64)])
def test_a_replay_that_is_not_there_is_refused_with_those_that_are(ended, lowcap, name, command):
    result = lowcap(*command, "--replay", name)

    assert result.exit_code == 2
    assert "No replay" in result.stderr
    assert "summer" in result.stderr


def make_replay(name: str) -> None:
    run = ReplayRun(settings={}, config_version=1, code_version="0.0.0", data_hash="")
    with connect(DatabaseRole.OWNER, autocommit=True) as owner:
        make_replay_schema(owner, f"replay_{name}", run, overrides="off", from_at=START, to_at=START + HOUR)


def move_to_replay(name: str) -> None:
    make_replay(name)
    with connect(DatabaseRole.OWNER) as owner:
        for table in COPIED:
            owner.execute(f"INSERT INTO replay_{name}.{table} OVERRIDING SYSTEM VALUE TABLE pm.{table}".encode())
        owner.execute("TRUNCATE pm.lowcap_positions, pm.ad_strands CASCADE")


def store_closure(name: str, content: dict[str, Any], *, hour: int) -> None:
    position = position_row()
    row = {
        **{"strand_id": sha256(name), "kind": "position_closed", "schema_version": 1, "trade_id": sha256(name)},
        **{"position_id": position.position_id, "token_contract": "So1ana", "chain": "solana", "timeframe": "1h"},
        **{"occurred_at": START + hour * HOUR, "content": json.dumps(content)},
    }
    with connect(DatabaseRole.PM) as connection:
        insert_rows(connection, "pm.ad_strands", [row])
