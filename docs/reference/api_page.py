"""The reference page of the API: every address with its parameters, bounds and answers, as the description has them."""

from collections.abc import Iterator, Mapping
from typing import Any

from console.pages.openapi import PROBLEMS, openapi

Node = Mapping[str, Any]
BOUNDS = {"minimum": "from {}", "maximum": "to {}", "maxLength": "at most {} characters"}


def api_blocks() -> Iterator[str]:
    """Blocks of the page, in the order of the addresses."""
    document = openapi()
    yield (
        "What the commands print with `--json`, over HTTP, byte by byte: of a server that"
        " [Open the pages](../how-to/open-the-pages.md) starts. Every address only reads and takes GET."
        f" `/api/openapi.json` describes the same for programs, as OpenAPI {document['openapi']}. A parameter that is"
        " empty, not listed, or given twice, is refused. A refusal is"
        ' `{"error": "..."}`, one sentence.'
    )
    yield "## Answers that are none"
    yield _table(("status", "when"), [(str(status), told) for status, told in PROBLEMS.items()])
    for path, operations in document["paths"].items():
        yield from _address(path, operations["get"], document["components"]["schemas"])


def _address(path: str, operation: Node, schemas: Node) -> Iterator[str]:
    yield f"## {path}"
    yield f"{operation['summary']} {operation['description']}"
    rows = [
        (f"`{each['name']}`", _allowed(each), _default(each["schema"]), _told(each)) for each in operation["parameters"]
    ]
    if rows:
        yield _table(("parameter", "allowed", "default", "meaning"), rows)
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    known = [f"`{name}` ({_types(schema)})" for name, schema in answer["properties"].items()]
    more = [] if answer.get("additionalProperties") is not True else ["others, by what it is"]
    yield f"Answers with {', '.join([*known, *more])}."


def _told(parameter: Node) -> str:
    form = parameter["schema"].get("description")
    return parameter["description"] if form is None else f"{parameter['description']} {form}"


def _allowed(parameter: Node) -> str:
    """Bounds, choices and form of a parameter as words."""
    schema = parameter["schema"]
    words = [", ".join(f"`{each}`" for each in schema["enum"])] if "enum" in schema else []
    form = {"format": "a {}"} if "format" in schema else BOUNDS
    words += [said.format(schema[name]) for name, said in form.items() if name in schema]
    kind = "a part of the path" if parameter["in"] == "path" else "needed" if parameter.get("required") else ""
    return "; ".join(word for word in (kind, " ".join(words)) if word)


def _default(schema: Node) -> str:
    return f"`{schema['default']}`" if "default" in schema else ""


def _types(schema: Node) -> str:
    """Types a key may have."""
    if "$ref" in schema:
        return "object"
    if "anyOf" in schema:
        return " or ".join(_types(each) for each in schema["anyOf"])
    types = schema["type"]
    return " or ".join([types] if isinstance(types, str) else types)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
