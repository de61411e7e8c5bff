"""Who speaks for a factor: of lessons about the same trades the one that may make an override.

Of two such lessons now the one, now the other has the larger edge. Were each day's representative taken, the override
of the one before would act beside it until it expires: one finding, counted twice.
"""

from collections.abc import Collection, Iterable

from domain.learning.override_record import OverrideRecord


def factor_speakers(
    factors: Iterable[tuple[str, Collection[str]]], previous: Iterable[OverrideRecord]
) -> frozenset[str]:
    """Lessons that may make an override of size, one a factor.

    Parameters
    ----------
    factors : iterable of (str, collection of str)
        Representative of each factor, and the ids of all its lessons.
    previous : iterable of OverrideRecord
        The set before. Overrides of thresholds, which have no edge, speak for no lesson.

    Returns
    -------
    frozenset of str
        Of each factor the lesson whose override stands, the one proposed first (of equal ones the lesser id), else the
        representative.
    """
    standing = {each.key.lesson_id: each.proposed_at for each in previous if each.override.edge is not None}
    return frozenset(
        min((each for each in members if each in standing), key=lambda each: (standing[each], each), default=first)
        for first, members in factors
    )
