"""A backfill that is killed outright, again and again, and started again until it ends."""

import time

import numpy as np
import pytest
from dagster import DagsterRunStatus

from resources.terminal_backfill import project_instance
from tests.backfill_command import (
    PROJECT,
    backfill_command,
    everything_stored,
    rows_by_chunk,
    run_to_the_end,
    wait_for_tables,
)
from tests.chain_runs import TABLES
from tests.postgres_fixtures import throw_away_database

pytestmark = pytest.mark.postgres

KILLED_CHUNKS = (0, 1)


@pytest.fixture(scope="module")
def killed(postgres_server, database_template, undisturbed):
    """What stood after each kill, one in the first chunk and one in the last, and in the end."""
    rng = np.random.default_rng(3)
    after_kill = []
    with throw_away_database(postgres_server, database_template):
        for chunk in KILLED_CHUNKS:
            with backfill_command() as process:
                wait_for_tables(process, len(TABLES) * chunk + int(rng.integers(1, 4)))
                time.sleep(float(rng.uniform(0.0, 0.6)))
                process.kill()
                assert process.wait() == -9
            after_kill.append(everything_stored())
        status, output = run_to_the_end()
        assert status == 0, output
        yield after_kill, everything_stored()


def test_a_kill_leaves_whole_runs_of_a_table_or_nothing(killed, undisturbed):
    after_kill, _ = killed

    for stands in after_kill:
        for table in TABLES:
            for rows, wanted in zip(rows_by_chunk(stands[table]), rows_by_chunk(undisturbed[table]), strict=True):
                assert rows.is_empty() or rows.equals(wanted), table


def test_each_kill_came_before_the_end(killed, undisturbed):
    after_kill, _ = killed

    lacking = [sum(undisturbed[table].height - stands[table].height for table in TABLES) for stands in after_kill]

    assert all(rows > 0 for rows in lacking)
    assert sorted(lacking, reverse=True) == lacking


def test_started_again_it_ends_with_the_rows_of_a_run_nobody_killed(killed, undisturbed):
    _, in_the_end = killed

    for table, rows in undisturbed.items():
        assert rows.height > 0, table
        assert in_the_end[table].equals(rows), table


def test_no_run_of_a_killed_terminal_is_left_holding_the_pool(killed):
    with project_instance(PROJECT) as instance:
        statuses = [run.status for run in instance.get_runs()]

    assert statuses.count(DagsterRunStatus.FAILURE) == len(KILLED_CHUNKS)
    assert set(statuses) == {DagsterRunStatus.FAILURE, DagsterRunStatus.SUCCESS}
