"""`/api/openapi.json`: the API as OpenAPI 3.1 describes it, made of the addresses the router takes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from console.pages.api_address import ApiAddress, json_answer
from console.pages.asked import asked_of
from console.pages.json_api import API
from console.pages.parameter import Parameter
from domain.vocabulary.release import __version__

DIALECT = "3.1.0"
PART = re.compile(r"{(\w+)}")
LONGEST_PART = 200

PROBLEMS: Mapping[int, str] = {
    400: "A parameter is unknown, given twice or not as described, or the Host header is not on the list.",
    401: "The server listens to others, and the token is missing or wrong.",
    404: "There is no such row, day, replay or name; the sentence says what there is.",
    503: "The database cannot be read now, or not by this version; trying again may help.",
}
AT_THE_DOOR = frozenset({400, 401})
"""Answers that may come before any address is looked at, and are one plain line then."""


def openapi_answer(request: Request) -> Response:
    """Answer with the description."""
    asked_of(request)
    return json_answer(openapi())


def openapi() -> dict[str, Any]:
    """Describe every address: what it may be asked, within which bounds, and what it may answer."""
    described = [_described(each) for each in API]
    schemas = {name: schema for _, found in described for name, schema in found.items()}
    return {
        "openapi": DIALECT,
        "info": {
            "title": "lowcap",
            "version": __version__,
            "description": "What the commands print with --json. Every address only reads.",
        },
        "paths": {path: {"get": get} for operations, _ in described for path, get in operations},
        "components": {
            "schemas": {"Problem": _object({"error": "string"}), **schemas},
            "responses": {str(status): _problem(status, told) for status, told in PROBLEMS.items()},
            "securitySchemes": {name: {"type": "http", "scheme": name} for name in ("bearer", "basic")},
        },
        "security": [{}, {"bearer": []}, {"basic": []}],
    }


Operations = list[tuple[str, dict[str, Any]]]


def _described(address: ApiAddress) -> tuple[Operations, dict[str, Any]]:
    """Describe an address, path by path, and give the schemas it refers to."""
    schema, others = _schema_of(address)
    answer: dict[str, Any] = {"description": address.told, "content": {"application/json": {"schema": schema}}}
    problems: dict[str, Any] = {str(status): {"$ref": f"#/components/responses/{status}"} for status in PROBLEMS}
    told = {"summary": address.told, "description": f"As `{address.command} --json` prints it."}
    responses = {"responses": {"200": answer} | problems}
    return [(path, told | _asked(address, path) | responses) for path in address.forms or (address.path,)], others


def _asked(address: ApiAddress, path: str) -> dict[str, Any]:
    asked = [*_parts(address, path), *map(_parameter, address.parameters)]
    return {"operationId": "_".join(re.findall(r"\w+", path)[1:]), "parameters": asked}


def _parts(address: ApiAddress, path: str) -> Iterator[dict[str, Any]]:
    for name in PART.findall(path):
        schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_PART}
        yield {"name": name, "in": "path", "required": True, "description": address.parts[name], "schema": schema}


def _parameter(parameter: Parameter[Any]) -> dict[str, Any]:
    needed = {"required": True} if parameter.is_needed else {}
    told = {"name": parameter.name, "in": "query", "description": parameter.told, "schema": parameter.schema}
    return told | needed


def _schema_of(address: ApiAddress) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe an answer, and give the schemas it refers to."""
    if address.model is None:
        return _object(address.answers), {}
    whole = address.model.model_json_schema(ref_template="#/components/schemas/{model}")
    return whole, whole.pop("$defs", {})


def _object(answers: Mapping[str, str]) -> dict[str, Any]:
    """Describe an object with keys of these types.

    >>> schema = _object({"day": "string|null", "trades?": "array", "*": ""})
    >>> schema["required"], schema["properties"]["day"], schema["additionalProperties"]
    (['day'], {'type': ['string', 'null']}, True)
    """
    keys = {name: types for name, types in answers.items() if name != "*"}
    return {
        "type": "object",
        "required": [name for name in keys if not name.endswith("?")],
        "properties": {name.removesuffix("?"): _typed(types.split("|")) for name, types in keys.items()},
        "additionalProperties": "*" in answers,
    }


def _typed(types: list[str]) -> dict[str, Any]:
    return {"type": types[0] if len(types) == 1 else types}


def _problem(status: int, told: str) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if status in AT_THE_DOOR:
        content["text/plain"] = {"schema": {"type": "string"}}
    return {"description": told, "content": content}
