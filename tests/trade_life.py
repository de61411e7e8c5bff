"""Tokens that live bar by bar in a world, and a runtime that ticks each bar.

A bar says what the engine says: its state, its flags, and whether its buy rule is open (`buyable`).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.portfolio.strand import StrandKind
from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import UptrendFlag, UptrendState
from pm_runtime.portfolio_row import OrderRow, PositionRow, StrandRow
from pm_runtime.ports import RuntimeStore
from pm_runtime.tick import TickOutcome, run_tick
from pm_runtime.tick_row import TickRow
from tests.portfolio_rows import BAR, START, TOKEN, position_row, token_bar
from tests.portfolio_worlds import PortfolioWorld

BUCKET = CapBucket.MICRO
LONG_AGO = START - timedelta(days=30)
FREE = {"paper_venue": {"fee_bps": 0.0, "slippage_bps": 0.0}}
"""A venue without costs, so that amounts are round."""
EXIT, EMERGENCY, TRIM = UptrendFlag.EXIT_POSITION, UptrendFlag.EMERGENCY_EXIT, UptrendFlag.TRIM_FLAG
FIRST_DIP, RECLAIMED = UptrendFlag.FIRST_DIP_BUY_FLAG, UptrendFlag.RECLAIMED_EMA333


def seen(
    bar: ExecutionBar,
    state: str = "S1",
    price: float = 2.0,
    *flags: UptrendFlag,
    buyable: bool = False,
    prev_state: str | None = None,
    **values: Any,
) -> TokenBar:
    """A bar that stands at one price; its buy rule is open or shut by the EMAs, whatever its state."""
    prices = dict.fromkeys(("open_usd", "high_usd", "low_usd", "close_usd"), price)
    near, far = {"ema60": price, "ema144": 1.05 * price, "ema333": price}, {"ema60": price / 4, "ema333": price / 4}
    given = {
        **{"state": UptrendState(state), "prev_state": UptrendState(prev_state or state), "transition": None},
        **{"flags": frozenset(flags), "volume": 1e9, "atr": price / 20, "ts": 0.7, "ts_with_boost": 0.75},
        **{"ox": 0.5, "dx": 0.9, "edx": 0.1, "ema144": price / 2, "ema60_slope": 0.01, "ema144_slope": 0.005},
        **{"ema250_slope": 0.001, "ema333_slope": 0.001},
    }
    return token_bar(bar, **given | prices | (near if buyable else far) | values)


class TradeLife:
    """A world whose bars are ticked in turn, one runtime, one bucket; `bar` is the one that comes next."""

    def __init__(self, world: PortfolioWorld, timeframe: Timeframe = Timeframe.H1) -> None:
        self.world = world
        self.bar = ExecutionBar(timeframe, BAR.timestamp)
        self.store: RuntimeStore | None = None
        self.score: dict[str, Any] | None = {"a": 0.6, "e": 0.4}
        self.ticks: list[TickRow] = []
        self._tagged: set[tuple[object, object]] = set()

    def allow(self, mode: str = "ACTIVE", *, on: bool = True) -> "TradeLife":
        """Set the switch as a migrated database has it."""
        self.world.switch(set_at=LONG_AGO, mode=mode, on=on)
        return self

    def watch(self, token: str = TOKEN[0], **values: Any) -> PositionRow:
        """Put a position on the watchlist, on the timeframe of the bars by default; nobody speaks of its token."""
        row = position_row(token, **{"timeframe": self.bar.timeframe, "intent": None} | values)
        self.world.add(row)
        return row

    def see(self, bars: Mapping[str, TokenBar] | TokenBar | None, *, bucket: CapBucket | None = BUCKET) -> None:
        """Publish what the assets know of the next bar."""
        bars = {TOKEN[0]: bars} if isinstance(bars, TokenBar) else bars or {}
        for token, each in bars.items():
            self.world.publish_bar((token, TOKEN[1]), self.bar, each)
        midnight = Timeframe.D1.floor(self.bar.timestamp)
        for token in bars:
            if bucket is not None and (token, midnight) not in self._tagged:
                self.world.tag((token, TOKEN[1]), midnight, bucket)
                self._tagged.add((token, midnight))
        if self.score is not None:
            self.world.publish_score(BUCKET, self.bar, **self.score)

    def tick(self, **options: Any) -> TickOutcome:
        """Tick the next bar as it was published."""
        if self.store is None:
            self.store = self.world.store()
        outcome = run_tick(self.store, self.bar, **options)
        if outcome.tick is not None:
            self.ticks.append(outcome.tick)
        self.bar = self.bar.following()
        return outcome

    def step(self, state: str = "S1", price: float = 2.0, *flags: UptrendFlag, **values: Any) -> TickOutcome:
        """One bar of the one token, published and ticked."""
        self.see(seen(self.bar, state, price, *flags, **values))
        return self.tick()

    def enter(self) -> PositionRow:
        """Watch the token and buy it in S1: an entry, and the bar that fills it."""
        self.watch()
        self.step("S0")
        self.step("S1", buyable=True, prev_state="S0")
        self.step("S1")
        return self.position

    @property
    def position(self) -> PositionRow:
        """The one position as it is stored."""
        (row,) = self.world.positions()
        return row

    @property
    def orders(self) -> list[OrderRow]:
        """Every order, by the bar it was decided on."""
        return self.world.orders()

    @property
    def patterns(self) -> list[str]:
        """Patterns that were ordered on, in turn, without their common head."""
        return [order.pattern_key.removeprefix("pm.uptrend.") for order in self.orders]

    @property
    def actions(self) -> list[StrandRow]:
        """Actions as they were told."""
        return [strand for strand in self.world.strands() if strand.kind is StrandKind.PM_ACTION]

    @property
    def closures(self) -> list[StrandRow]:
        """Closures as they were told."""
        return [strand for strand in self.world.strands() if strand.kind is StrandKind.POSITION_CLOSED]

    def close(self) -> None:
        """End the runtime's session."""
        if self.store is not None:
            self.store.close()
            self.store = None
