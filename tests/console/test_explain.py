"""`lowcap explain` of an action: from rows alone, down to the last factor."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from tests.console.ticked_trade import A_RAW, BARS, CHANNEL_A, change, order_of, store_order, store_strand, tick
from tests.domain.portfolio.strand_documents import changed, pm_action
from tests.portfolio_rows import HOUR, START, order_row, position_row, sha256

pytestmark = pytest.mark.postgres

DOUBLE = 1e-9


def test_the_levers_lead_from_a_half_over_the_channels_to_a_and_e(ended_trade, lowcap_json):
    levers = lowcap_json("explain", order_of("entry"))["levers"]

    assert (levers["base"], levers["channels_note"]) == (0.5, None)
    assert [channel["a"] for channel in levers["channels"]] == CHANNEL_A
    assert levers["base"] + math.fsum(channel["a"] for channel in levers["channels"]) == pytest.approx(
        A_RAW, abs=DOUBLE
    )
    before = levers["base"]
    for step in levers["steps"]:
        assert before + step["a_change"] == pytest.approx(step["a"], abs=DOUBLE)
        before = step["a"]
    assert before == levers["a_value"] == pytest.approx(0.6825)
    names = ["regime", "global_bias", "intent", "clamp", "bucket_multiplier", "final_clamp"]
    assert [step["name"] for step in levers["steps"]] == names


def test_the_size_is_the_product_of_its_steps_and_ends_at_the_order(ended_trade, lowcap_json):
    facts = lowcap_json("explain", order_of("entry"))
    sizing = facts["sizing"]

    assert sizing["size_frac"] == pytest.approx(0.1 + 0.5 * facts["levers"]["a_value"])
    assert sizing["size_frac_by"] == "0.1 + 0.5 x A"
    assert sizing["cap_usd"] == pytest.approx(20_100 * 0.1 * 0.7)
    assert product(sizing["steps"]) == pytest.approx(facts["order"]["order_usd"], rel=DOUBLE)
    assert [step["name"] for step in sizing["steps"]][-2:] == ["clamp", "cash"]
    assert sizing["is_cut_by_cash"] is False


def test_strength_is_told_mask_by_mask_with_every_override(ended_trade, lowcap_json):
    facts = lowcap_json("explain", order_of("entry"))
    matched = facts["pm_strength"]["matched"]

    assert [(each["override_id"], each["mask"], each["values"]) for each in matched] == [
        (1, 4, {"mcap_bucket": "nano"}),
        (2, 0, {}),
    ]
    blended = math.exp(math.fsum(each["weight_share"] * math.log(each["multiplier"]) for each in matched))
    assert facts["pm_strength"]["multiplier"] == pytest.approx(blended, rel=DOUBLE)
    assert facts["sizing"]["pm_strength_applied"] == pytest.approx(blended, rel=DOUBLE)


def test_skew_is_told_mask_by_mask(ended_trade, lowcap_json):
    skew = lowcap_json("explain", order_of("entry"))["exposure_skew"]

    weights = [mask["weight"] for mask in skew["masks"]]
    assert [mask["scope_exposure_usd"] for mask in skew["masks"]] == [100.0, 0.0, 0.0]
    assert skew["conc_norm"] == pytest.approx(weights[0] / sum(weights), rel=DOUBLE)
    assert skew["skew"] == pytest.approx(1.33 - skew["conc_norm"], rel=DOUBLE)


def test_a_gate_shows_what_was_configured_and_what_decided(ended_trade, lowcap_json):
    facts = lowcap_json("explain", order_of("entry"))
    gates = {gate["name"]: gate for gate in facts["gates"]}
    strong = gates["trend_strength"]

    assert (strong["value"], strong["threshold_base"], strong["threshold"]) == (0.75, 0.6, pytest.approx(0.54))
    assert strong["margin"] == pytest.approx((0.75 - 0.54) / 0.1)
    assert {"mode", "lifecycle", "cap_bucket", "lever_a", "s1_once", "near_ema60"} <= set(gates)
    (tuned,) = [each for each in facts["thresholds"] if each["name"] == "trend_strength"]
    assert tuned["strength"]["matched"][0]["lesson_id"] == "lesson-3"


def test_it_says_what_was_seen_and_under_which_rules(ended_trade, lowcap_json):
    facts = lowcap_json("explain", order_of("entry"))

    assert facts["seen"]["bar"]["opened_at"] == START.isoformat()
    assert facts["seen"]["bar"]["close_usd"] == BARS[0]["close_usd"]
    assert facts["seen"]["score_timestamps"]["nano"] == START.isoformat()
    assert facts["seen"]["context_evaluated_at"].startswith("2025-06-01T00:00")
    assert (facts["config_version"], facts["override_set_id"], facts["code_version"]) == (1, 7, "0.0.0")
    assert facts["switch"].startswith("ACTIVE everywhere")


def test_the_fill_is_told_with_its_distance_from_the_close_that_was_seen(ended_trade, lowcap_json):
    facts = lowcap_json("explain", order_of("entry"))
    (fill,) = facts["fills"]

    assert fill["price_usd"] == pytest.approx(BARS[1]["open_usd"] * 1.005)
    assert facts["execution"]["price_over_close"] == pytest.approx(fill["price_usd"] / BARS[0]["close_usd"] - 1)
    assert (facts["execution"]["status"], facts["execution"]["quantity"]) == ("filled", fill["quantity"])
    assert facts["execution"]["reason"].startswith("partial")


@pytest.mark.parametrize(
    ("category", "steps"), [("trim", ["holding", "size_frac"]), ("exit", ["holding", "size_frac"])]
)
def test_a_sale_depends_on_nothing_learned(ended_trade, lowcap_json, category, steps):
    facts = lowcap_json("explain", order_of(category))

    assert [step["name"] for step in facts["sizing"]["steps"]] == steps
    assert (facts["pm_strength"]["basis"], facts["exposure_skew"]) == ("sells", None)
    assert product(facts["sizing"]["steps"]) == pytest.approx(facts["order"]["order_quantity"])


def test_order_strand_and_eight_digits_are_the_same_action(ended_trade, lowcap_json):
    by_order = lowcap_json("explain", order_of("trim"))

    assert lowcap_json("explain", by_order["strand_id"]) == by_order
    assert lowcap_json("explain", by_order["order_id"][:8].upper()) == by_order


def test_the_tables_name_every_part_of_an_action(ended_trade, lowcap):
    printed = lowcap("explain", order_of("entry")).stdout

    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert lines[0].startswith("entry of TOK on 1h, pm.uptrend.S1.buy_flag")
    assert "btc_macro S1 +0.0600 -0.0200" in lines
    assert "trend_strength 0.75 0.6 0.54 2.1 yes" in lines
    assert "pm_strength 1.21394 753.663" in lines
    assert "chain mcap_bucket timeframe 0.348155 0 0 +0.0000" in lines
    assert any(line.startswith("mcap_bucket mcap_bucket=nano 1.5") for line in lines)
    assert any(line.startswith("ordered: buy 795.262 USD at paper") for line in lines)
    assert any(line.startswith("switch ACTIVE everywhere") for line in lines)


@pytest.mark.parametrize(
    ("identity", "complaint"),
    [
        ("1234567", "at least 8 digits"),
        ("So1anaToken", "at least 8 digits"),
        ("f" * 65, "at least 8 digits"),
        ("'; DROP TABLE pm.pm_order; --", "at least 8 digits"),
        ("f" * 64, "No order, strand or trade"),
    ],
)
def test_an_id_of_nothing_is_refused(ended_trade, lowcap, identity, complaint):
    result = lowcap("explain", identity)

    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr


def test_digits_that_begin_two_ids_are_refused_with_both(begun_trade, lowcap):
    ids = [f"{'ab' * 4}{digit * 56}" for digit in "01"]
    for hour, order_id in enumerate(ids):
        row = order_row(
            position_row(), order_id=order_id, trade_id=sha256(order_id), bar_timestamp=START - (hour + 1) * HOUR
        )
        store_order(row)

    result = lowcap("explain", "ab" * 4)

    assert result.exit_code == 2
    assert all(f"order {order_id}" in result.stderr for order_id in ids)
    assert lowcap("explain", ids[0][:9]).exit_code == 0


def test_an_order_that_waits_is_explained_before_any_strand_tells_of_it(begun_trade, lowcap, lowcap_json):
    facts = lowcap_json("explain", order_of("entry"))
    trade = lowcap_json("explain", facts["trade_id"])

    assert (facts["strand_id"], facts["fills"], facts["execution"]["status"]) == (None, [], "submitted")
    assert (trade["stands"], trade["from_fills"], trade["entry"]) == ("without a fill", None, None)
    assert "not told yet: the order is open" in lowcap("explain", order_of("entry")).stdout
    assert lowcap("explain", facts["trade_id"]).exit_code == 0


@pytest.mark.parametrize(
    ("statement", "note"),
    [
        ("UPDATE regime.ae_score SET a_raw = 0.7", "the score was made again since: the decision read A 0.6"),
        ("DELETE FROM regime.ae_score", "the row of the score is not there any more"),
    ],
)
def test_a_score_that_is_not_what_was_read_is_told(begun_trade, lowcap_json, statement, note):
    change(statement)

    assert note in lowcap_json("explain", order_of("entry"))["levers"]["channels_note"]


def test_an_exit_without_any_score_is_explained(begun_trade, lowcap, lowcap_json):
    tick(begun_trade, 1)
    change("DELETE FROM regime.ae_score")
    tick(begun_trade, 2, 3)

    levers = lowcap_json("explain", order_of("exit"))["levers"]

    assert (levers["a_value"], levers["steps"], levers["channels_note"]) == (None, [], "the tick had no score")
    assert "the tick had no score" in lowcap("explain", order_of("exit")).stdout


def test_an_action_whose_order_is_not_here_is_explained_by_its_strand(begun_trade, lowcap, lowcap_json):
    content = pm_action()
    store_strand("pm_action", content, trade_id=content["trade_id"])

    facts = lowcap_json("explain", sha256("pm_action"))

    assert (facts["order"], facts["strand_id"]) == (None, sha256("pm_action"))
    assert facts["execution"]["average_price_usd"] == pytest.approx(1.1)
    assert lowcap("explain", sha256("pm_action")).exit_code == 0


def test_a_strand_that_breaks_its_schema_says_where(begun_trade, lowcap):
    store_strand("pm_action", changed(pm_action(), "/size_frac", 2.0), trade_id="t")

    result = lowcap("explain", sha256("pm_action"))

    assert result.exit_code == 2
    assert "breaks its schema: /size_frac" in result.stderr


def product(steps: list[Mapping[str, Any]]) -> float:
    return math.prod(step["factor"] for step in steps)
