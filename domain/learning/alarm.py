"""When what was learned stops being true: an edge that a live override stands on, a rate of false positives.

Numbers that are not known make no alarm and take none back. Light enough for the console.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from domain.config.alarm import AlarmConfig
from domain.vocabulary.alarm import Alarm, AlarmKind, AlarmSeverity, Look


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveEdge:
    """A live override and the edge of its lesson, R: when it was born, and as of the newest day; None if unknown."""

    override_id: int
    lesson_id: str
    said: str
    edge_at_birth: float | None
    edge_current: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRate:
    """False positives of a cell in one window: share of what was bought, with its interval; None where n is 0."""

    as_of: datetime
    n: int
    rate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRates:
    """A cell in its newest window and in the one before it; `earlier` is None where nobody looked then."""

    cell: str
    now: WindowRate
    earlier: WindowRate | None


def has_halved(edge_at_birth: float, edge_current: float, kept_frac: float) -> bool:
    """Whether an edge keeps at most a share of what it was, in the direction it was born with.

    >>> has_halved(0.8, 0.4, 0.5), has_halved(0.8, 0.41, 0.5), has_halved(-0.8, 0.1, 0.5)
    (True, False, True)
    """
    return edge_current * math.copysign(1.0, edge_at_birth) <= kept_frac * abs(edge_at_birth)


def edge_look(edges: Iterable[LiveEdge], config: AlarmConfig) -> Look:
    """Live overrides whose edge has halved; one that is live no more is over.

    Parameters
    ----------
    edges : iterable of LiveEdge
        Every live override. One whose edge is not known, now or at birth, or was 0 then, has nothing to halve.
    config : AlarmConfig
        Share that must be kept.
    """
    standing: dict[str, Alarm] = {}
    for each in edges:
        birth, now = each.edge_at_birth, each.edge_current
        if not birth or now is None or not has_halved(birth, now, config.edge_kept_frac):
            continue
        turned = ", and has turned" if now * birth < 0 else ""
        standing[f"lesson {each.lesson_id}"] = Alarm(
            kind=AlarmKind.EDGE_HALVED,
            subject=f"lesson {each.lesson_id}",
            severity=AlarmSeverity.WARN,
            sentence=f"The edge of live override {each.override_id} ({each.said}) fell from {birth:.3f} R at birth"
            f" to {now:.3f} R{turned}.",
            evidence={
                "edge_at_birth_r": birth,
                "edge_current_r": now,
                "kept_frac": config.edge_kept_frac,
                "rows": {"learning.pm_overrides": each.override_id, "learning.learning_lessons": each.lesson_id},
                "page": f"/override/{each.override_id}",
                "command": f"lowcap why override {each.override_id}",
            },
        )
    return Look(kind=AlarmKind.EDGE_HALVED, standing=tuple(standing.values()))


def false_positive_look(cells: Iterable[CellRates], config: AlarmConfig) -> Look:
    """Cells whose false positive rate has doubled, beyond what their intervals allow for chance.

    Both windows must hold `fpr_min_episodes`, the rate be `fpr_ratio` times the earlier, and the lower end of its
    interval lie above the upper end of the earlier one. A cell with too few episodes in either is not judged.
    """
    judged: set[str] = set()
    standing: list[Alarm] = []
    for each in cells:
        now, then = each.now, each.earlier
        if then is None or min(now.n, then.n) < config.fpr_min_episodes:
            continue
        if now.rate is None or now.low is None or then.rate is None or then.high is None:
            continue
        judged.add(each.cell)
        if now.rate < config.fpr_ratio * then.rate or now.low <= then.high:
            continue
        standing.append(
            Alarm(
                kind=AlarmKind.FPR_DOUBLED,
                subject=each.cell,
                severity=AlarmSeverity.WARN,
                sentence=f"False positives of {each.cell} went from {then.rate:.0%} of {then.n} buys, as of"
                f" {then.as_of:%Y-%m-%d}, to {now.rate:.0%} of {now.n}.",
                evidence={
                    "now": _figures(now),
                    "earlier": _figures(then),
                    "fpr_ratio": config.fpr_ratio,
                    "rows": {"learning.tuning_rate": each.cell},
                    "command": f"lowcap tuning --rates --day {now.as_of:%Y-%m-%d}",
                },
            )
        )
    return Look(kind=AlarmKind.FPR_DOUBLED, standing=tuple(standing), judged=frozenset(judged))


def _figures(window: WindowRate) -> dict[str, object]:
    return {
        "as_of": window.as_of.isoformat(),
        "n": window.n,
        "fpr": window.rate,
        "fpr_low": window.low,
        "fpr_high": window.high,
    }
