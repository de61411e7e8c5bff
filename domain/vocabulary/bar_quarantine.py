"""Why a bar was refused. A refused bar is kept with its reason and reaches no roll-up."""

from enum import StrEnum


class QuarantineReason(StrEnum):
    """One reason a row; the first that applies, in this order."""

    NAIVE_TIMESTAMP = "naive_timestamp"
    MISSING_VALUE = "missing_value"
    OFF_GRID_TIMESTAMP = "off_grid_timestamp"
    FUTURE_BAR = "future_bar"
    NOT_FINITE = "not_finite"
    NON_POSITIVE_PRICE = "non_positive_price"
    NEGATIVE_VOLUME = "negative_volume"
    OHLC_ORDER = "ohlc_order"
    OUT_OF_RANGE = "out_of_range"
    REVISION_CONFLICT = "revision_conflict"
    UNIT_STEP = "unit_step"
    PRICE_JUMP = "price_jump"
    SUPERSEDED = "superseded"
