"""`lowcap forward --trades`: the trades behind a report, at the size they had, the neutral one and the learned one."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.learning.walk_forward import TradeForward
from learning_assets.learning_table import Day
from learning_assets.walk_forward import report_row, trade_row
from tests.console.learned_rows import DAY, ESCAPE, MADE, MIDNIGHT, make_taught, store
from tests.domain.learning.forward_worlds import buy, forward, live_set, report, says, season

pytestmark = pytest.mark.postgres
LAST = 60
"""Days after the first midnight of the newest report; all trades had closed by then."""
SETS = [live_set(day, says(2.0, "skill-0001"), set_id=day + 1) for day in range(0, 49, 7)]


def walked(trades: Sequence[TradeForward], days: int = LAST) -> dict[str, Any]:
    """Row of the report over trades, as the asset makes it."""
    return report_row(Day(MIDNIGHT + days * DAY, MIDNIGHT + (days + 1) * DAY), report(trades)) | MADE


def rows_of(trades: Sequence[TradeForward]) -> list[dict[str, Any]]:
    made = {name: value for name, value in MADE.items() if name != "config_version"}
    rows = [trade_row(trade) | made for trade in trades]
    return [{name: None if value != value else value for name, value in row.items()} for row in rows]


@pytest.fixture(scope="module")
def trades(module_database) -> tuple[TradeForward, ...]:
    """Trades of a season, three of which closed on the last day, with one of unknown size among them."""
    unknown = buy("unknown", 1.5, filled_usd=None)
    made = forward(*season(2.0, 0.0), unknown, sets=SETS)
    late = [replace(each, closed_at=MIDNIGHT + LAST * DAY + timedelta(hours=n)) for n, each in enumerate(made[:3])]
    made = (*late, *made[3:])
    before = [each for each in made if each.closed_at < MIDNIGHT + LAST * DAY]
    store("walk_forward_trade", *rows_of(made))
    store("walk_forward", walked(made), walked(before, LAST - 1))
    return made


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_totals_of_the_trades_are_those_of_the_report(trades, lowcap_json):
    told = lowcap_json("forward", "--trades", "--most", "2")
    totals = told["trades"]["totals"]

    assert told["trades"]["is_as_reported"] is True
    assert (totals["n_trades"], totals["n_unknown"]) == (told["forward"]["n_trades"], told["report"]["n_unknown"])
    for name in ("pnl_neutral_usd", "pnl_learned_usd"):
        assert totals[name] == pytest.approx(told["forward"][name], abs=1e-6)
    assert len(told["trades"]["told"]) == 2


def test_all_trades_add_up_to_the_totals(trades, lowcap_json):
    told = lowcap_json("forward", "--trades", "--most", "1000")["trades"]

    assert (len(told["told"]), told["totals"]["n_unknown"]) == (len(trades), 1)
    for name in ("pnl_usd", "pnl_neutral_usd", "pnl_learned_usd"):
        sizes = [each[name] for each in told["told"] if each["pnl_learned_usd"] is not None]
        assert sum(sizes) == pytest.approx(told["totals"][name], abs=1e-6)


def test_a_trade_is_a_line_the_newest_first(trades, lowcap):
    said = lines(lowcap("forward", "--trades", "--most", "3").stdout)
    newest = trades[2]
    money = (newest.pnl_usd, newest.pnl_neutral_usd, newest.pnl_learned_usd)
    amounts = " ".join(f"{each:+,.2f}" for each in (*money, newest.pnl_learned_usd - newest.pnl_neutral_usd))
    lessons = " ".join(each[:8] for each in newest.lesson_ids) or "none"

    title = said.index(f"3 (--most) of {len(trades)} trades, the newest first")
    sizes = f"{newest.set_id} {newest.multiplier:.3f} {newest.rr:+.2f}"
    assert said[title + 3] == f"2025-08-09 02:00 {newest.trade_id[:8]} {sizes} {amounts} {lessons}"
    assert said[-1].endswith("; 1 of unknown size are in no sum.")


def test_a_trade_of_unknown_size_and_one_before_any_set_say_so(trades, lowcap):
    said = lines(lowcap("forward", "--trades", "--most", "1000").stdout)

    assert any(" unknown 1 - " in line and line.endswith("- - - skill-00") for line in said)
    assert f"all {len(trades)} trades, the newest first" in said


def test_an_earlier_day_is_about_the_trades_that_had_closed_then(trades, lowcap_json):
    told = lowcap_json("forward", "--trades", "--day", "2025-08-08", "--most", "1000")["trades"]

    assert len(told["told"]) == len(trades) - 3
    assert told["is_as_reported"] is True


def test_trades_that_are_not_those_of_the_report_are_told(database, lowcap, lowcap_json):
    made = forward(*season(2.0, 0.0), sets=SETS)
    store("walk_forward", walked(made))
    store("walk_forward_trade", *rows_of(made[1:]))

    assert lowcap_json("forward", "--trades")["trades"]["is_as_reported"] is False
    assert "The report says otherwise" in lowcap("forward", "--trades").stderr


def test_before_anything_was_learned_and_without_trades_it_says_so(database, lowcap, lowcap_json):
    assert lowcap("forward", "--trades").stdout == "Nothing was learned yet; first: lowcap learn --from DAY\n"
    assert lowcap_json("forward", "--trades")["trades"]["told"] == []
    schema = make_taught("spring")
    store("walk_forward", walked(()), schema=schema)
    assert "all 0 trades, the newest first" in lowcap("forward", "--trades", "--replay", "spring").stdout
    assert lowcap_json("forward", "--trades", "--replay", "spring")["trades"]["is_as_reported"] is True


def test_hostile_names_do_not_reach_the_terminal(database, lowcap):
    made = forward(buy(ESCAPE), sets=[live_set(0, says(2.0, ESCAPE))])
    store("walk_forward", walked(made))
    store("walk_forward_trade", *rows_of(made))

    assert lowcap("forward", "--trades").output.replace("\n", "").isprintable()
