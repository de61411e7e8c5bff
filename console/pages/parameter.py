"""What an address may be asked: a name, how its value is read, and the same bounds as a schema others can read."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

import typer

from console.instant import YEARS
from console.pages.asked import FLAGS, LONGEST, Asked
from domain.learning.research_note import NoteKind
from domain.vocabulary.timeframe import Timeframe

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
MANY = 100_000
MOST_VERSIONS = 999_999


@dataclass(frozen=True, slots=True)
class Parameter(ABC, Generic[T]):
    """One parameter behind the question mark of an address.

    Attributes
    ----------
    name : str
        As it stands in the address.
    told : str
        What it chooses, and what holds without it: one sentence.
    is_needed : bool
        Whether the address has no answer without it.
    """

    name: str
    told: str
    is_needed: bool = False

    def read(self, asked: Asked) -> T:
        """Value a request gives. Raises `typer.BadParameter` if it is out of bounds, or needed and not given."""
        if self.is_needed and asked.text(self.name) is None:
            raise typer.BadParameter(f"{self.name} was not given, and there is no answer without it")
        return self._read(asked)

    @abstractmethod
    def _read(self, asked: Asked) -> T: ...

    @property
    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """Values it takes, as JSON Schema."""


@dataclass(frozen=True, slots=True)
class Text(Parameter[str | None]):
    """Any text; None when none is given."""

    def _read(self, asked: Asked) -> str | None:
        return asked.text(self.name)

    @property
    def schema(self) -> dict[str, Any]:
        """Text of at most `LONGEST` characters without a NUL."""
        return {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"^[^\x00]+$"}


@dataclass(frozen=True, slots=True)
class Flag(Parameter[bool]):
    """A thing to ask for; false when it is not given."""

    def _read(self, asked: Asked) -> bool:
        return asked.flag(self.name)

    @property
    def schema(self) -> dict[str, Any]:
        """Words that mean yes and no."""
        return {"type": "string", "enum": list(FLAGS), "default": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Parameter[int]):
    """A whole number from 1 to `most`; `default` when none is given."""

    default: int
    most: int

    def _read(self, asked: Asked) -> int:
        return asked.count(self.name, default=self.default, most=self.most)

    @property
    def schema(self) -> dict[str, Any]:
        """Bounds and default."""
        return {"type": "integer", "minimum": 1, "maximum": self.most, "default": self.default}


@dataclass(frozen=True, slots=True)
class Version(Parameter[int | None]):
    """Number of a version; None when none is given."""

    def _read(self, asked: Asked) -> int | None:
        return None if asked.text(self.name) is None else asked.count(self.name, default=1, most=MOST_VERSIONS)

    @property
    def schema(self) -> dict[str, Any]:
        """Bounds."""
        return {"type": "integer", "minimum": 1, "maximum": MOST_VERSIONS}


@dataclass(frozen=True, slots=True)
class Instant(Parameter[datetime]):
    """An ISO instant with an offset; now when none is given."""

    def _read(self, asked: Asked) -> datetime:
        return asked.instant(self.name)

    @property
    def schema(self) -> dict[str, Any]:
        """Form of an instant."""
        told = f"An ISO instant with an offset, of a year from {YEARS[0]} to {YEARS[-1]}; a + may have become a space."
        return {"type": "string", "maxLength": LONGEST, "format": "date-time", "description": told}


@dataclass(frozen=True, slots=True)
class Day(Parameter[datetime | None]):
    """A UTC day; None when none is given."""

    def _read(self, asked: Asked) -> datetime | None:
        return asked.day(self.name)

    @property
    def schema(self) -> dict[str, Any]:
        """Form of a day."""
        told = f"An ISO day of a year from {YEARS[0]} to {YEARS[-1]}."
        return {"type": "string", "maxLength": LONGEST, "format": "date", "description": told}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(Parameter[E | None]):
    """One of some words; `default` when none is given."""

    words: type[E]
    default: E | None = None

    def _read(self, asked: Asked) -> E | None:
        text = asked.text(self.name)
        if text is None:
            return self.default
        if text not in {each.value for each in self.words}:
            raise typer.BadParameter(f"Expected a {self.name}, one of {', '.join(self.words)}, was {text!r}")
        return self.words(text)

    @property
    def schema(self) -> dict[str, Any]:
        """The words."""
        chosen = {} if self.default is None else {"default": self.default.value}
        return {"type": "string", "enum": [each.value for each in self.words]} | chosen


AS_OF = Instant("as_of", "What was known at this instant (default: now).")
DAY = Day("day", "What was known at the end of this UTC day (default: the newest).")
REPLAY = Text("replay", "Look at what a replay made, or taught, not at live trading.")
PATTERN = Text("pattern", "Only this pattern, such as S1.buy_flag.")
KIND: Choice[NoteKind] = Choice("kind", "Only notes of this kind.", words=NoteKind)
PREFIX = Text("prefix", "Only keys that begin so.")
VERSION = Version("version", "A version of the configuration (default: the one in force).")
TIMEFRAME: Choice[Timeframe] = Choice("timeframe", "The execution timeframe.", words=Timeframe, default=Timeframe.H1)


def most_of(default: int, most: int = MANY) -> Count:
    """How many rows are told at most."""
    return Count("most", "How many rows are told at most.", default=default, most=most)


def timeframe_of(asked: Asked) -> Timeframe:
    """Return the execution timeframe that is asked for, an hour when none is."""
    return TIMEFRAME.read(asked) or Timeframe.H1


def given(asked: Asked, parameters: Sequence[Parameter[Any]]) -> Mapping[str, Any]:
    """Read every parameter of an address. Raises `typer.BadParameter` as they do."""
    return {each.name: each.read(asked) for each in parameters}
