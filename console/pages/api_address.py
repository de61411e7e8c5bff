"""One address of the API: what it is asked, what it answers, and how; its description is made of the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import psycopg
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.pages.asked import asked_of
from console.pages.page_session import reading_page
from console.pages.parameter import Parameter, given
from console.printing import json_text

Given = Mapping[str, Any]
"""Values by the names of parameters, and of the parts of the path."""
Answer = Callable[[Request, Given], Response]
Facts = Callable[[psycopg.Connection, Given], Mapping[str, Any] | str]

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiAddress:
    """An address that only reads.

    Attributes
    ----------
    path : str
        As the router takes it; its parts in braces.
    command : str
        Command whose `--json` it answers with.
    told : str
        What it answers, in a sentence.
    answer : callable
        Makes the answer from what was given.
    parameters : tuple of Parameter
        All it may be asked; another name is refused.
    parts : mapping of str to str
        What each part of the path is.
    forms : tuple of str
        Paths as others read them, where one part stands for several; none means that `path` is the one.
    answers : mapping of str to str
        JSON types of the keys an answer has, such as `"string|null"`. A key that ends in `?` may be absent; with a
        key `*` there may be others.
    model : type of BaseModel, optional
        Model of the whole answer, where there is one; it stands for `answers`.
    """

    path: str
    command: str
    told: str
    answer: Answer
    parameters: tuple[Parameter[Any], ...] = ()
    parts: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    forms: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    model: type[BaseModel] | None = None

    def route(self) -> Route:
        """Route that reads what was asked, as it is described, and answers."""

        def answered(request: Request) -> Response:
            asked = asked_of(request, *(each.name for each in self.parameters), has_empty=False)
            return self.answer(request, {**given(asked, self.parameters), **request.path_params})

        return Route(self.path, answered)


def from_facts(facts: Facts) -> Answer:
    """Answer with facts of one instant of the database, or with JSON that is stored there as text."""

    def answered(_: Request, values: Given) -> Response:
        with reading_page() as connection:
            found = facts(connection, values)
        return stored_json(found) if isinstance(found, str) else json_answer(found)

    return answered


def json_answer(facts: Mapping[str, Any], status: int = 200) -> Response:
    """Answer with facts, as the commands print them."""
    return Response(json_text(facts), status, media_type="application/json")


def stored_json(text: str) -> Response:
    """Answer with JSON that is text already."""
    return Response(f"{text}\n", media_type="application/json")
