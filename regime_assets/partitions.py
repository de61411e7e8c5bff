"""Partitions of the regime assets: days, UTC, today included. Minutes, hours, tokens and drivers are rows in a day."""

import dagster as dg

from domain.vocabulary.window import FIRST_DAY

DAYS = dg.DailyPartitionsDefinition(FIRST_DAY, timezone="UTC", end_offset=1)
