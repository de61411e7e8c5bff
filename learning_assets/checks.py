"""Checks that show rather than block: what waits, what is missing, what grows old, fades or tells nothing."""

import dagster as dg

from learning_assets import learning_lessons, learning_regime_weights, pattern_trade_events, pm_overrides
from resources.pm_settings import PmSettings
from resources.table_asset import asset_key
from resources.tables import Tables

MAX_SET_AGE_HOURS = 48
"""A live set that stands on trades older than this is worth a look."""
MIN_REGIMES = 3
"""Fitted regimes from which weights that are all 1 say that nothing of regimes is learned."""
MAX_CLAMPED_FRAC = 0.5


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


@dg.asset_check(
    asset=asset_key(learning_regime_weights.TABLE),
    name="regime_weights_tell_regimes_apart",
    description="Weights of the regimes fitted as of the newest day: all of them 1, or most at a clamp, is no fit.",
)
def regime_weights_tell_regimes_apart(tables: Tables, pm_settings: PmSettings) -> dg.AssetCheckResult:
    config = pm_settings.current().config.learning.regime_weight
    row = tables.query("regime_weight_spread", (config.weight_min, config.weight_max)).row(0, named=True)
    is_blind = row["regimes_fitted"] >= MIN_REGIMES and row["weights"] == row["weights_of_one"]
    clamped_frac = row["weights_clamped"] / row["weights"] if row["weights"] else 0.0
    return dg.AssetCheckResult(
        passed=not is_blind and clamped_frac <= MAX_CLAMPED_FRAC,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={**row, "clamped_frac": round(clamped_frac, 4)},
    )


@dg.asset_check(
    asset=asset_key(learning_lessons.TABLE),
    name="no_lesson_is_short_lived",
    description="Active lessons of the newest day whose edge halves faster than learning.lesson.min_half_life_hours.",
)
def no_lesson_is_short_lived(tables: Tables, pm_settings: PmSettings) -> dg.AssetCheckResult:
    least = pm_settings.current().config.learning.lesson.min_half_life_hours
    hours = dict(tables.query("short_lived_lessons", (least,)).iter_rows())
    return dg.AssetCheckResult(
        passed=not hours,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"min_half_life_hours": least, "half_life_hours": hours},
    )


@dg.asset_check(
    asset=asset_key(learning_lessons.TABLE),
    name="no_edge_halved_since_birth",
    description="Active lessons of the newest day that keep less than alarms.edge_kept_frac of their edge, or turned.",
)
def no_edge_halved_since_birth(tables: Tables, pm_settings: PmSettings) -> dg.AssetCheckResult:
    rows = tables.query("halved_edges", (pm_settings.current().config.alarms.edge_kept_frac,))
    return dg.AssetCheckResult(
        passed=rows.is_empty(),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"halved": {name: f"{birth:.3f} -> {now:.3f} R" for name, birth, now in rows.iter_rows()}},
    )


SHOWN_CHECKS = (
    *(no_closed_trade_waits, outcomes_are_known, the_live_set_is_young),
    *(regime_weights_tell_regimes_apart, no_lesson_is_short_lived, no_edge_halved_since_birth),
)
