"""The simulated market of a demo: begun once for a folder of state, and the same whenever the demo runs again there."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

DAYS = 500
FILE = "simulated_market.json"
START_VARIABLE = "LOWCAP_SIMULATION_START"


@dataclass(frozen=True, slots=True)
class DemoMarket:
    """First midnight of the simulated market, and the midnight the demo stands at."""

    start: datetime
    end: datetime


def begun_market(folder: Path) -> DemoMarket | None:
    """Return the market a demo began in a folder of state; None when none did."""
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return DemoMarket(*(datetime.fromisoformat(told[name]).astimezone(UTC) for name in ("start", "end")))


def begin_market(folder: Path, now_at: datetime) -> DemoMarket:
    """Return the market of a folder of state; where there is none yet, one that ends with the day before `now_at`.

    What is drawn depends on the distance from the start alone, so every first demo sees the same prices.
    """
    begun = begun_market(folder)
    if begun is not None:
        return begun
    end = now_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    made = DemoMarket(end - timedelta(days=DAYS), end)
    folder.mkdir(parents=True, exist_ok=True)
    words = {"start": made.start.isoformat(), "end": made.end.isoformat()}
    (folder / FILE).write_text(json.dumps(words) + "\n", encoding="utf-8")
    return made
