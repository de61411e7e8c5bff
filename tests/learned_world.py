"""Closed trades as the runtime tells them, and runs of learning over them, by real Dagster in real Postgres."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from typing import Any

import dagster as dg
import numpy as np
import polars as pl
from dagster._core.definitions.sensor_definition import SensorExecutionData
from psycopg.rows import dict_row

from domain.learning.trade_intake import StoredStrand
from domain.portfolio.strict_json import canonical_json
from domain.scopes.bitmask import mask_of
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.window import Window
from learning_assets.automation import LEARN
from learning_assets.closed_trades import closed_trade_sensors
from learning_assets.definitions import STEPS, build_definitions
from learning_assets.learning_table import SCHEMA
from resources.clock import Clock
from resources.deployment import Deployment
from resources.pm_settings import PmSettings
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.queries import query
from tests.chain_runs import EVERYTHING
from tests.domain.learning.told_trades import ToldTrade, told_trade
from tests.domain.portfolio.strand_documents import AT, iso, pm_action, position_closed

FEW = {
    "learning": {
        "mining": {"min_trades": 8, "max_depth": 1},
        "lesson": {
            **{"min_trades": 8, "min_side_trades": 4, "min_side_clusters": 3},
            **{"min_confirm_trades": 3, "min_confirm_clusters": 2, "confirm_rate": 0.1},
        },
        "walk_forward": {"n_resamples": 201},
        "edge_decay": {"min_snapshots": 4},
        "regime_weight": {"min_trades": 8, "min_cell_trades": 3, "min_token_trades": 1},
        "tuning": {"min_episodes": 10, "cooldown_episodes": 10, "step_days": 2.0},
    }
}
"""Configuration under which some thirty trades are enough for a lesson."""
RISING = {"btc_macro": "S3", "alt_meso": "S1", "bucket_meso": "S3"}
FALLING = {"btc_macro": "S0", "alt_meso": "S2", "bucket_meso": "S0"}
DAY = timedelta(days=1)
FIRST = AT.date()
MIDNIGHT = datetime.combine(FIRST, datetime.min.time(), AT.tzinfo)
BOUGHT, SOLD = "pm.uptrend.S1.buy_flag", "pm.uptrend.S0.exit_position"
SETS = ("learning.override_set", "learning.pm_overrides", "learning.override_step")
MADE_BY_DAY = tuple(each.table for step in STEPS for each in step.tables if each.table not in SETS)
"""Tables whose rows belong to a day; the others are versions."""
OF_THE_MAKING = {"run_id", "computed_at", "made_at", "set_id", "override_id", "step_id"}


def trade(number: int, day: float, rr: float | None, bucket: str = "nano", **scope: str) -> ToldTrade:
    """A trade opened `day` days after midnight of the first day, sold 2 hours later, closed after 3; 100 USD an R."""
    hours = day * 24 - 12
    known = {"chain": "solana", "mcap_bucket": bucket, "timeframe": "1h", **scope}
    scoped = {"scope": known, "scope_mask": mask_of([ScopeDimension(name) for name in known])}
    named = {"trade_id": f"t{number:05d}", "order_id": f"buy{number}"}
    outcome = {"rr": None if rr is None else max(-10.0, min(10.0, rr)), "rr_raw": rr, "hold_hours": 2.0}
    outcome |= {
        "rr_absent_reason": "no_drawdown" if rr is None else None,
        "pnl_usd": 100.0 * (0.5 if rr is None else rr),
    }
    outcome |= {"roi": outcome["pnl_usd"] / 1000, "max_adverse_usd": 0.0 if rr is None else 100.0}
    context = position_closed()["entry_context"] | {"bucket": bucket}
    outcome |= {"entry_timestamp": iso(hours), "exit_timestamp": iso(hours + 2)}
    return told_trade(
        named["trade_id"],
        entry=scoped | named | _done(hours),
        leave=scoped | {"order_id": f"sell{number}"} | _done(hours + 2),
        outcome=outcome,
        closure={"ts": iso(hours + 3), "entry_context": context | scoped | {"captured_at": iso(hours)}},
    )


def season(
    days: int,
    *,
    edge: float = 0.0,
    first: int = 0,
    seed: int = 5,
    noise: float = 0.3,
    markets: Sequence[Mapping[str, str]] = ({},),
) -> list[ToldTrade]:
    """Six trades a day: two in nano caps, about `edge` R, and two each in micro and in mid caps, about 0 R.

    markets: states of the market, one a day, over and over.
    """
    rng = np.random.default_rng(seed)
    means = {"nano": edge, "micro": 0.0, "mid": 0.0}
    return [
        trade(
            100 * day + number,
            day + float(rng.uniform(0, 0.8)),
            float(rng.normal(means[bucket], noise)),
            bucket,
            **markets[day % len(markets)],
        )
        for day in range(first, first + days)
        for number, bucket in enumerate((*means, *means))
    ]


def strands_of(trades: Iterable[ToldTrade]) -> list[StoredStrand]:
    """Actions before the closure, trade by trade."""
    return [strand for told in trades for strand in (*told.actions.values(), told.closure)]


def tell(strands: Iterable[StoredStrand], connection: Any = None) -> None:
    """Append to the event log as the runtime does."""
    rows = [
        {
            **{
                name: getattr(each, name) for name in ("strand_id", "kind", "schema_version", "trade_id", "occurred_at")
            },
            **{name: each.content.get(name, "?") for name in ("position_id", "token_contract", "chain")},
            "timeframe": "1h",
            "content": canonical_json(each.content),
        }
        for each in strands
    ]
    with nullcontext(connection) if connection else connect(DatabaseRole.PM) as session, session.cursor() as cursor:
        cursor.executemany(query("insert_strand").encode(), rows)


def tell_trades(trades: Iterable[ToldTrade]) -> None:
    """Append whole trades."""
    tell(strands_of(trades))


def look(number: int = 0, *, at: datetime, cursor: str | None = None) -> SensorExecutionData:
    """One evaluation of the sensor of closures (0) or of the sweep (1), as the daemon makes it."""
    resources = {
        "tables": Tables(role=DatabaseRole.LEARNING.value),
        "clock": Clock(as_of=at.isoformat()),
        "pm_settings": PmSettings(),
    }
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources) as context,
    ):
        return closed_trade_sensors(LEARN, status=dg.DefaultSensorStatus.RUNNING)[number].evaluate_tick(context)


def run_learning(
    first: int,
    last: int | None = None,
    *,
    as_of: datetime | None = None,
    tables: Sequence[str] = (),
    resource: Tables | None = None,
    instance: dg.DagsterInstance | None = None,
    raise_on_error: bool = True,
) -> dg.ExecuteInProcessResult:
    """Learn days `first` to `last` after the first day in one run; as of noon of the day after the last unless said."""
    last = first if last is None else last
    at = as_of or MIDNIGHT + (last + 1.5) * DAY
    replaced = {"tables": resource} if resource else None
    job = build_definitions(Deployment.TEST, as_of=at.isoformat(), replaced=replaced).resolve_job_def(LEARN.name)
    with nullcontext(instance) if instance else dg.DagsterInstance.ephemeral() as used:
        return job.execute_in_process(
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            instance=used,
            raise_on_error=raise_on_error,
            asset_selection=[dg.AssetKey(table.split(".")) for table in tables] or None,
            tags={
                "dagster/asset_partition_range_start": str(day_of(first)),
                "dagster/asset_partition_range_end": str(day_of(last)),
            },
        )


def day_of(number: int) -> date:
    """Day so many days after the first."""
    return FIRST + number * DAY


def stored(table: str, *, before: int | None = None) -> pl.DataFrame:
    """Rows of a table of days, of those before a day if one is given, without what tells one run from another."""
    window = EVERYTHING if before is None else Window(EVERYTHING.start, MIDNIGHT + before * DAY)
    frame = Tables(role=DatabaseRole.LEARNING.value).read(table, window)
    return frame.drop([name for name in frame.columns if name in OF_THE_MAKING])


def rows(statement: str, *parameters: object) -> list[dict[str, Any]]:
    """What a person sees who asks the database."""
    with connect(DatabaseRole.CONSOLE, read_only=True) as connection:
        return connection.cursor(row_factory=dict_row).execute(statement.encode(), parameters or None).fetchall()


def as_owner(statement: str) -> None:
    """Meddle."""
    with connect(DatabaseRole.OWNER) as connection:
        connection.execute(statement.encode())


def overrides_by_day(*, before: int | None = None, schema: str = SCHEMA) -> list[dict[str, Any]]:
    """Overrides of the newest set as of each instant, with the instant; an empty set has a row without an override."""
    found = rows(
        "SELECT made.as_of, made.row_count, rule.* FROM"
        f" (SELECT DISTINCT ON (as_of) * FROM {schema}.override_set ORDER BY as_of, set_id DESC) AS made"
        f" LEFT JOIN {schema}.pm_overrides AS rule USING (set_id) ORDER BY made.as_of, rule.lesson_id, rule.lever"
    )
    end = EVERYTHING.end if before is None else MIDNIGHT + before * DAY
    return [
        {name: value for name, value in row.items() if name not in OF_THE_MAKING}
        for row in found
        if row["as_of"] <= end
    ]


def everything(*, before: int | None = None) -> dict[str, Any]:
    """All that is learned, of days before one if it is given."""
    return {
        **{table: stored(table, before=before).to_dicts() for table in MADE_BY_DAY},
        "sets": overrides_by_day(before=before),
    }


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of what differs."""
    assert one.keys() == other.keys()
    return [name for name in one if one[name] != other[name]]


def facts() -> list[dict[str, Any]]:
    """Facts in order, without their making."""
    return stored("learning.pattern_trade_events").to_dicts()


def intake() -> list[dict[str, Any]]:
    """Closures that were not taken at once."""
    return rows("SELECT * FROM learning.trade_intake ORDER BY trade_id, strand_id")


def forget_everything() -> None:
    """Begin again: nothing was told, nothing was learned."""
    as_owner(f"TRUNCATE {', '.join((*_TOLD, *_LEARNED))} RESTART IDENTITY CASCADE")


_TOLD = ("pm.ad_strands", "pm.pattern_episode_events")
_LEARNED = (*MADE_BY_DAY, *SETS, "learning.trade_intake", "learning.live_override_set")


def _done(hours: float) -> dict[str, Any]:
    """What an action says of its instant."""
    document = pm_action()
    result, seen = document["execution_result"], document["seen"]
    before = iso(hours - 1)
    return {
        "ts": iso(hours),
        "execution_result": result | {"fills": [fill | {"filled_at": iso(hours)} for fill in result["fills"]]},
        "seen": seen
        | {"score_timestamps": {"nano": before}, "context_evaluated_at": before}
        | {"bar": seen["bar"] | {"opened_at": before, "closed_at": iso(hours)}},
    }
