"""Phase and eligibility rows of made-up hours, as their tables hold them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.config.cap_bucket import BucketOrderMultipliers
from domain.regime.regime_context import RegimeContext, get_regime_context
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.horizon import Horizon
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.stored_rows import PROVENANCE, insert_rows

Row = dict[str, Any]
DAY = datetime(2025, 3, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
STRONG = BucketOrderMultipliers(strength=1)
LADDER = {"nano": 0.3, "micro": 0.9, "mid": 0.1, "big": -0.4, "large": -1.0}
TABLES = ("regime.phase_state", "regime.phase_state_bucket", "regime.bucket_eligibility")


def composite_row(at: datetime, horizon: str, phase: str = "Good", **values: Any) -> Row:
    """A row of regime.phase_state."""
    row = {"horizon": horizon, "ts": at, "phase": phase, "score": 0.8, "group_count": 5}
    return row | _measures() | {"computed_at": at} | PROVENANCE | values


def bucket_row(at: datetime, bucket: str, score: float, *, horizon: str = "meso", **values: Any) -> Row:
    """A row of regime.phase_state_bucket."""
    row = {"bucket": bucket, "horizon": horizon, "ts": at, "phase": "Good", "score": score, "population_count": 20}
    return row | _measures() | {"computed_at": at} | PROVENANCE | values


def eligibility_row(day: datetime, bucket: str, reason: str | None = None, **values: Any) -> Row:
    """A row of regime.bucket_eligibility."""
    row = {"bucket": bucket, "timestamp": day, "member_count": 20, "median_volume_24h_usd": 1e5}
    return row | {"is_eligible": reason is None, "reason": reason, "computed_at": day} | PROVENANCE | values


def judged_buckets(day: datetime = DAY, **reasons: str) -> list[Row]:
    """Every bucket of a day: eligible but for xl and those named with a reason."""
    told = {"xl": "telemetry_only"} | reasons
    return [eligibility_row(day, bucket.value, told.get(bucket.value)) for bucket in CapBucket]


def composite_rows(at: datetime, phases: Mapping[str, str] | None = None) -> list[Row]:
    """The three horizons of an hour, or those named."""
    named = phases or {"macro": "Recover", "meso": "Dip", "micro": "Good"}
    return [composite_row(at, horizon, phase) for horizon, phase in named.items()]


def ladder_rows(at: datetime, scores: Mapping[str, float] | None = None, **values: Any) -> list[Row]:
    """Rows of every horizon of the buckets of an hour; those of meso have the scores."""
    return [
        bucket_row(at, bucket, score if horizon is Horizon.MESO else -score, horizon=horizon.value, **values)
        for bucket, score in (LADDER if scores is None else scores).items()
        for horizon in Horizon
    ]


def context_of(at: datetime, scores: Mapping[str, float] | None = None, **values: Any) -> RegimeContext:
    """The document of an hour with this ladder; `values` are those of every bucket's row."""
    return get_regime_context(
        at, composite_rows(at), ladder_rows(at, scores, **values), judged_buckets(_day(at)), **BY_DEFAULT
    )


BY_DEFAULT: dict[str, Any] = {"config": STRONG, "config_version": 1}


def store(*tables: list[Row]) -> None:
    """Store rows of phase_state, phase_state_bucket and bucket_eligibility, in this order."""
    with connect(DatabaseRole.REGIME) as connection:
        for name, rows in zip(TABLES, tables, strict=True):
            if rows:
                insert_rows(connection, name, rows)


def store_contexts(*contexts: RegimeContext) -> None:
    """Store documents, in place of those of the same hours."""
    with connect(DatabaseRole.REGIME) as connection:
        for context in contexts:
            at = {"timestamp": context.evaluated_at}
            connection.execute('DELETE FROM regime.regime_context WHERE "timestamp" = %(timestamp)s', at)
            told = {"regime_label": context.regime_label, "context": context.to_json()}
            row = at | told | PROVENANCE | {"computed_at": context.known_at}
            insert_rows(connection, "regime.regime_context", [row])


def _measures() -> Row:
    lenses = dict.fromkeys(("s_btcusd", "s_rotation", "s_port_btc", "s_port_alt"), 0.1)
    shape = {"slope": 0.2, "curvature": 0.1, "delta_res": 0.3, "confidence": 0.8}
    return shape | lenses | {"dwell_remaining_hours": 4.0, "pending_label": None}


def _day(at: datetime) -> datetime:
    return at.replace(hour=0)
