"""What an address asks for behind its question mark, read as strictly as a command's options."""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import typer
from starlette.requests import Request

from console.instant import read_instant
from console.learned_day import read_day

LONGEST = 200
KEPT = ("as_of", "day", "replay")
"""What the links of a page keep, where it was asked for."""

_LOST_PLUS = re.compile(r"(\S+T\S+) (\d\d:\d\d)")
_COUNT = re.compile(r"[0-9]{1,6}")
FLAGS = {"1": True, "true": True, "0": False, "false": False}


class Asked:
    """Parameters of a request, each at most once; one the page does not know is refused, not passed over.

    Parameters
    ----------
    pairs : iterable of (str, str)
        Names and values as they were sent, decoded.
    allowed : collection of str
        Names the page knows.
    has_empty : bool
        Whether an empty value counts as not given, as the empty field of a form comes; else it is refused.

    Raises
    ------
    typer.BadParameter
        If a name is unknown or given twice, or a value is longer than any can be or holds a NUL.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], allowed: Collection[str], *, has_empty: bool = True) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            if name not in allowed:
                there = f"there are {', '.join(sorted(allowed))}" if allowed else "there are none here"
                raise typer.BadParameter(f"No parameter {name[:LONGEST]!r}; {there}")
            if name in self._values:
                raise typer.BadParameter(f"{name} was given twice")
            if len(value) > LONGEST or "\0" in value:
                raise typer.BadParameter(f"Expected a {name} of at most {LONGEST} characters without a NUL")
            if not value and not has_empty:
                raise typer.BadParameter(f"{name} is empty; leave it out instead")
            self._values[name] = value

    def text(self, name: str) -> str | None:
        """Value of a parameter; None where it is not there or empty."""
        return self._values.get(name) or None

    @property
    def kept(self) -> dict[str, str]:
        """What was asked for and the links of the page keep; ask for it once instant and day were read."""
        return {name: text for name in KEPT if (text := self.text(name)) is not None}

    def flag(self, name: str) -> bool:
        """Whether a parameter is set: 1 or true, 0 or false."""
        text = self.text(name)
        if text is None:
            return False
        if text not in FLAGS:
            raise typer.BadParameter(f"Expected {name}=1 or {name}=0, was {text!r}")
        return FLAGS[text]

    def count(self, name: str, *, default: int, most: int) -> int:
        """Return a whole number from 1 to `most`."""
        text = self.text(name)
        if text is None:
            return default
        number = int(text) if _COUNT.fullmatch(text) else 0
        if not 1 <= number <= most:
            raise typer.BadParameter(f"Expected {name} from 1 to {most}, was {text!r}")
        return number

    def instant(self, name: str = "as_of") -> datetime:
        """Instant of an ISO text with an offset, now when none is given; a plus that became a space is one again."""
        text = self.text(name)
        return read_instant(None if text is None else _LOST_PLUS.sub(r"\1+\2", text))

    def day(self, name: str = "day") -> datetime | None:
        """Midnight of a day; None when none is given."""
        return read_day(self.text(name))


def asked_of(request: Request, *allowed: str, has_empty: bool = True) -> Asked:
    """Read the parameters of a request. Raises `typer.BadParameter` if one is not as the page expects it."""
    return Asked(request.query_params.multi_items(), allowed, has_empty=has_empty)


def instant_text(at: datetime) -> str:
    """Write an instant so that it can stand in an address as it is.

    >>> instant_text(datetime(2025, 6, 30, 12, tzinfo=UTC))
    '2025-06-30T12:00:00Z'
    """
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"
