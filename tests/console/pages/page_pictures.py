"""What the pictures of learning are drawn from: edges with a fit of each kind, and without; some of it hostile."""

import json

from tests.console.learned_rows import HOURLY, NANO, store
from tests.console.picture_rows import exponential_fit, line_fit, snapshots

FALLING = [0.5 * 0.5 ** (day / 8) for day in range(20)]
"""Halves in eight days."""


def make_pictures(hostile: str) -> None:
    """Edges of the cells of some lessons, and of a cell with a hostile name."""
    named = json.dumps({"curator": hostile})
    drift = [0.2 - 0.01 * day for day in range(20)]
    store("learning_edge_history", *snapshots(NANO, FALLING), *snapshots(HOURLY, drift), *snapshots(named, drift[:3]))
    hidden = {"decay_state": "stable", "decay_mult": 1.0, "relative_rate_per_hour": None, "reason": hostile}
    store(
        "edge_decay_fit",
        exponential_fit(NANO, 0.5, 8.0),
        line_fit(HOURLY, 0.2, -0.01),
        line_fit(named, 0.1, 0.0, **hidden),
    )
