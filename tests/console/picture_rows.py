"""Rows of edges and their fits as a test wants them stored; what a test does not name follows from its numbers."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.console.learned_rows import BOUGHT, DAY, MADE, MIDNIGHT

HOURS = 24.0
UNVERSIONED = {name: value for name, value in MADE.items() if name != "config_version"}


def cell_of(scope: Mapping[str, str] | str, pattern: str = BOUGHT, category: str = "entry") -> dict[str, Any]:
    """Columns of a cell, its values as canonical JSON; a text is stored as it is."""
    signature = scope if isinstance(scope, str) else json.dumps(scope, separators=(",", ":"), sort_keys=True)
    return {"pattern_key": pattern, "action_category": category, "scope_signature": signature}


def snapshots(scope: Mapping[str, str] | str, edges: Sequence[float], **cell: str) -> list[dict[str, Any]]:
    """One edge a day, the last on the first midnight of the tests."""
    first = MIDNIGHT - (len(edges) - 1) * DAY
    return [
        _of(first + number * DAY) | cell_of(scope, **cell) | {"edge_raw": edge, "n_trades": 40 + number} | UNVERSIONED
        for number, edge in enumerate(edges)
    ]


def line_fit(scope: Mapping[str, str] | str, start: float, per_day: float, **values: Any) -> dict[str, Any]:
    """A fit without an exponential, on the first midnight of the tests."""
    line = {"intercept": start, "slope_per_hour": per_day / HOURS, "r2_linear": 0.6}
    names = ("amplitude", "rate_per_hour", "rate_se_per_hour", "half_life_hours")
    told = {"n_snapshots": 20, "n_outliers": 0, "r2_exponential": 0.2, "relative_rate_per_hour": -0.001}
    state = {"decay_mult": 0.98, "decay_state": "decaying", "reason": "not_exponential"}
    return _of(MIDNIGHT) | cell_of(scope) | line | dict.fromkeys(names) | told | state | MADE | values


def exponential_fit(scope: Mapping[str, str] | str, amplitude: float, half_life_days: float, **values: Any) -> Any:
    """A fit whose exponential is believed: its rate is ten standard errors from none."""
    rate = -math.log(2) / (half_life_days * HOURS)
    curve = {"amplitude": amplitude, "rate_per_hour": rate, "rate_se_per_hour": abs(rate) / 10}
    curve |= {"half_life_hours": half_life_days * HOURS, "r2_exponential": 0.9, "relative_rate_per_hour": rate}
    return line_fit(scope, amplitude, -amplitude / 40) | curve | {"decay_mult": 0.7, "reason": None} | values


def _of(midnight: datetime) -> dict[str, datetime]:
    return {"timestamp": midnight, "as_of": midnight + DAY}
