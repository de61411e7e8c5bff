"""Strands: the events of `ad_strands`, which learning reads. Their text, their name, and what is refused.

What belongs here: reading a document whatever it is, writing it in one spelling. What does not: what it says
(`pm_action`, `position_closed`).

Nobody's event stops another's: what breaks its schema becomes a dead letter with the place that is wrong.
"""

import hashlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json

from domain.portfolio.pm_action import PmAction
from domain.portfolio.position_closed import PositionClosed
from domain.portfolio.strict_json import (
    MAX_CHARACTERS,
    MAX_DEPTH,
    MAX_INTEGER_BITS,
    StrictJsonError,
    canonical_json,
    check_json,
    json_pointer,
    read_json,
)

SCHEMA_VERSION = 1
MAX_PAYLOAD_CHARACTERS = 100_000
MAX_WORDS_CHARACTERS = 500
MAX_SHOWN_VALUES = 100_000

Strand = PmAction | PositionClosed
Payload = str | bytes | Mapping[str, Any]


class StrandKind(StrEnum):
    """What a strand tells."""

    PM_ACTION = "pm_action"
    POSITION_CLOSED = "position_closed"


MODELS: dict[StrandKind, type[PmAction] | type[PositionClosed]] = {
    StrandKind.PM_ACTION: PmAction,
    StrandKind.POSITION_CLOSED: PositionClosed,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A strand that broke its schema. Every text can be stored: NUL and lone surrogates are written as escapes.

    dead_letter_id: hash of kind and whole payload. pointer: the first place that is wrong (RFC 6901; "" is all of it).
    payload: as it came, cut at 100,000 characters.
    """

    dead_letter_id: str
    kind: str
    pointer: str
    reason: str
    payload: str


def strand_content(strand: Strand) -> dict[str, Any]:
    """Document of a strand as JSON has it, with every key it came with and no other."""
    return strand.model_dump(mode="json", exclude_unset=True)


def strand_json(strand: Strand) -> str:
    """Canonical text of a strand: sorted keys, no spaces, shortest floats, instants in UTC.

    Raises
    ------
    ValueError
        If a text holds NUL or half of a surrogate pair, or a key the schema does not name holds what is no JSON.
    """
    content = strand_content(strand)
    check_json(content)
    return canonical_json(content)


def strand_id(kind: StrandKind, content: Strand | Mapping[str, Any]) -> str:
    """Hash of kind and canonical content: the same event told twice is one row.

    A document that is read back has the id it was stored under.
    """
    text = canonical_json(dict(content)) if isinstance(content, Mapping) else strand_json(content)
    return strand_text_id(kind, text)


def strand_text_id(kind: StrandKind, text: str) -> str:
    """As `strand_id`, of the canonical text of the content."""
    return hashlib.sha256(f"{kind.value}{text}".encode()).hexdigest()


def parse_strand(kind: str, payload: Payload) -> Strand | DeadLetter:
    """Strand of a payload, or the dead letter it becomes. Nothing raises, whatever comes.

    Parameters
    ----------
    kind : str
        Kind it claims to be.
    payload : str, bytes or mapping
        JSON text, or the document already read. Types are not converted: a number in quotes is wrong.

    Returns
    -------
    PmAction, PositionClosed or DeadLetter
        Of a strand, keys the schema does not name are kept as they came.
    """
    try:
        if kind not in {known.value for known in StrandKind}:
            raise StrictJsonError("", f"no kind of strand, expected one of {[known.value for known in StrandKind]}")
        document = _checked(payload)
        try:
            return MODELS[StrandKind(kind)].model_validate_json(to_json(document), strict=True)
        except ValidationError:  # the first of several problems is the first in the canonical text
            return MODELS[StrandKind(kind)].model_validate_json(canonical_json(document), strict=True)
    except StrictJsonError as error:
        return _dead_letter(kind, payload, error.pointer, error.reason)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        path = tuple(part for part in problems[0]["loc"] if part != "[key]")
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return _dead_letter(kind, payload, json_pointer(path), problems[0]["msg"] + more)


def strand_schema(kind: StrandKind) -> dict[str, Any]:
    """JSON Schema (2020-12) of the documents of a kind."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **MODELS[kind].model_json_schema()}


def _checked(payload: Payload) -> Any:
    """Document of a payload, if it has a JSON text of a bearable length."""
    if isinstance(payload, str | bytes):
        return read_json(payload)
    document = dict(payload)
    check_json(document)
    if len(to_json(document)) > MAX_CHARACTERS:
        length = len(canonical_json(document))
        if length > MAX_CHARACTERS:
            raise StrictJsonError("", f"expected at most {MAX_CHARACTERS} characters, was {length}")
    return document


def _dead_letter(kind: str, payload: Payload, pointer: str, reason: str) -> DeadLetter:
    text = _storable(_payload_text(payload))
    claimed = _storable(kind)
    return DeadLetter(
        dead_letter_id=hashlib.sha256(f"{claimed}\n{text}".encode()).hexdigest(),
        kind=claimed[:MAX_WORDS_CHARACTERS],
        pointer=_storable(pointer)[:MAX_WORDS_CHARACTERS],
        reason=_storable(reason)[:MAX_WORDS_CHARACTERS],
        payload=text[:MAX_PAYLOAD_CHARACTERS],
    )


def _payload_text(payload: Payload) -> str:
    if isinstance(payload, bytes):
        return payload.decode("utf-8", "backslashreplace")
    if isinstance(payload, str):
        return payload
    return json.dumps(_shown(payload, MAX_DEPTH, itertools.count()), ensure_ascii=False)


def _shown(value: object, depth: int, seen: Iterator[int]) -> object:
    """Value as far as it can be written: what is too deep or too much is cut, what is no JSON is named by its type."""
    if next(seen) > MAX_SHOWN_VALUES or (isinstance(value, Mapping | list | tuple) and depth == 0):
        return "..."
    if isinstance(value, Mapping):
        return {
            key if isinstance(key, str) else f"<{type(key).__name__}>": _shown(part, depth - 1, seen)
            for key, part in itertools.islice(value.items(), MAX_SHOWN_VALUES)
        }
    if isinstance(value, list | tuple):
        return [_shown(part, depth - 1, seen) for part in value[:MAX_SHOWN_VALUES]]
    if value is None or isinstance(value, str | bool | float):
        return value
    is_short = isinstance(value, int) and value.bit_length() <= MAX_INTEGER_BITS
    return value if is_short else f"<{type(value).__name__}>"


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\u0000")
