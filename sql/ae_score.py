"""The newest scores of `regime.ae_score` for a bar."""

from collections.abc import Sequence
from datetime import datetime

import psycopg

from domain.scores.score_reading import PublishedScore
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from domain.vocabulary.execution_bar import ExecutionBar
from sql.queries import query


def newest_scores(
    connection: psycopg.Connection,
    bar: ExecutionBar,
    buckets: Sequence[CapBucket],
    *,
    book_id: str = DEFAULT_BOOK_ID,
) -> list[PublishedScore]:
    """Read each bucket's newest score of the bar's timeframe at or before the bar; fewer where there is none."""
    values = {
        "buckets": [bucket.value for bucket in buckets],
        "book_id": book_id,
        "timeframe": bar.timeframe.value,
        "bar_timestamp": bar.timestamp,
    }
    return [_score(*row) for row in connection.execute(query("newest_ae_scores").encode(), values)]


def _score(  # in the order of the query's columns
    bucket: str,
    timestamp: datetime,
    a: float | None,
    e: float | None,
    coverage: int,
    degraded: bool,
    config_version: int,
    code_version: str,
    run_id: str,
) -> PublishedScore:
    return PublishedScore(
        bucket=CapBucket(bucket),
        timestamp=timestamp,
        a=a,
        e=e,
        coverage=coverage,
        degraded=degraded,
        config_version=config_version,
        code_version=code_version,
        run_id=run_id,
    )
