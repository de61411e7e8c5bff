"""What a page may do with the database: read, one instant, a few at a time."""

import contextlib

import psycopg
import pytest

from console.pages import page_session
from console.pages.page_session import SEATS, reading_page
from tests.console.pages.page_world import client

pytestmark = pytest.mark.postgres
WRITES = (
    "INSERT INTO pm.trading_switch (mode, author, reason) VALUES ('HALTED', 'a', 'b')",
    "DELETE FROM learning.pm_overrides",
    "CREATE TABLE x ()",
)


@pytest.mark.parametrize("statement", WRITES)
def test_a_page_cannot_write(database, statement):
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), reading_page() as connection:
        connection.execute(statement)


def test_more_readers_than_seats_are_told_to_try_again(database, monkeypatch):
    monkeypatch.setattr(page_session, "PATIENCE_S", 0.05)
    with contextlib.ExitStack() as stack:
        for _ in range(SEATS):
            stack.enter_context(reading_page())
        refused = client().get("/api/switch")

    assert (refused.status_code, "try again" in refused.json()["error"]) == (503, True)
    assert client().get("/api/switch").status_code == 200
