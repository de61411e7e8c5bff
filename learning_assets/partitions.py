"""Partitions of the learning assets: days, UTC, each as of its end. A backfill of them is a walk-forward."""

import dagster as dg

from domain.vocabulary.window import FIRST_DAY

DAYS = dg.DailyPartitionsDefinition(FIRST_DAY, timezone="UTC", end_offset=1)
