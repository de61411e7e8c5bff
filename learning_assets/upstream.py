"""What this location reads of the others: keys, so that it loads and is checked without them."""

import dagster as dg

from learning_assets.partitions import DAYS
from resources.table_asset import asset_key

STRANDS = "pm.ad_strands"
"""The runtime's event log. No asset makes it: a process appends to it."""

EPISODES = "pm.pattern_episode_events"
"""The runtime's windows of opportunity."""

UPSTREAM_TABLES = ("regime.regime_driver_state", "regime.ae_score")
"""A strand holds the 15 driver states and the score that its action was decided on."""

UPSTREAM = (
    *(dg.AssetSpec(asset_key(table), partitions_def=DAYS) for table in UPSTREAM_TABLES),
    *(
        dg.AssetSpec(
            asset_key(table),
            deps=[asset_key(upstream) for upstream in UPSTREAM_TABLES],
            description=f"{said} Written by the PM runtime alone.",
            group_name="pm",
            kinds={"postgres"},
            metadata={"dagster/table_name": table},
        )
        for table, said in (
            (STRANDS, "The event log: actions and closed positions."),
            (EPISODES, "Windows of opportunity: what was decided in each, by which gates, and what came of it."),
        )
    ),
)
