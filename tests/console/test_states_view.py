from datetime import timedelta

import pytest

from domain.vocabulary.driver import DRIVERS
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.runtime_worlds import START
from tests.stored_rows import insert_rows, stored_state

pytestmark = pytest.mark.postgres
HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
AS_OF = START + timedelta(hours=6, minutes=20)


@pytest.fixture
def states(database):
    rows = [
        stored_state("BTC", "1d", START - DAY, state="S3", trim_flag=True, buy_flag=True),
        stored_state("BTC", "1h", START + 5 * HOUR, state="S0", transition="S1->S0"),
        stored_state("BTC", "1h", START + 6 * HOUR, state="S1"),
        stored_state("BTC", "1m", AS_OF - 17 * MINUTE, state="S2"),
        stored_state("ALT", "1h", START + 5 * HOUR, state="S4", status="warming_up"),
        stored_state("nano", "1h", START + 7 * HOUR, state="S1"),
    ]
    with connect(DatabaseRole.REGIME) as connection:
        for row in rows:
            insert_rows(connection, "regime.regime_driver_state", [row])


def cell(facts, driver, horizon):
    (found,) = [cell for cell in facts["drivers"] if (cell["driver"], cell["horizon"]) == (driver, horizon)]
    return found


def test_every_driver_has_a_row_with_three_horizons(lowcap, states):
    lines = [line for line in lowcap("states", "--as-of", AS_OF.isoformat()).stdout.splitlines() if line.strip()]

    assert "macro (1d)" in lines[1]
    assert [line.split()[0] for line in lines[3:]] == list(DRIVERS)


def test_a_cell_shows_state_flags_transition_and_age(lowcap, states):
    out = lowcap("states", "--as-of", AS_OF.isoformat()).stdout

    assert "S3 buy_flag trim_flag 6h 20m" in out
    assert "S0 S1->S0 20m" in out


def test_only_bars_that_have_closed_are_seen(lowcap_json, states):
    just_before = lowcap_json("states", "--as-of", (START + 7 * HOUR - timedelta(microseconds=1)).isoformat())
    at_the_close = lowcap_json("states", "--as-of", (START + 7 * HOUR).isoformat())

    assert cell(just_before, "BTC", "meso")["state"] == "S0"
    assert cell(at_the_close, "BTC", "meso")["state"] == "S1"


@pytest.mark.parametrize(
    ("driver", "horizon", "status", "reason"),
    [
        ("BTC", "micro", "stale", "stale, closed 16m ago"),
        ("ALT", "meso", "warming_up", "warming up"),
        ("nano", "meso", "missing", "no bar had closed yet"),
        ("USDT.d", "macro", "missing", "never materialized"),
    ],
)
def test_an_absent_state_says_why(lowcap, lowcap_json, states, driver, horizon, status, reason):
    found = cell(lowcap_json("states", "--as-of", AS_OF.isoformat()), driver, horizon)

    assert (found["state"], found["status"], found["reason"], found["flags"]) == (None, status, reason, [])
    assert f"- {reason}" in lowcap("states", "--as-of", AS_OF.isoformat()).stdout


def test_an_empty_database_shows_27_reasons(lowcap_json, database):
    drivers = lowcap_json("states")["drivers"]

    assert [found["reason"] for found in drivers] == ["never materialized"] * 27
