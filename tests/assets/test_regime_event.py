"""The sensor of regime events: what each new hour changed, once, and nothing of before it began."""

import json
from collections.abc import Callable
from datetime import datetime

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData

from domain.regime.regime_context import RegimeContext
from regime_assets.regime_event import REGIME_EVENT, newest_table, regime_event_sensor
from resources.deployment import Deployment, resources_of
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.pm_config import write_pm_config
from tests.regime_hours import DAY, HOUR, context_of, store_contexts

pytestmark = pytest.mark.postgres
Look = Callable[[str | None], SensorExecutionData]
UP, DOWN = {"nano": 2.0, "mid": 1.0}, {"nano": 1.0, "mid": 2.0}
KEY = dg.AssetKey(["regime", "regime_event"])


def hour(number: int, scores: dict[str, float] = UP, **values) -> RegimeContext:
    return context_of(DAY + number * HOUR, scores, **values)


def sense(cursor: str | None) -> SensorExecutionData:
    """One evaluation of the sensor, as the daemon makes it."""
    resources = resources_of(Deployment.TEST, as_of=datetime.isoformat(DAY))
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources) as context,
    ):
        return regime_event_sensor(status=dg.DefaultSensorStatus.RUNNING).evaluate_tick(context)


def told() -> list[tuple[str, int, str | None]]:
    """Kind, hour and bucket of every stored event, oldest first."""
    rows = events().sort("timestamp", "kind", "bucket")
    return [(row["kind"], (row["timestamp"] - DAY) // HOUR, row["bucket"]) for row in rows.iter_rows(named=True)]


def events() -> pl.DataFrame:
    return Tables().query("newest_regime_events", (1000,))


@pytest.fixture
def begun(database) -> str:
    """Cursor of a sensor that has begun at hour 2, with a rotation in its past."""
    store_contexts(hour(0), hour(1, DOWN), hour(2, DOWN))
    cursor = sense(None).cursor
    assert cursor is not None
    return cursor


def test_without_any_hour_the_sensor_waits(database):
    data = sense(None)

    assert (data.cursor, data.asset_events) == (None, [])
    assert "no hour" in data.skip_message


def test_history_is_not_told_as_news(begun):
    assert json.loads(begun) == {"since": (DAY + 2 * HOUR).isoformat(), "newest": (DAY + 2 * HOUR).isoformat()}
    assert told() == []


def test_a_change_is_told_once_and_the_asset_says_what(begun):
    store_contexts(hour(3), hour(4, DOWN, phase="Euphoria"))

    data = sense(begun)
    again = sense(data.cursor)

    changes = [("bucket_rotation", 3, None), ("bucket_rotation", 4, None)]
    assert sorted(told(), key=str) == sorted(
        [*changes, ("bucket_extreme", 4, "mid"), ("bucket_extreme", 4, "nano")], key=str
    )
    (made,) = data.asset_events
    assert made.asset_key == REGIME_EVENT.key == KEY
    assert made.metadata["found"].value == {"bucket_rotation": 2, "bucket_extreme": 2}
    assert made.metadata["rows_written"].value == 4
    assert "| 2025-03-04 04:00Z | bucket_extreme | mid |" in made.metadata["newest_events"].value
    assert (again.asset_events, again.cursor) == ([], data.cursor)
    assert "no new hour" in again.skip_message


def test_looking_twice_from_the_same_cursor_leaves_the_same_rows(begun):
    store_contexts(hour(3), hour(4, DOWN, phase="Euphoria"))
    sense(begun)
    before = Tables().query("newest_regime_events", (1000,))

    data = sense(begun)

    assert data.asset_events[0].metadata["rows_written"].value == 0
    assert events().equals(before)


def test_hour_by_hour_tells_what_one_look_at_all_tells(begun):
    hours = [hour(3), hour(4, phase="Oh-Shit"), hour(5, DOWN, phase="Oh-Shit"), hour(6), hour(7, phase="Euphoria")]
    cursor = begun
    for context in hours:
        store_contexts(context)
        cursor = sense(cursor).cursor
    step_by_step = told()
    _forget_events()

    sense(begun)

    assert step_by_step == told()
    assert len(step_by_step) == 7


def test_a_quiet_hour_is_reported_with_nothing_in_it(begun):
    store_contexts(hour(3, DOWN))

    (made,) = sense(begun).asset_events

    assert (made.metadata["rows_written"].value, made.metadata["newest_events"].value) == (0, "none yet")


def test_an_extreme_that_gets_sure_later_is_told_once_across_looks(begun):
    cursor, confidences = begun, (0.3, 0.8, *[0.3] * 6, 0.9)
    for number, confidence in enumerate(confidences, start=3):
        store_contexts(hour(number, {"mid": 1.0}, phase="Euphoria", confidence=confidence))
        cursor = sense(cursor).cursor

    assert [event for event in told() if event[0] == "bucket_extreme"] == [("bucket_extreme", 4, "mid")]


@pytest.mark.parametrize("name", ["rotation", "extreme"])
def test_a_kind_that_is_switched_off_is_not_told(begun, name):
    with connect(DatabaseRole.CONSOLE) as connection:
        write_pm_config(
            connection, {"regime": {"event": {f"is_bucket_{name}_on": False}}}, author="test", reason="quiet"
        )
    store_contexts(hour(3, phase="Euphoria"))

    sense(begun)

    kinds = {kind for kind, _, _ in told()}
    assert kinds == {"bucket_rotation", "bucket_extreme"} - {f"bucket_{name}"}


def test_an_hour_made_again_soon_adds_its_change_at_the_next_look(begun):
    store_contexts(hour(3, {}))
    cursor = sense(begun).cursor
    assert told() == []

    store_contexts(hour(3, UP), hour(4, UP))
    sense(cursor)

    assert told() == [("bucket_rotation", 3, None)]


def test_an_hour_made_again_takes_nothing_back_and_tells_nothing_twice(begun):
    store_contexts(hour(3, UP))
    cursor = sense(begun).cursor
    before = events()

    store_contexts(hour(3, UP, slope=0.9), hour(4, UP))
    cursor = sense(cursor).cursor
    store_contexts(hour(3, DOWN), hour(4, DOWN), hour(5, DOWN))
    sense(cursor)

    assert events().equals(before)


def test_hours_of_the_past_made_again_late_are_not_told_as_news(begun):
    cursor = begun
    for number in range(3, 9):
        store_contexts(hour(number, DOWN))
        cursor = sense(cursor).cursor

    store_contexts(hour(0, DOWN), hour(1, UP), hour(3, UP), hour(9, DOWN))
    sense(cursor)

    assert told() == []


def test_a_table_that_went_back_in_time_is_waited_for(begun):
    with connect(DatabaseRole.REGIME) as connection:
        connection.execute("DELETE FROM regime.regime_context")
    store_contexts(hour(1))

    data = sense(begun)

    assert (data.cursor, data.asset_events) == (begun, [])


def test_the_asset_stands_behind_the_contexts_and_cannot_be_run():
    (dependency,) = REGIME_EVENT.deps

    assert dependency.asset_key == dg.AssetKey(["regime", "regime_context"])
    definitions = dg.Definitions(assets=[REGIME_EVENT])
    assert not definitions.resolve_asset_graph().get(KEY).is_executable


def test_no_event_is_said_in_words():
    assert newest_table(pl.DataFrame()) == "none yet"


def _forget_events() -> None:
    with connect(DatabaseRole.REGIME) as connection:
        connection.execute("DELETE FROM regime.regime_event")
