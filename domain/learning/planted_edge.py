"""Edges that are put into the simulated market on purpose, so that what learning says can be held against the truth.

What belongs here: where an edge is planted, how strong it is at an age, and which learned overrides speak of it. What
does not: how prices are made of it (`resources.simulated_breakout`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.vocabulary.scope_dimension import ScopeDimension

BASE_CHANCE = 0.22
"""Chance that a breakout without any edge runs; the others fail."""
CERTAIN = (0.02, 0.97)
"""Least and largest chance, however many edges meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedEdge:
    """In one scope breakouts run more often, or less often, than elsewhere.

    Attributes
    ----------
    name : str
        For people.
    dimension, value : ScopeDimension, str
        The scope it is planted in, as the learned scopes spell it.
    lift : float
        Added to the chance of a run at birth, -1..1, not 0.
    half_life_days : float or None
        Age at which half of it is left; None: it stays.
    """

    name: str
    dimension: ScopeDimension
    value: str
    lift: float
    half_life_days: float | None = None

    def lift_at(self, age_days: float) -> float:
        """Return what is left of the lift at an age; before its birth all of it.

        >>> PLANTED_EDGES[2].lift_at(110.0) == PLANTED_EDGES[2].lift / 2
        True
        """
        if self.half_life_days is None:
            return self.lift
        return float(self.lift * 0.5 ** (max(age_days, 0.0) / self.half_life_days))


PLANTED_EDGES: tuple[PlantedEdge, ...] = (
    PlantedEdge(name="orca knows", dimension=ScopeDimension.CURATOR, value="orca", lift=0.68),
    PlantedEdge(name="moth misleads", dimension=ScopeDimension.CURATOR, value="moth", lift=-0.60),
    PlantedEdge(
        name="heron was early", dimension=ScopeDimension.CURATOR, value="heron", lift=0.74, half_life_days=110.0
    ),
    PlantedEdge(name="listings run", dimension=ScopeDimension.INTENT, value="listing", lift=0.72, half_life_days=120.0),
    PlantedEdge(name="sui is new", dimension=ScopeDimension.CHAIN, value="sui", lift=0.72, half_life_days=140.0),
)
"""What the simulated market has in it: five edges, three of them fading."""


def run_chance(
    attributes: Mapping[ScopeDimension, str], age_days: float, edges: Sequence[PlantedEdge] = PLANTED_EDGES
) -> float:
    """Chance that a breakout of a token with some attributes runs.

    Parameters
    ----------
    attributes : mapping
        Scope values of the token.
    age_days : float
        Since the edges were born; negative before.
    edges : sequence of PlantedEdge
        Those that are planted.

    >>> run_chance({ScopeDimension.CURATOR: "finch"}, 10.0), run_chance({ScopeDimension.CURATOR: "moth"}, 10.0)
    (0.22, 0.02)
    """
    lifts = (edge.lift_at(age_days) for edge in edges if attributes.get(edge.dimension) == edge.value)
    low, high = CERTAIN
    return float(min(max(BASE_CHANCE + sum(lifts), low), high))


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedScope:
    """Where an override acts and which way: factor above 1 buys more, below 1 less."""

    override_id: int
    scope: Mapping[ScopeDimension, str]
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedScore:
    """What was found. found: ids of the overrides that speak of each edge, in the order of the edges, () where none.

    false: ids of the overrides that speak of none. unscoped: ids of those that hold everywhere: they are of a
    pattern as a whole, and of that nothing was planted.
    """

    edges: tuple[PlantedEdge, ...]
    found: tuple[tuple[int, ...], ...]
    false: tuple[int, ...]
    unscoped: tuple[int, ...]

    @property
    def n_found(self) -> int:
        """Edges that at least one override speaks of."""
        return sum(bool(ids) for ids in self.found)


def score_planted(learned: Sequence[LearnedScope], edges: Sequence[PlantedEdge] = PLANTED_EDGES) -> PlantedScore:
    """Hold what was learned against what was planted.

    An override speaks of an edge when its scope lies within the edge's and it moves sizes the edge's way: nothing else
    was put into any scope, so one of a scope that speaks of no edge is false.

    >>> orca = LearnedScope(override_id=1, scope={ScopeDimension.CURATOR: "orca"}, factor=1.4)
    >>> wrong_way = LearnedScope(override_id=2, scope={ScopeDimension.CURATOR: "orca"}, factor=0.7)
    >>> score = score_planted([orca, wrong_way])
    >>> score.n_found, score.found[0], score.false
    (1, (1,), (2,))
    """
    found = tuple(tuple(each.override_id for each in learned if _speaks_of(each, edge)) for edge in edges)
    told = {override_id for ids in found for override_id in ids}
    unscoped = tuple(each.override_id for each in learned if not each.scope)
    false = tuple(each.override_id for each in learned if each.override_id not in told and each.scope)
    return PlantedScore(edges=tuple(edges), found=found, false=false, unscoped=unscoped)


def _speaks_of(learned: LearnedScope, edge: PlantedEdge) -> bool:
    is_same_way = (learned.factor > 1) if edge.lift > 0 else (learned.factor < 1)
    return learned.scope.get(edge.dimension) == edge.value and is_same_way
