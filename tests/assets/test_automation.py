"""When the chain is made: keys of the schedules, days that late data asks for, cuts of a backfill."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise

import dagster as dg
import pytest
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from regime_assets.automation import SCHEDULES
from regime_assets.chain_asset import POOL
from regime_assets.definitions import CHAIN_TABLES, build_definitions
from regime_assets.partitions import DAYS
from resources.deployment import Deployment
from resources.table_asset import asset_key
from resources.tables import Tables
from resources.terminal_backfill import chunks
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.stored_rows import insert_rows

SCHEDULE = {schedule.name: schedule for schedule in SCHEDULES}
RAW = {asset_key(spec.table) for spec in CHAIN_TABLES if not spec.reads}
DERIVED = {asset_key(spec.table) for spec in CHAIN_TABLES if spec.reads}
MAJORS = asset_key("regime.majors_price_data_ohlc")
NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)


@cache
def live() -> dg.Definitions:
    return build_definitions(Deployment.DEV)


def requested(name: str, tick: str) -> dg.RunRequest:
    """What a schedule asks for at a tick."""
    at = datetime.fromisoformat(f"{tick}+00:00")
    repository = live().get_repository_def()
    context = dg.build_schedule_context(
        scheduled_execution_time=at, repository_def=repository, resources={"tables": Tables()}
    )
    told = repository.get_schedule_def(name).evaluate_tick(context)
    (request,) = told.run_requests
    assert request.run_key == at.isoformat()
    return request


@pytest.mark.parametrize(
    ("name", "tick", "day"),
    [
        ("hourly_chain", "2025-06-30T00:02", "2025-06-30"),
        ("hourly_chain", "2025-06-30T23:02", "2025-06-30"),
        ("hourly_chain", "2025-07-01T00:02", "2025-07-01"),
        ("micro_chain_by_run", "2025-06-30T00:00", "2025-06-30"),
        ("micro_chain_by_run", "2025-06-30T23:55", "2025-06-30"),
    ],
)
def test_a_schedule_asks_for_the_day_it_is_about(name, tick, day):
    assert requested(name, tick).partition_key == day


def loaded(day: date, at: datetime) -> dict[str, object]:
    """A bar of a day, loaded at an instant."""
    prices = dict.fromkeys(("open_usd", "high_usd", "low_usd", "close_usd"), 1.0)
    made = {"known_at": at, "run_id": "run", "computed_at": at, "code_version": "1"}
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    bar = {"symbol": "BTC", "timeframe": "1d", "timestamp": midnight, "volume": 1.0, "source": "venue"}
    return bar | prices | {"coverage": 1.0, "partial": False} | made


@pytest.mark.postgres
@pytest.mark.parametrize("day", ["2025-06-30", "2024-02-29", "2024-12-31", "2025-03-30"])
def test_the_daily_run_makes_yesterday_when_the_days_before_are_done(database, day):
    yesterday = date.fromisoformat(day)
    tick = datetime(yesterday.year, yesterday.month, yesterday.day, 0, 10, tzinfo=UTC) + timedelta(days=1)
    with connect(DatabaseRole.REGIME) as connection:
        insert_rows(
            connection,
            "regime.majors_price_data_ohlc",
            [loaded(yesterday - timedelta(days=back), tick) for back in range(1, 7)],
        )

    assert requested("daily_chain", f"{tick:%Y-%m-%dT%H:%M}").partition_key == day


@pytest.mark.postgres
@pytest.mark.parametrize(("days_off", "first"), [(2, "2025-06-28"), (5, "2025-06-25"), (9, "2025-06-24")])
def test_after_days_off_one_run_makes_all_that_were_left(database, days_off, first):
    """The last day before the pause was loaded at noon, before it was over; a week is as far back as it looks."""
    stopped = datetime(2025, 7, 1, 12, tzinfo=UTC) - timedelta(days=days_off + 1)
    with connect(DatabaseRole.REGIME) as connection:
        rows = [loaded((stopped - timedelta(days=back)).date(), stopped) for back in range(20)]
        insert_rows(connection, "regime.majors_price_data_ohlc", rows)

    request = requested("daily_chain", "2025-07-01T00:10")

    assert request.partition_key is None
    assert request.tags[ASSET_PARTITION_RANGE_START_TAG] == first
    assert request.tags[ASSET_PARTITION_RANGE_END_TAG] == "2025-06-30"


@pytest.mark.parametrize("day", ["2025-03-30", "2025-10-26", "2025-03-09", "2025-11-02"])
def test_a_day_on_which_clocks_change_somewhere_is_a_day_like_any_other(day):
    assert {requested("hourly_chain", f"{day}T{hour:02}:02").partition_key for hour in range(24)} == {day}
    assert DAYS.time_window_for_partition_key(day).end - DAYS.time_window_for_partition_key(day).start == timedelta(1)


@pytest.mark.parametrize("name", SCHEDULE)
def test_schedules_tick_in_utc(name):
    assert SCHEDULE[name].execution_timezone == "UTC"


def test_every_day_since_the_first_has_one_partition_today_included():
    keys = DAYS.get_partition_keys(current_time=NOON)
    days = [date.fromisoformat(key) for key in keys]

    assert (keys[0], keys[-1]) == ("2020-01-01", "2025-07-10")
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


def requested_days(instance: dg.DagsterInstance, *changes: tuple[dg.AssetKey, str]) -> dict[dg.AssetKey, set[str]]:
    """Days of each asset that are asked for once some partitions of some assets are materialized anew."""
    first = dg.evaluate_automation_conditions(live(), instance, evaluation_time=NOON)
    for key, day in changes:
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=day))
    later = NOON + timedelta(minutes=1)
    then = dg.evaluate_automation_conditions(live(), instance, evaluation_time=later, cursor=first.cursor)
    asked = {key: set(then.get_requested_partitions(key)) for key in RAW | DERIVED}
    assert then.total_requested == sum(map(len, asked.values()))
    return asked


def days_of(*days: str, assets: set[dg.AssetKey]) -> dict[dg.AssetKey, set[str]]:
    """The same days for some assets, none for the others."""
    return {key: set(days) if key in assets else set() for key in RAW | DERIVED}


def downstream(table: str) -> set[dg.AssetKey]:
    """Assets made from a table, directly or not; specs stand after what they read."""
    tables = {table}
    for spec in CHAIN_TABLES:
        tables |= {spec.table} if tables & set(spec.reads) else set()
    return {asset_key(found) for found in tables - {table}}


BELOW_MAJORS = downstream("regime.majors_price_data_ohlc")


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_nothing_is_asked_for_when_nothing_changed(instance):
    assert requested_days(instance) == days_of(assets=set())


def test_a_late_day_is_asked_for_again_with_every_later_one_but_today(instance):
    asked = requested_days(instance, (MAJORS, "2025-07-07"))

    assert asked == days_of("2025-07-07", "2025-07-08", "2025-07-09", assets=BELOW_MAJORS)


def test_what_changed_today_or_before_the_last_week_is_not_asked_for(instance):
    asked = requested_days(instance, (MAJORS, "2025-07-10"), (MAJORS, "2025-07-03"))

    assert asked == days_of(assets=set())


@pytest.mark.parametrize(("day", "later"), [("2025-07-09", ()), ("2025-07-07", ("2025-07-08", "2025-07-09"))])
def test_a_day_made_as_a_whole_asks_only_for_the_days_after_it(instance, day, later):
    asked = requested_days(instance, *((asset_key(spec.table), day) for spec in CHAIN_TABLES))

    assert asked == days_of(*later, assets=DERIVED)


def test_what_was_asked_for_once_is_not_asked_for_again(instance):
    told = dg.evaluate_automation_conditions(live(), instance, evaluation_time=NOON)
    instance.report_runless_asset_event(dg.AssetMaterialization(MAJORS, partition="2025-07-08"))
    counts = []
    for minute in range(1, 4):
        at = NOON + timedelta(minutes=minute)
        told = dg.evaluate_automation_conditions(live(), instance, evaluation_time=at, cursor=told.cursor)
        counts.append(told.total_requested)

    assert counts == [2 * len(BELOW_MAJORS), 0, 0]


def test_a_backfill_is_cut_into_runs_that_touch_and_do_not_overlap():
    first, last = date(2024, 2, 20), date(2024, 7, 3)

    cut = list(chunks(first, last, 30))

    assert (cut[0][0], cut[-1][1]) == (first, last)
    assert all(later[0] - earlier[1] == timedelta(days=1) for earlier, later in pairwise(cut))
    assert all((end - begin).days == 29 for begin, end in cut[:-1])


def test_a_backfill_of_one_day_is_one_run_and_one_of_none_is_none():
    day = date(2024, 2, 29)

    assert list(chunks(day, day, 120)) == [(day, day)]
    assert list(chunks(day, day - timedelta(days=1), 120)) == []


def test_every_asset_of_the_chain_waits_in_the_pool():
    graph = live().resolve_asset_graph()

    assert [key for key in RAW | DERIVED if set(graph.get(key).pools or ()) != {POOL}] == []
