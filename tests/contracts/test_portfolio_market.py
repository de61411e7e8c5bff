"""What a runtime store promises of what a tick decides on: bars, tags, context, channels, overrides, the switch."""

from datetime import datetime, timedelta

import pytest

from domain.portfolio.trading_switch import TradingMode, effective_switch
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import StateStatus, UptrendFlag, UptrendState
from pm_runtime.portfolio_row import RawOverrideSet
from pm_runtime.ports import RuntimeStore
from sql.trading_switch import UnreadableSwitchError
from tests.portfolio_fixtures import OpenStore
from tests.portfolio_rows import BAR, HOUR, MADE_BY, START, TOKEN, channel_states, order_row, position_row, token_bar
from tests.portfolio_worlds import PortfolioWorld

OTHER = ("0xOther", "base")
NANO, MID = CapBucket.NANO, CapBucket.MID
LATER = datetime.fromisoformat("2100-01-01T00Z")
"""After whatever the migrations set."""


def test_a_bar_comes_back_with_its_state_flags_scores_and_indicators(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    both = token_bar(flags=frozenset({UptrendFlag.EXIT_POSITION, UptrendFlag.EMERGENCY_EXIT}), state=UptrendState.S0)
    portfolio_world.publish_bar(TOKEN, BAR, token_bar())
    portfolio_world.publish_bar(OTHER, BAR, both)

    with portfolio_store.snapshot() as snapshot:
        found = snapshot.token_bars(BAR, [TOKEN, OTHER, TOKEN, ("nobody", "base")])

    assert found == {TOKEN: token_bar(), OTHER: both}


def test_only_the_bar_that_was_asked_for_is_read(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    portfolio_world.publish_bar(TOKEN, BAR, token_bar())

    with portfolio_store.snapshot() as snapshot:
        assert snapshot.token_bars(BAR.following(), [TOKEN]) == {}
        assert snapshot.token_bars(ExecutionBar(Timeframe.H4, START), [TOKEN]) == {}
        assert snapshot.token_bars(BAR, [(TOKEN[0], "base")]) == {}
        assert snapshot.token_bars(BAR, []) == {}


def test_bars_of_one_instant_and_two_timeframes_are_not_mixed(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    long = ExecutionBar(Timeframe.H4, START)
    slow = token_bar(long, close_usd=1.75, ts=0.1, ema60=9.0, flags=frozenset())
    portfolio_world.publish_bar(TOKEN, BAR, token_bar())
    portfolio_world.publish_bar(TOKEN, long, slow)

    with portfolio_store.snapshot() as snapshot:
        assert snapshot.token_bars(BAR, [TOKEN]) == {TOKEN: token_bar()}
        assert snapshot.token_bars(long, [TOKEN]) == {TOKEN: slow}


def test_a_bar_that_is_warming_up_has_what_it_has(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    nothing_yet = dict.fromkeys(("ts", "ts_with_boost", "sr_boost", "ema60_slope", "ema144_slope", "atr", "prev_state"))
    young = token_bar(
        status=StateStatus.WARMING_UP, state=UptrendState.S4, transition=None, flags=frozenset(), **nothing_yet
    )
    portfolio_world.publish_bar(TOKEN, BAR, young)

    with portfolio_store.snapshot() as snapshot:
        assert snapshot.token_bars(BAR, [TOKEN]) == {TOKEN: young}


@pytest.mark.parametrize(
    ("at", "bucket"),
    [
        (START - timedelta(microseconds=1), None),
        (START, NANO),
        (START + 11 * HOUR, NANO),
        (START + 12 * HOUR, None),
        (START + 24 * HOUR, MID),
    ],
)
def test_a_tag_holds_on_its_day_until_it_expires(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore, at: datetime, bucket: CapBucket | None
) -> None:
    portfolio_world.tag(TOKEN, START, NANO, expires_at=START + 12 * HOUR)
    portfolio_world.tag(TOKEN, START + 24 * HOUR, MID)

    with portfolio_store.snapshot() as snapshot:
        assert snapshot.cap_buckets(at, [TOKEN, OTHER]).get(TOKEN) == bucket


@pytest.mark.parametrize(("hours", "seen"), [(0.99, None), (1, "first"), (1.99, "first"), (2, "second"), (4, None)])
def test_the_regime_is_the_one_known_at_the_instant(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore, hours: float, seen: str | None
) -> None:
    portfolio_world.publish_context(START, {"is": "first", "b": [1.5, None]})
    portfolio_world.publish_context(START + HOUR, {"is": "second"})

    with portfolio_store.snapshot() as snapshot:
        context = snapshot.regime_context(START + hours * HOUR)

    assert (context or {}).get("is") == seen


def test_channels_are_those_behind_the_newest_score_at_or_before_the_bar(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    before, after = ExecutionBar(Timeframe.H1, START - HOUR), BAR.following()
    for bar, bucket in ((before, NANO), (BAR, NANO), (after, NANO), (before, MID), (after, CapBucket.BIG)):
        portfolio_world.publish_channels(bucket, bar, channel_states(bar, a_raw=bar.bars_since(START) / 4))

    with portfolio_store.snapshot() as snapshot:
        found = snapshot.channel_states(BAR, [NANO, MID, CapBucket.BIG])

    assert found == {NANO: channel_states(BAR, a_raw=0.0), MID: channel_states(before, a_raw=-0.25)}


RULE = {
    **{"override_id": 7, "pattern_key": "pm.uptrend.S1.buy_flag", "action_category": "entry", "scope_mask": 2},
    **{"scope_values": '{"chain":"solana"}', "lever": "pm_strength", "multiplier": 1.2, "confidence": 0.5},
    **{"n_trades": 40, "edge_raw": 0.3, "decay_mult": 1.0, "lesson_id": "lesson", "expires_at": START + 99 * HOUR},
}


def test_the_live_set_is_the_one_that_was_made_live_last(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    with portfolio_store.snapshot() as snapshot:
        assert snapshot.live_overrides() == RawOverrideSet(set_id=None, rows=())
    portfolio_world.make_live(1, [RULE])
    portfolio_world.make_live(2, [])
    with portfolio_store.snapshot() as snapshot:
        assert snapshot.live_overrides() == RawOverrideSet(set_id=2, rows=())

    portfolio_world.make_live(3, [RULE | {"override_id": 9}, RULE | {"override_id": 8, "lever": "halo_mult"}])
    with portfolio_store.snapshot() as snapshot:
        found = snapshot.live_overrides()

    assert (found.set_id, sorted(row["override_id"] for row in found.rows)) == (3, [8, 9])
    assert dict(found.rows[-1])["scope_values"] == '{"chain":"solana"}'


def test_no_set_is_live_after_it_was_taken_back(portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore) -> None:
    portfolio_world.make_live(1, [RULE])
    portfolio_world.make_live(None, [])

    with portfolio_store.snapshot() as snapshot:
        assert snapshot.live_overrides() == RawOverrideSet(set_id=None, rows=())


def test_the_newest_row_of_each_setting_and_scope_is_read(
    portfolio_world: PortfolioWorld, portfolio_store: RuntimeStore
) -> None:
    portfolio_world.switch(set_at=LATER, mode="ACTIVE", on=False)
    portfolio_world.switch(set_at=LATER + HOUR, mode="REDUCE_ONLY")
    portfolio_world.switch(set_at=LATER + 2 * HOUR, mode="HALTED", scope='{"chain":"solana"}')
    portfolio_world.switch(set_at=LATER + 3 * HOUR, mode="ACTIVE", scope='{"chain":"solana"}')

    with portfolio_store.snapshot() as snapshot:
        rows = snapshot.read_switch()

    assert [(row.scope, row.mode, row.overrides_on) for row in rows] == [
        ("{}", "ACTIVE", False),
        ("{}", "REDUCE_ONLY", None),
        ('{"chain":"solana"}', "ACTIVE", None),
    ]
    switch = effective_switch(rows, {})
    assert (switch.mode, switch.overrides_on) == (TradingMode.REDUCE_ONLY, False)


def test_a_switch_that_cannot_be_read_says_so_and_the_tick_goes_on(
    portfolio_world: PortfolioWorld, open_portfolio: OpenStore
) -> None:
    watched = position_row()
    portfolio_world.add(watched)
    portfolio_world.break_switch()
    way_out = order_row(watched, category=ActionCategory.EXIT)

    with open_portfolio().snapshot() as snapshot:
        with pytest.raises(UnreadableSwitchError):
            snapshot.read_switch()
        snapshot.write_orders([way_out], MADE_BY)

    with open_portfolio().snapshot() as snapshot:
        assert snapshot.open_orders(Timeframe.H1) == [way_out]
