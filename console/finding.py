"""What a check of the doctor found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: what was looked at, what was seen, and what to do about it; nothing where all is well."""

    check: str
    level: Level
    said: str
    todo: str = ""


def well(check: str, said: str) -> Finding:
    """Return a finding of nothing wrong."""
    return Finding(check, Level.OK, said)


def worry(check: str, said: str, todo: str) -> Finding:
    """Return a finding that can wait."""
    return Finding(check, Level.WARN, said, todo)


def trouble(check: str, said: str, todo: str) -> Finding:
    """Return a finding that cannot wait."""
    return Finding(check, Level.FAIL, said, todo)
