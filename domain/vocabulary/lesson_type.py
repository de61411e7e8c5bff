"""What a lesson is about."""

from enum import StrEnum


class LessonType(StrEnum):
    """Kind of a lesson: how large a buy is, or where a gate before it stands."""

    PM_STRENGTH = "pm_strength"
    TUNING = "tuning"
