"""What the pictures of the Dagster UI are made of: an SVG document, its text, cells and strokes, and the Markdown.

What belongs here: what several pictures share. What does not: what a picture says.
"""

import base64
import re
from collections.abc import Iterable
from html import escape

LIMIT_BYTES = 65_536
"""Size of an inline picture from which the event log and the browser would feel it."""

OKABE_ITO = {
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#555555",
}
"""Palette of Okabe and Ito (2008), told apart with any kind of colour vision; its black is replaced by a grey."""

PAPER, INK, QUIET, RULE = "#ffffff", "#222222", "#666666", "#d0d0d0"

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKDOWN = re.compile(r"([\[\]\\])")


def document(body: str, *, width: float, height: float, colour: str | None = None) -> str:
    """SVG of a size in pixels; on paper of a colour, without one it shows the page below it."""
    paper = "" if colour is None else f'<rect width="{width}" height="{height}" fill="{colour}"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12">{paper}{body}</svg>'
    )


def text(
    x: float,
    y: float,
    label: str,
    *,
    anchor: str | None = "middle",
    colour: str | None = None,
    size: int | None = None,
) -> str:
    """Text with its baseline at y, escaped; what XML cannot hold is shown as U+FFFD. None: as the group around it.

    >>> text(1.0, 2.5, "a < b", anchor=None)
    '<text x="1" y="2.5">a &lt; b</text>'
    """
    given = {"text-anchor": anchor, "fill": colour, "font-size": size}
    attributes = "".join(f' {name}="{value}"' for name, value in given.items() if value is not None)
    return f'<text x="{x:g}" y="{y:g}"{attributes}>{_escaped(label)}</text>'


def shortened(label: str, most: int) -> str:
    """Label of at most so many characters, the last of which says that there were more.

    >>> shortened("composite", 9), shortened("composite", 5)
    ('composite', 'comp…')
    """
    return label if len(label) <= most else f"{label[: most - 1]}…"


def cell(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Fill a rectangle."""
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{colour}"/>'


def strokes(segments: Iterable[tuple[float, float, float]]) -> str:
    """Path data of level lines (x, y, length): as thick as it is stroked, a box in some ten bytes.

    >>> strokes([(0, 7, 3.25), (5.5, 7, 1)])
    'M0 7h3.25M5.5 7h1'
    """
    return "".join(f"M{coordinate(x)} {coordinate(y)}h{coordinate(length)}" for x, y, length in segments)


def coordinate(value: float) -> str:
    """Pixels to a hundredth, as short as they can be written."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def ink_on(colour: str, opacity: float = 1.0) -> str:
    """Black or white, whichever stands out more on a colour (#rrggbb) of an opacity on white paper.

    The contrast is that of WCAG 2.2, (lighter + 0.05) / (darker + 0.05) of the relative luminances.

    >>> ink_on("#0072B2"), ink_on("#0072B2", 0.25)
    ('#ffffff', '#000000')
    """
    on_white = 1.05 / (luminance(colour, opacity) + 0.05)
    on_black = (luminance(colour, opacity) + 0.05) / 0.05
    return "#ffffff" if on_white > on_black else "#000000"


def luminance(colour: str, opacity: float = 1.0) -> float:
    """Relative luminance of a colour (#rrggbb) of an opacity on white paper, 0..1."""
    shares = [int(colour[i : i + 2], 16) / 255 * opacity + 1 - opacity for i in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def inline_image(svg: str, title: str) -> str:
    """Markdown image of an SVG as a data address.

    Raises
    ------
    ValueError
        If it has more than `LIMIT_BYTES`.
    """
    alternative = _MARKDOWN.sub(r"\\\1", " ".join(_escaped(title).split()))
    encoded = base64.b64encode(svg.encode()).decode()
    image = f"![{alternative}](data:image/svg+xml;base64,{encoded})"
    size = len(image.encode())
    if size > LIMIT_BYTES:
        raise ValueError(f"An inline picture must have at most {LIMIT_BYTES} bytes, had {size}: {title}")
    return image


def _escaped(label: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", label))
