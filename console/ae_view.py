"""`lowcap ae`: A and E per bucket as a tick would read them at an instant."""

from datetime import datetime
from typing import Annotated, Any

import psycopg
import typer

from console.instant import read_instant
from console.printing import age, print_json, print_table
from console.session import reading
from domain.scores.score_reading import ScoreReading, ScoreStatus, read_score
from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.driver import CHANNELS
from domain.vocabulary.execution_bar import ExecutionBar, newest_closed_bar
from domain.vocabulary.timeframe import Timeframe
from sql.ae_score import newest_scores
from sql.pm_config import VersionedConfig, read_pm_config


def ae(
    as_of: Annotated[str | None, typer.Option(metavar="ISO", help="Instant with an offset (default: now)")] = None,
    timeframe: Annotated[Timeframe, typer.Option(help="Execution timeframe.")] = Timeframe.H1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show A (appetite to add) and E (assertiveness to exit) per bucket, with what a tick makes of each."""
    as_of_at = read_instant(as_of)
    bar = newest_closed_bar(timeframe, as_of_at)
    with reading() as connection:
        versioned = read_pm_config(connection)
        readings = _readings(connection, bar, versioned)
    if as_json:
        facts = {"as_of": as_of_at.isoformat(), "timeframe": timeframe.value, "bar": bar.timestamp.isoformat()}
        entries = [_entry(reading, as_of_at, timeframe) for reading in readings]
        print_json(facts | {"config_version": versioned.version, "scores": entries})
        return
    title = f"A/E at {as_of_at:%Y-%m-%d %H:%M:%SZ}, bar {bar}, configuration {versioned.version}"
    columns = ("bucket", "A", "E", "coverage", "age", "a tick uses")
    print_table(title, columns, [_cells(reading, as_of_at, timeframe) for reading in readings])


def _readings(connection: psycopg.Connection, bar: ExecutionBar, versioned: VersionedConfig) -> list[ScoreReading]:
    by_bucket = {score.bucket: score for score in newest_scores(connection, bar, REGIME_BUCKETS)}
    return [read_score(bucket, by_bucket.get(bucket), bar=bar, config=versioned.config) for bucket in REGIME_BUCKETS]


def _entry(reading: ScoreReading, as_of_at: datetime, timeframe: Timeframe) -> dict[str, Any]:
    closed_at = None if reading.score is None else reading.score.timestamp + timeframe.duration
    age_s = None if closed_at is None else (as_of_at - closed_at).total_seconds()
    return reading.to_json() | {"age_s": age_s}


def _cells(reading: ScoreReading, as_of_at: datetime, timeframe: Timeframe) -> tuple[str, ...]:
    score = reading.score
    if score is None:
        return (reading.bucket.value, "-", "-", "-", "-", "nothing: never materialized by then")
    old = age(as_of_at - score.timestamp - timeframe.duration)
    levers = [_lever(score.a), _lever(score.e)]
    return (reading.bucket.value, *levers, f"{score.coverage}/{len(CHANNELS)}", old, _use(reading))


def _use(reading: ScoreReading) -> str:
    if reading.status is ScoreStatus.STALE:
        return "nothing: stale"
    used = f"{_lever(reading.a_used)} / {_lever(reading.e_used)}"
    return f"{used} (neutral: degraded)" if reading.status is ScoreStatus.DEGRADED else used


def _lever(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
