"""`lowcap ae`: A and E per bucket as a tick would read them at an instant."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

import psycopg
import typer

from console.instant import read_instant
from console.learned_row import number
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
    with reading() as connection:
        facts = ae_facts(connection, as_of_at, timeframe)
    if as_json:
        print_json(facts)
        return
    bar = newest_closed_bar(timeframe, as_of_at)
    title = f"A/E at {as_of_at:%Y-%m-%d %H:%M:%SZ}, bar {bar}, configuration {facts['config_version']}"
    print_table(
        title, ("bucket", "A", "E", "coverage", "age", "a tick uses"), [_cells(each) for each in facts["scores"]]
    )


def ae_facts(connection: psycopg.Connection, as_of_at: datetime, timeframe: Timeframe) -> dict[str, Any]:
    """Facts of the view: what a tick at an instant would read for each bucket, and make of it."""
    bar = newest_closed_bar(timeframe, as_of_at)
    versioned = read_pm_config(connection)
    facts = {"as_of": as_of_at.isoformat(), "timeframe": timeframe.value, "bar": bar.timestamp.isoformat()}
    scores = [_entry(reading, as_of_at, timeframe) for reading in _readings(connection, bar, versioned)]
    return facts | {"config_version": versioned.version, "scores": scores}


def _readings(connection: psycopg.Connection, bar: ExecutionBar, versioned: VersionedConfig) -> list[ScoreReading]:
    by_bucket = {score.bucket: score for score in newest_scores(connection, bar, REGIME_BUCKETS)}
    return [read_score(bucket, by_bucket.get(bucket), bar=bar, config=versioned.config) for bucket in REGIME_BUCKETS]


def _entry(reading: ScoreReading, as_of_at: datetime, timeframe: Timeframe) -> dict[str, Any]:
    closed_at = None if reading.score is None else reading.score.timestamp + timeframe.duration
    age_s = None if closed_at is None else (as_of_at - closed_at).total_seconds()
    return reading.to_json() | {"age_s": age_s}


def _cells(each: Mapping[str, Any]) -> tuple[str, ...]:
    if each["status"] == ScoreStatus.MISSING:
        return (each["bucket"], "-", "-", "-", "-", "nothing: never materialized by then")
    levers = (number(each["a"], ".3f"), number(each["e"], ".3f"))
    return (
        each["bucket"],
        *levers,
        f"{each['coverage']}/{len(CHANNELS)}",
        age(timedelta(seconds=each["age_s"])),
        _use(each),
    )


def _use(each: Mapping[str, Any]) -> str:
    if each["status"] == ScoreStatus.STALE:
        return "nothing: stale"
    used = f"{number(each['a_used'], '.3f')} / {number(each['e_used'], '.3f')}"
    return f"{used} (neutral: degraded)" if each["status"] == ScoreStatus.DEGRADED else used
