"""`lowcap crowding`: where exposure stands, and a skew that is the one a tick would apply there."""

import json
from typing import Any

import pytest

from domain.config.portfolio import ExposureConfig
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.position import Position
from domain.portfolio.trade_memory import TradeMemory
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import UptrendState
from pm_runtime.portfolio_row import PositionRow
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.console.test_trades_view import move_to_replay
from tests.console.ticked_trade import order_of
from tests.portfolio_rows import START, position_row
from tests.portfolio_worlds import PostgresPortfolioWorld

pytestmark = pytest.mark.postgres
BOUGHT = "pm.uptrend.S1.buy_flag"


def held(token: str, usd: float, scope: dict[str, str], *, price: float | None = 1.0) -> PositionRow:
    """A position that was bought on S1.buy_flag, worth so much at its last price."""
    position = Position(quantity=usd, bought_quantity=usd, invested_usd=usd, last_price_usd=price, first_fill_at=START)
    entry = {"pattern_key": BOUGHT, "scope": scope}
    return position_row(
        token,
        timeframe=Timeframe(scope.get("timeframe", "1h")),
        status=PositionStatus.ACTIVE,
        current_trade_id=token,
        position=position,
        trade_memory=TradeMemory(bought_in=frozenset({UptrendState.S1}), entered_at=START, entry=entry),
    )


def place(bucket: str, timeframe: str, chain: str = "solana") -> dict[str, str]:
    return {"mcap_bucket": bucket, "timeframe": timeframe, "chain": chain, "curator": "ann"}


def cells(told: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    grid = told["grid"]
    return {
        (row, column): cell
        for row, line in zip(grid["row_values"], grid["cells"], strict=True)
        for column, cell in zip(grid["column_values"], line, strict=True)
    }


@pytest.fixture
def world(database) -> PostgresPortfolioWorld:
    return PostgresPortfolioWorld()


def test_the_skew_of_a_cell_is_the_one_a_tick_applied_there(ended_trade, lowcap_json):
    with connect(DatabaseRole.CONSOLE) as connection:
        applied = "(decision ->> 'exposure_skew_applied')::double precision"
        statement = f"SELECT {applied} FROM pm.pm_order WHERE order_id = %s"
        found = connection.execute(statement, [order_of("entry")]).fetchall()
    told = cells(lowcap_json("crowding", "--pattern", "S1.buy_flag"))

    assert told["nano", "1h"]["skew"] == pytest.approx(found[0][0], abs=1e-12)
    assert told["nano", "1h"]["skew"] < told["mid", "1h"]["skew"] == 1.33


def test_all_of_it_here_is_the_least_and_nothing_near_the_most(world, lowcap_json):
    world.add(held("a", 60.0, place("nano", "1h")), held("b", 40.0, place("nano", "1h")))

    told = cells(lowcap_json("crowding", "--pattern", "S1.buy_flag"))

    assert told["nano", "1h"] | {"scope": None} == {
        **{"scope": None, "positions": 2, "exposure_usd": 100.0, "share_frac": 1.0},
        **{"skew": pytest.approx(0.33), "skew_low": pytest.approx(0.33), "skew_high": pytest.approx(0.33)},
    }
    assert told["large", "4h"]["skew"] == 1.33
    assert cells(lowcap_json("crowding"))["nano", "1h"]["skew"] > 0.33


def test_shares_of_a_dimension_and_what_does_not_know_it_add_up_to_everything(world, lowcap_json):
    world.add(held("a", 60.0, place("nano", "1h")), held("b", 30.0, place("mid", "4h")), held("c", 10.0, {}))

    told = {each["dimension"]: each for each in lowcap_json("crowding")["dimensions"]}

    assert {name: each["is_asked"] for name, each in told.items()} == {
        **{"chain": True, "curator": False, "mcap_bucket": True, "timeframe": True}
    }
    for each in told.values():
        shares = [value["share_frac"] for value in each["values"]] + [each["unknown"]["share_frac"]]
        assert sum(shares) == pytest.approx(1.0)
    assert [value["scope"] for value in told["mcap_bucket"]["values"]] == [
        {"mcap_bucket": "nano"},
        {"mcap_bucket": "mid"},
    ]
    assert told["mcap_bucket"]["unknown"] == {"positions": 1, "exposure_usd": 10.0, "share_frac": pytest.approx(0.1)}


def test_a_cell_tells_between_which_skews_its_own_is_the_weighted_mean(world, lowcap_json):
    world.add(held("a", 75.0, place("nano", "1h")), held("b", 25.0, place("mid", "1h")))

    told = lowcap_json("crowding")
    hourly = next(each for each in told["dimensions"] if each["dimension"] == "timeframe")["values"][0]
    nano, mid = (cells(told)[bucket, "1h"]["skew"] for bucket in ("nano", "mid"))

    assert (hourly["skew_low"], hourly["skew_high"]) == (pytest.approx(nano), pytest.approx(mid))
    assert hourly["skew"] == pytest.approx(0.75 * nano + 0.25 * mid)


def test_the_largest_cells_of_two_dimensions_come_first(world, lowcap_json):
    world.add(held("a", 60.0, place("nano", "1h")), held("b", 40.0, place("nano", "4h", "base")))

    told = lowcap_json("crowding", "--most", "3")["pairs"]

    assert [each["share_frac"] for each in told] == [0.6, 0.6, 0.6]
    assert {tuple(each["scope"]) for each in told} == {
        ("mcap_bucket", "timeframe"),
        ("mcap_bucket", "chain"),
        ("timeframe", "chain"),
    }


def test_a_grid_of_other_dimensions_shows_what_is_held(world, lowcap_json):
    world.add(held("a", 60.0, place("nano", "1h") | {"btc_meso": "S2"}), held("b", 40.0, place("mid", "4h")))

    told = lowcap_json("crowding", "--rows", "chain", "--columns", "btc_meso")["grid"]

    assert (told["row_values"], told["column_values"]) == (["solana"], ["S0", "S1", "S2", "S3"])
    assert [cell["positions"] for cell in told["cells"][0]] == [0, 0, 1, 0]


def test_an_empty_book_holds_nothing_back(world, lowcap, lowcap_json):
    told = lowcap_json("crowding")

    assert (told["book"]["positions"], told["dimensions"], told["pairs"]) == (0, [], [])
    assert {cell["skew"] for cell in cells(told).values()} == {ExposureConfig().empty_book_skew}
    assert {cell["share_frac"] for cell in cells(told).values()} == {None}
    assert "Nothing is held: every buy keeps 1 of its size." in lowcap("crowding").stdout


def test_what_cannot_be_counted_is_told(world, lowcap, lowcap_json):
    world.add(held("a", 60.0, place("nano", "1h")), held("b", 40.0, place("nano", "1h"), price=None))
    broken = json.dumps({"entry": {"pattern_key": "x\x1b[31m", "scope": {"shape": "round"}}})
    with connect(DatabaseRole.OWNER) as owner:
        world.add(held("c", 5.0, place("nano", "4h")))
        owner.execute("UPDATE pm.lowcap_positions SET trade_memory = %s::json WHERE token_contract = 'c'", [broken])

    book, said = lowcap_json("crowding")["book"], lowcap("crowding").stdout

    assert (book["positions"], book["unpriced"], book["unreadable"], book["exposure_usd"]) == (2, 1, 1, 60.0)
    assert "1 positions are left out" in said
    assert "1 positions have no last price" in said
    assert "\x1b" not in said


def test_a_replay_has_a_map_of_its_own(world, lowcap_json):
    world.add(held("a", 60.0, place("nano", "1h")))
    move_to_replay("spring")

    assert lowcap_json("crowding")["book"]["positions"] == 0
    assert lowcap_json("crowding", "--replay", "spring")["largest"][0]["exposure_usd"] == 60.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--rows", "shape"), "No dimension 'shape'; there are curator, chain"),
        (("--rows", "chain", "--columns", "chain"), "Rows and columns are both chain"),
        (("--pattern", "S9"), "No pattern 'S9'"),
        (("--replay", "winter"), "No replay 'winter'"),
    ],
)
def test_what_is_not_there_is_refused(world, lowcap, arguments, said):
    refused = lowcap("crowding", *arguments)

    assert (refused.exit_code, said in refused.stderr) == (2, True)
