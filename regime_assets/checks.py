"""Checks that show rather than block: what was refused, what was rolled up wrongly, which channels are silent."""

import dagster as dg
import polars as pl

from regime_assets.chain_asset import asset_key
from resources.tables import Tables

REFUSED_PER_DAY = 100
"""More refused rows in a day than this are an error of the source, not of a bar."""


def quarantine_check(table: str) -> dg.AssetChecksDefinition:
    """Check of a raw table: how many of its rows were refused in the last week it holds, and why."""

    @dg.asset_check(
        asset=asset_key(table),
        name="no_bar_was_refused",
        description="Refused rows reach no roll-up; each stands in regime.bar_quarantine with its reason.",
    )
    def _no_bar_was_refused(tables: Tables) -> dg.AssetCheckResult:
        rows = tables.query("count_refused_by_reason", (table.split(".")[1],))
        is_flood = rows["rows"].sum() > 7 * REFUSED_PER_DAY
        return dg.AssetCheckResult(
            passed=rows.is_empty(),
            severity=dg.AssetCheckSeverity.ERROR if is_flood else dg.AssetCheckSeverity.WARN,
            metadata={"refused_by_reason": dict(rows.iter_rows()), "days": 7},
        )

    return _no_bar_was_refused


@dg.asset_check(
    asset=asset_key("regime.majors_price_data_ohlc"),
    description="A fully covered roll-up of minutes gives the bar the venue printed itself.",
)
def roll_ups_equal_the_venue(tables: Tables) -> dg.AssetCheckResult:
    rows = tables.query("compare_roll_ups_with_the_venue", ())
    differing = rows.filter(pl.col("differs"))
    return dg.AssetCheckResult(
        passed=differing.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"compared": rows.height, "differing": differing.height},
    )


@dg.asset_check(
    asset=asset_key("regime.ae_score"),
    description="The newest scores of each execution timeframe hear at least 12 of their 15 channels.",
)
def newest_scores_hear_their_channels(tables: Tables) -> dg.AssetCheckResult:
    rows = tables.query("newest_coverage", ())
    return dg.AssetCheckResult(
        passed=not rows["degraded"].any(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "coverage": {f"{row['timeframe']} {row['bucket']}": row["coverage"] for row in rows.iter_rows(named=True)}
        },
    )


CHECKS = (
    quarantine_check("regime.majors_price_data_ohlc"),
    quarantine_check("regime.lowcap_price_data_ohlc"),
    quarantine_check("regime.dominance_sample"),
    roll_ups_equal_the_venue,
    newest_scores_hear_their_channels,
)
