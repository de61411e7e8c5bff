"""Where tuned thresholds stand: one multiplier a gate and cell that has moved, and what the other cells stand at.

A cell without a state of its own stands where the next coarser cells stand, for that is what the runtime makes of the
rows that apply there. Its first step starts from them, and it returns to them; for the coarsest that is 1, the
configured threshold. Were it to start from 1 instead, a step that loosens could tighten: with the whole family at 0.77,
a cell that enters at 0.95 would pull the blend up. Where a cell has its own state the runtime blends it with the
coarser ones, so that a step of one cell shows there only in part.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.learning.tuning_cell import TuningCell
from domain.portfolio.gate import Gate

Key = tuple[TuningCell, Gate]


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningState:
    """Where the threshold of one gate stands in one cell.

    multiplier: of the configured threshold, ratio > 0. since: as of when it came there. fed_at: as of when enough
    episodes last bore on it. n_evidence: episodes of the rate behind its last step by evidence, >= 1.

    Raises
    ------
    ValueError
        If the multiplier is not finite and > 0, there is no evidence, or an instant has no offset.
    """

    cell: TuningCell
    gate: Gate
    multiplier: float
    since: datetime
    fed_at: datetime
    n_evidence: int

    def __post_init__(self) -> None:
        if not 0 < self.multiplier < math.inf or self.n_evidence < 1:
            raise ValueError(f"Expected a ratio > 0 with evidence, was {self.multiplier}, {self.n_evidence} episodes")
        for at in (self.since, self.fed_at):
            if at.utcoffset() is None:
                raise ValueError(f"Expected an instant with an offset, was {at.isoformat()}")

    @property
    def key(self) -> Key:
        """Which threshold it is."""
        return self.cell, self.gate

    def row(self) -> dict[str, object]:
        """Columns of a stored state."""
        return {
            **self.cell.columns(),
            "gate": self.gate.value,
            "multiplier": self.multiplier,
            "since": self.since,
            "fed_at": self.fed_at,
            "n_evidence": self.n_evidence,
        }


@dataclass(frozen=True, slots=True)
class Home:
    """What the coarser cells say of a threshold; `since` is None where none of them has moved."""

    multiplier: float
    since: datetime | None


def states_by_key(states: Iterable[TuningState]) -> dict[Key, TuningState]:
    """States by what they are of.

    Raises
    ------
    ValueError
        If a threshold has two.
    """
    given = list(states)
    found = {state.key: state for state in given}
    if len(found) != len(given):
        raise ValueError(f"A threshold has one state, {len(given)} were of {len(found)}")
    return found


def home_of(states: Mapping[Key, TuningState], cell: TuningCell, gate: Gate) -> Home:
    """Where a cell stands without a state of its own: with the states of most dimensions that contain it.

    Several of them, as of a timeframe and of a bucket, are blended in log space, of equal weight.
    """
    above = [state for state in states.values() if state.gate is gate and cell.is_within(state.cell)]
    if not above:
        return Home(1.0, None)
    depth = max(state.cell.mask.bit_count() for state in above)
    next_above = [state for state in above if state.cell.mask.bit_count() == depth]
    first = next_above[0].multiplier
    if all(state.multiplier == first for state in next_above):
        return Home(first, max(state.since for state in next_above))
    mean = math.fsum(math.log(state.multiplier) for state in next_above) / len(next_above)
    return Home(math.exp(mean), max(state.since for state in next_above))
