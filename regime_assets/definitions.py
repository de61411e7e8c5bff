"""Code location "regime": the chain from candles and caps to A/E, phases and token states.

Nothing happens at import: Dagster calls `defs`, which reads the deployment from the environment.
"""

import os
from collections.abc import Mapping
from typing import Any

import dagster as dg

from regime_assets import (
    ae_score,
    alarm,
    bucket_eligibility,
    bucket_return_series,
    composite_return_series,
    dominance_sample,
    lowcap_price_data_ohlc,
    majors_price_data_ohlc,
    notification,
    phase_state,
    phase_state_bucket,
    regime_context,
    regime_driver_state,
    regime_driver_ta,
    regime_price_data_ohlc,
    token_cap_bucket,
    token_metadata,
    token_ta,
    token_uptrend_state,
)
from regime_assets.automation import BACKFILL_CHAIN, DAILY_CHAIN, HOURLY_CHAIN, SCHEDULES, automation_sensor
from regime_assets.chain_asset import ChainTable, chain_asset
from regime_assets.checks import SHOWN_CHECKS, shown_check_definition
from regime_assets.late_data import LATE_DATA
from regime_assets.micro_chain import micro_chain_sensor
from regime_assets.regime_event import REGIME_EVENT, regime_event_sensor
from resources.deployment import AS_OF_VARIABLE, DEPLOYMENT_VARIABLE, Deployment, parse_deployment, resources_of

CHAIN_TABLES: tuple[ChainTable, ...] = (
    majors_price_data_ohlc.SPEC,
    lowcap_price_data_ohlc.SPEC,
    dominance_sample.SPEC,
    token_metadata.SPEC,
    token_cap_bucket.SPEC,
    bucket_eligibility.SPEC,
    regime_price_data_ohlc.SPEC,
    regime_driver_ta.SPEC,
    regime_driver_state.SPEC,
    ae_score.SPEC,
    bucket_return_series.SPEC,
    composite_return_series.SPEC,
    phase_state_bucket.SPEC,
    phase_state.SPEC,
    regime_context.SPEC,
    token_ta.SPEC,
    token_uptrend_state.SPEC,
)
"""Tables of the chain, each after what it reads."""


def build_definitions(
    deployment: Deployment, *, as_of: str = "", replaced: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Definitions of the location for one deployment; `replaced` puts other resources in its place."""
    is_live = deployment is not Deployment.TEST and not as_of
    sensor_status = dg.DefaultSensorStatus.RUNNING if is_live else dg.DefaultSensorStatus.STOPPED
    return dg.Definitions(
        assets=[
            *(chain_asset(spec, condition=LATE_DATA if spec.reads else None) for spec in CHAIN_TABLES),
            REGIME_EVENT,
            alarm.ALARM,
        ],
        asset_checks=[*map(shown_check_definition, SHOWN_CHECKS), *alarm.ALARM_CHECKS],
        jobs=[HOURLY_CHAIN, DAILY_CHAIN, BACKFILL_CHAIN],
        schedules=SCHEDULES if is_live else (),  # a clock that stands still has no hours
        sensors=[
            automation_sensor(),
            micro_chain_sensor(CHAIN_TABLES, status=sensor_status),
            regime_event_sensor(status=sensor_status),
            alarm.regime_alarm_sensor(status=sensor_status),
            notification.notification_sensor(status=sensor_status),
        ],
        resources={**resources_of(deployment, as_of=as_of), **(replaced or {})},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    deployment = parse_deployment(os.environ.get(DEPLOYMENT_VARIABLE, ""))
    return build_definitions(deployment, as_of=os.environ.get(AS_OF_VARIABLE, ""))
