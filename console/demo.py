"""`lowcap demo`: the main job from candles to a tick, on the terminal, in one command.

It starts the same programs a deployment runs: the chain through Dagster, then the runtime over the last day. The only
thing made up is the market, unless a folder of candles is named; and then nothing is.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console

from console.service import ServiceError
from console.stack import PROJECT, Stack

HISTORY_DAYS = 400
"""Days before the shown ones, so that a daily state (333 bars) exists from the first of them."""
SHOWN_DAYS = 60
TICKED = timedelta(days=1)


@dataclass(frozen=True)
class MarketSpan:
    """What the market's source says about itself."""

    description: str
    is_simulated: bool
    first: datetime
    end: datetime


def market_span(stack: Stack) -> MarketSpan:
    """Ask the source for its span; a simulated market ends at the last midnight.

    Raises
    ------
    ServiceError
        If the source cannot be read; its message went to the terminal.
    """
    command = [sys.executable, "-m", "regime_assets", "market"]
    done = subprocess.run(command, cwd=PROJECT, env=stack.environment(), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise ServiceError("the market's source cannot be read")
    told = json.loads(done.stdout)
    first, end = (datetime.fromisoformat(told[name]) for name in ("first", "end"))
    return MarketSpan(told["description"], told["is_simulated"], first, end)


def make_demo(console: Console, stack: Stack) -> datetime:
    """Make the chain and tick over its last day; returns the instant the demo stands at.

    Raises
    ------
    ServiceError
        If a step fails.
    """
    started = time.perf_counter()
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
    console.print("\n[bold]2. The runtime ticks over the last day[/bold]")
    stack.run("pm_runtime", "--from", (span.end - TICKED).isoformat(), "--to", span.end.isoformat(), "--quiet")
    console.print(
        f"\nDone in {time.perf_counter() - started:.0f} s. Runs and lineage: `make up`, then the address it prints."
    )
    return span.end
