"""Overrides that disagree about one buy: who they are, and how both are obeyed.

Within a lever they are blended. Between levers each acts where it stands: thresholds decide whether to buy, every one
of them, and strength only how much of what they let pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import LEVERS
from domain.portfolio.pm_strength import Strength

MORE_WHEN_ABOVE_ONE: dict[OverrideLever, bool] = {
    OverrideLever.PM_STRENGTH: True,
    OverrideLever.TS_MIN_MULT: False,
    OverrideLever.HALO_MULT: True,
    OverrideLever.DX_MIN_MULT: False,
}
"""Whether a multiplier above 1 buys more: larger, or past a looser gate. A floor that rises lets less pass."""


class Precedence(StrEnum):
    """How overrides that disagree are both obeyed."""

    BLENDED = "blended"
    EVERY_GATE = "every_gate"
    GATES_FIRST = "gates_first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Overrides that pull in opposite directions: those that buy more, those that buy less, and what is done."""

    more: OverrideLever
    less: OverrideLever
    more_ids: tuple[int, ...]
    less_ids: tuple[int, ...]
    precedence: Precedence


def contradictions(strengths: Mapping[OverrideLever, Strength]) -> tuple[Contradiction, ...]:
    """Where the overrides that apply to one buy pull in opposite directions, in the order of the levers.

    Each override counts by its own multiplier, not by what the blend came to: one that buys more and one that buys less
    on the same lever are a contradiction even if they cancel.
    """
    pulls = {
        lever: (_ids(strengths[lever], is_more=True), _ids(strengths[lever], is_more=False))
        for lever in LEVERS
        if lever in strengths
    }
    pairs = [*((lever, lever) for lever in pulls), *combinations(pulls, 2)]
    found = []
    for one, other in pairs:
        for more, less in dict.fromkeys([(one, other), (other, one)]):
            more_ids, less_ids = pulls[more][0], pulls[less][1]
            if more_ids and less_ids:
                found.append(
                    Contradiction(
                        more=more, less=less, more_ids=more_ids, less_ids=less_ids, precedence=_precedence(more, less)
                    )
                )
    return tuple(found)


def _ids(strength: Strength, *, is_more: bool) -> tuple[int, ...]:
    up = MORE_WHEN_ABOVE_ONE[strength.lever] == is_more
    return tuple(each.override_id for each in strength.matched if (each.multiplier > 1 if up else each.multiplier < 1))


def _precedence(more: OverrideLever, less: OverrideLever) -> Precedence:
    if more is less:
        return Precedence.BLENDED
    return Precedence.GATES_FIRST if OverrideLever.PM_STRENGTH in (more, less) else Precedence.EVERY_GATE
