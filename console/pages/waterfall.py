"""Steps from a beginning to a result as bars on a common scale, for levers and for sizes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 420.0
SLIM = 1.5
"""Least width of a bar, so that a step without a change is seen to be one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One step: where it begins, how long it is, and what it is: start, rise, fall, same or sum."""

    name: str
    x: float
    width: float
    kind: str
    change: float | None
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Waterfall:
    """Bars in their order."""

    title: str
    bars: tuple[Bar, ...]


def lever_waterfall(levers: Mapping[str, Any], lever: str) -> Waterfall | None:
    """Waterfall of A (`a`) or E (`e`): the base, each channel that moved it, then each further step.

    Parameters
    ----------
    levers : mapping
        As an explained action tells them: base, steps, channels and channels_note.
    lever : str
        `a` or `e`.

    Returns
    -------
    Waterfall or None
        None where the base or the steps are not known. Channels are drawn only where they add up to the first step.
    """
    base, steps = levers["base"], levers["steps"]
    if base is None or not steps:
        return None
    named = [("start", "base", None, base)]
    if levers["channels_note"] is None:
        value = base
        for channel in (each for each in levers["channels"] if each[lever]):
            value += channel[lever]
            named.append((_kind(channel[lever]), channel["name"], channel[lever], value))
        named.append(("sum", steps[0]["name"], None, steps[0][lever]))
        steps = steps[1:]
    named += [(_kind(step[f"{lever}_change"]), step["name"], step[f"{lever}_change"], step[lever]) for step in steps]
    if levers[f"{lever}_value"] is not None:
        named.append(("sum", f"{lever.upper()} used", None, levers[f"{lever}_value"]))
    return Waterfall(title=f"{lever.upper()}", bars=tuple(_bars(named, floor=0.0)))


def size_waterfall(steps: Sequence[Mapping[str, Any]]) -> Waterfall | None:
    """Waterfall of a size: the amount after each step, as long as it is large; None where there is no step."""
    named = [("sum", step["name"], step["factor"], step["amount"]) for step in steps if step["amount"] is not None]
    if not named:
        return None
    named[0] = (*named[0][:2], None, named[0][3])  # the money there is; its factor is itself
    return Waterfall(title="size", bars=tuple(_bars(named, floor=0.0)))


def _kind(change: float | None) -> str:
    if not change:
        return "same"
    return "rise" if change > 0 else "fall"


def _bars(named: Sequence[tuple[str, str, float | None, float]], floor: float) -> Iterable[Bar]:
    values = [value for *_, value in named]
    low, high = min([floor, *values]), max([floor, *values])
    scale = WIDTH / ((high - low) or 1.0)
    before = floor
    for kind, name, change, value in named:
        first, last = sorted((floor if kind in ("start", "sum") else before, value))
        width = max(SLIM, (last - first) * scale)
        yield Bar(
            name=name, x=round((first - low) * scale, 1), width=round(width, 1), kind=kind, change=change, value=value
        )
        before = value
