"""A table whose inline check finds something: nothing is published, and the asset's page says why."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from regime_assets import dominance_sample, majors_price_data_ohlc, regime_driver_ta, regime_price_data_ohlc
from regime_assets.chain_asset import chain_asset
from regime_assets.micro_chain import micro_chain_sensor
from resources.deployment import Deployment, resources_of
from resources.inline_check import InlineCheck
from resources.table_asset import asset_key
from tests.chain_runs import RAW_TABLES, run_chain, small_market, stored

pytestmark = pytest.mark.postgres

DAY = date(2026, 3, 9)
EARLY, LATE = (datetime(2026, 3, 9, hour, 30, tzinfo=UTC) for hour in (2, 3))
TABLE = regime_price_data_ohlc.SPEC.table
CHECK = InlineCheck("bars_have_indicators", "check_one_indicator_row_per_driver_bar", "Cannot hold: they come later.")
FAILING = replace(regime_price_data_ohlc.SPEC, checks=(*regime_price_data_ohlc.SPEC.checks, CHECK))
CHECK_KEY = dg.AssetCheckKey(asset_key(TABLE), CHECK.name)


def resources(as_of: datetime) -> dict[str, object]:
    return resources_of(Deployment.TEST, as_of=as_of.isoformat()) | {"market": small_market()}


def check_status(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> AssetCheckExecutionRecordStatus | None:
    """How the check last ended, as the asset's page shows it."""
    record = instance.event_log_storage.get_latest_asset_check_execution_by_key([check]).get(check)
    return record.status if record else None


@pytest.fixture(scope="module")
def failed(module_database):
    """The rows that stood, the failed run over them, and its instance."""
    run_chain(DAY, DAY, as_of=EARLY, tables=(*RAW_TABLES, TABLE))
    before = stored(TABLE)
    run_chain(DAY, DAY, as_of=LATE, tables=RAW_TABLES)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [chain_asset(FAILING)],
            partition_key=DAY.isoformat(),
            resources=resources(LATE),
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        yield before, result, instance


def test_the_run_fails_at_once_and_the_old_window_stands(failed):
    before, result, _ = failed

    kinds = [event.event_type for event in result.all_events]
    assert not result.success
    assert dg.DagsterEventType.STEP_UP_FOR_RETRY not in kinds
    assert kinds.count(dg.DagsterEventType.STEP_START) == 1
    assert before.height > 0
    assert stored(TABLE).equals(before)


def test_the_failure_names_the_check_and_what_still_stands(failed):
    _, result, _ = failed
    error = result.failure_data_for_node(TABLE.replace(".", "__")).error

    told = f"{error.message} {error.cause.message if error.cause else ''}"
    assert CHECK.name in told
    assert "the rows of the last good run still stand" in told


def test_the_failed_check_is_recorded_although_nothing_was_materialized(failed):
    _, _, instance = failed
    others = [dg.AssetCheckKey(asset_key(TABLE), check.name) for check in regime_price_data_ohlc.SPEC.checks]

    assert check_status(instance, CHECK_KEY) is AssetCheckExecutionRecordStatus.FAILED
    assert all(check_status(instance, other) is not AssetCheckExecutionRecordStatus.FAILED for other in others)
    assert instance.get_latest_materialization_event(asset_key(TABLE)) is None


def test_a_failed_check_ends_the_step_of_minutes_before_the_tables_that_read(database):
    chain = (majors_price_data_ohlc.SPEC, dominance_sample.SPEC, FAILING, regime_driver_ta.SPEC)
    run_chain(DAY - timedelta(days=1), DAY - timedelta(days=1), as_of=EARLY, tables=(*RAW_TABLES, TABLE))
    before = stored(TABLE)
    with dg.DagsterInstance.ephemeral() as instance:
        sensor = micro_chain_sensor(chain, status=dg.DefaultSensorStatus.RUNNING)
        with dg.build_sensor_context(instance=instance, resources=resources(LATE)) as context:
            told = sensor.evaluate_tick(context)
        status = check_status(instance, CHECK_KEY)

    made = {event.asset_key for event in told.asset_events}
    assert made == {asset_key("regime.majors_price_data_ohlc"), asset_key("regime.dominance_sample")}
    assert status is AssetCheckExecutionRecordStatus.FAILED
    assert stored(TABLE).equals(before)
    assert stored("regime.regime_driver_ta").is_empty()
