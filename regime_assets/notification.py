"""Tells alarms and other changes outside, and looks whether the runtime and every part of the daemon live.

Where no notifier is named it looks all the same. Without Dagster `lowcap notify` does what this sensor does.
"""

import os

import dagster as dg

from resources.clock import Clock
from resources.named_notifier import CHOICES, read_notifier
from resources.notification_sender import send_round
from resources.outside_look import look_from_outside
from resources.pm_settings import PmSettings
from sql.database import connect
from sql.database_role import DatabaseRole

NAME = "notifications"
EVERY_SECONDS = 30


def notification_sensor(*, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Sensor that looks from outside and sends what is due."""

    @dg.sensor(name=NAME, minimum_interval_seconds=EVERY_SECONDS, default_status=status, description=__doc__)
    def _notifications(clock: Clock, pm_settings: PmSettings) -> dg.SkipReason:
        config = pm_settings.current().config.alarms.notify
        with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
            look_from_outside(connection, at=clock.now(), by=NAME)
            notifier = read_notifier(os.environ)
            if notifier is None:
                return dg.SkipReason(f"nobody to tell: none of {', '.join(CHOICES)} is set")
            done = send_round(connection, notifier, config, now=clock.now)
        return dg.SkipReason(
            f"{done.collected} new, {done.delivered} told, {done.retried} to be tried again, {done.given_up} given up"
        )

    return _notifications
