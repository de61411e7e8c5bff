"""A small validator of JSON Schema: the keywords our schemas use, and a refusal of any other."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

Schema = dict[str, Any]
TYPES = {"object": dict, "array": list, "string": str, "null": type(None), "integer": int, "number": (int, float)}
WORDS = {"$schema", "$defs", "title", "description"}

PARTS: dict[str, Callable[[Any, Any, Schema], Iterable[tuple[Any, Any, str]]]] = {
    "properties": lambda value, rule, _: [(value[name], rule[name], f".{name}") for name in rule.keys() & value.keys()],
    "additionalProperties": lambda value, rule, schema: [
        (value[name], rule, f".{name}") for name in value.keys() - schema.get("properties", {}).keys()
    ],
    "propertyNames": lambda value, rule, _: [(name, rule, f".{name}") for name in value],
    "items": lambda value, rule, _: [(item, rule, f"[{place}]") for place, item in enumerate(value)],
}
"""Keywords that speak of parts of a value: each part, its schema, and where it stands."""

FACTS: dict[str, Callable[[Any, Any], bool]] = {
    "type": lambda value, rule: isinstance(value, TYPES[rule]) and not isinstance(value, bool),
    "enum": lambda value, rule: value in rule,
    "const": lambda value, rule: value == rule,
    "required": lambda value, rule: set(rule) <= set(value),
    "minimum": lambda value, rule: value >= rule,
    "exclusiveMinimum": lambda value, rule: value > rule,
    "maximum": lambda value, rule: value <= rule,
    "format": lambda value, rule: rule == "date-time" and datetime.fromisoformat(value).tzinfo is not None,
}
"""Keywords that are true of a value or not."""


def problems(value: Any, schema: Schema | bool, root: Schema | None = None, path: str = "$") -> Iterator[str]:
    """What of a JSON value a schema does not allow, each with its path."""
    if isinstance(schema, bool):
        yield from [] if schema else [f"{path} is not allowed"]
        return
    root = schema if root is None else root
    if "type" in schema and not FACTS["type"](value, schema["type"]):
        yield f"{path}: expected {schema['type']}, was {value!r}"
        return
    for keyword in schema.keys() - WORDS:
        rule = schema[keyword]
        if keyword == "$ref":
            yield from problems(value, root["$defs"][rule.removeprefix("#/$defs/")], root, path)
        elif keyword == "anyOf":
            if all(list(problems(value, option, root, path)) for option in rule):
                yield f"{path}: {value!r} is none of its options"
        elif keyword in PARTS:
            for part, of_part, step in PARTS[keyword](value, rule, schema):
                yield from problems(part, of_part, root, path + step)
        elif not FACTS[keyword](value, rule):
            yield f"{path}: {keyword} {rule}, was {value!r}"
