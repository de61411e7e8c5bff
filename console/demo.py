"""`lowcap demo`: the main job from candles to what was learned, on the terminal, in one command.

It starts the same programs a deployment runs: the chain and learning through Dagster, the runtime in between. Only the
market is made up, unless a folder of candles is named; then nothing is, and it ends with the last day's ticks.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rich.console import Console

from console.demo_market import begin_market
from console.service import ServiceError
from console.stack import PROJECT, Stack

HISTORY_DAYS = 400
"""Days before the shown ones, so that a daily state (333 bars) exists from the first of them."""
SHOWN_DAYS = 60
TICKED = timedelta(days=1)
TRADED_DAYS = 80
"""Days the runtime trades a simulated market; the edges in it are born on the first."""
LEARNED_DAYS = 22
"""Days that are learned, the last ones: a fading edge is told by 18 of them."""
LOOPS = (timedelta(days=14, hours=-12), timedelta(days=7, hours=-12), timedelta(microseconds=1))
"""How long before the end the runtime stops for what it traded to be learned, and goes on with it."""
TIMEFRAME = "1h"


@dataclass(frozen=True)
class MarketSpan:
    """What the market's source says about itself."""

    description: str
    is_simulated: bool
    first: datetime
    end: datetime


def market_span(stack: Stack) -> MarketSpan:
    """Ask the source for its span; a simulated market ends where its first demo began to look at it.

    Raises
    ------
    ServiceError
        If the source cannot be read; its message went to the terminal.
    """
    told = json.loads(_asked(stack, "regime_assets", "market"))
    first, end = (datetime.fromisoformat(told[name]) for name in ("first", "end"))
    return MarketSpan(told["description"], told["is_simulated"], first, end)


def make_demo(console: Console, stack: Stack) -> MarketSpan:
    """Make the chain, trade, learn; returns the span of the market, at whose end the demo stands.

    Raises
    ------
    ServiceError
        If a step fails.
    """
    started = time.perf_counter()
    if not any(os.environ.get(name) for name in ("LOWCAP_CANDLES", "LOWCAP_LIVE", "LOWCAP_SOURCE")):
        os.environ["LOWCAP_AS_OF"] = begin_market(stack.folder, datetime.now(UTC)).end.isoformat()
    span = market_span(stack)
    shown_from = span.end - timedelta(days=SHOWN_DAYS)
    first = max(span.first, shown_from - timedelta(days=HISTORY_DAYS))
    console.rule("lowcap demo")
    console.print(f"Market: {span.description}")
    console.print(
        f"{SHOWN_DAYS} days to {span.end:%Y-%m-%d %H:%M} UTC, after {(shown_from - first).days} days of history\n"
        "that the daily states need: 333 bars before the first one.\n"
    )
    os.environ["LOWCAP_AS_OF"] = span.end.isoformat()
    last = span.end - timedelta(microseconds=1)
    console.print("[bold]1. Candles, caps -> buckets, phases, drivers -> states -> A/E, as Dagster runs[/bold]")
    stack.run("regime_assets", "backfill", "--from", f"{first:%Y-%m-%d}", "--to", f"{last:%Y-%m-%d}")
    if span.is_simulated:
        _trade_and_learn(console, stack, span)
    else:
        console.print("\n[bold]2. The runtime ticks over the last day[/bold]")
        stack.run("pm_runtime", "--from", (span.end - TICKED).isoformat(), "--to", span.end.isoformat(), "--quiet")
    console.print(f"\nMade in {time.perf_counter() - started:.0f} s.")
    return span


def _trade_and_learn(console: Console, stack: Stack, span: MarketSpan) -> None:
    """Watch the market's tokens, tick, learn as of a day, tick on with what was learned, and again."""
    console.print(f"\n[bold]2. The runtime trades {TRADED_DAYS} days on paper, and what it closes is learned[/bold]")
    file = stack.folder / "demo-watchlist.csv"
    file.write_text(_asked(stack, "regime_assets", "watchlist"), encoding="utf-8")
    stack.run("console.cli", "watch", "import", str(file), "--author", "demo")
    ticked_to, learned_from = span.end - timedelta(days=TRADED_DAYS), span.end - timedelta(days=LEARNED_DAYS)
    facts_from = ticked_to
    for before_end in LOOPS:
        at = span.end - before_end
        until = span.end if before_end < timedelta(hours=1) else at
        console.print(f"\nTicks to {until:%Y-%m-%d %H:%M}, then learning as of it", style="dim")
        window = ("--from", ticked_to.isoformat(), "--to", until.isoformat())
        stack.run("pm_runtime", *window, "--timeframe", TIMEFRAME, "--quiet")
        os.environ["LOWCAP_AS_OF"] = at.isoformat()
        if facts_from < learned_from:
            eve = learned_from - timedelta(days=1)
            stack.run("learning_assets", "backfill", *_days(facts_from, eve), "--facts-only")
        stack.run("learning_assets", "backfill", *_days(learned_from, at))
        ticked_to, learned_from, facts_from = until, at, at
    os.environ["LOWCAP_AS_OF"] = span.end.isoformat()


def _days(first: datetime, last: datetime) -> tuple[str, ...]:
    return "--from", f"{first:%Y-%m-%d}", "--to", f"{last:%Y-%m-%d}"


def _asked(stack: Stack, *arguments: str) -> str:
    """Return what one of the product's modules prints."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=PROJECT, env=stack.environment(), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise ServiceError("the market's source cannot be read")
    return done.stdout
