"""The equity of a replay as an SVG: the line of what the book is worth, and below it the share that is held."""

from collections.abc import Sequence
from datetime import datetime
from html import escape
from itertools import pairwise

from domain.portfolio.equity_curve import EquityPoint

WIDTH, HEIGHT = 960, 420
LEFT, RIGHT, TOP = 70, 40, 50
EQUITY_HEIGHT, GAP, EXPOSURE_HEIGHT = 220, 30, 70
PAPER, INK, QUIET, RULE = "#ffffff", "#222222", "#666666", "#d0d0d0"
LINE, AREA = "#0072B2", "#E69F00"
STEPS = 4
"""Spaces between the level lines of the equity."""


def equity_picture(curve: Sequence[EquityPoint], title: str) -> str:
    """SVG of a curve; without points it says so.

    Parameters
    ----------
    curve : sequence of EquityPoint
        In order of time.
    title : str
        Any text; it is escaped.
    """
    head = _text(LEFT, 24, title, size=14, anchor="start")
    if not curve:
        return _document(head + _text(LEFT, TOP + 20, "no tick", anchor="start"))
    low, high = _bounds([point.equity_usd for point in curve])
    span = (curve[0].at, curve[-1].at)

    def x(at: datetime) -> float:
        whole = (span[1] - span[0]).total_seconds()
        return LEFT + (WIDTH - LEFT - RIGHT) * ((at - span[0]).total_seconds() / whole if whole else 0.0)

    def y(usd: float) -> float:
        return TOP + EQUITY_HEIGHT * (high - usd) / (high - low)

    bottom = TOP + EQUITY_HEIGHT + GAP + EXPOSURE_HEIGHT
    line = " ".join(f"{x(point.at):.1f},{y(point.equity_usd):.1f}" for point in curve)
    area = " ".join(f"{x(point.at):.1f},{bottom - EXPOSURE_HEIGHT * point.exposure_frac:.1f}" for point in curve)
    body = [
        head,
        *(_level(y(low + (high - low) * step / STEPS), low + (high - low) * step / STEPS) for step in range(STEPS + 1)),
        f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="1.5"/>',
        f'<polygon points="{LEFT},{bottom} {area} {x(span[1]):.1f},{bottom}" fill="{AREA}" fill-opacity="0.6"/>',
        _rule(bottom),
        _rule(bottom - EXPOSURE_HEIGHT),
        _text(LEFT - 6, bottom - EXPOSURE_HEIGHT + 4, "100 % held", anchor="end"),
        _text(LEFT - 6, bottom + 4, "0 %", anchor="end"),
        *(_text(x(at), bottom + 20, f"{at:%Y-%m-%d}") for at in _dates(span)),
    ]
    return _document("".join(body))


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """Lowest and highest level shown; never the same."""
    low, high = min(values), max(values)
    room = max(high - low, 0.01 * abs(high), 1.0) * 0.05
    return low - room, high + room


def _dates(span: tuple[datetime, datetime], count: int = 6) -> list[datetime]:
    step = (span[1] - span[0]) / (count - 1)
    found = [span[0] + number * step for number in range(count)]
    return [found[0], *(later for earlier, later in pairwise(found) if later.date() != earlier.date())]


def _level(y: float, usd: float) -> str:
    return _rule(y) + _text(LEFT - 6, y + 4, f"{usd:,.0f}", anchor="end")


def _rule(y: float) -> str:
    return f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{RULE}"/>'


def _text(x: float, y: float, words: str, *, size: int = 11, anchor: str = "middle") -> str:
    look = f'font-size="{size}" fill="{INK if size > 11 else QUIET}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(words)}</text>'


def _document(body: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif"><rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>{body}</svg>\n'
    )
