"""The API against its own description: whatever is asked, right or wrong, is answered as described and never breaks."""

import os
import re

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.python.asgi import HOST
from schemathesis.specs.openapi import checks
from schemathesis.specs.openapi.schemas import OpenApiSchema
from starlette.routing import Route

from console.pages.app import Door, build_app
from console.pages.json_api import API
from console.pages.openapi import openapi
from tests.console.pages.page_world import AS_OF, AS_OF_TEXT, make_page_world, override_of
from tests.console.ticked_trade import order_of, trade_of
from tests.portfolio_rows import HOUR, START, TOKEN, sha256

pytestmark = pytest.mark.postgres

PATHS = [path for each in API for path in each.forms or (each.path,)]
DOOR = Door(names=frozenset({HOST}))
AS_DESCRIBED = (
    *(not_a_server_error, checks.status_code_conformance, checks.content_type_conformance),
    *(checks.response_schema_conformance, checks.negative_data_rejection),
)
BOUNDED = settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
WINDOW = {"from": "2025-05-31T00:00:00Z", "to": AS_OF_TEXT}


@pytest.fixture(scope="module")
def described(module_database) -> OpenApiSchema:
    make_page_world()
    return schemathesis.openapi.from_asgi("/api/openapi.json", build_app(DOOR))


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", PATHS)
def test_whatever_is_asked_is_answered_as_described(described, path, mode):
    statuses = set()

    @BOUNDED
    @given(case=described[path]["GET"].as_strategy(generation_mode=mode))
    def fuzzed(case):
        statuses.add(case.call_and_validate(checks=AS_DESCRIBED).status_code)

    fuzzed()
    assert statuses
    assert statuses <= {200, 400, 404}


KNOWN = {
    "/api/regime": [{"as_of": AS_OF_TEXT}],
    "/api/ae": [{"as_of": AS_OF_TEXT, "timeframe": "4h"}, {}],
    "/api/states": [{"as_of": AS_OF_TEXT}],
    "/api/trades": [{"open": "1", "most": 3}, {}],
    "/api/explain/{identity}": [{"identity": lambda: order_of("entry")}, {"identity": trade_of}],
    "/api/switch": [{"most": 1}, {}],
    "/api/alarms": [{"ended": "1"}, {}],
    "/api/config": [{"prefix": "scores.", "version": 1}, {}],
    "/api/lessons": [{"all": "true", "hypotheses": "1", "weights": "1", "factors": "1"}, {"day": "2025-06-10"}],
    "/api/sets": [{}],
    "/api/sets/{number}": [{"number": "7"}],
    "/api/forward": [{}, {"trades": "1"}],
    "/api/tuning": [{}, {"rates": "1"}],
    "/api/notes": [{}, {"kind": "report"}],
    "/api/decay": [{}, {"lessons": "1"}, {"state": "decaying", "pattern": "S1.buy_flag"}],
    "/api/decay/{identity}": [{"identity": lambda: sha256("nano")[:10]}],
    "/api/funnel": [{}],
    "/api/crowding": [{}, {"rows": "chain", "columns": "timeframe"}],
    "/api/why/override/{number}": [{"number": lambda: str(override_of("nano"))}],
    "/api/why/lesson/{id}": [{"id": lambda: sha256("nano"), "down": "1"}],
    "/api/why/trade/{id}": [{"id": trade_of, "depth": 20, "most": 500}],
    "/api/why/action/{id}": [{"id": lambda: order_of("exit")}],
    "/api/why/state/{driver}/{horizon}/{instant}": [
        {"driver": "BTC", "horizon": "meso", "instant": (AS_OF - HOUR).isoformat()}
    ],
    "/api/why/candle/{name}/{timeframe}/{instant}": [
        {"name": "@".join(TOKEN), "timeframe": "1h", "instant": START.isoformat(), "down": "1"}
    ],
    "/api/whatif": [WINDOW | {"neutral": "1"}, WINDOW | {"set": "7"}],
}


@pytest.mark.parametrize("path", PATHS)
def test_what_is_there_is_answered_as_described(described, path):
    operation = described[path]["GET"]
    for asked in KNOWN[path]:
        values = {name: value() if callable(value) else value for name, value in asked.items()}
        parts = {name: value for name, value in values.items() if f"{{{name}}}" in path}
        query = {name: value for name, value in values.items() if name not in parts}
        case = operation.Case(path_parameters=parts, query=query)

        assert case.call_and_validate(checks=AS_DESCRIBED[:4]).status_code == 200


def test_every_address_of_the_api_is_described():
    routed = {each.path for each in build_app(DOOR).app.routes if isinstance(each, Route)}
    described = {each.path for each in API} | {"/api/openapi.json"}

    assert {path for path in routed if path.startswith("/api/")} == described
    assert set(openapi()["paths"]) == set(PATHS)
    assert len(set(PATHS)) == len(PATHS)


def filled(described, path, query):
    """A question to an address whose parts may name anything."""
    operation = described[path]["GET"]
    return operation.Case(path_parameters=dict.fromkeys(re.findall(r"{(\w+)}", path), "1"), query=query)


@pytest.mark.parametrize("path", PATHS)
def test_where_the_database_is_away_every_address_says_so(described, path, monkeypatch):
    for variable in (each for each in os.environ if each.startswith("DATABASE_URL")):
        monkeypatch.setenv(variable, "postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    case = filled(described, path, WINDOW | {"neutral": "1"} if path == "/api/whatif" else {})

    assert case.call_and_validate(checks=AS_DESCRIBED[1:4]).status_code == 503


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_every_address_of_a_public_server_says_so(described, path):
    door = Door(names=frozenset({HOST}), token="t" * 40, is_public=True)

    answer = filled(described, path, {}).call_and_validate(app=build_app(door), checks=AS_DESCRIBED[1:4])

    assert answer.status_code == 401
