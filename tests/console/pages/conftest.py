"""The pages over a database that all tests of a file share and none of them changes."""

import pytest
from starlette.testclient import TestClient

from tests.console.pages.page_world import client, make_page_world


@pytest.fixture(scope="module")
def page_world(module_database) -> None:
    make_page_world()


@pytest.fixture
def pages(page_world) -> TestClient:
    return client()
