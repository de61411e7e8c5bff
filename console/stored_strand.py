"""A strand as it is stored, read under its schema; what breaks it is told, not guessed at."""

from collections.abc import Mapping
from typing import Any

from domain.scopes.bitmask import dimensions_of


class UnreadableStrandError(ValueError):
    """A stored strand breaks its schema; the message says where."""


def read_content(kind: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """Document of a strand as JSON, checked.

    Raises
    ------
    UnreadableStrandError
        If it breaks the schema of its kind.
    """
    # Not at the top: the models of strands double the start of a command, and most commands read none.
    from domain.portfolio.strand import DeadLetter, parse_strand, strand_content

    strand = parse_strand(kind, content)
    if isinstance(strand, DeadLetter):
        raise UnreadableStrandError(f"{strand.pointer or '/'}: {strand.reason}")
    return strand_content(strand)


def mask_words(mask: int) -> str:
    """Dimensions of a mask as a person reads them.

    >>> mask_words(260), mask_words(0)
    ('mcap_bucket timeframe', 'everywhere')
    """
    return " ".join(dimensions_of(mask)) or "everywhere"
