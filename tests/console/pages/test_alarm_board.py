"""Alarms on the quality board: what stands, since when, and where its rows are."""

import pytest

from domain.vocabulary.alarm import AlarmSeverity
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.alarm_rows import AT, HOUR, coverage, found, nothing, settle
from tests.console.pages.page_world import client

pytestmark = pytest.mark.postgres


@pytest.fixture
def raised(database):
    """Two alarms, one of a name that would like to be markup."""
    with connect(DatabaseRole.REGIME) as connection:
        settle(connection, found(coverage("nano", AlarmSeverity.ERROR), coverage("<script>alert(1)</script>")))


def board(at) -> str:
    return client().get("/quality", params={"as_of": at.isoformat()}).text


def test_the_board_shows_each_alarm_with_its_sentence_and_leads_to_its_rows(raised):
    text = board(AT + HOUR)

    assert "nano heard 9 of 15 channels" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script" not in text
    assert text.count("coverage_low") == 2
    assert '<a href="/quality">' in text


def test_the_board_of_before_and_of_after_shows_no_alarm(raised):
    with connect(DatabaseRole.REGIME) as connection:
        settle(connection, nothing(), at=AT + 2 * HOUR)

    assert "coverage_low" not in board(AT - HOUR)
    assert "coverage_low" in board(AT + HOUR)
    assert "coverage_low" not in board(AT + 3 * HOUR)
