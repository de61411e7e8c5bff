"""Three words for how high a lever stands."""

from enum import StrEnum


class LeverMode(StrEnum):
    """A or E on one grid, lowest first. Sizes and scopes both use it."""

    PATIENT = "patient"
    NORMAL = "normal"
    AGGRESSIVE = "aggressive"
