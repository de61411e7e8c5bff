"""Cells of episodes: a family, and the values a mask fixes in the scope an episode began in.

What belongs here: which episodes are in which cell, as of an instant. What does not: their rates (`tuning_rate`).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.config.tuning import TuningConfig
from domain.learning.episode_fact import CONCLUDED, EpisodeFact
from domain.scopes.bitmask import dimensions_of, is_within, mask_of
from domain.scopes.pattern_key import TuningFamily
from domain.scopes.scope import Scope, scope_hash, scope_json


@dataclass(frozen=True, slots=True, order=True)
class TuningCell:
    """Episodes of one family that share the values of a mask's dimensions; `values` in the order of the bits."""

    family: TuningFamily
    mask: int
    values: tuple[str, ...]

    @property
    def scope(self) -> Scope:
        """Its dimensions with their values."""
        return dict(zip(dimensions_of(self.mask), self.values, strict=True))

    def columns(self) -> dict[str, object]:
        """Cell by the columns of its tables."""
        scope = self.scope
        return {
            "family": self.family.value,
            "scope_mask": self.mask,
            "scope_values": scope_json(scope),
            "scope_values_hash": scope_hash(scope),
        }

    def is_within(self, other: "TuningCell") -> bool:
        """Whether it is a part of another cell, and not all of it.

        >>> root = TuningCell(TuningFamily.S1_ENTRY, 0, ())
        >>> nano = TuningCell(TuningFamily.S1_ENTRY, 4, ("nano",))
        >>> nano.is_within(root), root.is_within(nano), nano.is_within(nano)
        (True, False, False)
        """
        if self.family is not other.family or self.mask == other.mask or not is_within(other.mask, self.mask):
            return False
        return other.scope.items() <= self.scope.items()


def coarse_first(cells: Iterable[TuningCell]) -> list[TuningCell]:
    """Cells in the order they are told: by family, those with fewer dimensions first."""
    return sorted(cells, key=lambda cell: (cell.family, cell.mask.bit_count(), cell.mask, cell.values))


def episodes_by_cell(
    episodes: Iterable[EpisodeFact], *, as_of_at: datetime, config: TuningConfig
) -> dict[TuningCell, tuple[EpisodeFact, ...]]:
    """Episodes of the lookback that had begun, by cell; an episode is in at most one cell of a mask.

    Parameters
    ----------
    episodes : iterable of EpisodeFact
        Any order: those of a cell come by start and id.
    as_of_at : datetime
        With an offset.
    config : TuningConfig
        Masks and lookback. An episode whose scope does not know a dimension of a mask is in no cell of it.

    Raises
    ------
    ValueError
        If the instant has no offset, or an episode comes twice.
    """
    if as_of_at.utcoffset() is None:
        raise ValueError(f"as_of_at must have an offset, was {as_of_at.isoformat()}")
    oldest = as_of_at - timedelta(days=config.lookback_days)
    known = [each for each in episodes if each.started_at >= oldest and each.has_begun(as_of_at)]
    if len({each.episode_id for each in known}) != len(known):
        raise ValueError(f"An episode comes once, {len(known)} had {len({each.episode_id for each in known})} ids")
    ladder = [(mask, dimensions_of(mask)) for mask in sorted(map(mask_of, config.masks))]
    cells: defaultdict[TuningCell, list[EpisodeFact]] = defaultdict(list)
    for episode in sorted(known, key=lambda each: (each.started_at, each.episode_id)):
        scope = dict(episode.scope)
        for mask, dimensions in ladder:
            if all(dimension in scope for dimension in dimensions):
                values = tuple(scope[dimension] for dimension in dimensions)
                cells[TuningCell(episode.family, mask, values)].append(episode)
    return {cell: tuple(cells[cell]) for cell in coarse_first(cells)}


def concluded(episodes: Sequence[EpisodeFact], as_of_at: datetime) -> list[EpisodeFact]:
    """Episodes whose success or failure was known before an instant."""
    return [each for each in episodes if each.outcome in CONCLUDED and each.is_told(as_of_at)]
