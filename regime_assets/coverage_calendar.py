"""Days of a table as a picture: weeks across, weekdays down, a block a year, coloured by how much of each was there.

What belongs here: the drawing. What does not: what is counted; the caller gives a share of a whole a day.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from resources.picture import INK, PAPER, QUIET, document, inline_image, shortened, strokes, text

EDGES = (0.2, 0.4, 0.6, 0.8, 1.0)
COLOURS = ("#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84")
"""Of a coverage below each edge, and of all of it: YlGnBu of ColorBrewer, told apart with any kind of colour vision
and in grey too, the darker the fuller."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MISSING, UNKNOWN = "missing", "unknown"
CELL, PITCH, LEFT, TOP = 11, 13, 64, 44
YEAR_HEIGHT = 7 * PITCH + 44
WIDTH = LEFT + 54 * PITCH + 20
MAX_NOTES, MAX_NOTE = 6, 70
DAY = timedelta(days=1)


def coverage_calendar(days: pl.DataFrame, *, title: str) -> str:
    """Markdown image of the coverage of each day.

    Parameters
    ----------
    days : DataFrame
        day (date, or an instant of it in UTC), coverage (0..1; null or NaN when there is a row but no number), label
        (a short note on the day, or null), in any order.

    Returns
    -------
    str
        An inline SVG as a data address, under 64 KB for ten years. From the first day to the last: a full cell by its
        coverage, a crossed one when it is unknown, an empty outline where there is no row. Beneath it the legend and
        the most frequent labels with their number of days.

    Raises
    ------
    ValueError
        If a coverage lies outside 0..1 or a day comes twice.
    """
    ordered = days.with_columns(pl.col("day").cast(pl.Date), pl.col("coverage").cast(pl.Float64).fill_nan(None)).sort(
        "day"
    )
    outside = ordered.filter(~pl.col("coverage").is_between(0, 1))
    if outside.height:
        raise ValueError(f"Coverage must lie within 0..1, was {outside['coverage'][0]} on {outside['day'][0]}")
    if ordered["day"].is_duplicated().any():
        raise ValueError("A day must have one coverage, had two")
    return inline_image(_svg(ordered, title), title)


def kind(known: Mapping[date, float | None], day: date) -> str | int:
    """Tell what is drawn for a day: `MISSING`, `UNKNOWN`, or the number of its colour.

    >>> known = {date(2025, 1, 1): 0.8, date(2025, 1, 2): None, date(2025, 1, 3): 1.0}
    >>> [kind(known, date(2025, 1, day)) for day in (1, 2, 3, 4)]
    [4, 'unknown', 5, 'missing']
    """
    if day not in known:
        return MISSING
    coverage = known[day]
    return UNKNOWN if coverage is None else sum(coverage >= edge for edge in EDGES)


def week(day: date) -> int:
    """Tell the column of a day in its year: weeks begin on Monday, the first one holds New Year.

    >>> week(date(2025, 1, 5)), week(date(2025, 1, 6)), week(date(2024, 12, 31))
    (0, 1, 52)
    """
    new_year = date(day.year, 1, 1)
    return ((day - new_year).days + new_year.weekday()) // 7


def _svg(ordered: pl.DataFrame, title: str) -> str:
    known = dict(zip(ordered["day"], ordered["coverage"], strict=True))
    parts = [text(WIDTH / 2, 22, title, colour=INK, size=14), _tiles()]
    y = TOP
    if not known:
        parts.append(text(WIDTH / 2, y + 12, "no days", colour=QUIET))
        y += 30
    for year in range(min(known).year, max(known).year + 1) if known else ():
        parts.append(_year(year, known, y))
        y += YEAR_HEIGHT
    parts.append(_legend(y + 12))
    notes = _notes(ordered)
    parts += [
        text(LEFT, y + 42 + 16 * line, note, anchor="start", colour=INK, size=11) for line, note in enumerate(notes)
    ]
    return document("".join(parts), width=WIDTH, height=y + 36 + 16 * len(notes), colour=PAPER)


def counted(days: int) -> str:
    """Write a number of days.

    >>> counted(1), counted(2)
    ('1 day', '2 days')
    """
    return f"{days} day" if days == 1 else f"{days} days"


def _year(year: int, known: Mapping[date, float | None], top: float) -> str:
    """Draw the days of one year that lie between the first known day and the last."""
    first, last = max(min(known), date(year, 1, 1)), min(max(known), date(year, 12, 31))
    days = [first + number * DAY for number in range((last - first).days + 1)]
    cells: dict[str | int, list[tuple[int, int]]] = defaultdict(list)
    for day in days:
        cells[kind(known, day)].append((week(day), day.weekday()))
    parts = [_summary(year, days, known, top + 10), _weekdays(top + 32)]
    months = [
        text(LEFT + PITCH * week(date(year, month, 1)), top + 26, MONTHS[month - 1], anchor=None)
        for month in range(first.month, last.month + 1)
    ]
    parts.append(f'<g fill="{QUIET}" font-size="10">{"".join(months)}</g>')
    kinds = (*range(len(COLOURS)), UNKNOWN, MISSING)
    parts += [_cells(what, cells[what], (LEFT, top + 32)) for what in kinds if what in cells]
    return "".join(parts)


def _summary(year: int, days: list[date], known: Mapping[date, float | None], y: float) -> str:
    numbers = [coverage for day in days if (coverage := known.get(day)) is not None]
    missing = sum(day not in known for day in days)
    mean = f"mean {sum(numbers) / len(numbers):.3f} over {counted(len(numbers))}" if numbers else "no coverage known"
    unknown = len(days) - missing - len(numbers)
    told = ", ".join([mean, *([f"{unknown} unknown"] if unknown else []), *([f"{missing} missing"] if missing else [])])
    return text(8, y, str(year), anchor="start", colour=INK, size=13) + text(
        LEFT, y, told, anchor="start", colour=QUIET, size=11
    )


def _weekdays(top: float) -> str:
    names = ((0, "Mon"), (2, "Wed"), (4, "Fri"))
    labels = [text(LEFT - 8, top + PITCH * number + 9, name, anchor=None) for number, name in names]
    return f'<g text-anchor="end" fill="{QUIET}" font-size="9">{"".join(labels)}</g>'


def _cells(what: str | int, cells: list[tuple[int, int]], origin: tuple[float, float]) -> str:
    """Draw cells (column, line) of one kind as one path in units of a cell; a dash leaves the margin free."""
    x, y = origin
    colour, filled = (COLOURS[what], CELL / PITCH) if isinstance(what, int) else (f"url(#{what})", 1)
    return (
        f'<path class="{kind_class(what)}" transform="translate({x:g} {y + PITCH * filled / 2:g}) scale({PITCH})" '
        f'stroke="{colour}" stroke-width="{filled:.3g}" stroke-dasharray="{filled:.3g} 1" '
        f'd="{strokes((column, line, 1) for column, line in cells)}"/>'
    )


def kind_class(what: str | int) -> str:
    """Name the kind of a cell as the class of its path."""
    return f"coverage-{what}" if isinstance(what, int) else what


def _tiles() -> str:
    """Make the ink of cells without a number: tiles as large as a cell and its margin, so one falls on each cell."""
    tile = 'width="1" height="1" y="-.5" patternUnits="userSpaceOnUse"'
    side = CELL - 1
    box = f'fill="none" stroke="{QUIET}" d="M.5 .5h{side}v{side}h-{side}z"'
    cross = f'<path stroke="{INK}" d="M.5 .5l{side} {side}m0-{side}l-{side} {side}"/>'
    scaled = f'<g transform="scale({1 / PITCH:.5f})">'
    return (
        f'<pattern id="{MISSING}" {tile}>{scaled}<path stroke-dasharray="2 2" {box}/></g></pattern>'
        f'<pattern id="{UNKNOWN}" {tile}>{scaled}<path {box}/>{cross}</g></pattern>'
    )


def _legend(y: float) -> str:
    lows = (0.0, *EDGES[:-1])
    named: dict[str | int, str] = {
        number: f"{low:.1f} to {high:.1f}" for number, (low, high) in enumerate(zip(lows, EDGES, strict=True))
    }
    named |= {len(EDGES): "all", UNKNOWN: "unknown", MISSING: "no row"}
    return "".join(
        _cells(what, [(0, 0)], (LEFT + 84 * place, y - 10))
        + text(LEFT + 84 * place + 16, y, label, anchor="start", colour=INK, size=11)
        for place, (what, label) in enumerate(named.items())
    )


def _notes(ordered: pl.DataFrame) -> list[str]:
    """Write each label, its number of days, the first and the last; the most frequent ones."""
    by_label = (
        ordered.drop_nulls("label")
        .group_by("label")
        .agg(pl.len().alias("days"), first=pl.col("day").min(), last=pl.col("day").max())
        .sort("days", "label", descending=[True, False])
    )
    shown = [
        f"{shortened(label, MAX_NOTE)}: {counted(days)}, {first}{'' if first == last else f' .. {last}'}"
        for label, days, first, last in by_label.head(MAX_NOTES).iter_rows()
    ]
    more = by_label.height - len(shown)
    return [*shown, f"and {more} other labels"] if more else shown
