"""What was learned, in a tick: strength, thresholds, crowding, cash; and the tick as it is without anything learned."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.scopes.bitmask import mask_of
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe
from tests.portfolio_rows import HOUR, START, TOKEN
from tests.portfolio_worlds import MemoryPortfolioWorld
from tests.trade_life import EXIT, TRIM, TradeLife, seen

D = ScopeDimension
S1 = "pm.uptrend.S1.buy_flag"


def rule(override_id: int = 1, scope: dict | None = None, **changed) -> dict:
    values = {D.MCAP_BUCKET: "micro"} if scope is None else scope
    row = {
        **{"override_id": override_id, "pattern_key": S1, "action_category": "entry", "scope_mask": mask_of(values)},
        **{"scope_values": str({str(key): value for key, value in values.items()}).replace("'", '"')},
        **{"lever": "pm_strength", "multiplier": 1.5, "confidence": 0.5, "n_trades": 40, "edge_raw": 0.4},
        **{"decay_mult": 0.9, "lesson_id": f"lesson-{override_id}", "expires_at": START + timedelta(days=14)},
    }
    return row | changed


def entered(life: TradeLife, **values) -> dict:
    """Return the decision of an entry on a bar that gives one, or on the bar that is described."""
    life.watch()
    life.step("S1", **{"buyable": True} | values)
    return life.orders[0].decision


def test_strength_multiplies_the_size_and_names_its_overrides(life):
    life.world.make_live(7, [rule()])

    decision = entered(life)

    assert life.orders[0].order_usd == pytest.approx(20_000 * 0.10 * 0.70 * 0.40 * 1.5)
    assert (decision["pm_strength_applied"], decision["override_set_id"]) == (1.5, 7)
    (matched,) = decision["learning_multipliers"]["pm_strength"]["matched"]
    assert (matched["override_id"], matched["weight_share"]) == (1, 1.0)
    assert life.ticks[-1].portfolio.override_set_id == 7


def test_strength_of_an_add_is_that_of_adds(life):
    life.world.make_live(7, [rule(multiplier=2.0), rule(2, pattern_key="pm.uptrend.S2.buy_flag", multiplier=0.5)])
    life.enter()
    life.step("S2", buyable=True)

    assert [order.decision["pm_strength_applied"] for order in life.orders] == [2.0, 1.0]


def test_overrides_that_are_switched_off_change_nothing_and_say_so(life):
    life.world.make_live(7, [rule(), rule(2, lever="ts_min_mult", multiplier=1.25, edge_raw=None, decay_mult=None)])
    life.world.switch(set_at=START, on=False)

    decision = entered(life, ts_with_boost=0.62)

    assert decision["pm_strength_applied"] == 1.0
    assert decision["learning_multipliers"]["pm_strength"]["basis"] == "switched_off"
    assert decision["thresholds"] == []


def test_an_override_of_another_scope_does_not_apply(life):
    life.world.make_live(7, [rule(scope={D.MCAP_BUCKET: "nano"})])

    assert entered(life)["learning_multipliers"]["pm_strength"]["basis"] == "no_match"


def test_an_expired_override_never_applies_and_is_named(life):
    life.world.make_live(7, [rule(expires_at=START + HOUR), rule(2, scope={}, multiplier=1.2)])

    decision = entered(life)

    assert decision["pm_strength_applied"] == pytest.approx(1.2)
    (said,) = life.world.ticks()[-1]["overrides_ignored"]
    assert said.startswith("override 1 ignored: expired")


def test_an_override_stops_on_the_bar_at_whose_close_it_expires(life):
    life.world.make_live(7, [rule(expires_at=START + 2 * HOUR)])
    life.watch()
    life.watch("Other")
    for name in (TOKEN[0], "Other"):
        life.see({name: seen(life.bar, buyable=True)})
        life.tick()

    assert [order.decision["pm_strength_applied"] for order in life.orders] == [1.5, 1.0]


TIGHT = rule(lever="ts_min_mult", multiplier=1.2, edge_raw=None, decay_mult=None)
LOOSE = TIGHT | {"multiplier": 0.8}


def test_a_tightened_threshold_blocks_a_buy_the_base_would_make(life):
    life.world.make_live(7, [TIGHT])
    life.watch()

    life.step("S1", buyable=True, ts_with_boost=0.65, prev_state="S0")
    life.step("S0")

    assert life.orders == []
    (episode,) = life.world.episodes()
    (gate,) = [gate for gate in episode.gates if gate["name"] == "trend_strength"]
    assert (gate["threshold_base"], gate["threshold"], gate["passed"]) == (0.60, pytest.approx(0.72), False)
    assert (episode.decision, episode.outcome) == ("skipped", "failure")


def test_a_loosened_threshold_makes_a_buy_the_base_would_block(life):
    life.world.make_live(7, [LOOSE])

    decision = entered(life, ts_with_boost=0.55)

    (moved,) = decision["thresholds"]
    assert (moved["name"], moved["base"], moved["tuned"]) == ("trend_strength", 0.60, pytest.approx(0.48))
    assert [each["override_id"] for each in moved["strength"]["matched"]] == [1]


def test_without_the_tuning_the_same_bar_is_not_bought(life):
    life.watch()
    life.step("S1", buyable=True, ts_with_boost=0.55)

    assert life.orders == []


def skews(life: TradeLife, names: list[str]) -> list[tuple[float, str]]:
    """Enter one token after the other; return the skew and its basis at each."""
    for name in names:
        life.watch(name)
    for name in names:
        life.see({name: seen(life.bar, buyable=True)} | {other: seen(life.bar) for other in names if other != name})
        life.tick()
        life.see({each: seen(life.bar) for each in names})
        life.tick()
    told = [order.decision["learning_multipliers"]["exposure_skew"] for order in life.orders]
    return [(each["skew"], each["basis"]) for each in told]


def test_all_that_is_held_stands_in_the_same_place_and_the_buy_is_cut_to_a_third(life):
    first, second = skews(life, ["A", "B"])

    assert first == (1.0, "empty_book")
    assert second == (pytest.approx(0.33), "measured")


def test_nothing_that_is_held_is_near_and_the_buy_grows_by_a_third(portfolio_world, life):
    far = TradeLife(portfolio_world, Timeframe.H4)
    far.score = None
    far.watch("A")
    portfolio_world.tag(("A", TOKEN[1]), START, CapBucket.NANO)
    portfolio_world.publish_score(CapBucket.NANO, far.bar)
    far.see({"A": seen(far.bar, buyable=True)}, bucket=None)
    far.tick()
    far.see({"A": seen(far.bar)}, bucket=None)
    far.tick()
    far.close()
    life.watch("B")
    life.see({"B": seen(life.bar, buyable=True)})
    life.tick()

    (told,) = [order.decision for order in life.orders if order.timeframe is Timeframe.H1]
    assert told["exposure_skew_applied"] == pytest.approx(1.33)
    assert told["learning_multipliers"]["exposure_skew"]["conc_norm"] == 0.0


def test_what_a_position_holds_itself_does_not_crowd_its_adds(life):
    life.enter()
    life.step("S2", buyable=True)

    assert life.orders[1].decision["learning_multipliers"]["exposure_skew"]["basis"] == "empty_book"


def test_buys_share_the_cash_there_is_by_position_id(life):
    life.world.configure({"portfolio": {"sizing": {"entry_base_frac": 0.4, "entry_a_frac": 0.6}}})
    life.score = {"a": 1.0, "e": 0.4}
    names = [f"token-{number:02}" for number in range(16)]
    rows = sorted((life.watch(name, total_allocation_pct=10.0) for name in names), key=lambda row: row.position_id)
    life.see({name: seen(life.bar, buyable=True) for name in names})
    life.tick()

    usd = {order.position_id: order.order_usd for order in life.orders}
    assert sum(usd.values()) == pytest.approx(20_000)
    spent = [usd.get(row.position_id, 0.0) for row in rows]
    assert spent == [pytest.approx(1_400)] * 14 + [pytest.approx(400), 0.0]
    last = [order for order in life.orders if order.position_id == rows[14].position_id]
    assert last[0].decision["sizing"][-1]["name"] == "cash"
    assert last[0].decision["sizing"][-1]["factor"] == pytest.approx(400 / 1_400)


def test_what_orders_of_another_timeframe_still_wait_to_spend_is_not_spent_twice(portfolio_world, life):
    portfolio_world.configure({"paper_venue": {"wallet_usd": 1_000.0, "fee_bps": 0.0, "slippage_bps": 0.0}})
    slow = TradeLife(portfolio_world, Timeframe.H4)
    slow.score = {"a": 1.0, "e": 0.4}
    names = [f"token-{number}" for number in range(13)]
    for name in names:
        slow.watch(name, total_allocation_pct=100.0)
    slow.see({name: seen(slow.bar, buyable=True) for name in names})
    slow.tick()
    slow.close()
    waiting = sum(order.order_usd for order in life.orders)
    life.watch(total_allocation_pct=100.0)
    life.score = {"a": 1.0, "e": 0.4}
    life.step("S1", buyable=True)

    hourly = [order.order_usd for order in life.orders if order.timeframe is Timeframe.H1]
    assert waiting == pytest.approx(13 * 1_000 * 0.125 * 0.60)
    assert hourly == [pytest.approx(1_000 - waiting)]


def live(life: TradeLife) -> list[object]:
    """Live through entry, add, trim and exit; return all that was decided and told."""
    life.enter()
    life.step("S2", buyable=True)
    life.step("S2", 3.0, TRIM)
    life.step("S0", 2.5, EXIT)
    life.step("S0", 2.5)
    orders = [replace(order, decision=dict(order.decision) | {"override_set_id": None}) for order in life.orders]
    return [orders, life.world.fills(), life.position]


@pytest.mark.parametrize("rows", [[], [rule(scope={D.MCAP_BUCKET: "nano"})], [rule(multiplier=1.0)]])
def test_a_set_that_says_nothing_changes_nothing(portfolio_world, rows):
    untaught = TradeLife(MemoryPortfolioWorld()).allow()
    taught = TradeLife(portfolio_world).allow()
    portfolio_world.make_live(7, rows)

    orders, *rest = live(taught)
    expected, *others = live(untaught)
    taught.close()

    assert rest == others
    assert [(each.order_usd, each.order_quantity) for each in orders] == [
        (each.order_usd, each.order_quantity) for each in expected
    ]
