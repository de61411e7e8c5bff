"""The watchlist: a token is put on it once, by somebody, with nothing in it that cannot be right."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from domain.portfolio.lifecycle import PositionStatus
from domain.scores.intent import IntentMetrics
from domain.vocabulary.timeframe import Timeframe
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.position import position_id, watch_token
from sql.watched_position import WatchedPosition, read_watchlist
from tests.stored_rows import insert_rows

MIN_BARS = 333
START = datetime(2025, 1, 1, tzinfo=UTC)
INTENT = IntentMetrics(hi_buy=1, med_buy=0, profit=0, sell=0, mock=0)


@pytest.fixture
def connection(module_database):
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        yield connection


def watch(connection: psycopg.Connection, token: str = "tok", **values: Any) -> list[WatchedPosition]:
    given = {"chain": "solana", "ticker": "TOK", "timeframes": [Timeframe.H1, Timeframe.M15], "author": "ann"}
    return watch_token(connection, token_contract=token, **given | values)


def store_bars(token: str, timeframe: Timeframe, count: int) -> None:
    made = {"source": "t", "coverage": 1.0, "partial": False, "run_id": "r", "code_version": "0"}
    prices = dict.fromkeys(("open_usd", "high_usd", "low_usd", "close_usd", "volume"), 1.0)
    times = [START + number * timeframe.duration for number in range(count)]
    key = {"token_contract": token, "chain": "solana", "timeframe": timeframe.value}
    rows = [key | {"timestamp": at, "known_at": at, "computed_at": at} | prices | made for at in times]
    with connect(DatabaseRole.REGIME) as writer:
        insert_rows(writer, "regime.lowcap_price_data_ohlc", rows)


def stored(connection: psycopg.Connection, token: str) -> list[dict[str, Any]]:
    cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
    return cursor.execute("SELECT * FROM pm.lowcap_positions WHERE token_contract = %s", [token]).fetchall()


@pytest.mark.postgres
def test_a_watched_token_has_one_position_a_timeframe_with_what_was_known(connection):
    context = {"mcap_bucket": "nano", "vol_bucket": "<10k", "note": 'said "é"'}
    rows = watch(connection, "t1", curator="bob", intent=INTENT, entry_context=context, total_allocation_pct=5)

    assert [row.timeframe for row in rows] == [Timeframe.M15, Timeframe.H1]
    (first, second) = stored(connection, "t1")
    share = {"1h": 0.7, "15m": 0.125}[first["timeframe"]]
    assert first["entry_context"] == context | {"chain": "solana", "curator": "bob", "timeframe_split": share}
    assert (first["intent"]["hi_buy"], first["total_allocation_pct"], first["approved_by"]) == (1, 5.0, "ann")
    assert (first["config_version"], first["revision"], first["quantity"]) == (1, 0, 0.0)
    assert {first["position_id"], second["position_id"]} == {
        position_id("t1", "solana", timeframe) for timeframe in (Timeframe.H1, Timeframe.M15)
    }


@pytest.mark.postgres
def test_watching_again_changes_nothing_and_tells_what_is_there(connection):
    first = watch(connection, "t2")
    before = stored(connection, "t2")

    again = watch(connection, "t2", author="bob", total_allocation_pct=90, ticker="OTHER")

    assert (again, stored(connection, "t2")) == (first, before)


@pytest.mark.postgres
def test_a_further_timeframe_is_added_beside_the_others(connection):
    watch(connection, "t3")
    watch(connection, "t3", timeframes=[Timeframe.H4])

    assert {row["timeframe"] for row in stored(connection, "t3")} == {"15m", "1h", "4h"}


@pytest.mark.postgres
def test_a_position_is_watched_from_enough_bars_on_and_dormant_below(connection):
    store_bars("t4", Timeframe.H1, MIN_BARS)
    store_bars("t4", Timeframe.M15, MIN_BARS - 1)

    statuses = {row.timeframe: row.status for row in watch(connection, "t4")}

    assert statuses == {Timeframe.H1: PositionStatus.WATCHLIST, Timeframe.M15: PositionStatus.DORMANT}


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("token", "slower_bars", "status"),
    [("t5", MIN_BARS - 1, PositionStatus.WATCHLIST), ("t6", MIN_BARS, PositionStatus.DORMANT)],
)
def test_minutes_are_for_tokens_too_young_for_anything_else(connection, token, slower_bars, status):
    store_bars(token, Timeframe.M1, MIN_BARS)
    store_bars(token, Timeframe.H4, slower_bars)

    (row,) = watch(connection, token, timeframes=[Timeframe.M1])

    assert row.status is status


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"token": ""}, "contract of 1 to 128"),
        ({"token": " tok"}, "blanks around"),
        ({"token": "a|b"}, "without '|'"),
        ({"token": "x\x00y"}, "printable"),
        ({"chain": "s" * 129}, "chain of 1 to 128"),
        ({"ticker": "a\nb"}, "ticker"),
        ({"author": " "}, "author was empty"),
        ({"total_allocation_pct": 0}, "above 0 and up to 100"),
        ({"total_allocation_pct": 100.1}, "above 0 and up to 100"),
        ({"total_allocation_pct": float("nan")}, "above 0 and up to 100"),
        ({"timeframes": []}, "at least one timeframe"),
        ({"timeframes": [Timeframe.M5]}, r"\['1m', '15m', '1h', '4h'\], was \['5m'\]"),
        ({"entry_context": {"vol_bucket": "lots"}}, "vol_bucket one of"),
        ({"entry_context": {"chain": "base"}}, "chain is 'base'"),
        ({"entry_context": {"x": float("inf")}}, "/x: expected a finite number"),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_written(connection, values, complaint):
    before = len(read_watchlist(connection))

    with pytest.raises(ValueError, match=complaint):
        watch(connection, **values)

    assert len(read_watchlist(connection)) == before


@pytest.mark.postgres
def test_a_name_is_only_a_name(connection):
    odd = "'; DROP TABLE pm.lowcap_positions; --%s%(x)s"
    (row,) = watch(connection, odd, timeframes=[Timeframe.H1], ticker="<b>&'\"")

    assert (row.token_contract, row.token_ticker) == (odd, "<b>&'\"")


@pytest.mark.postgres
def test_two_people_at_once_watch_a_token_once(connection):
    with connect(DatabaseRole.CONSOLE) as other, other.transaction():
        watch(other, "t8", author="bob")
        with connection.transaction():
            connection.execute("SET LOCAL lock_timeout = '50ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                watch(connection, "t8")
    watch(connection, "t8")

    assert {row["approved_by"] for row in stored(connection, "t8")} == {"bob"}


def test_every_token_chain_timeframe_and_book_has_an_id_of_its_own():
    keys = [("a", "b", Timeframe.H1, "c"), ("a", "b", Timeframe.H4, "c"), ("b", "a", Timeframe.H1, "c")]
    keys += [("ab", "b", Timeframe.H1, "c"), ("a", "b", Timeframe.H1, "d")]

    assert len({position_id(*key) for key in keys}) == len(keys)
