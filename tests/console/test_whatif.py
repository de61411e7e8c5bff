"""`lowcap whatif`: what it says of one trade is what the runtime does when it is ticked that way."""

import math

import pytest

from tests.console.ticked_trade import change, order_of
from tests.console.what_if_world import ALL, BOTH_SIDES_OF_A_THRESHOLD, without_overrides, world_with

__all__ = ["world_with"]
pytestmark = pytest.mark.postgres

COPY = (
    "INSERT INTO learning.{0} OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(known, '{1}')).* FROM learning.{0}"
)
SET_8 = (
    COPY.format("override_set", '{"set_id": 8, "as_of": "2025-05-31T00:00Z", "input_hash": "8"}') + " AS known",
    COPY.format("pm_overrides", '{"set_id": 8, "override_id": 41, "multiplier": 0.8, "confidence": 0.9}')
    + " AS known WHERE override_id = 1",
)
LIVE_8 = "INSERT INTO learning.live_override_set (set_id, author, reason) VALUES (8, 'ann', 'a test')"
ALL_THREE = without_overrides(1, 2, 3)


@pytest.fixture
def result_of(world_with, lowcap_json):
    """Order and result of the trade when it is really ticked after some statements; None where there was none."""

    def run(*statements: str):
        with world_with(*statements):
            trades = [each for each in lowcap_json("trades")["trades"] if not each["is_open"]]
            if not trades:
                return None
            (trade,) = trades
            entry = lowcap_json("explain", order_of("entry"))
            return entry["order"]["order_usd"], trade["pnl_usd"], trade["rr"]

    return run


@pytest.mark.parametrize(
    ("question", "ticked"),
    [
        (("--neutral",), (ALL_THREE,)),
        (("--without", "1"), (without_overrides(1),)),
        (("--without", "2", "--without", "1"), (without_overrides(1, 2),)),
        (("--set", "8"), (LIVE_8,)),
    ],
)
def test_sizes_and_results_are_those_of_a_run_that_was_ticked_so(world_with, result_of, lowcap_json, question, ticked):
    with world_with(*SET_8):
        facts = lowcap_json("whatif", *question, *ALL)
    (buy,), (trade,) = facts["buys"], facts["trades"]
    order_usd, pnl_usd, rr = result_of(*SET_8, *ticked)

    assert buy["order_usd"] == pytest.approx(order_usd, rel=1e-12)
    assert trade["pnl_usd"] == pytest.approx(pnl_usd, rel=1e-9)
    assert trade["rr"] == pytest.approx(rr, rel=1e-9)
    assert abs(buy["difference_usd"]) > 50
    assert facts["sums"]["difference_usd"] == pytest.approx(trade["pnl_usd"] - trade["pnl_usd_stored"])


@pytest.mark.parametrize("question", [("--neutral",), ("--without", "3")])
def test_an_entry_that_only_a_loosened_threshold_let_in_would_not_have_been_taken(
    world_with, result_of, lowcap, lowcap_json, question
):
    with world_with(BOTH_SIDES_OF_A_THRESHOLD):
        facts, printed = lowcap_json("whatif", *question, *ALL), lowcap("whatif", *question, *ALL).stdout
    (buy,), (trade,) = facts["buys"], facts["trades"]

    assert result_of(BOTH_SIDES_OF_A_THRESHOLD, ALL_THREE) is None
    assert (buy["fate"], buy["order_usd"]) == ("gate_shut", 0.0)
    assert (trade["is_opened"], trade["pnl_usd"], trade["rr"]) == (False, 0.0, None)
    assert trade["difference_usd"] == -trade["pnl_usd_stored"]
    assert (facts["sums"]["buys_not_taken"], facts["sums"]["trades_not_opened"]) == (1, 1)
    assert "would not have been taken" in " ".join(printed.split())


@pytest.mark.parametrize("question", [("--neutral",), ("--without", "1"), ("--set", "7")])
def test_unchanged_everything_comes_out_to_the_last_bit(ended_trade, lowcap_json, question):
    check = lowcap_json("whatif", *question, *ALL)["check"]

    assert (check["buys"], check["closed_trades"], check["open_trades"]) == (1, 1, 0)
    assert (check["buys_equal"], check["closed_trades_equal"]) == (1, 1)


def test_the_set_that_decided_changes_nothing(ended_trade, lowcap, lowcap_json):
    facts = lowcap_json("whatif", "--set", "7", *ALL)

    assert (facts["buys"], facts["trades"], facts["sums"]["difference_usd"]) == ([], [], 0.0)
    assert (facts["asked"]["set"]["live"], facts["asked"]["set"]["refused"]) == (3, [])
    assert "0 of 1 trades touched" in lowcap("whatif", "--set", "7", *ALL).stdout


def test_a_stored_multiplier_that_is_not_its_blend_is_left_out_and_counted(world_with, lowcap_json):
    wrong = "jsonb_set(decision::jsonb, '{learning_multipliers,pm_strength,multiplier}', '1.3')::json"
    with world_with():
        change(f"UPDATE pm.pm_order SET decision = {wrong} WHERE side = 'buy'")
        facts = lowcap_json("whatif", "--neutral", *ALL)

    assert (facts["check"]["buys_equal"], facts["buys"], facts["trades"]) == (0, [], [])
    (reason,) = facts["not_recomputed"]
    assert (reason["buys"], "does not come out as stored: strength" in reason["reason"]) == (1, True)


def test_a_decision_that_tells_no_steps_is_left_out_and_counted(world_with, lowcap, lowcap_json):
    with world_with():
        change("UPDATE pm.pm_order SET decision = (decision::jsonb - 'sizing')::json WHERE side = 'buy'")
        (reason,) = lowcap_json("whatif", "--neutral", *ALL)["not_recomputed"]
        printed = lowcap("whatif", "--neutral", *ALL).stdout

    assert reason["reason"].startswith("a decision does not tell its exposure_skew")
    assert "buys not worked out: 1, a decision does not tell" in printed


@pytest.mark.parametrize("part", ["scope", "thresholds", "reasons"])
def test_a_decision_of_another_shape_is_left_out_and_counted(world_with, lowcap_json, part):
    wrong = f"jsonb_set(decision::jsonb, '{{{part}}}', '[{{\"strength\": 1}}]')::json"
    with world_with():
        change(f"UPDATE pm.pm_order SET decision = {wrong} WHERE side = 'buy'")
        facts = lowcap_json("whatif", "--neutral", *ALL)

    assert (facts["buys"], facts["trades"], facts["not_recomputed"][0]["buys"]) == ([], [], 1)


def test_a_trade_whose_fills_give_another_result_is_left_out_and_counted(world_with, lowcap_json):
    with world_with():
        change("ALTER TABLE pm.pm_fill DISABLE TRIGGER USER")
        change("UPDATE pm.pm_fill SET fee_usd = fee_usd + 1 WHERE side = 'sell'")
        facts = lowcap_json("whatif", "--neutral", *ALL)

    assert (facts["check"]["buys_equal"], facts["check"]["closed_trades_equal"], facts["trades"]) == (1, 0, [])
    assert facts["not_recomputed"] == [{"reason": "its fills do not give the PnL its closure told", "buys": 1}]


def test_an_order_that_is_not_settled_has_a_size_and_no_result(world_with, lowcap_json):
    with world_with(hours=1):
        facts = lowcap_json("whatif", "--neutral", *ALL)

    assert (len(facts["buys"]), facts["trades"]) == (1, [])
    assert facts["not_recomputed"][0]["reason"].startswith("nothing of its trade is filled")


def test_a_trade_that_is_open_counts_at_its_last_price(world_with, lowcap_json):
    with world_with(hours=3):
        facts = lowcap_json("whatif", "--neutral", *ALL)
        (trade,), check = facts["trades"], facts["check"]
        (told,) = [each for each in lowcap_json("trades", "--open")["trades"] if each["trade_id"] == trade["trade_id"]]

    assert (check["open_trades"], check["open_trades_equal"]) == (1, 1)
    assert (trade["stands"], trade["pnl_usd_stored"]) == ("open", told["pnl_usd"])
    assert 0 < trade["pnl_usd"] < trade["pnl_usd_stored"]


def test_what_it_does_not_say_is_said(ended_trade, lowcap):
    printed = " ".join(lowcap("whatif", "--neutral", *ALL).stdout.split())

    assert "recomputed unchanged: 1 of 1 buys equal, 1 of 1 closed trades, 0 of 0 open ones" in printed
    assert "Second-order effects are not worked out" in printed
    assert "never decided, so none of them is here" in printed


def test_sums_are_of_all_and_most_cuts_the_lists_only(ended_trade, lowcap_json):
    facts = lowcap_json("whatif", "--neutral", *ALL, "--most", "1")

    assert facts["told"] == {"buys_told": 1, "trades_told": 0}
    assert facts["sums"]["ordered_usd_difference"] == pytest.approx(
        math.fsum(each["difference_usd"] for each in facts["buys"])
    )


DAY = ("--from", "2025-06-01T00:00Z", "--to", "2025-06-02T00:00Z")
NUL_LIKE = "\u202e'; DROP TABLE pm.pm_order; --"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--without", "99", *DAY), "No override 99"),
        (("--set", "99", *DAY), "No set 99; there are 7 to 7"),
        (("--set", str(2**63 - 1), *DAY), "No set"),
        (("--neutral", "--replay", NUL_LIKE, *DAY), "No replay"),
        (("--neutral", "--from", "2020-01-01T00:00Z", "--to", "2020-02-01T00:00Z"), "Nothing was bought after"),
        (("--neutral", "--from", DAY[3], "--to", DAY[1]), "ends after it begins"),
        (("--neutral", "--from", "2025-06-01T00:00", "--to", DAY[3]), "an offset"),
        (("--neutral", "--from", NUL_LIKE, "--to", DAY[3]), "instant such as"),
        (("--neutral", "--from", "0001-01-01T00:00+23:00", "--to", DAY[3]), "Expected an instant of this age"),
        (("--without", "-1", *DAY), "than or equal to"),
        (("--without", str(2**63), *DAY), "than or equal to"),
        (("--without", NUL_LIKE, *DAY), "as an integer"),
        (("--neutral", "--set", "7", *DAY), "Expected one of"),
        (DAY, "Expected one of"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(ended_trade, lowcap, arguments, complaint):
    result = lowcap("whatif", *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in " ".join(result.stderr.replace("│", " ").split())
