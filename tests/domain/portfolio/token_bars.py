"""Bars and situations for tests: by hand, of a simulated series, and any that could be."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import strategies as st

from domain.config.plan import PlanConfig
from domain.config.portfolio import SizingConfig
from domain.config.uptrend import UptrendConfig
from domain.portfolio.lifecycle import PositionStatus
from domain.portfolio.plan import Decision, plan_actions
from domain.portfolio.situation import PlanRules, Situation
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trade_memory import NO_MEMORY, Execution, TradeMemory, remember_execution
from domain.portfolio.trading_switch import TradingMode
from domain.regime.uptrend_engine import uptrend_frame
from domain.scopes.pattern_key import PatternKey, parse_pattern_key
from domain.scores.score_reading import ScoreStatus
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.uptrend import StateStatus, UptrendFlag, UptrendState
from tests.builders import random_walk, uptrend_rows

START = datetime(2025, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = PlanRules(plan=PlanConfig(), uptrend=UptrendConfig(), sizing=SizingConfig())

QUIET: dict[str, Any] = {
    "status": StateStatus.OK,
    "transition": None,
    "bootstrapped": False,
    "s3_start_at": None,
    "volume": 100.0,
    "bars_count": 1000,
    "ema60_slope": 1e-4,
    "ema144_slope": 0.0,
    "ema250_slope": 1e-4,
    "ema333_slope": 0.0,
    "atr": 2.0,
    "ts": 0.65,
    "ts_with_boost": 0.65,
    "sr_boost": 0.0,
    "ox": None,
    "dx": None,
    "edx": None,
}
STACKS: dict[UptrendState, dict[str, Any]] = {
    UptrendState.S0: {"close_usd": 90.0, "ema60": 97.0, "ema144": 100.0, "ema333": 105.0},
    UptrendState.S1: {"close_usd": 101.0, "ema60": 100.0, "ema144": 102.0, "ema333": 105.0},
    UptrendState.S2: {"close_usd": 101.5, "ema60": 100.0, "ema144": 102.0, "ema333": 101.0, "ox": 0.5},
    UptrendState.S3: {
        **{"close_usd": 95.2, "ema60": 103.0, "ema144": 100.0, "ema333": 95.0},
        **{"ox": 0.4, "dx": 0.76, "edx": 0.4, "s3_start_at": START - 30 * HOUR},
    },
    UptrendState.S4: {"close_usd": 100.0, "ema60": 100.0, "ema144": 100.0, "ema333": 100.0, "ts_with_boost": None},
}
"""Price and EMAs of each state; those of S1, S2 and S3 pass every gate of the state's buy rule."""


def token_bar(state: str = "S1", *flags: str, hour: int = 0, **changed: Any) -> TokenBar:
    """Bar of an hour that opens at `hour`, in a state whose buy rule is open; `changed` fields override."""
    named = UptrendState(state)
    values = {"prev_state": named, **QUIET, **STACKS[named], **changed}
    close = values["close_usd"]
    prices = {"open_usd": close, "high_usd": close, "low_usd": close}
    return TokenBar(
        opened_at=START + hour * HOUR,
        closed_at=START + (hour + 1) * HOUR,
        state=named,
        flags=frozenset(UptrendFlag(flag) for flag in flags),
        **{**prices, **values},
    )


def watched(bar: TokenBar, **changed: Any) -> Situation:
    """A watched token with levers and a bucket, and nothing held."""
    usual: dict[str, Any] = {
        "memory": NO_MEMORY,
        "status": PositionStatus.WATCHLIST,
        "mode": TradingMode.ACTIVE,
        "quantity": 0.0,
        "a": 0.5,
        "e": 0.5,
        "score_status": ScoreStatus.FRESH,
        "bucket": CapBucket.MICRO,
    }
    return Situation(bar=bar, **{**usual, **changed})


def held(bar: TokenBar, *, bought: str = "pm.uptrend.S1.buy_flag", **changed: Any) -> Situation:
    """A holding that was bought a hundred bars ago."""
    memory = changed.pop("memory", None) or after(execution(bought, "entry", hour=-100))
    return watched(bar, **{"memory": memory, "status": PositionStatus.ACTIVE, "quantity": 10.0, **changed})


def planned(situation: Situation) -> Decision:
    return plan_actions(situation, RULES)


def execution(
    pattern: str | PatternKey, category: str, *, hour: int, is_flat: bool = False, filled_hour: int | None = None
) -> Execution:
    """Order decided on the bar of an hour, filled at the open of the next one."""
    return Execution(
        category=ActionCategory(category),
        pattern_key=parse_pattern_key(str(pattern)),
        bar_timestamp=START + hour * HOUR,
        filled_at=START + (hour + 1 if filled_hour is None else filled_hour) * HOUR,
        is_flat_after=is_flat,
        decision={"hour": hour},
    )


def after(*executions: Execution, memory: TradeMemory = NO_MEMORY) -> TradeMemory:
    for each in executions:
        memory = remember_execution(memory, each)
    return memory


def simulated(seed: int, *, n_bars: int = 2000, config: UptrendConfig | None = None) -> list[TokenBar]:
    """Bars of a simulated token with the states, flags and scores of the engine itself."""
    rows = uptrend_rows(random_walk(n_bars, seed))
    states = uptrend_frame(rows, None, key=["token"], config=config or UptrendConfig())
    joined = rows.drop("token", "timeframe").join(states.drop("price"), on="timestamp").sort("timestamp")
    return [engine_bar(row) for row in joined.with_columns(open_usd=pl.col("close_usd")).iter_rows(named=True)]


def engine_bar(row: dict[str, Any]) -> TokenBar:
    taken = {name: row[name] for name in TokenBar.__slots__ if name in row}
    before = row["prev_state"]
    return TokenBar(
        **taken
        | {
            "opened_at": row["timestamp"],
            "closed_at": row["timestamp"] + HOUR,
            "status": StateStatus(row["status"]),
            "state": UptrendState(row["state"]),
            "prev_state": None if before is None else UptrendState(before),
            "flags": frozenset(flag for flag in UptrendFlag if row[flag.value]),
        }
    )


def hours(bars: Iterable[TokenBar]) -> list[TokenBar]:
    """Bars one after the other, each as the state before it says."""
    placed: list[TokenBar] = []
    for hour, bar in enumerate(bars):
        prev = placed[-1].state if placed else bar.prev_state
        opened = START + hour * HOUR
        placed.append(replace(bar, opened_at=opened, closed_at=opened + HOUR, prev_state=prev))
    return placed


numbers = st.none() | st.floats(0, 1)
slopes = st.none() | st.floats(-1e-3, 1e-3)
prices = st.none() | st.floats(90, 110)


@st.composite
def any_bar(draw: st.DrawFn, *, hour: int = 0) -> TokenBar:
    """Any bar: any state with any flags, any value missing, whether the engine could make it or not."""
    scores = {name: draw(numbers) for name in ("ts", "ts_with_boost", "sr_boost", "ox", "dx", "edx")}
    emas = {name: draw(prices) for name in ("ema60", "ema144", "ema333")}
    rising = {f"{name}_slope": draw(slopes) for name in ("ema60", "ema144", "ema250", "ema333")}
    return token_bar(
        draw(st.sampled_from(UptrendState)).value,
        *draw(st.sets(st.sampled_from([flag.value for flag in UptrendFlag]))),
        hour=hour,
        status=draw(st.sampled_from(StateStatus)),
        prev_state=draw(st.none() | st.sampled_from(UptrendState)),
        bootstrapped=draw(st.booleans()),
        close_usd=draw(st.floats(90, 110)),
        atr=draw(st.none() | st.floats(0, 5)),
        **scores,
        **emas,
        **rising,
    )


any_pattern = st.sampled_from(
    ["S1.buy_flag", "S2.buy_flag", "S3.buy_flag", "S3.rebuy_flag", "S3.first_dip_buy_flag", "S3.reclaimed_ema333"]
)


@st.composite
def any_memory(draw: st.DrawFn) -> TradeMemory:
    """Memory of any trade that could have been: a buy, then buys, trims and exits, one a bar."""
    bought = [f"pm.uptrend.{draw(any_pattern)}"]
    later = draw(st.lists(st.sampled_from(["buy", "trim", "exit"]), max_size=4))
    memory = after(execution(bought[0], "entry", hour=-1 - len(later)))
    for hour, kind in enumerate(later, start=-len(later)):
        if kind == "buy":
            done = execution(f"pm.uptrend.{draw(any_pattern)}", "add", hour=hour)
        else:
            flag = "trim_flag" if kind == "trim" else "emergency_exit"
            done = execution(f"pm.uptrend.S3.{flag}", kind, hour=hour, is_flat=draw(st.booleans()))
        memory = after(done, memory=memory)
    return memory


@st.composite
def buyable_bar(draw: st.DrawFn) -> TokenBar:
    """Bar whose buy rule is open, with any flags the engine could raise beside it."""
    state = draw(st.sampled_from(["S1", "S2", "S3"]))
    beside = ["trim_flag", "first_dip_buy_flag", "reclaimed_ema333", "emergency_exit"]
    return token_bar(state, *draw(st.sets(st.sampled_from(beside), max_size=2)), dx=draw(st.sampled_from([0.1, 0.8])))


HINDRANCES: dict[str, st.SearchStrategy[Any]] = {
    "bar": any_bar(),
    "memory": any_memory(),
    "status": st.sampled_from(PositionStatus),
    "mode": st.sampled_from(TradingMode),
    "a": st.none() | st.floats(0, 1),
    "e": st.none() | st.floats(0, 1),
    "score_status": st.sampled_from(ScoreStatus),
    "bucket": st.none() | st.sampled_from(CapBucket),
    "open_order": st.sampled_from(ActionCategory),
}


@st.composite
def any_situation(draw: st.DrawFn, **fixed: Any) -> Situation:
    """Any situation: a bar that could be bought, watched or held, of which up to three things are anything at all."""
    situation = draw(st.sampled_from([watched, held]))(draw(buyable_bar()))
    hindered = draw(st.sets(st.sampled_from(sorted(HINDRANCES)), max_size=3))
    return replace(situation, **{name: draw(HINDRANCES[name]) for name in sorted(hindered)} | fixed)
