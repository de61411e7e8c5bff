from datetime import UTC, datetime

import pytest
from starlette.routing import Route

from console.pages import app
from learning_assets.definitions import STEPS
from regime_assets.definitions import CHAIN_TABLES
from resources.page_link import PAGE, page_addresses, page_link

MIDNIGHT = datetime(2026, 5, 2, tzinfo=UTC)
TABLES = [spec.table for spec in CHAIN_TABLES] + [each.table for step in STEPS for each in step.tables]


def link(table: str) -> str:
    return page_link(table, MIDNIGHT)[PAGE].value


@pytest.mark.parametrize(
    ("table", "address"),
    [
        ("regime.regime_context", "/regime?as_of=2026-05-02T00%3A00%3A00%2B00%3A00"),
        ("regime.ae_score", "/?as_of=2026-05-02T00%3A00%3A00%2B00%3A00"),
        ("learning.learning_lessons", "/lessons?day=2026-05-01"),
        ("regime.lowcap_price_data_ohlc", "/quality"),
    ],
)
def test_a_materialization_leads_to_the_page_of_its_table_as_of_its_end(table, address):
    assert link(table) == f"http://127.0.0.1:3010{address}"


def test_the_pages_may_stand_elsewhere(monkeypatch):
    monkeypatch.setenv("LOWCAP_PAGES_URL", "https://pages.example/lowcap/")

    assert link("learning.llm_learning") == "https://pages.example/lowcap/notes"


@pytest.mark.parametrize("table", TABLES)
def test_every_asset_leads_to_a_page_that_is_there(table):
    routes = {route.path for route in app.build_app(app.Door()).app.routes if isinstance(route, Route)}

    assert link(table).removeprefix("http://127.0.0.1:3010").partition("?")[0] in page_addresses() <= routes
