"""A waterfall as SVG text: the same in a page, where the style sheet colours it, and in a file of its own.

Colours stand in presentation attributes, which any style sheet overrides and no content policy forbids. Every bar
carries the stored numbers it shows, to the last digit, as `data-value` and `data-change`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from console.printing import printable
from console.waterfall import ABSENT, Part, Step

WIDTH, NAMES, BARS = 980, 230, 400
ROW, BAR = 22, 17
SLIM = 1.5
"""Least width of a bar, so that a step without a change is seen to be one."""

LONGEST_NAME, LONGEST_WORDS = 36, 52
INK, QUIET, PAPER = "#1b1f24", "#667", "#fff"
FILL = {"start": "#0072b2", "sum": "#0072b2", "rise": "#009e73", "fall": "#d55e00", "same": QUIET}


def draw_waterfall(parts: Sequence[Part], title: str, *, is_file: bool = False) -> str:
    """Draw the parts below each other.

    Parameters
    ----------
    parts : sequence of Part
        From `waterfall`.
    title : str
        Of the whole, for people and for programs that read pictures aloud.
    is_file : bool
        A document of its own, on white paper; otherwise a piece of a page.
    """
    lines: list[str] = []
    y = 4
    if is_file:
        lines.append(_text(8, y + 13, title, kind="head"))
        y += ROW
    for part in parts:
        lines += _part(part, y)
        y += ROW * _rows(part) + ROW // 2
    label = quoteattr(_clean(title))
    named = f'<svg xmlns="http://www.w3.org/2000/svg" class="waterfall" viewBox="0 0 {WIDTH} {y}" role="img"'
    size = f' width="{WIDTH}" height="{y}"' if is_file else ""
    paper = f'<rect width="{WIDTH}" height="{y}" fill="{PAPER}"/>' if is_file else ""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n' if is_file else ""
    whole = [f"{head}{named}{size} aria-label={label}>", f"<title>{escape(_clean(title))}</title>{paper}", *lines]
    return "\n".join([*whole, "</svg>"]) + ("\n" if is_file else "")


def picture_title(facts: Mapping[str, Any]) -> str:
    """Say which action a picture is of."""
    token = facts["token_ticker"] or facts["token_contract"]
    order = facts["order_id"] or facts["strand_id"]
    return f"{facts['decision_type']} of {token} on {facts['timeframe']}, {facts['decided_at']}, order {order}"


def _rows(part: Part) -> int:
    return 1 + len(part.steps) + (part.absent is not None)


def _part(part: Part, y: int) -> Iterable[str]:
    yield _text(8, y + 13, part.title, kind="head")
    y += ROW
    if part.absent is not None:
        yield _text(NAMES + 10, y + 13, f"absent: {part.absent}", kind="quiet")
        y += ROW
    ends = [each for step in part.steps for each in (step.begin, step.end)]
    low, high = min([0.0, *ends]), max([0.0, *ends])
    scale = BARS / ((high - low) or 1.0)
    for step in part.steps:
        first, last = sorted((step.begin - low, step.end - low))
        yield from _step(step, part, y, NAMES + 10 + first * scale, max(SLIM, (last - first) * scale))
        y += ROW


def _step(step: Step, part: Part, y: int, x: float, width: float) -> Iterable[str]:
    yield _text(NAMES, y + 13, _cut(step.name, LONGEST_NAME), kind="end")
    beside = x + width + 8
    if step.kind == ABSENT:
        yield _text(NAMES + 10, y + 13, step.words, kind="quiet")
        return
    numbers = "".join(
        f' data-{name}="{value!r}"'
        for name, value in (("value", step.value), ("change", step.change))
        if value is not None
    )
    told = _told(step, part)
    yield (
        f'<rect class="bar {step.kind}" fill="{FILL[step.kind]}" x="{x:.1f}" y="{y}" width="{width:.1f}"'
        f' height="{BAR}" data-step={quoteattr(_clean(step.name))}{numbers}>'
        f"<title>{escape(_clean(f'{step.name}: {told}'))}</title></rect>"
    )
    yield _text(beside, y + 13, _cut(told, LONGEST_WORDS), kind="")


def _told(step: Step, part: Part) -> str:
    """Words beside a bar: the stored value, the stored change, and what is said of them."""
    said = [] if step.value is None else [f"{step.value:.6g}"]
    if step.change is not None:
        change = f"x {step.change:.4g}" if part.change_is == "factor" else f"{step.change:+.4f}"
        said.append(f"({change})" if said else change)
    return " ".join([*said, step.words]).strip()


def _text(x: float, y: float, words: str, *, kind: str) -> str:
    anchor = ' text-anchor="end"' if kind == "end" else ""
    weight = ' font-weight="600"' if kind == "head" else ""
    named = f' class="{kind}"' if kind else ""
    ink = QUIET if kind == "quiet" else INK
    font = 'font-family="system-ui, sans-serif" font-size="11"'
    return f'<text{named} x="{x:.1f}" y="{y}" fill="{ink}" {font}{anchor}{weight}>{escape(_clean(words))}</text>'


def _clean(words: str) -> str:
    """Words without what would hide or turn them around, or what XML has no letter for."""
    return printable(words)


def _cut(words: str, longest: int) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"
