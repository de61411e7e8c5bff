"""Phases over time as a picture: a lane a subject and horizon, a coloured span as long as the phase stands.

What belongs here: merging hours into spans, and the drawing. What does not: how a phase is made.
"""

from collections import defaultdict
from datetime import timedelta
from typing import NamedTuple

import polars as pl

from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Phase
from resources.picture import (
    INK,
    OKABE_ITO,
    PAPER,
    QUIET,
    document,
    ink_on,
    inline_image,
    shortened,
    strokes,
    text,
)
from resources.time_axis import TimeAxis, step_hours, step_name, step_start

COLOURS = {
    phase: OKABE_ITO[name]
    for phase, name in zip(Phase, ("purple", "blue", "sky", "yellow", "orange", "vermillion", "grey"), strict=True)
}
"""Cool while a subject gains, warm while it loses, grey while it does neither."""

OPACITIES = (0.25, 0.45, 0.7, 1.0)
"""Of a span by the quarter its mean confidence lies in; a full stripe at its foot keeps the colour plain."""

MAX_SPANS = 1500
MAX_LABELS = 200
MAX_NAME = 11
LEFT, TOP, PLOT_WIDTH, LANE, THICK, FOOT, BETWEEN = 112, 44, 900, 20, 16, 3, 8
WIDTH = LEFT + PLOT_WIDTH + 44
SERIES = ("subject", "horizon")


class Ink(NamedTuple):
    """How spans are coloured: the number of their opacity, None when their confidence is unknown."""

    phase: Phase
    level: int | None


def phase_lanes(rows: pl.DataFrame, *, title: str) -> str:
    """Markdown image of the phases of every subject and horizon.

    Parameters
    ----------
    rows : DataFrame
        subject (or bucket), horizon, ts (whole hours), phase, confidence 0..1, in any order, at most one row a
        subject, horizon and hour.

    Returns
    -------
    str
        An inline SVG as a data address, under 64 KB for any window of a few dozen lanes. Equal neighbouring hours are
        one span, opaque by their mean confidence; hours without a confidence are hatched, hours without a row empty.
        Above `MAX_SPANS` spans, steps longer than an hour are drawn by their most frequent phase, and the title says
        so. Colours of Okabe and Ito.

    Raises
    ------
    ValueError
        If a phase or horizon is none, or a series has two rows an hour.
    """
    name = "subject" if "subject" in rows.columns else "bucket"
    hours = rows.select(
        pl.col(name).cast(pl.String).alias("subject"), "horizon", "ts", "phase", pl.col("confidence").fill_nan(None)
    ).sort(*SERIES, "ts")
    if hours.is_empty():
        said = text(WIDTH / 2, 50, "no rows in this window", colour=QUIET)
        return inline_image(document(_head(title) + said, width=WIDTH, height=70, colour=PAPER), title)
    if hours.select(*SERIES, "ts").is_duplicated().any():
        raise ValueError("A subject and horizon must have one row an hour, had two")
    spans, step = bounded_spans(hours)
    told = title if step == 1 else f"{title} (most frequent phase of each {step_name(step)})"
    return inline_image(_svg(spans, told), told)


def bounded_spans(hours: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Spans of sorted hours, and the step in hours they are made of: the first from which on there are few enough.

    The first step tried after single hours is that of one pixel.
    """
    first, last = hours.select(pl.col("ts").min().alias("first"), pl.col("ts").max().alias("last")).row(0)
    spans, step = merged(hours.rename({"ts": "start"}), 1), 1
    coarser = step_hours(max(2, (last - first) / timedelta(hours=1) / PLOT_WIDTH))
    lanes = hours.select(SERIES).n_unique()
    while spans.height > max(MAX_SPANS, lanes):
        step = next(coarser)
        spans = merged(coarse(hours, step), step)
    return spans, step


def coarse(hours: pl.DataFrame, step: int) -> pl.DataFrame:
    """Most frequent phase of each step, the stronger of two as frequent, and its mean confidence where known."""
    strength = {phase.value: place for place, phase in enumerate(Phase)}
    counted = hours.group_by(*SERIES, "phase", start=step_start(pl.col("ts"), step), maintain_order=True).agg(
        pl.len().alias("hours"), pl.col("confidence").mean()
    )
    place = pl.col("phase").replace_strict(strength)
    ordered = counted.sort(*SERIES, "start", -pl.col("hours").cast(pl.Int64), place)
    return ordered.unique([*SERIES, "start"], keep="first", maintain_order=True)


def merged(steps: pl.DataFrame, step: int) -> pl.DataFrame:
    """Spans of neighbouring steps alike in phase, with or without a confidence: start, end, mean confidence."""
    same = ("subject", "horizon", "phase", "is_unsure")
    marked = steps.with_columns(is_unsure=pl.col("confidence").is_null())
    is_next = pl.col("start") - pl.col("start").shift() == pl.duration(hours=step)
    begins = ~is_next | pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift()) for name in same)
    runs = marked.with_columns(run=begins.fill_null(value=True).cum_sum())
    spans = runs.group_by("run", maintain_order=True).agg(
        *(pl.col(name).first() for name in (*SERIES, "phase", "start")),
        (pl.col("start").last() + pl.duration(hours=step)).alias("end"),
        pl.col("confidence").mean().round(9),
    )
    return spans.drop("run")


def _svg(spans: pl.DataFrame, title: str) -> str:
    lanes = _lanes(spans)
    first, end = spans.select(pl.col("start").min(), pl.col("end").max()).row(0)
    axis = TimeAxis(first, end, LEFT, PLOT_WIDTH)
    bottom = max(lanes.values()) + LANE
    boxes: dict[Ink, list[tuple[float, float, float]]] = defaultdict(list)
    for row in spans.iter_rows(named=True):
        x, right = round(axis.x(row["start"]), 1), round(axis.x(row["end"]), 1)
        box = (x, lanes[row["subject"], row["horizon"]], right - x)
        boxes[_ink(row["phase"], row["confidence"])].append(box)
    drawn = [_boxes(ink, boxes[ink]) for ink in sorted(boxes, key=_order)]
    legend, height = _legend(bottom + 52)
    parts = [_head(title), _hatches(), axis.drawn(TOP - 8, bottom), *_names(lanes), *drawn, *_words(boxes), legend]
    return document("".join(parts), width=WIDTH, height=height, colour=PAPER)


def _head(title: str) -> str:
    return text(WIDTH / 2, 22, title, colour=INK, size=14)


def _lanes(spans: pl.DataFrame) -> dict[tuple[str, str], float]:
    """Height of the middle of each lane: other subjects first, then buckets, smallest first; macro, meso, micro."""
    buckets, horizons = [bucket.value for bucket in CapBucket], list(Horizon)

    def order(lane: tuple[str, str]) -> tuple[int, str, int]:
        subject, horizon = lane
        return (buckets.index(subject) if subject in buckets else -1, subject, horizons.index(Horizon(horizon)))

    lanes: dict[tuple[str, str], float] = {}
    y, before = float(TOP), None
    for subject, horizon in sorted(spans.select(SERIES).unique().iter_rows(), key=order):
        y += BETWEEN if before not in (None, subject) else 0
        lanes[subject, horizon] = y + THICK / 2
        y, before = y + LANE, subject
    return lanes


def _names(lanes: dict[tuple[str, str], float]) -> list[str]:
    """Write the horizon beside each lane, and the subject beside its first."""
    firsts: dict[str, float] = {}
    for (subject, _), y in lanes.items():
        firsts.setdefault(subject, y)
    horizons = [
        text(LEFT - 8, y + 4, horizon, anchor="end", colour=QUIET, size=10) for (_, horizon), y in lanes.items()
    ]
    return horizons + [
        text(8, y + 4, shortened(subject, MAX_NAME), anchor="start", colour=INK) for subject, y in firsts.items()
    ]


def _ink(phase: str, confidence: float | None) -> Ink:
    if confidence is None:
        return Ink(Phase(phase), None)
    return Ink(Phase(phase), min(int(confidence * len(OPACITIES)), len(OPACITIES) - 1))


def _order(ink: Ink) -> tuple[int, int]:
    return list(Phase).index(ink.phase), -1 if ink.level is None else ink.level


def _boxes(ink: Ink, boxes: list[tuple[float, float, float]]) -> str:
    """Draw the spans of one ink, and the plain stripe at the foot of each: the same path, stroked twice."""
    name = _name(ink)
    colour = COLOURS[ink.phase]
    fill = f"url(#h{_name(Ink(ink.phase, None))})" if ink.level is None else colour
    opacity = "" if ink.level is None else f' stroke-opacity="{OPACITIES[ink.level]}"'
    return (
        f'<defs><path id="{name}" d="{strokes(boxes)}"/></defs>'
        f'<use href="#{name}" stroke="{fill}" stroke-width="{THICK}"{opacity}/>'
        f'<use href="#{name}" y="{(THICK - FOOT) / 2}" stroke="{colour}" stroke-width="{FOOT}"/>'
    )


def _name(ink: Ink) -> str:
    return f"{ink.phase.value}{'' if ink.level is None else ink.level}"


def _hatches() -> str:
    """Make the ink of each phase for spans without a confidence: slanted lines on paper."""
    return "".join(
        f'<pattern id="h{phase.value}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<path stroke="{colour}" stroke-width="1.5" d="M-1 1l2-2M0 6l6-6M5 7l2-2"/></pattern>'
        for phase, colour in COLOURS.items()
    )


def _words(boxes: dict[Ink, list[tuple[float, float, float]]]) -> list[str]:
    """Write the phase into the widest spans that hold it."""
    fits = [
        (-length, y, x, ink)
        for ink, places in boxes.items()
        for x, y, length in places
        if length > 7 * len(ink.phase.value) + 4 and ink.level is not None
    ]
    by_colour: dict[str, list[str]] = defaultdict(list)
    for shorter, y, x, ink in sorted(fits, key=lambda fit: fit[:3])[:MAX_LABELS]:
        word = text(round(x - shorter / 2, 1), y + 2, ink.phase.value, anchor=None)
        by_colour[ink_on(COLOURS[ink.phase], OPACITIES[ink.level or 0])].append(word)
    return [
        f'<g fill="{colour}" font-size="10" text-anchor="middle">{"".join(words)}</g>'
        for colour, words in sorted(by_colour.items())
    ]


def _legend(y: float) -> tuple[str, float]:
    """Draw the seven phases, the four opacities, the hatching and the empty space; and where the picture ends."""
    parts = []
    for number, (phase, colour) in enumerate(COLOURS.items()):
        x = LEFT + 104 * number
        parts.append(_swatch(x, y, colour, 1.0) + text(x + 24, y + 4, phase.value, anchor="start", colour=INK, size=11))
    y += 26
    for number, opacity in enumerate(OPACITIES):
        label = f"{number / len(OPACITIES):.2f} to {(number + 1) / len(OPACITIES):.2f}"
        x = LEFT + 92 + 112 * number
        parts.append(_swatch(x, y, COLOURS[Phase.GOOD], opacity))
        parts.append(text(x + 24, y + 4, label, anchor="start", colour=INK, size=11))
    parts.append(text(LEFT, y + 4, "confidence", anchor="start", colour=INK, size=11))
    x = LEFT + 92 + 112 * len(OPACITIES)
    hatch = f"url(#h{Phase.GOOD.value})"
    parts.append(_swatch(x, y, hatch, 1.0, foot=COLOURS[Phase.GOOD]))
    parts.append(text(x + 24, y + 4, "unknown", anchor="start", colour=INK, size=11))
    parts.append(text(x + 92, y + 4, "empty: no row", anchor="start", colour=INK, size=11))
    return "".join(parts), y + 22


def _swatch(x: float, y: float, colour: str, opacity: float, *, foot: str | None = None) -> str:
    box, stripe = strokes([(x, y, 18)]), strokes([(x, y + (THICK - FOOT) / 2, 18)])
    return (
        f'<path stroke="{colour}" stroke-width="{THICK}" stroke-opacity="{opacity:g}" d="{box}"/>'
        f'<path stroke="{foot or colour}" stroke-width="{FOOT}" d="{stripe}"/>'
    )
