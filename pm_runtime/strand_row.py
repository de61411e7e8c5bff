"""A document as a row of the event log: validated before it is written, never after."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.portfolio.strand import DeadLetter, StrandKind, parse_strand, strand_content, strand_text_id
from domain.portfolio.strict_json import canonical_json
from pm_runtime.portfolio_row import PositionRow, StrandRow


class StrandRefusedError(ValueError):
    """A document this code made breaks its own schema: the tick refuses rather than writes what nobody can read."""


def strand_row(
    kind: StrandKind, content: Mapping[str, Any], *, row: PositionRow, trade_id: str, occurred_at: datetime
) -> StrandRow:
    """Row of a document about one position.

    Raises
    ------
    StrandRefusedError
        If the document is not of its schema; the message names the place.
    """
    strand = parse_strand(kind.value, content)
    if isinstance(strand, DeadLetter):
        raise StrandRefusedError(f"{kind.value} of {row.token_contract}: {strand.pointer or '/'}: {strand.reason}")
    document = strand_content(strand)
    text = canonical_json(document)
    return StrandRow(
        strand_id=strand_text_id(kind, text),
        kind=kind,
        schema_version=document["schema_version"],
        position_id=row.position_id,
        trade_id=trade_id,
        token_contract=row.token_contract,
        chain=row.chain,
        timeframe=row.timeframe,
        occurred_at=occurred_at,
        content=document,
        content_text=text,
    )
