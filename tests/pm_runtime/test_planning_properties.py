"""What holds for whatever a tick is given: bounds, and what may not make a difference."""

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.position import Position
from domain.portfolio.trade_memory import TradeMemory
from domain.portfolio.trading_switch import TradingMode
from domain.scores.intent import IntentMetrics
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.uptrend import UptrendFlag, UptrendState
from pm_runtime.planning import Money, Planned, plan_positions
from pm_runtime.portfolio_row import PositionRow
from pm_runtime.tick import read_scores
from pm_runtime.tick_market import TickMarket, read_market
from tests.portfolio_rows import BAR, HOUR, MADE_BY, START, TOKEN, position_row
from tests.portfolio_worlds import MemoryPortfolioWorld
from tests.trade_life import LONG_AGO, seen

unit = st.floats(0, 1)
RICH = Money(wallet_usd=1e6, cash_usd=1e9)
PATTERNS = [f"pm.uptrend.{state}.buy_flag" for state in ("S1", "S2", "S3")]
INTENTS = st.builds(IntentMetrics, hi_buy=unit, med_buy=unit, profit=unit, sell=unit, mock=unit)
FLAGS = st.frozensets(st.sampled_from(list(UptrendFlag)), max_size=3)


@st.composite
def tokens(draw: st.DrawFn) -> list[dict]:
    """Some tokens, each with what a tick may find of it."""
    return [
        {
            "name": f"token-{number}",
            "state": draw(st.sampled_from(["S0", "S1", "S2", "S3", "S4"])),
            "flags": draw(FLAGS),
            "buyable": draw(st.booleans()),
            "price": (price := draw(st.floats(1e-9, 1e6))),
            "held": draw(st.sampled_from([0.0, 0.0, 0.01, 10.0, 1e6])) / price,
            "bucket": draw(st.sampled_from([None, *REGIME_BUCKETS])),
            "intent": draw(st.none() | INTENTS),
            "pct": draw(st.floats(0.01, 100)),
        }
        for number in range(draw(st.integers(1, 5)))
    ]


@st.composite
def overrides(draw: st.DrawFn) -> list[dict]:
    """Rows of a set, right and wrong ones."""
    return [
        {
            **{"override_id": number, "pattern_key": draw(st.sampled_from(PATTERNS))},
            **{"action_category": draw(st.sampled_from(["entry", "add"])), "scope_mask": 0, "scope_values": "{}"},
            **{"lever": draw(st.sampled_from(["pm_strength", "ts_min_mult", "halo_mult", "dx_min_mult"]))},
            **{"multiplier": draw(st.floats(0.1, 5)), "confidence": draw(st.floats(0, 1)), "n_trades": 40},
            **{"edge_raw": 0.4, "decay_mult": 0.9, "lesson_id": f"lesson-{number}", "expires_at": START + 99 * HOUR},
        }
        for number in range(draw(st.integers(0, 4)))
    ]


def row_of(token: dict) -> PositionRow:
    row = position_row(token["name"], intent=token["intent"], total_allocation_pct=token["pct"])
    if not token["held"]:
        return row
    position = Position(
        quantity=token["held"],
        bought_quantity=token["held"],
        cost_basis_usd=token["held"] * token["price"],
        invested_usd=token["held"] * token["price"],
        last_price_usd=token["price"],
    )
    entry = {"pattern_key": "pm.uptrend.S1.buy_flag", "scope": {"chain": TOKEN[1], "timeframe": "1h"}}
    if token["bucket"] is not None:
        entry["scope"]["mcap_bucket"] = token["bucket"].value
    memory = TradeMemory(bought_in=frozenset({UptrendState.S1}), entered_at=START, entry=entry)
    return replace(row, status=PositionStatus.ACTIVE, current_trade_id="t", position=position, trade_memory=memory)


def market_of(found: Sequence[dict], rows: Sequence[dict], a: float, e: float) -> TickMarket:
    """Publish the tokens and read them back as a tick does."""
    world = MemoryPortfolioWorld()
    world.switch(set_at=LONG_AGO, mode="ACTIVE", on=True)
    world.make_live(7, rows)
    for bucket in REGIME_BUCKETS:
        world.publish_score(bucket, BAR, a=a, e=e)
    for token in found:
        name = (token["name"], TOKEN[1])
        world.publish_bar(
            name, BAR, seen(BAR, token["state"], token["price"], *token["flags"], buyable=token["buyable"])
        )
        if token["bucket"] is not None:
            world.tag(name, START, token["bucket"])
    return read_back(world, [row_of(token) for token in found])


def read_back(world: MemoryPortfolioWorld, positions: Sequence[PositionRow]) -> TickMarket:
    with world.store().snapshot() as snapshot:
        config = snapshot.read_config().config
        readings = read_scores(
            snapshot.newest_scores(BAR, REGIME_BUCKETS), buckets=REGIME_BUCKETS, bar=BAR, config=config
        )
        return read_market(
            snapshot, BAR, config=config, made_by=MADE_BY, readings=readings, positions=positions, elsewhere=()
        )


def planned(market: TickMarket, positions: Sequence[PositionRow], money: Money = RICH) -> list[Planned]:
    book = sorted((row for row in positions if not row.position.is_flat), key=lambda row: row.position_id)
    rows = [(row, None) for row in positions]
    return plan_positions(rows, book=book, market=market, money=money, tick_mode=TradingMode.ACTIVE)


@settings(max_examples=150, deadline=None)
@given(found=tokens(), rows=overrides(), a=unit, e=unit, wallet=st.floats(0, 1e12), cash=st.floats(-1e6, 1e12))
def test_whatever_comes_levers_multipliers_and_sizes_stay_within_their_bounds(found, rows, a, e, wallet, cash):
    money = Money(wallet_usd=wallet, cash_usd=cash)
    plans = planned(market_of(found, rows, a, e), [row_of(token) for token in found], money)

    spent = 0.0
    for each in plans:
        if each.levers is not None:
            assert 0 <= each.levers.a <= 1
            assert 0 <= each.levers.e <= 1
        if each.learned is not None:
            assert 0.3 <= each.learned.strength.multiplier <= 3.0
            assert 0.33 <= each.learned.skew <= 1.33
        if each.decision.category in (ActionCategory.ENTRY, ActionCategory.ADD):
            cap = wallet * each.row.total_allocation_pct / 100 * 0.70
            assert 0 <= each.amount <= cap * (1 + 1e-9)
            spent += each.amount
        else:
            assert each.amount <= each.row.position.quantity
    assert spent <= max(cash, 0.0) * (1 + 1e-9)


@settings(max_examples=100, deadline=None)
@given(found=tokens(), rows=overrides(), a=unit)
def test_nothing_is_entered_below_the_least_a_and_nothing_without_a_bucket(found, rows, a):
    for each in planned(market_of(found, rows, a, 0.5), [row_of(token) for token in found]):
        if each.decision.category is ActionCategory.ENTRY:
            assert each.levers.a >= 0.05
            assert each.bucket is not None


@settings(max_examples=60, deadline=None)
@given(found=tokens(), rows=overrides(), factor=st.sampled_from([0.001, 7.0, 1e6]))
def test_a_book_of_another_size_has_the_same_skews(found, rows, factor):
    market = market_of(found, rows, 0.6, 0.4)
    small = [row_of(token) for token in found]
    large = [replace(row, position=replace(row.position, quantity=factor * row.position.quantity)) for row in small]

    assert [each.learned and round(each.learned.skew, 6) for each in planned(market, small)] == [
        each.learned and round(each.learned.skew, 6) for each in planned(market, large)
    ]


@settings(max_examples=60, deadline=None)
@given(found=tokens(), rows=overrides(), order=st.randoms(use_true_random=False))
def test_positions_in_another_order_are_decided_alike_while_there_is_cash(found, rows, order):
    market = market_of(found, rows, 0.6, 0.4)
    positions = [row_of(token) for token in found]
    shuffled = order.sample(positions, len(positions))

    def by_id(plans: list[Planned]) -> dict[str, tuple]:
        return {each.row.position_id: (each.decision, each.sizing, each.learned) for each in plans}

    assert by_id(planned(market, positions)) == by_id(planned(market, shuffled))


@settings(max_examples=100, deadline=None)
@given(lower=unit, higher=unit)
def test_a_trim_never_sells_less_at_a_higher_e(lower, higher):
    token = {"name": "t", "state": "S2", "flags": frozenset({UptrendFlag.TRIM_FLAG}), "buyable": False, "price": 2.0}
    token |= {"held": 10.0, "bucket": REGIME_BUCKETS[1], "intent": None, "pct": 10.0}
    sold = [planned(market_of([token], [], 0.5, e), [row_of(token)])[0].amount for e in sorted((lower, higher))]

    assert 0 < sold[0] <= sold[1]


@settings(max_examples=40, deadline=None)
@given(found=tokens(), a=unit, e=unit)
def test_a_set_without_rows_decides_as_no_set_does(found, a, e):
    positions = [row_of(token) for token in found]
    without = market_of(found, [], a, e)
    empty = replace(without, overrides=replace(without.overrides, set_id=None))

    assert planned(without, positions) == planned(empty, positions)
