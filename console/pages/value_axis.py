"""Numbers as heights on a picture, with round numbers to read them by."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueAxis:
    """Values from `low` to `high`, drawn from `bottom` up to `top`, pixels from above."""

    low: float
    high: float
    top: float
    bottom: float

    def y(self, value: float) -> float:
        """Height of a value, to a tenth of a pixel; one outside is drawn at the nearer end.

        >>> axis = ValueAxis(low=-1, high=1, top=10, bottom=110)
        >>> axis.y(0.0), axis.y(1.0), axis.y(-7.0)
        (60.0, 10.0, 110.0)
        """
        share = (value - self.low) / (self.high - self.low)
        return round(self.bottom - (self.bottom - self.top) * min(1.0, max(0.0, share)), 1)

    def ticks(self, most: int = 6) -> list[float]:
        """Round numbers on the axis, at most so many steps apart.

        >>> ValueAxis(low=-0.13, high=0.31, top=0, bottom=1).ticks()
        [-0.1, 0.0, 0.1, 0.2, 0.3]
        """
        step = _round_step((self.high - self.low) / most)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [round(number * step, 12) for number in range(first, last + 1)]


def axis_over(values: Iterable[float], *, top: float, bottom: float) -> ValueAxis:
    """Axis that holds some values and 0, with a little room at both ends.

    >>> axis = axis_over([2.0, 4.0], top=0, bottom=100)
    >>> axis.low < 0 < 4 < axis.high
    True
    """
    seen: Sequence[float] = [0.0, *values]
    low, high = min(seen), max(seen)
    room = 0.06 * ((high - low) or 1.0)
    return ValueAxis(low=low - room, high=high + room, top=top, bottom=bottom)


def _round_step(least: float) -> float:
    """Smallest round number that is not below `least`."""
    scale = 10.0 ** math.floor(math.log10(least))
    return next(scale * each for each in ROUND if scale * each >= least * (1 - 1e-9))
