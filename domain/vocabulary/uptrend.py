"""Words of the uptrend engine: states, flags, transitions, why a transition happened."""

from enum import StrEnum


class UptrendState(StrEnum):
    """Where an instrument stands in its trend. S4 = no clear state yet (warming up or ambiguous)."""

    S0 = "S0"
    S1 = "S1"
    S2 = "S2"
    S3 = "S3"
    S4 = "S4"


class StateStatus(StrEnum):
    """Whether a state may be used, and if not, why."""

    WARMING_UP = "warming_up"
    OK = "ok"


class UptrendFlag(StrEnum):
    """What the engine signals on a bar; it never trades."""

    BUY_SIGNAL = "buy_signal"
    BUY_FLAG = "buy_flag"
    FIRST_DIP_BUY_FLAG = "first_dip_buy_flag"
    TRIM_FLAG = "trim_flag"
    EMERGENCY_EXIT = "emergency_exit"
    RECLAIMED_EMA333 = "reclaimed_ema333"
    EXIT_POSITION = "exit_position"


class TransitionReason(StrEnum):
    """Why the state changed on this bar."""

    BOOTSTRAP_S0_ORDER = "bootstrap_s0_order"
    BOOTSTRAP_S3_ORDER = "bootstrap_s3_order"
    FAST_BAND_ABOVE_EMA60 = "fast_band_above_ema60"
    S1_TO_S0_BEARISH_ORDER = "s1_to_s0_bearish_order"
    PRICE_ABOVE_EMA333 = "price_above_ema333"
    PRICE_BELOW_EMA333 = "price_below_ema333"
    BULLISH_ORDER = "bullish_order"
    S2_TO_S0_BEARISH_ORDER = "s2_to_s0_bearish_order"
    ALL_EMAS_BELOW_333 = "all_emas_below_333"


EXIT_TRANSITIONS: tuple[str, ...] = ("S1->S0", "S2->S0", "S3->S0")
"""Transitions that carry an A/E delta of their own."""
