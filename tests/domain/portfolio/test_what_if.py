"""What a trade would have been: by hand where the numbers are round, and unchanged to the last bit whatever it was."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.portfolio import PortfolioConfig, SizingConfig
from domain.portfolio.fill import Fill
from domain.portfolio.position import NO_POSITION, Position, apply_fill
from domain.portfolio.sizing import size_buy
from domain.portfolio.what_if import BuyChoice, BuyFate, StoredBuy, StoredTrade, TradeFill, as_it_was, what_if_trade
from domain.vocabulary.action import ActionCategory
from tests.domain.portfolio.trade_paths import GRACE, HOUR, START, bar, fill

ENTRY, ADD = ActionCategory.ENTRY, ActionCategory.ADD


def stored_buy(name: str, category: ActionCategory, hour: float, order_usd: float, **changed) -> StoredBuy:
    """A buy of 0.4 of what remains of 1000 USD, at a strength of 1.5."""
    values = {"cap_usd": 1000.0, "size_frac": 0.4, "pm_strength": 1.5, "exposure_skew": 1.0, "cash_usd": None}
    values |= {"sizing": SizingConfig(), "decided_at": START + hour * HOUR}
    return StoredBuy(order_id=name, category=category, order_usd=order_usd, **values | changed)


def made(order_id: str, filled: Fill) -> TradeFill:
    return TradeFill(order_id=order_id, fill=filled)


def trade(*buys: StoredBuy, fills: list[TradeFill], marks=()) -> StoredTrade:
    return StoredTrade(trade_id="t", buys=buys, fills=tuple(fills), marks=tuple(marks))


def trimmed_and_left(entry: StoredBuy, bought: float = 600.0) -> StoredTrade:
    """Bought at 1, a tenth sold at 2, the rest at 3, without fees."""
    tenth = bought / 10
    sales = [made("trim", fill("sell", tenth, 2.0, hour=4)), made("exit", fill("sell", bought - tenth, 3.0, hour=6))]
    return trade(entry, fills=[made("entry", fill("buy", bought, 1.0, hour=1)), *sales])


def asked(stored: StoredTrade, **strengths: float):
    choices = {name: BuyChoice(pm_strength=strength) for name, strength in strengths.items()}
    return what_if_trade(stored, choices, fill_grace=GRACE)


def test_every_sale_sells_the_same_share_of_what_is_held_at_the_price_it_had():
    found = asked(trimmed_and_left(stored_buy("entry", ENTRY, 1, 600.0)), entry=1.0)

    assert found.was.total_pnl_usd == pytest.approx(60 * 2 + 540 * 3 - 600)
    assert found.buys[0].order_usd == 400.0
    assert found.position.total_pnl_usd == pytest.approx(40 * 2 + 360 * 3 - 400)
    assert found.position.is_flat


def test_a_smaller_entry_leaves_more_of_the_cap_to_an_add():
    buys = [stored_buy("entry", ENTRY, 1, 600.0), stored_buy("add", ADD, 2, 100.0, size_frac=0.25, pm_strength=1.0)]
    fills = [made("entry", fill("buy", 600, 1.0, hour=1)), made("add", fill("buy", 50, 2.0, hour=2))]
    found = asked(trade(*buys, fills=fills), entry=1.0)

    assert [each.remaining_usd for each in found.buys] == [1000.0, 600.0]
    assert [each.order_usd for each in found.buys] == [400.0, 150.0]
    assert found.position.quantity == pytest.approx(400 + 75)


def test_what_was_taken_out_can_be_invested_again():
    buys = [stored_buy("entry", ENTRY, 1, 600.0), stored_buy("add", ADD, 3, 130.0, size_frac=0.25, pm_strength=1.0)]
    fills = [made("entry", fill("buy", 600, 1.0, hour=1)), made("trim", fill("sell", 60, 2.0, hour=2))]
    found = asked(trade(*buys, fills=[*fills, made("add", fill("buy", 65, 2.0, hour=3))]), entry=1.0)

    assert found.buys[1].remaining_usd == pytest.approx(1000 - 400 + 40 * 2)


@pytest.mark.parametrize(("strength", "share"), [(3.0, 1.0), (1.0, 1.0), (0.3, 120 / 200)])
def test_an_order_that_was_filled_in_part_gets_no_more_and_less_only_below_what_it_got(strength, share):
    found = asked(
        trade(stored_buy("entry", ENTRY, 1, 600.0), fills=[made("entry", fill("buy", 200, 1.0, hour=1))]),
        entry=strength,
    )

    assert found.position.quantity == pytest.approx(200 * share)


def test_fees_scale_with_the_order_and_are_part_of_what_it_may_spend():
    entry = stored_buy("entry", ENTRY, 1, 600.0)
    found = asked(trade(entry, fills=[made("entry", fill("buy", 594, 1.0, hour=1, fee=6.0))]), entry=1.0)

    assert (found.position.invested_usd, found.position.fees_usd) == (pytest.approx(396), pytest.approx(4))


def test_cash_bounds_a_larger_order_where_it_bounded_the_stored_one():
    entry = stored_buy("entry", ENTRY, 1, 300.0, cash_usd=300.0)
    fills = [made("entry", fill("buy", 300, 1.0, hour=1))]

    assert asked(trade(entry, fills=fills), entry=3.0).buys[0].order_usd == 300.0
    assert asked(trade(entry, fills=fills), entry=0.5).buys[0].order_usd == 200.0


def test_a_strength_is_clamped_and_the_share_is_at_most_all_of_the_rest():
    entry = trimmed_and_left(stored_buy("entry", ENTRY, 1, 600.0))
    strong, weak = asked(entry, entry=50.0).buys[0], asked(entry, entry=0.01).buys[0]

    assert (strong.pm_strength, strong.final_frac, strong.order_usd) == (3.0, 1.0, 1000.0)
    assert (weak.pm_strength, weak.order_usd) == (0.3, pytest.approx(120.0))


def test_a_buy_below_the_smallest_order_is_not_made_and_its_trade_not_opened():
    entry = stored_buy("entry", ENTRY, 1, 1.2, cap_usd=2.0)
    found = asked(trimmed_and_left(entry, bought=1.2), entry=1.0)

    assert (found.buys[0].fate, found.buys[0].order_usd) == (BuyFate.TOO_SMALL, 0.0)
    assert (found.is_opened, found.position) == (False, NO_POSITION)


def test_an_add_falls_away_with_the_entry_that_was_not_taken():
    buys = [stored_buy("entry", ENTRY, 1, 600.0), stored_buy("add", ADD, 2, 100.0, size_frac=0.25, pm_strength=1.0)]
    fills = [made("entry", fill("buy", 600, 1.0, hour=1)), made("add", fill("buy", 50, 2.0, hour=2))]
    stored = trade(*buys, fills=[*fills, made("exit", fill("sell", 650, 3.0, hour=3))])
    found = what_if_trade(stored, {"entry": BuyChoice(pm_strength=1.5, is_taken=False)}, fill_grace=GRACE)

    assert [each.fate for each in found.buys] == [BuyFate.GATE_SHUT, BuyFate.NOT_OPENED]
    assert (found.is_opened, found.position.total_pnl_usd) == (False, 0.0)
    assert found.was.total_pnl_usd == pytest.approx(650 * 3 - 700)


def test_an_add_that_is_left_out_leaves_the_entry_as_it_was():
    buys = [stored_buy("entry", ENTRY, 1, 600.0), stored_buy("add", ADD, 2, 100.0, size_frac=0.25, pm_strength=1.0)]
    fills = [made("entry", fill("buy", 600, 1.0, hour=1)), made("add", fill("buy", 50, 2.0, hour=2))]
    stored = trade(*buys, fills=[*fills, made("exit", fill("sell", 650, 3.0, hour=3))])
    found = what_if_trade(stored, {"add": BuyChoice(pm_strength=1.0, is_taken=False)}, fill_grace=GRACE)

    assert found.position.total_pnl_usd == pytest.approx(600 * 3 - 600)


def test_risk_is_the_deepest_loss_of_the_other_size():
    entry = stored_buy("entry", ENTRY, 1, 600.0)
    stored = trade(entry, fills=[made("entry", fill("buy", 600, 1.0, hour=1))], marks=[bar(0.5, 1.1, hour=1)])
    found = asked(stored, entry=1.0)

    assert (found.was.max_adverse_usd, found.position.max_adverse_usd) == (pytest.approx(300), pytest.approx(200))


@pytest.mark.parametrize("strength", [0.0, -1.0, float("nan"), float("inf")])
def test_a_strength_that_cannot_be_is_refused(strength):
    with pytest.raises(ValueError, match="must be finite and > 0"):
        asked(trimmed_and_left(stored_buy("entry", ENTRY, 1, 600.0)), entry=strength)


def test_a_fill_of_no_known_buy_is_refused():
    with pytest.raises(ValueError, match="of no known buy"):
        asked(trade(fills=[made("entry", fill("buy", 600, 1.0, hour=1))]))


def test_a_fill_before_its_decision_is_refused():
    entry = stored_buy("entry", ENTRY, 2, 600.0)
    with pytest.raises(ValueError, match="before its buy was decided"):
        asked(trade(entry, fills=[made("entry", fill("buy", 600, 1.0, hour=1))]))


@st.composite
def sized_trades(draw: st.DrawFn) -> StoredTrade:
    """Trades as the runtime sizes them: buys of any strength, skew and cash, filled wholly or in part, and sales."""
    config, position = PortfolioConfig(), NO_POSITION
    buys: list[StoredBuy] = []
    fills: list[TradeFill] = []
    for number in range(draw(st.integers(1, 8))):
        at, price = START + number * HOUR, draw(st.floats(1e-6, 1e4))
        if position.is_flat or draw(st.booleans()):
            category = ENTRY if not buys else ADD
            buys.append(_decided(draw, f"{number}", category, position, config, at))
            filled = _filled(buys[-1], price, draw(st.sampled_from([1.0, 0.4])))
        else:
            sold = position.quantity * draw(st.sampled_from([1.0, 0.1, 0.05]))
            filled = made(f"{number}", fill("sell", sold, price, hour=number))
        if filled is not None:
            fills.append(filled)
            position = apply_fill(position, filled.fill)
    return trade(*buys, fills=fills)


def _decided(draw: st.DrawFn, name: str, category: ActionCategory, position: Position, config, at) -> StoredBuy:
    learned = {"pm_strength": draw(st.floats(0.3, 3.0)), "exposure_skew": draw(st.floats(0.33, 1.33))}
    size = size_buy(
        category,
        a=draw(st.floats(0.05, 1.0)),
        wallet_usd=draw(st.floats(1_000, 1e6)),
        timeframe_split=draw(st.sampled_from([0.7, 0.125])),
        net_invested_usd=position.net_invested_usd,
        config=config,
        **learned,
    )
    cash = draw(st.sampled_from([None, size.order_usd / 3]))
    return StoredBuy(
        order_id=name,
        category=category,
        decided_at=at,
        cap_usd=size.waterfall[2].amount,
        size_frac=size.size_frac,
        cash_usd=cash,
        order_usd=size.order_usd if cash is None else cash,
        sizing=config.sizing.model_copy(update={"min_order_usd": 0.0}),
        **learned,
    )


def _filled(buy: StoredBuy, price: float, share: float) -> TradeFill | None:
    if buy.order_usd <= 0:
        return None
    notional = buy.order_usd * share / 1.01
    hour = (buy.decided_at - START) / timedelta(hours=1)
    return made(buy.order_id, fill("buy", notional / price, price, hour=hour, fee=notional / 100))


@given(sized_trades())
def test_unchanged_every_order_and_the_trade_come_out_to_the_last_bit(stored):
    ordered = {buy.order_id: buy.order_usd for buy in stored.buys}
    for choices in ({}, {buy.order_id: as_it_was(buy) for buy in stored.buys}):
        found = what_if_trade(stored, choices, fill_grace=GRACE)

        assert {each.order_id: each.order_usd for each in found.buys} == ordered
        assert found.position == found.was


@given(sized_trades(), st.floats(0.3, 3.0))
def test_at_any_strength_a_position_never_passes_its_cap_and_ends_as_flat_as_it_was(stored, strength):
    choices = {buy.order_id: BuyChoice(pm_strength=strength) for buy in stored.buys}
    found = what_if_trade(stored, choices, fill_grace=GRACE)

    caps = {buy.order_id: buy.cap_usd for buy in stored.buys}
    assert all(0 <= each.order_usd <= caps[each.order_id] for each in found.buys)
    assert found.position.is_flat or not found.was.is_flat
