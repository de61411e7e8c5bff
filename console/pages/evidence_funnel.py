"""Bars of the evidence funnel, on a scale of powers of ten: fourteen lessons are seen beside fifty thousand cells."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 620.0
SLIM = 2.0
"""Least width of a bar that stands for something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceBar:
    """A step and its bar; `lost` is how far the bar of the step before went beyond it, where both count one thing."""

    step: Mapping[str, Any]
    width: float | None
    lost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceScale:
    """Counts as lengths: proportional to log10(1 + count), the largest one taking all of the width."""

    largest: int

    def length(self, count: int) -> float:
        """Length of a count, to a tenth of a pixel; nothing has none.

        >>> scale = EvidenceScale(largest=999)
        >>> scale.length(999), scale.length(99), scale.length(0)
        (620.0, 413.3, 0.0)
        """
        if count == 0:
            return 0.0
        return round(max(SLIM, WIDTH * math.log10(1 + count) / math.log10(1 + max(self.largest, 1))), 1)

    def marks(self) -> list[tuple[float, str]]:
        """Powers of ten within the scale, where they stand, and how they are written.

        >>> EvidenceScale(largest=999).marks()
        [(62.2, '1'), (215.2, '10'), (414.2, '100')]
        """
        powers = range(math.floor(math.log10(max(self.largest, 1))) + 1)
        return [(self.length(10**power), f"{10**power:,}") for power in powers]


def evidence_scale(steps: Sequence[Mapping[str, Any]]) -> EvidenceScale:
    """Scale for the counts of some steps."""
    return EvidenceScale(largest=max((each["count"] or 0 for each in steps), default=0))


def evidence_bars(steps: Sequence[Mapping[str, Any]], scale: EvidenceScale) -> list[EvidenceBar]:
    """Bars of some steps in their order.

    Parameters
    ----------
    steps : sequence of mapping
        unit and count, the latter None where it is not known.
    scale : EvidenceScale
        Of these steps.

    Returns
    -------
    list of EvidenceBar
        Without a width where the count is not known; the next one is then compared with the last known one.
    """
    found = []
    before: Mapping[str, Any] | None = None
    for step in steps:
        if step["count"] is None:
            found.append(EvidenceBar(step=step, width=None, lost=0.0))
            continue
        width = scale.length(step["count"])
        is_same = before is not None and before["unit"] == step["unit"] and before["count"] > step["count"]
        lost = round(scale.length(before["count"]) - width, 1) if is_same and before is not None else 0.0
        found.append(EvidenceBar(step=step, width=width, lost=lost))
        before = step
    return found
