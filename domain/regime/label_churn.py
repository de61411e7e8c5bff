"""When the labels of a bucket change so often that they say nothing.

A day is 24 hours up to the newest hour with a label. What is compared: the changes of phase on all horizons of a bucket
in the newest day, and the median of the days before. Light enough for the console.
"""

import statistics
from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.config.alarm import AlarmConfig
from domain.vocabulary.alarm import Alarm, AlarmKind, AlarmSeverity, Look


def churn_look(changes: Mapping[str, Sequence[int | None]], config: AlarmConfig, *, newest_at: datetime) -> Look:
    """Buckets whose labels churn.

    Parameters
    ----------
    changes : mapping of str to sequence of int or None
        For each bucket, or "composite", the changes of each day, the newest first; None where the day is not known.
    config : AlarmConfig
        Ratio, smallest number, days.
    newest_at : datetime
        Open of the newest hour, the end of the newest day.

    Returns
    -------
    Look
        A bucket whose newest day, or too many of those before, are not known, is not judged.
    """
    judged: set[str] = set()
    standing: list[Alarm] = []
    for bucket, days in changes.items():
        newest, known = days[0], [count for count in days[1 : config.churn_days + 1] if count is not None]
        if newest is None or len(known) < config.churn_min_days:
            continue
        judged.add(bucket)
        median = statistics.median(known)
        if newest >= config.churn_min_changes and newest > config.churn_ratio * median:
            standing.append(_alarm(bucket, newest, median, len(known), config, newest_at))
    return Look(kind=AlarmKind.LABEL_CHURN, standing=tuple(standing), judged=frozenset(judged))


def _alarm(bucket: str, newest: int, median: float, n_days: int, config: AlarmConfig, newest_at: datetime) -> Alarm:
    return Alarm(
        kind=AlarmKind.LABEL_CHURN,
        subject=bucket,
        severity=AlarmSeverity.WARN,
        sentence=f"The phases of {bucket} changed {newest} times in 24 hours; the median of the {n_days} days before is"
        f" {median:g}.",
        evidence={
            "changes": newest,
            "median_changes": median,
            "days": n_days,
            "churn_ratio": config.churn_ratio,
            "newest_hour": newest_at.isoformat(),
            "rows": {"regime.phase_state" if bucket == "composite" else "regime.phase_state_bucket": bucket},
            "page": "/regime",
        },
    )
