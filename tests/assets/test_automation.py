"""When the chain is made: keys of the schedules, days that late data asks for, cuts of a backfill."""

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise

import dagster as dg
import pytest

from regime_assets.automation import SCHEDULES
from regime_assets.backfill import chunks
from regime_assets.chain_asset import POOL, asset_key
from regime_assets.definitions import CHAIN_TABLES, build_definitions
from regime_assets.deployment import Deployment
from regime_assets.partitions import DAYS

SCHEDULE = {schedule.name: schedule for schedule in SCHEDULES}
RAW = {asset_key(spec.table) for spec in CHAIN_TABLES if not spec.reads}
DERIVED = {asset_key(spec.table) for spec in CHAIN_TABLES if spec.reads}
MAJORS = asset_key("regime.majors_price_data_ohlc")
NOON = datetime(2025, 7, 10, 12, tzinfo=UTC)


@cache
def live() -> dg.Definitions:
    return build_definitions(Deployment.DEV)


def requested_key(name: str, tick: str) -> str:
    """Partition that a schedule asks for at a tick."""
    at = datetime.fromisoformat(f"{tick}+00:00")
    repository = live().get_repository_def()
    context = dg.build_schedule_context(scheduled_execution_time=at, repository_def=repository)
    told = repository.get_schedule_def(name).evaluate_tick(context)
    (request,) = told.run_requests
    assert request.run_key == at.isoformat()
    return str(request.partition_key)


@pytest.mark.parametrize(
    ("name", "tick", "day"),
    [
        ("hourly_chain", "2025-06-30T00:02", "2025-06-30"),
        ("hourly_chain", "2025-06-30T23:02", "2025-06-30"),
        ("hourly_chain", "2025-07-01T00:02", "2025-07-01"),
        ("daily_chain", "2025-07-01T00:10", "2025-06-30"),
        ("daily_chain", "2024-03-01T00:10", "2024-02-29"),
        ("daily_chain", "2025-01-01T00:10", "2024-12-31"),
        ("micro_chain_by_run", "2025-06-30T00:00", "2025-06-30"),
        ("micro_chain_by_run", "2025-06-30T23:55", "2025-06-30"),
    ],
)
def test_a_schedule_asks_for_the_day_it_is_about(name, tick, day):
    assert requested_key(name, tick) == day


@pytest.mark.parametrize("day", ["2025-03-30", "2025-10-26", "2025-03-09", "2025-11-02"])
def test_a_day_on_which_clocks_change_somewhere_is_a_day_like_any_other(day):
    following = date.fromisoformat(day) + timedelta(days=1)

    assert {requested_key("hourly_chain", f"{day}T{hour:02}:02") for hour in range(24)} == {day}
    assert requested_key("daily_chain", f"{following}T00:10") == day
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


def days_of(*days: str) -> dict[dg.AssetKey, set[str]]:
    """The same days for each asset that reads others, none for those that read the market."""
    return {key: set(days) if key in DERIVED else set() for key in RAW | DERIVED}


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_nothing_is_asked_for_when_nothing_changed(instance):
    assert requested_days(instance) == days_of()


def test_a_late_day_is_asked_for_again_with_every_later_one_but_today(instance):
    asked = requested_days(instance, (MAJORS, "2025-07-07"))

    assert asked == days_of("2025-07-07", "2025-07-08", "2025-07-09")


def test_what_changed_today_or_before_the_last_week_is_not_asked_for(instance):
    asked = requested_days(instance, (MAJORS, "2025-07-10"), (MAJORS, "2025-07-03"))

    assert asked == days_of()


@pytest.mark.parametrize(("day", "later"), [("2025-07-09", ()), ("2025-07-07", ("2025-07-08", "2025-07-09"))])
def test_a_day_made_as_a_whole_asks_only_for_the_days_after_it(instance, day, later):
    asked = requested_days(instance, *((asset_key(spec.table), day) for spec in CHAIN_TABLES))

    assert asked == days_of(*later)


def test_what_was_asked_for_once_is_not_asked_for_again(instance):
    told = dg.evaluate_automation_conditions(live(), instance, evaluation_time=NOON)
    instance.report_runless_asset_event(dg.AssetMaterialization(MAJORS, partition="2025-07-08"))
    counts = []
    for minute in range(1, 4):
        at = NOON + timedelta(minutes=minute)
        told = dg.evaluate_automation_conditions(live(), instance, evaluation_time=at, cursor=told.cursor)
        counts.append(told.total_requested)

    assert counts == [2 * len(DERIVED), 0, 0]


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
