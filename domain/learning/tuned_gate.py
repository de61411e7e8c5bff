"""A gate that can be tuned: where its threshold stands under a multiplier, how far that may go, and who it lets in.

Which way opens a gate follows from what it asks. Trend strength and discount must reach their threshold, so a lower one
lets more in; the distance to an EMA must not exceed its halo, so a larger one does.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.config.plan import PlanConfig
from domain.config.tuning import TuningConfig
from domain.config.uptrend import UptrendConfig
from domain.learning.episode_fact import EpisodeFact
from domain.portfolio.buy_check import GATE_LEVER, tuned_threshold
from domain.portfolio.gate import Gate, GateReading
from domain.portfolio.override_contradiction import MORE_WHEN_ABOVE_ONE
from domain.portfolio.override_row import MULTIPLIER_MAX, MULTIPLIER_MIN, OverrideLever
from domain.scopes.pattern_key import TuningFamily

GATES_OF: dict[TuningFamily, tuple[Gate, ...]] = {
    TuningFamily.S1_ENTRY: (Gate.TREND_STRENGTH, Gate.NEAR_EMA60),
    TuningFamily.S3_RETEST: (Gate.TREND_STRENGTH, Gate.DISCOUNTED),
}
"""Gates of each family's buy rule whose threshold a lever moves; slopes, facts and the planner's own stand fixed."""


class Direction(StrEnum):
    """Which way a threshold steps."""

    LOOSEN = "loosen"
    TIGHTEN = "tighten"


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedGate:
    """One gate of one family under one configuration.

    base: the configured threshold, > 0; low, high: ends of the tuned one, which include the base. scale: what counts
    as one unit of margin. moves_with_bar: the reading's thresholds are the base, moved by what that bar was like.
    """

    family: TuningFamily
    gate: Gate
    base: float
    low: float
    high: float
    scale: float
    moves_with_bar: bool

    @property
    def lever(self) -> OverrideLever:
        """What moves its threshold."""
        return GATE_LEVER[self.gate]

    @property
    def opens_upwards(self) -> bool:
        """Whether a larger threshold lets more in."""
        return MORE_WHEN_ABOVE_ONE[self.lever]

    def threshold(self, multiplier: float) -> float:
        """Threshold under a multiplier, as the buy check makes it."""
        return tuned_threshold(self.base, multiplier, low=self.low, high=self.high)

    def bounded(self, multiplier: float) -> float:
        """Nearest multiplier whose threshold is within the bounds and that an override may have."""
        lowest, highest = max(self.low / self.base, MULTIPLIER_MIN), min(self.high / self.base, MULTIPLIER_MAX)
        return min(max(multiplier, lowest), highest)

    def stepped(self, multiplier: float, direction: Direction, config: TuningConfig) -> float:
        """Multiplier after one step: x (1 - step) or x (1 + step), within the bounds.

        One up does not undo one down (0.95 x 1.05 = 0.9975): what ends within half a step of 1 ends at 1.
        """
        is_up = (direction is Direction.LOOSEN) == self.opens_upwards
        moved = multiplier * (1.0 + config.step_frac if is_up else 1.0 - config.step_frac)
        return 1.0 if abs(moved - 1.0) < config.step_frac / 2 else self.bounded(moved)

    def returned(self, multiplier: float, home: float, config: TuningConfig) -> float:
        """Multiplier one step nearer to another; there at the latest."""
        if multiplier < home:
            return min(multiplier * (1.0 + config.step_frac), home)
        return max(multiplier * (1.0 - config.step_frac), home)

    def margin(self, reading: GateReading, multiplier: float) -> float | None:
        """By how much a reading passes (>= 0) or fails under a multiplier, in units; None where it cannot be said.

        Under the threshold it was read with this is the margin it was read with. The threshold of a moving gate moves
        with the base as far as the base does; one that was cut off at 0 does not tell how far that is.
        """
        if reading.value is None or reading.threshold is None or reading.threshold_base is None:
            return None
        threshold = self.threshold(multiplier)
        if self.moves_with_bar:
            if reading.threshold_base <= 0:
                return None
            threshold = max(reading.threshold_base + (threshold - self.base), 0.0)
        if math.isclose(threshold, reading.threshold, rel_tol=1e-12):
            return reading.margin
        room = threshold - reading.value if self.opens_upwards else reading.value - threshold
        return room / self.scale


def tuned_gates(plan: PlanConfig, uptrend: UptrendConfig) -> tuple[TunedGate, ...]:
    """Gates that can be tuned, by family; a threshold configured as 0 has no multiples and is not among them."""
    bounds, scale = plan.tuning_bounds, plan.gate_scale
    known = {
        Gate.TREND_STRENGTH: (uptrend.ts_min, bounds.ts_min_low, bounds.ts_min_high, scale.ts),
        Gate.NEAR_EMA60: (uptrend.entry_halo_atr, bounds.halo_low_atr, bounds.halo_high_atr, scale.halo_atr),
        Gate.DISCOUNTED: (uptrend.dx_threshold, bounds.dx_min_low, bounds.dx_min_high, scale.dx),
    }
    made = []
    for family, gates in GATES_OF.items():
        for gate in gates:
            base, low, high, unit = known[gate]
            if base > 0:
                made.append(
                    TunedGate(
                        family=family,
                        gate=gate,
                        base=base,
                        low=min(low, base),
                        high=max(high, base),
                        scale=unit,
                        moves_with_bar=gate is Gate.DISCOUNTED,
                    )
                )
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Bearing:
    """An episode that bears on a gate: nothing but it was in the way. margin: units, under one multiplier."""

    episode: EpisodeFact
    margin: float

    @property
    def is_let_in(self) -> bool:
        """Whether the gate lets it in."""
        return self.margin >= 0


def bearings(gate: TunedGate, episodes: Iterable[EpisodeFact], multiplier: float) -> list[Bearing]:
    """Episodes on which a gate alone decides, as it would under a multiplier.

    They are those that were acted in, and those it alone kept out. Under the threshold that stood when they were
    decided, the first are let in and the second are not; under another one some change sides, and their outcome speaks
    of the side they are on now. It can, for an outcome is read from the bars by one rule, bought or not. What is taken
    from the record is the bar: a looser gate might have bought on an earlier one.

    Left out: where a further gate was shut, where nothing was shut and yet nothing bought, and where the gate was not
    read (a first dip or a reclaim asks others) or lacked its value.
    """
    found = []
    for episode in episodes:
        if not (episode.is_acted or episode.blocking == (gate.gate,)):
            continue
        reading = next((each for each in episode.gates if each.name is gate.gate), None)
        margin = None if reading is None else gate.margin(reading, multiplier)
        if margin is not None:
            found.append(Bearing(episode, margin))
    return found
