"""JSON as strands and overrides use it: one spelling out, and nothing doubtful in.

What belongs here: what is refused and where it stands, and the canonical text. What does not: what a document means.
Python's reader takes more than a database stores: NaN, a key given twice, half of a surrogate pair, any depth.
"""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

MAX_DEPTH = 32
"""Objects and arrays within each other; the documents of the system need less than ten."""

MAX_CHARACTERS = 4_000_000
"""Longest text that is read: a trade of a thousand actions with all they saw."""

MAX_VALUES = 1_000_000
"""Values in one document; in memory, shared parts can make a short one endless."""

MAX_PLAIN_VALUES = 100_000
"""Values up to which a document may be plain."""

MAX_INTEGER_BITS = 1024
"""Integers beyond are larger than any double."""

Place = tuple[Any, ...] | None
"""Where a value stands: the place it is in, and its key or index there; None is the document."""


class StrictJsonError(ValueError):
    """What is no JSON for us. `pointer` says where (RFC 6901, "" is the whole document), `reason` what."""

    def __init__(self, pointer: str, reason: str) -> None:
        super().__init__(f"{pointer or 'document'}: {reason}")
        self.pointer = pointer
        self.reason = reason


class _Repeated(dict[str, Any]):
    """An object whose text gives a key twice."""

    key: str = ""


def read_json(text: str | bytes) -> Any:
    """Read a JSON text.

    Raises
    ------
    StrictJsonError
        If the text is longer than MAX_CHARACTERS or no JSON, bytes are not UTF-8, or the document holds what
        `check_json` refuses or a key twice.

    >>> read_json('{"rr": 2.3}')
    {'rr': 2.3}
    >>> read_json('{"rr": [1, NaN]}')
    Traceback (most recent call last):
    domain.portfolio.strict_json.StrictJsonError: /rr/1: expected a finite number, was nan
    """
    if len(text) > MAX_CHARACTERS:
        raise StrictJsonError("", f"expected at most {MAX_CHARACTERS} characters, was {len(text)}")
    try:
        document = json.loads(text.decode() if isinstance(text, bytes) else text, object_pairs_hook=_object)
    except RecursionError:
        raise StrictJsonError("", f"nested deeper than {MAX_DEPTH}") from None
    except ValueError as error:
        raise StrictJsonError("", f"no JSON: {error}") from None
    check_json(document)
    return document


def check_json(document: object) -> None:
    """Refuse a value that has no JSON text, or one that a database would not take.

    Raises
    ------
    StrictJsonError
        At a number that is not finite or an integer of more than MAX_INTEGER_BITS, a text with NUL or half of a
        surrogate pair, a key that is no text, a type JSON does not have, beyond MAX_DEPTH or MAX_VALUES.
    """
    if not _is_plain(document):
        _look_at_each(document)


def canonical_json(document: object) -> str:
    """Text of a document: sorted keys, no spaces, floats by their shortest exact spelling.

    Raises
    ------
    ValueError
        If a number is not finite.

    >>> canonical_json({"b": 0.1, "a": [None, "é"]})
    '{"a":[null,"é"],"b":0.1}'
    """
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def json_pointer(path: Iterable[object]) -> str:
    """Place in a document as RFC 6901 writes it.

    >>> json_pointer(("scope", "a/b", 0))
    '/scope/a~1b/0'
    """
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    keys = [key for key, _ in pairs]
    repeated = _Repeated(plain)
    repeated.key = next(key for index, key in enumerate(keys) if key in keys[:index])
    return repeated


def _look_at_each(document: object) -> None:
    """Refuse a document at the first value that is wrong, and say where."""
    waiting: list[tuple[object, Place, int]] = [(document, None, 0)]
    seen = 0
    while waiting:
        value, place, depth = waiting.pop()
        seen += 1
        problem = _too_much(depth, seen) or _problem(value)
        if problem:
            raise StrictJsonError(json_pointer(_path(place)), problem)
        if isinstance(value, dict):
            _check_keys(value, place)
            waiting.extend((part, (place, key), depth + 1) for key, part in reversed(list(value.items())))
        elif isinstance(value, list | tuple):
            waiting.extend((part, (place, index), depth + 1) for index, part in reversed(list(enumerate(value))))


def _is_plain(document: object) -> bool:
    """Whether nothing can be wrong with a document, at a glance; where it is not plain, each value is looked at.

    Plain is what is exactly of JSON's types, in ASCII, not large: nearly every document, at a tenth of the time. All
    values of a depth are looked at together.
    """
    level: list[Any] = [[document]]
    seen = 0
    for _ in range(MAX_DEPTH):
        objects = [each for each in level if type(each) is dict]
        values = [value for each in level for value in (each.values() if type(each) is dict else each)]
        seen += len(values)
        if seen > MAX_PLAIN_VALUES or not _are_plain(values) or not _are_plain_keys(objects):
            return False
        level = [value for value in values if type(value) in _CONTAINERS]
        if not level:
            return True
    return False


def _are_plain(values: Sequence[Any]) -> bool:
    kinds = set(map(type, values))
    if not kinds <= _PLAIN_TYPES:
        return False
    texts = "".join([value for value in values if type(value) is str])
    total = sum([value for value in values if type(value) is float])
    bits = max([value.bit_length() for value in values if type(value) is int], default=0)
    return _is_plain_text(texts) and math.isfinite(total) and bits <= MAX_INTEGER_BITS


def _are_plain_keys(objects: Sequence[dict[Any, Any]]) -> bool:
    try:
        return _is_plain_text("".join(["".join(each) for each in objects]))
    except TypeError:  # a key that is no text
        return False


def _is_plain_text(text: str) -> bool:
    return text.isascii() and "\x00" not in text


_CONTAINERS = frozenset({dict, list})
_PLAIN_TYPES = _CONTAINERS | {str, float, int, bool, type(None)}


def _too_much(depth: int, seen: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH}"
    return f"expected at most {MAX_VALUES} values" if seen > MAX_VALUES else None


def _problem(value: object) -> str | None:
    """Say what is wrong with a value, its parts aside."""
    if value is None or isinstance(value, bool | dict | list | tuple):
        return None
    if isinstance(value, str):
        return _text_problem(value)
    if isinstance(value, int):
        return "integer too large" if value.bit_length() > MAX_INTEGER_BITS else None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"expected a finite number, was {value}"
    return f"{type(value).__name__} is no JSON"


def _text_problem(text: str) -> str | None:
    if "\x00" in text:
        return "text with NUL"
    return None if text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text) else "lone surrogate"


def _check_keys(value: dict[Any, Any], place: Place) -> None:
    if isinstance(value, _Repeated):
        raise StrictJsonError(json_pointer(_path((place, value.key))), "key given twice")
    for key in value:
        problem = _text_problem(key) if isinstance(key, str) else f"key of type {type(key).__name__}"
        if problem:
            raise StrictJsonError(json_pointer(_path(place)), f"{problem} as a key")


def _path(place: Place) -> tuple[object, ...]:
    parts: list[object] = []
    while place is not None:
        place, part = place
        parts.append(part)
    return tuple(reversed(parts))
