"""Checks that show rather than block: trades that wait, outcomes that are missing, overrides that grow old."""

import dagster as dg

from learning_assets import pattern_trade_events, pm_overrides
from resources.table_asset import asset_key
from resources.tables import Tables

MAX_SET_AGE_HOURS = 48
"""A live set that stands on trades older than this is worth a look."""


@dg.asset_check(
    asset=asset_key(pattern_trade_events.TABLE),
    name="no_closed_trade_waits",
    description="Closed trades whose actions have not all come, and closures that break their schema.",
)
def no_closed_trade_waits(tables: Tables) -> dg.AssetCheckResult:
    rows = tables.query("intake_by_status", ())
    waiting = rows.filter(rows["status"] != "taken")
    return dg.AssetCheckResult(
        passed=waiting.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "by_status": dict(waiting.select("status", "trades").iter_rows()),
            "oldest": str(waiting["oldest"].min()) if waiting.height else "none",
        },
    )


@dg.asset_check(
    asset=asset_key(pattern_trade_events.TABLE),
    name="outcomes_are_known",
    description="Share of closed trades without an R/R, and without a PnL: an outcome once had another name and was 0.",
)
def outcomes_are_known(tables: Tables) -> dg.AssetCheckResult:
    row = tables.query("unknown_outcomes", ()).row(0, named=True)
    return dg.AssetCheckResult(
        passed=row["trades"] == 0 or row["without_rr"] + row["without_pnl"] < row["trades"] / 2,
        severity=dg.AssetCheckSeverity.WARN,
        metadata=row,
    )


@dg.asset_check(
    asset=asset_key(pm_overrides.TABLE),
    name="the_live_set_is_young",
    description="Age of what the runtime reads: overrides once stayed for ever.",
)
def the_live_set_is_young(tables: Tables) -> dg.AssetCheckResult:
    rows = tables.query("live_set_age", ())
    age = rows["hours"].item() if rows.height else None
    return dg.AssetCheckResult(
        passed=age is None or age <= MAX_SET_AGE_HOURS,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"live_set_age_hours": -1.0 if age is None else float(age), "is_any_live": rows.height > 0},
    )


SHOWN_CHECKS = (no_closed_trade_waits, outcomes_are_known, the_live_set_is_young)
