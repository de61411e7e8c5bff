"""Learning that is killed outright, two at once, and overrides the database will not hold."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from domain.portfolio.strict_json import canonical_json
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.queries import query
from tests.chain_runs import configure
from tests.domain.portfolio.override_rows import override_row
from tests.learned_world import (
    FEW,
    MIDNIGHT,
    SETS,
    day_of,
    differing,
    everything,
    forget_everything,
    rows,
    run_learning,
    season,
    tell_trades,
)

pytestmark = pytest.mark.postgres
PROJECT = Path(__file__).resolve().parents[2]
LAST = 8
DAYS_PER_RUN = 5


@contextmanager
def backfill_command():
    """The running command, its output on one pipe; killed at the end if it still runs."""
    days = ["--from", str(day_of(0)), "--to", str(day_of(LAST)), "--days-per-run", str(DAYS_PER_RUN)]
    with subprocess.Popen(
        [sys.executable, "-m", "learning_assets", "backfill", *days],
        cwd=PROJECT,
        env=os.environ | {"LOWCAP_DEPLOYMENT": "", "LOWCAP_AS_OF": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], word: str, times: int = 1) -> None:
    """Read the output until it has said a word so many times."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        times -= word in line
        if times == 0:
            return
    raise AssertionError(f"The command ended before it said {word!r}:\n{''.join(said)}")


@pytest.fixture(scope="module")
def undisturbed(module_database):
    """Everything after one run that nothing disturbed."""
    configure(FEW)
    forget_everything()
    tell_trades(season(LAST + 1, edge=1.5))
    run_learning(0, LAST)
    told = everything()
    forget_everything()
    return told


def test_killed_in_mid_run_and_started_again_it_leaves_the_bytes_of_an_undisturbed_one(undisturbed):
    tell_trades(season(LAST + 1, edge=1.5))
    with backfill_command() as process:
        read_until(process, " rows ", times=11)  # of the second run, three steps
        time.sleep(0.05)
        process.kill()
        assert process.wait() == -signal.SIGKILL
    after_kill = everything()
    with backfill_command() as process:
        output, _ = process.communicate(timeout=300)

    assert process.returncode == 0, output
    assert "sets" in differing(after_kill, undisturbed)
    assert differing(everything(), undisturbed) == []
    assert rows("SELECT count(*) AS n FROM learning.override_set") == [{"n": LAST + 1}]
    assert rows("SELECT * FROM learning.live_override_set") == []


def test_two_runs_at_once_leave_what_one_leaves(undisturbed):
    forget_everything()
    tell_trades(season(LAST + 1, edge=1.5))
    with ThreadPoolExecutor(2) as pool:
        works = [pool.submit(run_learning, 0, LAST) for _ in range(2)]
        for work in works:
            work.result()

    assert differing(everything(), undisturbed) == []


def test_sets_of_all_days_or_of_none(undisturbed):
    forget_everything()
    tell_trades(season(LAST + 1, edge=1.5))
    run_learning(0, LAST)
    before = everything()["sets"]
    with connect(DatabaseRole.OWNER) as owner:
        owner.execute("ALTER TABLE learning.override_set ADD CHECK (as_of < '2025-03-12T00:00:00Z') NOT VALID")
    forget_everything()
    tell_trades(season(LAST + 1, edge=1.5))
    try:
        result = run_learning(0, LAST, raise_on_error=False)
    finally:
        with connect(DatabaseRole.OWNER) as owner:
            owner.execute("ALTER TABLE learning.override_set DROP CONSTRAINT override_set_as_of_check")

    assert not result.success
    assert [rows(f"SELECT count(*) AS n FROM {table}")[0]["n"] for table in SETS] == [0, 0, 0]
    run_learning(0, LAST, tables=SETS)
    assert everything()["sets"] == before


GOOD = {name: value for name, value in override_row(1).items() if name not in ("override_id", "set_id")} | {
    **{"state": "live", "state_since": MIDNIGHT, "proposed_at": MIDNIGHT, "live_at": MIDNIGHT},
    **{"edge_raw": 0.4, "decay_mult": 0.9, "confidence": 0.5, "n_trades": 40},
}
REFUSED = {
    "fifty times the size": {"multiplier": 50.0},
    "next to nothing": {"multiplier": 0.01},
    "a multiplier that is no number": {"multiplier": float("nan")},
    "more than sure": {"confidence": 1.5},
    "a confidence that is no number": {"confidence": float("nan")},
    "a lever nobody knows": {"lever": "size_mult"},
    "a sale": {"action_category": "exit"},
    "a mask beyond all dimensions": {"scope_mask": 1 << 32},
    "a scope that is no object": {"scope_values": "[]"},
    "a scope that is no JSON": {"scope_values": "{"},
    "no trade behind it": {"n_trades": 0},
    "it never expires": {"expires_at": "infinity"},
    "no expiry": {"expires_at": None},
    "an ended one": {"state": "revoked"},
    "live before it is": {"state": "shadow"},
    "a decay beyond its bounds": {"decay_mult": 2.0},
}


def store(row: dict) -> None:
    made = {"made_at": MIDNIGHT, "as_of": MIDNIGHT, "input_hash": "h", "row_count": 1}
    made |= {"run_id": "r", "code_version": "1", "config_version": 1}
    scope = row["scope_values"]
    text = scope if isinstance(scope, str) else canonical_json(scope)
    with connect(DatabaseRole.LEARNING) as session:
        ((set_id,),) = session.execute(query("insert_override_set").encode(), made).fetchall()
        session.execute(query("insert_override").encode(), row | {"set_id": set_id, "scope_values": text})


def test_the_database_holds_an_override_that_is_right(module_database):
    forget_everything()
    store(GOOD)

    assert rows("SELECT state, multiplier FROM learning.pm_overrides") == [
        {"state": "live", "multiplier": GOOD["multiplier"]}
    ]


@pytest.mark.parametrize("wrong", REFUSED.values(), ids=REFUSED)
def test_the_database_refuses_an_override_that_cannot_be_right(module_database, wrong):
    forget_everything()
    with pytest.raises((psycopg.errors.IntegrityError, psycopg.errors.DataError)):
        store(GOOD | wrong)

    assert rows("SELECT * FROM learning.pm_overrides") == []


@pytest.mark.parametrize("statement", ["UPDATE learning.{} SET reason = 'x'", "DELETE FROM learning.{}"])
@pytest.mark.parametrize("table", ["override_step", "live_override_set"])
def test_what_was_audited_is_changed_by_nobody(module_database, statement, table):
    for role in (DatabaseRole.LEARNING, DatabaseRole.OWNER):
        with connect(role) as session, pytest.raises(psycopg.Error, match=r"append-only|permission denied"):
            session.execute(statement.format(table).encode())
