"""Who stands on the watchlist: moved by a person who sees them as they are, with a name and a reason."""

import pytest

from domain.portfolio.lifecycle import PositionStatus
from domain.vocabulary.timeframe import Timeframe
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.position import watch_token
from sql.watched_position import StalePositionError, WatchedPosition, read_watchlist, set_position_status

pytestmark = pytest.mark.postgres


@pytest.fixture
def connection(module_database):
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        yield connection


def watch(connection, token: str) -> WatchedPosition:
    (seen,) = watch_token(
        connection, token_contract=token, chain="solana", ticker="TOK", timeframes=[Timeframe.H1], author="ann"
    )
    return seen


def test_a_person_moves_a_position_that_is_as_they_saw_it_and_no_other(connection):
    seen = watch(connection, "t7")
    set_position_status(connection, seen, PositionStatus.PAUSED, author="ann", reason="a test")

    with pytest.raises(StalePositionError, match="changed since it was read"):
        set_position_status(connection, seen, PositionStatus.ARCHIVED, author="ann", reason="a test")

    (now,) = read_watchlist(connection, position_ids=[seen.position_id])
    assert (now.status, now.revision, now.has_trade) == (PositionStatus.PAUSED, 1, False)
    assert (now.last_change.author, now.last_change.reason) == ("ann", "a test")


@pytest.mark.parametrize(
    ("status", "author", "reason", "complaint"),
    [
        (PositionStatus.PAUSED, " ", "a test", "somebody, for a reason"),
        (PositionStatus.PAUSED, "ann", "", "somebody, for a reason"),
        (PositionStatus.DORMANT, "ann", "a test", "is dormant already"),
    ],
)
def test_a_move_by_nobody_for_no_reason_or_to_where_it_is_changes_nothing(
    connection, status, author, reason, complaint
):
    seen = watch(connection, "t9")

    with pytest.raises(ValueError, match=complaint):
        set_position_status(connection, seen, status, author=author, reason=reason)

    assert read_watchlist(connection, position_ids=[seen.position_id]) == [seen]
