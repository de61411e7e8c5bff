"""Checks that show rather than block: what was refused, what was rolled up wrongly, which channels are silent."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import dagster as dg
import polars as pl

from regime_assets.chain_asset import asset_key
from resources.tables import Tables

REFUSED_PER_DAY = 100
"""More refused rows in a day than this are an error of the source, not of a bar."""


@dataclass(frozen=True)
class ShownCheck:
    """A fact about a table that is worth a look; a run and a micro-batch both evaluate it."""

    table: str
    name: str
    description: str
    evaluate: Callable[[Tables], dg.AssetCheckResult]


def no_bar_was_refused(tables: Tables, *, table: str) -> dg.AssetCheckResult:
    """How many rows of a raw table were refused in the last week it holds, and why."""
    rows = tables.query("count_refused_by_reason", (table.split(".")[1],))
    is_flood = rows["rows"].sum() > 7 * REFUSED_PER_DAY
    return dg.AssetCheckResult(
        passed=rows.is_empty(),
        severity=dg.AssetCheckSeverity.ERROR if is_flood else dg.AssetCheckSeverity.WARN,
        metadata={"refused_by_reason": dict(rows.iter_rows()), "days": 7},
    )


def roll_ups_equal_the_venue(tables: Tables) -> dg.AssetCheckResult:
    """How many hours of the last week, rolled up from their minutes, differ from the venue's own bar."""
    rows = tables.query("compare_roll_ups_with_the_venue", ())
    differing = rows.filter(pl.col("differs"))
    return dg.AssetCheckResult(
        passed=differing.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"compared": rows.height, "differing": differing.height},
    )


def newest_scores_hear_their_channels(tables: Tables) -> dg.AssetCheckResult:
    """Coverage of the newest score of each execution timeframe and bucket."""
    rows = tables.query("newest_coverage", ())
    return dg.AssetCheckResult(
        passed=not rows["degraded"].any(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "coverage": {f"{row['timeframe']} {row['bucket']}": row["coverage"] for row in rows.iter_rows(named=True)}
        },
    )


SHOWN_CHECKS: tuple[ShownCheck, ...] = (
    *(
        ShownCheck(
            table,
            "no_bar_was_refused",
            "Refused rows reach no roll-up; each stands in regime.bar_quarantine with its reason.",
            partial(no_bar_was_refused, table=table),
        )
        for table in ("regime.majors_price_data_ohlc", "regime.lowcap_price_data_ohlc", "regime.dominance_sample")
    ),
    ShownCheck(
        "regime.majors_price_data_ohlc",
        "roll_ups_equal_the_venue",
        "A fully covered roll-up of minutes gives the bar the venue printed itself.",
        roll_ups_equal_the_venue,
    ),
    ShownCheck(
        "regime.ae_score",
        "newest_scores_hear_their_channels",
        "The newest scores of each execution timeframe hear at least 12 of their 15 channels.",
        newest_scores_hear_their_channels,
    ),
)


def shown_check_definition(check: ShownCheck) -> dg.AssetChecksDefinition:
    """Asset check of Dagster that evaluates `check`."""

    @dg.asset_check(asset=asset_key(check.table), name=check.name, description=check.description)
    def _evaluate(tables: Tables) -> dg.AssetCheckResult:
        return check.evaluate(tables)

    return _evaluate
