"""What this location reads of the regime: keys and partitions, so that it loads and is checked without the other."""

import dagster as dg

from domain.vocabulary.window import FIRST_DAY

DAYS = dg.DailyPartitionsDefinition(FIRST_DAY, timezone="UTC", end_offset=1)

UPSTREAM_TABLES = ("regime_driver_state", "ae_score")
"""A lesson looks back at the 15 driver states and the score a trade was entered with."""

UPSTREAM = tuple(dg.AssetSpec(dg.AssetKey(["regime", table]), partitions_def=DAYS) for table in UPSTREAM_TABLES)
