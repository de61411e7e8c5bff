"""Checks that show rather than block: what was refused, what was rolled up wrongly, what is silent or stands still."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import dagster as dg
import polars as pl

from domain.regime.dominance_feed import newest_standing
from regime_assets.coverage_calendar import coverage_calendar
from resources.pm_settings import PmSettings
from resources.table_asset import asset_key
from resources.tables import Tables

REFUSED_PER_DAY = 100
"""More refused rows in a day than this are an error of the source, not of a bar."""

DOMINANCE_HOURS = 240
"""Hours of dominance looked at: more than the longest limit, and than three days of daily samples."""


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
    """Coverage of the newest score of each execution timeframe and bucket, and the days of a year as a calendar."""
    rows = tables.query("newest_coverage", ())
    days = tables.query("coverage_by_day", ()).with_columns(label=pl.lit(None, dtype=pl.String))
    return dg.AssetCheckResult(
        passed=not rows["degraded"].any(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "coverage": {f"{row['timeframe']} {row['bucket']}": row["coverage"] for row in rows.iter_rows(named=True)},
            "coverage_calendar": dg.MetadataValue.md(coverage_calendar(days, title="Channels heard, share of 15")),
        },
    )


def dominance_moves(tables: Tables) -> dg.AssetCheckResult:
    """How long each metric has told its newest value, and which of them have stood still for too long."""
    config = PmSettings().current().config.regime.driver_bar
    samples = tables.query("recent_dominance_samples", (DOMINANCE_HOURS,))
    runs = newest_standing(samples, max_static_hours=config.max_static_hours).to_dicts()
    return dg.AssetCheckResult(
        passed=not any(run["is_static"] for run in runs),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "standing_still": {
                f"{run['metric']} {run['timeframe']}": f"{run['value_pct']} since {run['since']:%Y-%m-%dT%H:%MZ}"
                for run in runs
                if run["is_static"]
            },
            "static_hours": {f"{run['metric']} {run['timeframe']}": round(run["static_hours"], 2) for run in runs},
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
        "regime.dominance_sample",
        "dominance_moves",
        "A feed that repeats one number under fresh times holds six of the 15 channels where they are.",
        dominance_moves,
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
