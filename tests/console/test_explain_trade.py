"""`lowcap explain` of a trade: its actions, and its result once more from fills and bars."""

import pytest

from tests.console.ticked_trade import BARS, change, ids_of, store_strand, tick, trade_of

pytestmark = pytest.mark.postgres


def test_a_trade_tells_its_actions_and_the_same_result_from_fills_as_its_closure(ended_trade, lowcap_json):
    facts = lowcap_json("explain", trade_of())
    result, told = facts["from_fills"], facts["told"]

    assert [action["action_category"] for action in facts["actions"]] == ["entry", "trim", "exit"]
    assert all(action["strand_id"] for action in facts["actions"])
    assert (facts["stands"], facts["exit_reason"]) == ("closed", "pm.uptrend.S0.exit_position")
    assert (result["agrees_with_told"], result["differs_in"]) == (True, [])
    adverse = 100 * BARS[1]["open_usd"] * 1.005 * 1.003 - 100 * BARS[1]["low_usd"]
    assert result["max_adverse_usd"] == pytest.approx(adverse) == told["max_adverse_usd"]
    assert told["rr"] == pytest.approx(told["pnl_usd"] / adverse)


def test_the_closure_explains_its_trade(ended_trade, lowcap_json):
    (closure,) = ids_of("ad_strands", "strand_id", "kind = 'position_closed'")

    assert lowcap_json("explain", closure) == lowcap_json("explain", trade_of())


def test_the_tables_name_every_part_of_a_trade(ended_trade, lowcap):
    lines = [" ".join(line.split()) for line in lowcap("explain", trade_of()).stdout.splitlines()]

    assert lines[0].endswith("TOK on 1h, closed")
    assert "max_adverse_usd 27.6511 27.6511" in lines
    assert "3 fills and 3 bars give what the closure told" in lines
    assert "left by pm.uptrend.S0.exit_position" in lines


def test_an_open_trade_is_judged_at_its_last_bar(begun_trade, lowcap, lowcap_json):
    tick(begun_trade, 1)

    facts = lowcap_json("explain", trade_of())

    assert (facts["stands"], facts["told"]) == ("open", None)
    paid = 100 * BARS[1]["open_usd"] * 1.005 * 1.003
    assert facts["from_fills"]["pnl_usd"] == pytest.approx(100 * BARS[1]["close_usd"] - paid)
    assert facts["from_fills"]["agrees_with_told"] is None
    assert facts["entry"]["a"] == pytest.approx(0.6825)
    assert lowcap("explain", trade_of()).exit_code == 0


def test_a_bar_that_was_made_again_since_is_told(begun_trade, lowcap, lowcap_json):
    tick(begun_trade, 1, 2, 3, 4)
    change("UPDATE regime.lowcap_price_data_ohlc SET low_usd = 1.0 WHERE timestamp = '2025-06-01 01:00Z'")

    facts = lowcap_json("explain", trade_of())

    assert facts["from_fills"]["differs_in"] == ["rr_raw", "max_adverse_usd"]
    assert "not as told: rr_raw, max_adverse_usd" in lowcap("explain", trade_of()).stdout


def test_a_closure_that_breaks_its_schema_hides_nothing_else(begun_trade, lowcap_json):
    tick(begun_trade, 1)
    store_strand("position_closed", {}, trade_id=trade_of())

    facts = lowcap_json("explain", trade_of())

    assert "cannot be read" in facts["problem"]
    assert len(facts["actions"]) == 1
