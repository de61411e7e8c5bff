"""Picture of a walk-forward: what learned sizing has made more than neutral sizing, closure by closure."""

from collections.abc import Sequence
from itertools import accumulate

from domain.learning.walk_forward import TradeForward
from resources.picture import INK, OKABE_ITO, PAPER, QUIET, RULE, coordinate, document, inline_image, text
from resources.time_axis import TimeAxis

WIDTH, HEIGHT = 900, 300
LEFT, RIGHT, TOP, BOTTOM = 80, 30, 50, 50
MAX_POINTS = 1500
"""Closures of one step where there are more: the picture stays small whatever the years."""


def forward_picture(rows: Sequence[TradeForward]) -> str:
    """Markdown image of the running difference in USD; empty where fewer than two trades have a size.

    Parameters
    ----------
    rows : sequence of TradeForward
        By closure. Trades whose size is not known are not drawn.
    """
    known = [row for row in rows if row.pnl_learned_usd == row.pnl_learned_usd]
    if len(known) < 2 or known[0].closed_at == known[-1].closed_at:
        return ""
    running = list(accumulate(row.pnl_learned_usd - row.pnl_neutral_usd for row in known))
    step = -(-len(known) // MAX_POINTS)
    places = sorted({*range(0, len(known), step), len(known) - 1})
    low, high = min(0.0, *running), max(0.0, *running)
    room = max(high - low, 1.0) * 0.05
    low, high = low - room, high + room
    axis = TimeAxis(known[0].closed_at, known[-1].closed_at, LEFT, WIDTH - LEFT - RIGHT)

    def y(usd: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - usd) / (high - low)

    line = " ".join(f"{coordinate(axis.x(known[i].closed_at))},{coordinate(y(running[i]))}" for i in places)
    title = f"Learned less neutral sizing, {len(known):,} trades: {running[-1]:+,.2f} USD"
    body = [
        axis.drawn(TOP, HEIGHT - BOTTOM),
        f'<path d="M{LEFT} {coordinate(y(0.0))}H{WIDTH - RIGHT}" stroke="{INK}"/>',
        f'<path d="M{LEFT} {coordinate(y(running[-1]))}H{WIDTH - RIGHT}" stroke="{RULE}" stroke-dasharray="4 4"/>',
        f'<polyline points="{line}" fill="none" stroke="{OKABE_ITO["blue"]}" stroke-width="1.5"/>',
        text(LEFT, 24, title, anchor="start", size=14),
        *(text(LEFT - 6, y(usd) + 4, f"{usd:,.0f}", anchor="end", colour=QUIET, size=10) for usd in (0.0, running[-1])),
    ]
    return inline_image(document("".join(body), width=WIDTH, height=HEIGHT, colour=PAPER), title)
