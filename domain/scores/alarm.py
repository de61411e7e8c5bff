"""When what the runtime acts on is thin, late or missing, and when nobody makes it any more.

Rules on figures that were read; light enough for the runtime and the console.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.config.alarm import AlarmConfig
from domain.vocabulary.alarm import Alarm, AlarmKind, AlarmSeverity, Look
from domain.vocabulary.timeframe import Timeframe

CHANNELS = 15
TICK_PATIENCE = timedelta(minutes=10)
"""How long the runtime may be silent of any timeframe; of longer bars, two of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCoverage:
    """Channels the newest score of a bucket and timeframe heard, of 15, and the open of its bar."""

    bucket: str
    timeframe: str
    coverage: int
    timestamp: datetime


def coverage_look(scores: Iterable[ScoreCoverage], *, min_coverage: int) -> Look | None:
    """Newest scores that heard too few channels; None where there is no score at all.

    Of a bucket without a score nothing is known: it is not judged.
    """
    newest = list(scores)
    if not newest:
        return None
    thin = tuple(
        Alarm(
            kind=AlarmKind.COVERAGE_LOW,
            subject=f"{score.bucket} {score.timeframe}",
            severity=AlarmSeverity.WARN,
            sentence=f"The newest A/E of {score.bucket} {score.timeframe} heard {score.coverage} of {CHANNELS} channels"
            f", below {min_coverage}: the runtime falls back to neutral levers.",
            evidence={
                "coverage": score.coverage,
                "min_coverage": min_coverage,
                "rows": {"regime.ae_score": [score.bucket, score.timeframe, score.timestamp.isoformat()]},
                "page": "/quality",
                "command": "lowcap ae",
            },
        )
        for score in newest
        if score.coverage < min_coverage
    )
    judged = frozenset(f"{score.bucket} {score.timeframe}" for score in newest)
    return Look(kind=AlarmKind.COVERAGE_LOW, standing=thin, judged=judged)


def staleness_look(
    newest: Mapping[str, datetime | None], cadence: Mapping[str, timedelta], config: AlarmConfig, *, at: datetime
) -> Look:
    """Tables whose next row is overdue.

    Parameters
    ----------
    newest : mapping of str to datetime or None
        Start of the newest row by what it is a row of; of a table that never had one nothing is said.
    cadence : mapping of str to timedelta
        How long after the start of a row the next one is due.
    config : AlarmConfig
        How late is a warning, and an error.
    at : datetime
        The present.
    """
    known = {name: start for name, start in newest.items() if start is not None}
    standing = tuple(
        Alarm(
            kind=AlarmKind.STALE_TABLE,
            subject=name,
            severity=_by_hours(late, config),
            sentence=f"The newest row of {name} starts at {_minute(known[name])}; the next is {_span(late)} overdue.",
            evidence={"newest": known[name].isoformat(), "page": "/quality", "command": "lowcap doctor"},
        )
        for name, late in ((name, at - start - cadence[name]) for name, start in known.items())
        if late > timedelta(hours=config.stale_warn_hours)
    )
    return Look(kind=AlarmKind.STALE_TABLE, standing=standing, judged=frozenset(known))


def daemon_look(beats: Mapping[str, datetime], config: AlarmConfig, *, at: datetime) -> Look | None:
    """Parts of Dagster's daemon that are silent; None where none has ever run.

    Parameters
    ----------
    beats : mapping of str to datetime
        Newest heartbeat of each part. When all are silent, one alarm stands, for the daemon.
    """
    if not beats:
        return None
    limit = timedelta(minutes=config.daemon_minutes)
    silent = {name: at - beat for name, beat in beats.items() if at - beat > limit}
    if len(silent) == len(beats):
        silent = {"daemon": min(silent.values())}
    standing = tuple(
        Alarm(
            kind=AlarmKind.DEAD_DAEMON,
            subject=name,
            severity=AlarmSeverity.ERROR,
            sentence=f"Dagster's {name.lower().replace('_', ' ')} was last heard {_span(span)} ago: "
            + ("no schedule starts." if name == "daemon" else "what it does stands still."),
            evidence={"silent_s": span.total_seconds(), "command": "lowcap doctor"},
        )
        for name, span in silent.items()
    )
    return Look(kind=AlarmKind.DEAD_DAEMON, standing=standing)


def silence_look(newest_bars: Mapping[Timeframe, datetime], *, at: datetime) -> Look:
    """Timeframes the runtime has stopped to tick.

    Parameters
    ----------
    newest_bars : mapping of Timeframe to datetime
        Open of the newest bar that was ticked; of a timeframe that never was nothing is said.
    """
    silent = {
        timeframe: at - opened - timeframe.duration
        for timeframe, opened in newest_bars.items()
        if at - opened - timeframe.duration > max(2 * timeframe.duration, TICK_PATIENCE)
    }
    standing = tuple(
        Alarm(
            kind=AlarmKind.SILENT_RUNTIME,
            subject=timeframe.value,
            severity=AlarmSeverity.ERROR,
            sentence=f"The runtime has not ticked {timeframe.value} for {_span(span)}: nothing is bought or sold.",
            evidence={
                "newest_bar": newest_bars[timeframe].isoformat(),
                "rows": {"pm.pm_tick": [timeframe.value, newest_bars[timeframe].isoformat()]},
                "command": "lowcap up",
            },
        )
        for timeframe, span in silent.items()
    )
    judged = frozenset(timeframe.value for timeframe in newest_bars)
    return Look(kind=AlarmKind.SILENT_RUNTIME, standing=standing, judged=judged)


def _by_hours(late: timedelta, config: AlarmConfig) -> AlarmSeverity:
    return AlarmSeverity.ERROR if late > timedelta(hours=config.stale_error_hours) else AlarmSeverity.WARN


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%MZ}"


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
