"""What other overrides would have made of one buy: the strength of its size, and whether its gates stay open.

From what the decision keeps of each override that applied, and of each gate: nothing is matched again here but against
a set that is named. A gate that a threshold moved is asked again with the value it had. What cannot be said is None.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from domain.config.plan import TuningBoundsConfig
from domain.config.uptrend import UptrendConfig
from domain.portfolio.buy_check import GATE_LEVER, tuned_threshold
from domain.portfolio.gate import Gate, GateReading
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.pm_strength import log_blend

MAX_GAP = 1e-9
"""Gap allowed between a threshold worked out again and the stored one: of a discount, three terms are added up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedOverride:
    """An override that applied to a lever of a buy. It is the same in every version: a lesson and a lever.

    multiplier: ratio. confidence, mask_weight: 0..1; their product is its weight in the blend.
    """

    lesson_id: str
    lever: OverrideLever
    multiplier: float
    confidence: float
    mask_weight: float

    @property
    def key(self) -> tuple[str, OverrideLever]:
        """What names it through all versions."""
        return self.lesson_id, self.lever


def blend_without(
    applied: Sequence[AppliedOverride], left_out: Collection[tuple[str, OverrideLever]] = frozenset()
) -> float:
    """Blend of the overrides that are left, in the order they were stored; 1 where none is.

    >>> def of(lesson, multiplier): return AppliedOverride(
    ...     lesson_id=lesson, lever=OverrideLever.PM_STRENGTH, multiplier=multiplier, confidence=0.5, mask_weight=0.2)
    >>> both = [of("a", 2.0), of("b", 0.5)]
    >>> blend_without(both), blend_without(both, {("a", OverrideLever.PM_STRENGTH)})
    (1.0, 0.5)
    """
    left = [each for each in applied if each.key not in left_out]
    return log_blend([each.multiplier for each in left], [each.mask_weight * each.confidence for each in left])


def retuned_threshold(
    gate: GateReading, multiplier: float, *, uptrend: UptrendConfig, bounds: TuningBoundsConfig
) -> float | None:
    """Threshold of a gate under another learned multiplier.

    Parameters
    ----------
    gate : GateReading
        As stored; one whose threshold can be tuned.
    multiplier : float
        Ratio > 0.
    uptrend, bounds : UptrendConfig, TuningBoundsConfig
        Of the version it was decided with.

    Returns
    -------
    float or None
        None where the stored threshold does not tell it: it has none, or a discount that was cut at 0.

    Raises
    ------
    ValueError
        If no lever moves the threshold of this gate.
    """
    if gate.name not in GATE_LEVER:
        raise ValueError(f"No lever moves the threshold of {gate.name}")
    base = gate.threshold_base
    if base is None:
        return None
    if multiplier == 1:
        return base
    low, high = _ends(gate.name, bounds)
    if gate.name is not Gate.DISCOUNTED:
        return tuned_threshold(base, multiplier, low=low, high=high)
    if base <= 0:
        return None
    dx_min = uptrend.dx_threshold
    return max(0.0, tuned_threshold(dx_min, multiplier, low=low, high=high) + (base - dx_min))


def passes(gate: GateReading, threshold: float) -> bool | None:
    """Whether the value of a gate passes a threshold; None where there is no value.

    One that decided is believed as it was stored: a distance is a quotient, and rounding must not shut what was open.
    """
    if gate.value is None:
        return None
    if threshold == gate.threshold:
        return gate.passed
    if gate.name in (Gate.NEAR_EMA60, Gate.NEAR_EMA333):
        return gate.value <= threshold
    return gate.value >= threshold


def stays_open(
    gates: Sequence[GateReading],
    multipliers: Mapping[OverrideLever, float],
    *,
    uptrend: UptrendConfig,
    bounds: TuningBoundsConfig,
) -> bool | None:
    """Whether a buy would still have been let in; None where one of its gates cannot say and no other is shut.

    Parameters
    ----------
    gates : sequence of GateReading
        Gates of the buy, all of them open.
    multipliers : mapping of OverrideLever to float
        Of the thresholds; 1 where a lever is not among them.
    uptrend, bounds : UptrendConfig, TuningBoundsConfig
        As `retuned_threshold` takes them.
    """
    verdicts: list[bool | None] = []
    for gate in gates:
        if gate.name in GATE_LEVER:
            threshold = retuned_threshold(
                gate, multipliers.get(GATE_LEVER[gate.name], 1.0), uptrend=uptrend, bounds=bounds
            )
            verdicts.append(None if threshold is None else passes(gate, threshold))
    if False in verdicts:
        return False
    return None if None in verdicts else True


def is_told_again(gate: GateReading, multiplier: float, *, uptrend: UptrendConfig, bounds: TuningBoundsConfig) -> bool:
    """Whether a gate's stored threshold is what the multiplier it was moved by makes of it."""
    threshold = retuned_threshold(gate, multiplier, uptrend=uptrend, bounds=bounds)
    return threshold is not None and gate.threshold is not None and abs(threshold - gate.threshold) <= MAX_GAP


def _ends(gate: Gate, bounds: TuningBoundsConfig) -> tuple[float, float]:
    return {
        OverrideLever.TS_MIN_MULT: (bounds.ts_min_low, bounds.ts_min_high),
        OverrideLever.HALO_MULT: (bounds.halo_low_atr, bounds.halo_high_atr),
        OverrideLever.DX_MIN_MULT: (bounds.dx_min_low, bounds.dx_min_high),
    }[GATE_LEVER[gate]]
