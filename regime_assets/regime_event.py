"""Changes of the regime worth a notice: another order of the buckets, and a bucket that turns Euphoria or Oh-Shit.

A sensor compares each new hour of `regime_context` with the one before and appends what changed. What is stored stays:
an hour that is made again later may add an event, and takes none back.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg
import polars as pl

from domain.regime.regime_context import RegimeContext
from domain.regime.regime_event import RegimeEvent, RegimeEventKind, regime_events
from regime_assets.chain_asset import SCHEMA
from resources.pm_settings import PmSettings
from resources.stamp import Stamp
from resources.table_asset import ROWS_WRITTEN, asset_key, column_schema
from resources.tables import Tables
from sql.pm_config import VersionedConfig
from sql.schema import table_schema

CONTEXT, EVENT = "regime.regime_context", "regime.regime_event"
CODE_VERSION = "1"
EVERY_SECONDS = 30
SHOWN_EVENTS = 10

AGAIN = timedelta(hours=2)
"""How far before the last hour seen events are looked for again: late minutes, or a run across the full hour, make
those anew. Ids keep what was told from being told twice."""

LOOKBACK = timedelta(days=30)
"""Longest run of an extreme whose beginning is looked for, so that a rise of its confidence is told once."""

EVENT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "event_id": pl.String,
    "kind": pl.String,
    "timestamp": pl.Datetime("us", "UTC"),
    "bucket": pl.String,
    "payload": pl.String,
    "config_version": pl.Int64,
}

REGIME_EVENT = dg.AssetSpec(
    asset_key(EVENT),
    deps=[asset_key(CONTEXT)],
    description=__doc__,
    group_name=SCHEMA,
    owners=["team:regime"],
    kinds={"postgres"},
    metadata={"dagster/table_name": EVENT, "dagster/column_schema": column_schema(table_schema(EVENT))},
)


@dataclass(frozen=True)
class Seen:
    """Hours the sensor has looked at: none up to `since`, which was history when it began; then up to `newest`."""

    since: datetime
    newest: datetime

    def cursor(self) -> str:
        """Return the cursor that says so."""
        return json.dumps({"since": self.since.isoformat(), "newest": self.newest.isoformat()})


def seen_by(cursor: str | None) -> Seen | None:
    """Read a cursor; None when it is not set.

    >>> at = datetime.fromisoformat("2025-01-01T00:00:00+00:00")
    >>> seen_by(Seen(at, at).cursor()) == Seen(at, at), seen_by(None)
    (True, None)
    """
    if not cursor:
        return None
    instants = json.loads(cursor)
    return Seen(datetime.fromisoformat(instants["since"]), datetime.fromisoformat(instants["newest"]))


def regime_event_sensor(*, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """Sensor that tells what each new hour of the regime changed; its first look tells nothing."""

    @dg.sensor(
        name="regime_events",
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=status,
        description=__doc__,
    )
    def _regime_events(
        context: dg.SensorEvaluationContext, tables: Tables, pm_settings: PmSettings
    ) -> dg.SensorResult | dg.SkipReason:
        stored = tables.query("newest_regime_context", ())
        if stored.is_empty():
            return dg.SkipReason("no hour has a regime context yet")
        newest, seen = stored.item(), seen_by(context.cursor)
        if seen is None:
            return dg.SensorResult(skip_reason="what is stored is history", cursor=Seen(newest, newest).cursor())
        if newest <= seen.newest:
            return dg.SkipReason("no new hour since the last look")
        made = tell(tables, pm_settings.current(), seen, newest)
        return dg.SensorResult(asset_events=[made], cursor=Seen(seen.since, newest).cursor())

    return _regime_events


def tell(tables: Tables, settings: VersionedConfig, seen: Seen, newest: datetime) -> dg.AssetMaterialization:
    """Append the events of the hours up to `newest` that have not been told, and say so."""
    after = max(seen.since, seen.newest - AGAIN)
    documents = tables.query("regime_contexts_between", (after - LOOKBACK, newest))["context"]
    contexts = [RegimeContext.model_validate_json(document) for document in documents]
    events = regime_events(contexts, settings.config.regime.event, after=after)
    stamp = Stamp(f"regime_events:{newest.isoformat()}", CODE_VERSION)
    written = tables.append(EVENT, event_frame(events, settings.version), stamp=stamp)
    counts = {kind.value: sum(event.kind is kind for event in events) for kind in RegimeEventKind}
    shown = newest_table(tables.query("newest_regime_events", (SHOWN_EVENTS,)))
    return dg.AssetMaterialization(
        asset_key=asset_key(EVENT),
        metadata={
            ROWS_WRITTEN: written,
            "found": counts,
            "hours_after": after.isoformat(),
            "newest_hour": newest.isoformat(),
            "config_version": settings.version,
            "newest_events": dg.MetadataValue.md(shown),
        },
    )


def event_frame(events: Sequence[RegimeEvent], config_version: int) -> pl.DataFrame:
    """Rows of regime_event."""
    rows = [
        (event.event_id, event.kind, event.timestamp, event.bucket, event.payload, config_version) for event in events
    ]
    return pl.DataFrame(rows, schema=EVENT_SCHEMA, orient="row")


def newest_table(events: pl.DataFrame) -> str:
    """Markdown table of events; a line that says so when there are none."""
    if events.is_empty():
        return "none yet"
    rows = [
        (f"{row['timestamp']:%Y-%m-%d %H:%MZ}", row["kind"], row["bucket"] or "", f"`{row['payload']}`")
        for row in events.iter_rows(named=True)
    ]
    head = ("hour", "kind", "bucket", "payload")
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ("---",) * len(head), *rows))
