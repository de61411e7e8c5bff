"""The code location of learning: it loads, nothing it makes is made for nobody, and its checks turn red and green."""

import re
from pathlib import Path

import dagster as dg
import pytest

from learning_assets.checks import no_closed_trade_waits, outcomes_are_known, the_live_set_is_young
from learning_assets.definitions import STEPS, build_definitions
from resources.deployment import Deployment
from resources.inline_check import BlockedByCheckError, InlineCheck
from resources.stamp import Stamp
from resources.tables import Tables
from sql.database_role import DatabaseRole
from tests.chain_runs import EVERYTHING, configure
from tests.learned_world import (
    DAY,
    FEW,
    MIDNIGHT,
    as_owner,
    forget_everything,
    look,
    run_learning,
    season,
    tell,
    tell_trades,
)

PROJECT = Path(__file__).resolve().parents[2]
AS_OF = MIDNIGHT.isoformat()
LEARNER = Tables(role=DatabaseRole.LEARNING.value)
BREAKS = {
    "a_trade_has_one_outcome": "UPDATE learning.pattern_trade_events SET rr = rr + 1 WHERE action_category = 'exit'",
    "rr_and_pnl_have_one_sign": "UPDATE learning.pattern_trade_events SET pnl_usd = -pnl_usd",
    "a_fact_is_no_older_than_its_trade": "UPDATE learning.pattern_trade_events SET action_ts = '2020-01-01Z'",
    "n_counts_trades": "UPDATE learning.pattern_scope_stats SET n_trades = 7 * n_trades, n_actions = 7 * n_actions",
    "every_mined_day_has_a_snapshot": "DELETE FROM learning.learning_edge_history",
    "every_promoted_cell_is_a_lesson": "UPDATE learning.lesson_hypothesis SET verdict = 'promoted'",
    "only_tested_hypotheses_are_validated": "UPDATE learning.llm_learning SET status = 'validated'",
}
"""How each blocking check is broken."""


def inline_checks() -> dict[str, tuple[str, InlineCheck]]:
    return {check.name: (each.table, check) for step in STEPS for each in step.tables for check in each.checks}


@pytest.mark.parametrize("deployment", Deployment)
def test_the_location_loads_in_every_deployment(deployment):
    as_of = AS_OF if deployment is Deployment.TEST else ""

    definitions = build_definitions(deployment, as_of=as_of)

    dg.Definitions.validate_loadable(definitions)
    assert {job.name for job in definitions.jobs} >= {"learn", "lessons", "overrides"}


def test_only_a_clock_that_runs_has_schedules_and_running_sensors():
    live, still = build_definitions(Deployment.DEV), build_definitions(Deployment.TEST, as_of=AS_OF)

    assert {each.name for each in live.schedules} == {"lessons_schedule", "overrides_schedule", "learn_schedule"}
    assert {each.default_status for each in live.sensors} == {dg.DefaultSensorStatus.RUNNING}
    assert list(still.schedules) == []
    assert {each.default_status for each in still.sensors} == {dg.DefaultSensorStatus.STOPPED}


def test_every_table_of_learning_has_a_reader():
    graph = build_definitions(Deployment.TEST, as_of=AS_OF).resolve_asset_graph()
    readers = "".join(
        path.read_text(encoding="utf-8")
        for folder, pattern in (("sql/queries", "*.sql"), ("pm_runtime", "**/*.py"), ("console", "**/*.py"))
        for path in sorted((PROJECT / folder).glob(pattern))
        if path.name != "learned.sql"
    )
    tables = [each.table for step in STEPS for each in step.tables]
    leaves = [name for name in tables if not graph.get(dg.AssetKey(name.split("."))).child_keys]

    assert 0 < len(leaves) < len(tables)
    assert [name for name in leaves if not re.search(rf"\b{name.partition('.')[2]}\b", readers)] == []


def test_a_run_of_everything_makes_every_table_and_only_those():
    job = build_definitions(Deployment.TEST, as_of=AS_OF).resolve_job_def("learn")

    made = {key.to_user_string().replace("/", ".") for key in job.asset_layer.executable_asset_keys}

    assert made == {each.table for step in STEPS for each in step.tables}


@pytest.fixture
def world(module_database):
    forget_everything()


@pytest.fixture(scope="module")
def learned(module_database):
    """Days with an edge, everything learned of them."""
    configure(FEW)
    tell_trades(season(8, edge=1.5))
    run_learning(0, 7)


def test_every_blocking_check_is_broken_by_a_test():
    assert inline_checks().keys() == BREAKS.keys()


@pytest.mark.postgres
@pytest.mark.parametrize("name", BREAKS)
def test_a_blocking_check_is_green_and_once_its_fact_is_broken_red(learned, name):
    table, check = inline_checks()[name]
    assert broken(check) == 0
    as_owner(f"CREATE TABLE public.kept AS SELECT * FROM {changed(name)}")
    as_owner(BREAKS[name])

    found = broken(check)
    rows = LEARNER.read(table, EVERYTHING).drop("run_id", "computed_at", "code_version")
    with pytest.raises(BlockedByCheckError, match=name):
        LEARNER.replace(table, EVERYTHING, rows, stamp=Stamp("again", "1"), checks=[check])

    as_owner(f"DELETE FROM {changed(name)}; INSERT INTO {changed(name)} SELECT * FROM public.kept")
    as_owner("DROP TABLE public.kept")
    assert found > 0
    assert broken(check) == 0


def changed(name: str) -> str:
    """Table a check is broken in."""
    return next(word for word in BREAKS[name].split() if word.startswith("learning."))


def broken(check: InlineCheck) -> int:
    return LEARNER.query(check.query, (EVERYTHING.start, EVERYTHING.end)).item()


@pytest.mark.postgres
def test_a_closed_trade_that_waits_is_shown_until_it_came_whole(world):
    told, whole = season(1)[:2]
    first, second = told.actions.values()
    tell_trades([whole])
    tell([first, told.closure])
    look(at=MIDNIGHT + DAY)

    waiting = no_closed_trade_waits(LEARNER)
    tell([second])
    look(1, at=MIDNIGHT + DAY)
    taken = no_closed_trade_waits(LEARNER)

    assert (waiting.passed, waiting.metadata["by_status"].value) == (False, {"parked": 1})
    assert (taken.passed, taken.metadata["by_status"].value) == (True, {})


@pytest.mark.postgres
def test_outcomes_that_are_not_known_are_shown(world):
    tell_trades(season(1))
    look(at=MIDNIGHT + DAY)
    known = outcomes_are_known(LEARNER)
    as_owner("UPDATE learning.pattern_trade_events SET rr = NULL, rr_absent_reason = 'no_risk'")

    assert known.passed
    assert not outcomes_are_known(LEARNER).passed
    assert outcomes_are_known(LEARNER).metadata["without_rr"].value == 6


@pytest.mark.postgres
def test_a_live_set_that_grew_old_is_shown(world):
    nothing = the_live_set_is_young(LEARNER)
    run_learning(0, as_of=MIDNIGHT + DAY / 2)

    old = the_live_set_is_young(LEARNER)
    as_owner("UPDATE learning.override_set SET as_of = clock_timestamp() - interval '1 hour'")

    assert (nothing.passed, nothing.metadata["is_any_live"].value) == (True, False)
    assert not old.passed
    assert the_live_set_is_young(LEARNER).passed
