"""A rule is a check that shows and a row that is told; sensors settle both, and tell whom a deployment names."""

from datetime import timedelta

import dagster as dg
import pytest

import learning_assets.alarm as learning_alarm
import regime_assets.alarm as regime_alarm
from regime_assets.notification import notification_sensor
from resources.clock import Clock
from resources.pm_settings import PmSettings
from resources.tables import Tables
from sql.alarm import read_alarms
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.console.learned_rows import MIDNIGHT, lesson_row, record, store, store_version
from tests.loopback_api import Reply, in_turn, serving
from tests.stored_rows import insert_rows, stored_score

pytestmark = pytest.mark.postgres
HOUR = timedelta(hours=1)
OFF = dg.DefaultSensorStatus.STOPPED
REGIME, LEARNING = Tables(), Tables(role=DatabaseRole.LEARNING.value)
NAMES = ("LOWCAP_WEBHOOK_URL", "LOWCAP_WEBHOOK_SECRET", "LOWCAP_APPRISE_URL", "LOWCAP_NOTIFIER")


@pytest.fixture(autouse=True)
def world(database, monkeypatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def score(hours: int, coverage: int) -> None:
    with connect(DatabaseRole.REGIME) as connection:
        insert_rows(connection, "regime.ae_score", [stored_score("nano", MIDNIGHT + hours * HOUR, coverage=coverage)])


def at(hours: int) -> Clock:
    return Clock(as_of=(MIDNIGHT + hours * HOUR).isoformat())


def tick(sensor: dg.SensorDefinition, tables: Tables, hours: int) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(resources={"tables": tables, "clock": at(hours), "pm_settings": PmSettings()})
    return sensor(context)


def stored() -> list[tuple[str, str, bool]]:
    with connect(DatabaseRole.CONSOLE, read_only=True) as connection:
        rows = read_alarms(connection, at=MIDNIGHT + 1000 * HOUR, ended=True)
    return [(row.source, row.subject, row.cleared_at is None) for row in rows]


def test_thin_scores_are_told_once_and_cleared_once():
    sensor = regime_alarm.regime_alarm_sensor(status=OFF)
    score(0, 9)
    first, again = tick(sensor, REGIME, 0), tick(sensor, REGIME, 1)
    score(1, 15)
    over = tick(sensor, REGIME, 1)

    assert isinstance(again, dg.SkipReason)
    assert [event.metadata["rows_written"].value for event in (first.asset_events[0], over.asset_events[0])] == [1, 0]
    assert over.asset_events[0].metadata["cleared"].value == ["coverage_low nano 1h"]
    assert stored() == [("regime", "nano 1h", False)]


def test_a_change_evaluates_the_check_that_shows_it_again():
    sensor = regime_alarm.regime_alarm_sensor(status=OFF)
    score(0, 15)
    result = tick(sensor, REGIME, 5)

    made, evaluated = result.asset_events
    assert (made.asset_key.path, evaluated.check_name) == (["regime", "regime_alarm"], "no_table_is_overdue")
    assert (evaluated.passed, evaluated.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "ae_score 1h" in evaluated.metadata["standing"].value


def check_of(module, name: str) -> dg.AssetChecksDefinition:
    (found,) = (each for each in module.ALARM_CHECKS if next(iter(each.check_keys)).name == name)
    return found


def test_a_check_fails_while_its_rule_finds_something_and_writes_nothing():
    score(0, 15)
    check = check_of(regime_alarm, "no_table_is_overdue")
    results = [check(tables=REGIME, clock=at(hours), pm_settings=PmSettings()) for hours in (1, 4, 9)]

    assert [result.passed for result in results] == [True, False, False]
    assert [result.severity.value for result in results] == ["WARN", "WARN", "ERROR"]
    assert results[0].metadata["judged"].value == 1
    assert stored() == []


def test_a_live_override_whose_edge_halved_is_a_check_and_a_row():
    store("learning_lessons", lesson_row("halved", edge_at_birth=1.0, edge_current=0.2))
    number = store_version(0, record("halved", expires_at=MIDNIGHT + 1000 * HOUR))
    with connect(DatabaseRole.LEARNING) as connection:
        connection.execute(
            "INSERT INTO live_override_set (set_id, author, reason) VALUES (%s, 'ada', 'a test')", [number]
        )
    result = check_of(learning_alarm, "no_live_edge_has_halved")(
        tables=LEARNING, clock=at(24), pm_settings=PmSettings()
    )
    tick(learning_alarm.learning_alarm_sensor(status=OFF), LEARNING, 24)

    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert [(source, stands) for source, _subject, stands in stored()] == [("learning", True)]


def test_every_rule_is_shown_by_a_check_of_its_table_and_blocks_nothing():
    specs = [
        spec for module in (regime_alarm, learning_alarm) for each in module.ALARM_CHECKS for spec in each.check_specs
    ]
    named = [rule for module in (regime_alarm, learning_alarm) for rule in module.RULES if rule.name]

    assert {spec.name for spec in specs} == {rule.name for rule in named}
    assert [spec.blocking for spec in specs] == [False] * 5


def notify(hours: int) -> str:
    context = dg.build_sensor_context(resources={"clock": at(hours), "pm_settings": PmSettings()})
    return str(notification_sensor(status=OFF)(context).skip_message)


def test_without_a_notifier_it_looks_and_says_that_nobody_is_told():
    ticked(MIDNIGHT)

    assert "nobody to tell" in notify(9)
    assert stored() == [("pm", "1h", True)]


def test_what_is_raised_is_told_by_the_named_webhook(monkeypatch):
    ticked(MIDNIGHT)
    with serving(in_turn(Reply(b"", 200))) as api:
        monkeypatch.setenv("LOWCAP_WEBHOOK_URL", api.url)
        said = [notify(9), notify(10)]

    assert said == ["1 new, 1 told, 0 to be tried again, 0 given up", "0 new, 0 told, 0 to be tried again, 0 given up"]
    assert api.asked[0].body["subject"] == "silent_runtime 1h"


def ticked(opened) -> None:
    row = {"timeframe": "1h", "bar_timestamp": opened, "mode": "ACTIVE", "scores": "[]", "holder": "h"}
    row |= dict.fromkeys(("scores_fresh", "scores_stale", "scores_degraded"), 0)
    row |= {"config_version": 1, "code_version": "0", "started_at": opened}
    with connect(DatabaseRole.PM) as connection:
        insert_rows(connection, "pm.pm_tick", [row])
