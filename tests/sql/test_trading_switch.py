"""The switch: who set what where, never changed after, refused when it says nothing."""

import psycopg
import pytest

from domain.portfolio.trading_switch import TradingMode
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.trading_switch import UnreadableSwitchError, read_switch, set_switch, switch_history

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database")]
BY_ANN = {"author": "ann", "reason": "a test"}


@pytest.fixture
def connection(database):
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        yield connection


def test_from_the_start_everything_is_allowed_and_says_who_said_so(connection):
    (row,) = read_switch(connection)

    assert (row.scope, row.mode, row.overrides_on, row.author) == ("{}", "ACTIVE", True, "migration")


def test_what_was_set_is_read_with_who_why_and_when(connection):
    row = set_switch(connection, mode=TradingMode.HALTED, scope={"timeframe": "1h", "chain": "Solana"}, **BY_ANN)

    assert read_switch(connection)[-1] == row
    assert (row.scope, row.mode, row.author) == ('{"chain":"solana","timeframe":"1h"}', "HALTED", "ann")


def test_a_setting_that_is_not_named_stays_and_the_history_keeps_all(connection):
    for mode in (TradingMode.HALTED, TradingMode.REDUCE_ONLY):
        set_switch(connection, mode=mode, **BY_ANN)
    set_switch(connection, overrides_on=False, **BY_ANN)

    now = [(row.mode, row.overrides_on) for row in read_switch(connection)]
    history = [(row.mode, row.overrides_on) for row in switch_history(connection)]

    assert now == [("REDUCE_ONLY", None), (None, False)]
    assert history == [(None, False), ("REDUCE_ONLY", None), ("HALTED", None), ("ACTIVE", True)]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({}, "sets the mode, or"),
        ({"mode": TradingMode.HALTED, "reason": " "}, "needs an author and a reason"),
        ({"mode": TradingMode.HALTED, "author": ""}, "needs an author and a reason"),
        ({"mode": TradingMode.HALTED, "scope": {"chian": "base"}}, "Expected dimensions"),
        ({"mode": TradingMode.HALTED, "scope": {"timeframe": "2h"}}, "timeframe one of"),
        ({"mode": TradingMode.HALTED, "scope": {"chain": "unknown"}}, r"nothing is known of \['chain'\]"),
    ],
)
def test_a_change_that_says_nothing_or_nonsense_is_refused(connection, values, complaint):
    with pytest.raises(ValueError, match=complaint):
        set_switch(connection, **BY_ANN | values)

    assert len(switch_history(connection)) == 1


def test_a_change_is_never_changed(connection, database):
    with connect(DatabaseRole.OWNER) as owner, pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        owner.execute("UPDATE pm.trading_switch SET mode = 'HALTED'")


def test_a_table_that_is_gone_cannot_be_read_and_the_transaction_lives(connection):
    with connect(DatabaseRole.OWNER) as owner:
        owner.execute("ALTER TABLE pm.trading_switch RENAME TO elsewhere")

    with connection.transaction():
        with pytest.raises(UnreadableSwitchError, match="does not exist"):
            read_switch(connection)
        assert connection.execute("SELECT 1").fetchone() == (1,)
