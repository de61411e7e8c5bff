"""The order of the cap buckets over time as a picture: a line a bucket, the leader on top.

What belongs here: the drawing. What does not: the rank, which is that of `bucket_rank`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from domain.regime.bucket_rank import BucketRank, BucketScore, rank_buckets
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.horizon import Horizon
from resources.picture import INK, OKABE_ITO, PAPER, QUIET, coordinate, document, inline_image, text
from resources.time_axis import TimeAxis, step_hours, step_name, step_start

COLOURS = {
    bucket: OKABE_ITO[name]
    for bucket, name in zip(CapBucket, ("orange", "sky", "green", "vermillion", "blue", "purple"), strict=True)
}
MAX_COLUMNS = 200
LEFT, TOP, RIGHT, PLOT_WIDTH, RUNG = 68, 62, 262, 760, 44
WIDTH = LEFT + PLOT_WIDTH + RIGHT
RULE_Y = TOP + RUNG * len(REGIME_BUCKETS) - 12
TELEMETRY_Y = RULE_Y + 26


@dataclass(frozen=True)
class Ladder:
    """Ranks of the evaluations drawn.

    Attributes
    ----------
    step : timedelta
        Distance of the columns.
    ranks : mapping
        Rank of each column that has an evaluation, by the start of its step, in order of time.
    seen : mapping
        Buckets with a row in that evaluation, ranked or not.
    newest : mapping
        Row of each bucket in the newest evaluation.
    """

    step: timedelta
    ranks: Mapping[datetime, BucketRank]
    seen: Mapping[datetime, frozenset[str]]
    newest: Mapping[str, Mapping[str, Any]]

    @property
    def last_rank(self) -> BucketRank:
        """Rank of the newest evaluation."""
        return self.ranks[max(self.ranks)]


def bucket_ladder(phases: pl.DataFrame, *, title: str) -> str:
    """Markdown image of the rank of each bucket, evaluation by evaluation.

    Parameters
    ----------
    phases : DataFrame
        Rows of regime.phase_state_bucket in any order; those of the meso horizon are drawn. A bucket without a score
        in an evaluation has no place in it.

    Returns
    -------
    str
        An inline SVG as a data address, under 64 KB for any window: at most some 200 columns, each the last
        evaluation of its step, which the title says. A column without a row breaks the line; nothing is interpolated.
        At the right the newest evaluation; xl, which has no rank, below a rule. Colours of Okabe and Ito.

    Raises
    ------
    ValueError
        If a bucket has two rows in an evaluation, or one that no bucket can have.
    """
    meso = phases.filter(pl.col("horizon") == Horizon.MESO.value)
    if meso.is_empty():
        said = text(WIDTH / 2, 50, "no meso rows in this window", colour=QUIET)
        return inline_image(document(_head(title) + said, width=WIDTH, height=70, colour=PAPER), title)
    ladder = _ladder(meso)
    hours = ladder.step // timedelta(hours=1)
    told = title if hours == 1 else f"{title} (last evaluation of each {step_name(hours)})"
    return inline_image(_svg(ladder, told), told)


def _ladder(meso: pl.DataFrame) -> Ladder:
    """Thin out to the last evaluation of each step, then rank those."""
    first, newest = meso.select(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("newest")).row(0)
    hours = next(step_hours((newest - first) / timedelta(hours=1) / MAX_COLUMNS))
    last = meso.group_by(step=step_start(pl.col("ts"), hours)).agg(pl.col("ts").max()).sort("step")
    kept = meso.join(last, on="ts").sort("step", "bucket")
    rows = {step: list(group.iter_rows(named=True)) for (step,), group in kept.group_by("step", maintain_order=True)}
    return Ladder(
        timedelta(hours=hours),
        {step: _rank(evaluation) for step, evaluation in rows.items()},
        {step: frozenset(row["bucket"] for row in evaluation) for step, evaluation in rows.items()},
        {row["bucket"]: row for row in rows[max(rows)]},
    )


def _rank(evaluation: Sequence[Mapping[str, Any]]) -> BucketRank:
    scores = [
        BucketScore(row["bucket"], row["ts"], math.nan if row["score"] is None else row["score"]) for row in evaluation
    ]
    return rank_buckets(scores, evaluation[0]["ts"])


def _svg(ladder: Ladder, title: str) -> str:
    has_xl = any(CapBucket.XL in seen for seen in ladder.seen.values())
    bottom = TELEMETRY_Y + 20 if has_xl else RULE_Y
    axis = TimeAxis(min(ladder.ranks), max(ladder.ranks) + ladder.step, LEFT, PLOT_WIDTH)
    worst_first = sorted(REGIME_BUCKETS, key=lambda bucket: ladder.last_rank.position(bucket) or math.inf, reverse=True)
    parts = [_head(title), axis.drawn(TOP - 18, bottom), _rungs()]
    parts += [_line(bucket, _places(ladder, bucket), axis, ladder.step) for bucket in worst_first]
    parts += _labels(ladder)
    if has_xl:
        places = [(step, TELEMETRY_Y) for step, seen in ladder.seen.items() if CapBucket.XL in seen]
        parts += [_rule(), _line(CapBucket.XL, places, axis, ladder.step)]
        parts.append(_label(CapBucket.XL, TELEMETRY_Y, ladder.newest.get(CapBucket.XL), place=""))
    return document("".join(parts), width=WIDTH, height=bottom + 40, colour=PAPER)


def _head(title: str) -> str:
    return text(WIDTH / 2, 22, title, colour=INK, size=14)


def _rung_y(position: int) -> float:
    return TOP + RUNG * (position - 1)


def _rungs() -> str:
    """Write a number at each position, the leader's on top."""
    numbers = [text(LEFT - 14, _rung_y(n) + 4, str(n), colour=QUIET) for n in range(1, len(REGIME_BUCKETS) + 1)]
    return "".join(numbers)


def _rule() -> str:
    line = f'<path stroke="{QUIET}" stroke-dasharray="2 3" d="M{LEFT} {RULE_Y}H{LEFT + PLOT_WIDTH + RIGHT - 12}"/>'
    return line + text(LEFT - 6, TELEMETRY_Y + 4, "not ranked", anchor="end", colour=QUIET, size=10)


def _places(ladder: Ladder, bucket: CapBucket) -> list[tuple[datetime, float]]:
    """Step and height of each column in which a bucket has a rank."""
    positions = ((step, rank.position(bucket)) for step, rank in ladder.ranks.items())
    return [(step, _rung_y(position)) for step, position in positions if position is not None]


def _line(bucket: CapBucket, places: Iterable[tuple[datetime, float]], axis: TimeAxis, step: timedelta) -> str:
    """Line through neighbouring columns; a column alone is a dot."""
    thickness = 4 if (axis.end - axis.first) / step <= MAX_COLUMNS / 3 else 2.5
    path, before = [], None
    for at, y in places:
        joined = before is not None and at - before == step
        command = "L" if joined else "M"
        path.append(f"{command}{coordinate(axis.x(at + step))} {coordinate(y)}{'' if joined else 'h0'}")
        before = at
    return (
        f'<path class="{bucket.value}" fill="none" stroke="{COLOURS[bucket]}" stroke-width="{thickness}" '
        f'stroke-linecap="round" stroke-linejoin="round" d="{"".join(path)}"/>'
    )


def _labels(ladder: Ladder) -> list[str]:
    """Tell the newest evaluation: the ranked buckets at their places, those without a score after them."""
    order = ladder.last_rank.order
    absent = [bucket for bucket in REGIME_BUCKETS if bucket not in order]
    labels = [
        _label(CapBucket(name), _rung_y(n), ladder.newest[name], place=f"{n} ") for n, name in enumerate(order, 1)
    ]
    return labels + [_label(bucket, _rung_y(n), None, place="") for n, bucket in enumerate(absent, len(order) + 1)]


def _label(bucket: CapBucket, y: float, row: Mapping[str, Any] | None, *, place: str) -> str:
    x = LEFT + PLOT_WIDTH + 14
    if row is None or row["score"] is None:
        said, colour, dot = "no score in the newest hour", QUIET, PAPER
    else:
        confidence = row["confidence"]
        sure = "unknown" if confidence is None or math.isnan(confidence) else f"{confidence:.2f}"
        said, colour, dot = f"{row['phase']}, score {row['score']:+.2f}, confidence {sure}", INK, COLOURS[bucket]
    mark = f'<circle cx="{x}" cy="{y}" r="5" fill="{dot}" stroke="{COLOURS[bucket]}" stroke-width="2"/>'
    return (
        mark
        + text(x + 12, y - 1, f"{place}{bucket.value}", anchor="start", colour=colour, size=13)
        + text(x + 12, y + 14, said, anchor="start", colour=colour, size=11)
    )
