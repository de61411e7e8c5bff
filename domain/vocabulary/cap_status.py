"""Whether a market cap can be used, and where it comes from."""

from enum import StrEnum


class CapStatus(StrEnum):
    """Whether a cap can be used, and if not, why. Only `ok` makes a tag."""

    OK = "ok"
    MISSING = "missing"
    NOT_FINITE = "not_finite"
    NEGATIVE = "negative"
    ZERO = "zero"
    STALE = "stale"


class CapBasis(StrEnum):
    """Whether the source reported the cap, or it was made from a supply and a price."""

    REPORTED = "reported"
    SUPPLY_TIMES_CLOSE = "supply_times_close"
