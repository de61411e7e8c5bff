"""The name of a pattern, `pm.uptrend.<state>.<flag>`: one builder, one parser.

Two spellings of one pattern never meet again: rows stored as `uptrend.S1.entry` were once looked up as
`pm.uptrend.S1.entry`, and no lesson was ever applied.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.vocabulary.uptrend import UptrendFlag, UptrendState

PREFIX = "pm.uptrend"


class PatternFlag(StrEnum):
    """What an action was taken on."""

    BUY_FLAG = "buy_flag"
    FIRST_DIP_BUY_FLAG = "first_dip_buy_flag"
    REBUY_FLAG = "rebuy_flag"
    RECLAIMED_EMA333 = "reclaimed_ema333"
    TRIM_FLAG = "trim_flag"
    EXIT_POSITION = "exit_position"
    EMERGENCY_EXIT = "emergency_exit"


class TuningFamily(StrEnum):
    """Windows of opportunity whose gates are tuned; not patterns, and never parsed as one."""

    S1_ENTRY = "pm.s1_entry"
    S3_RETEST = "pm.s3_retest"


_EXITS = frozenset({PatternFlag.EXIT_POSITION, PatternFlag.EMERGENCY_EXIT})
_RETEST = frozenset({PatternFlag.BUY_FLAG, PatternFlag.REBUY_FLAG, PatternFlag.TRIM_FLAG})
LEGAL_FLAGS: dict[UptrendState, frozenset[PatternFlag]] = {
    UptrendState.S0: _EXITS,
    UptrendState.S1: _EXITS | {PatternFlag.BUY_FLAG},
    UptrendState.S2: _EXITS | _RETEST,
    UptrendState.S3: _EXITS | _RETEST | {PatternFlag.FIRST_DIP_BUY_FLAG, PatternFlag.RECLAIMED_EMA333},
}
"""Flags each state can act on. An exit bears the state it was taken in or the S0 it fell to; S4 acts on nothing."""


@dataclass(frozen=True, slots=True)
class PatternKey:
    """A pattern: the state an instrument was in and the flag that was acted on; its text is the stored key.

    Raises
    ------
    ValueError
        If the state cannot have the flag.
    """

    state: UptrendState
    flag: PatternFlag

    def __post_init__(self) -> None:
        if self.flag not in LEGAL_FLAGS.get(self.state, frozenset()):
            raise ValueError(f"No pattern {PREFIX}.{self.state}.{self.flag}: {self.state} does not act on {self.flag}")

    def __str__(self) -> str:
        return f"{PREFIX}.{self.state}.{self.flag}"


PATTERN_KEYS: tuple[PatternKey, ...] = tuple(
    PatternKey(state, flag) for state, flags in LEGAL_FLAGS.items() for flag in PatternFlag if flag in flags
)
"""Every pattern there is, in order of state and flag."""


def parse_pattern_key(text: str) -> PatternKey:
    """Pattern of a stored key.

    Raises
    ------
    ValueError
        If the text is not exactly what a pattern is written as.

    >>> parse_pattern_key("pm.uptrend.S1.buy_flag").state
    <UptrendState.S1: 'S1'>
    """
    if text not in _BY_TEXT:
        raise ValueError(f"Expected a pattern key like {PATTERN_KEYS[2]}, was {text!r}")
    return _BY_TEXT[text]


_BY_TEXT: dict[str, PatternKey] = {str(key): key for key in PATTERN_KEYS}

_OF_ENGINE: dict[UptrendFlag, PatternFlag] = {
    UptrendFlag.BUY_SIGNAL: PatternFlag.BUY_FLAG,
    UptrendFlag.BUY_FLAG: PatternFlag.BUY_FLAG,
    UptrendFlag.FIRST_DIP_BUY_FLAG: PatternFlag.FIRST_DIP_BUY_FLAG,
    UptrendFlag.TRIM_FLAG: PatternFlag.TRIM_FLAG,
    UptrendFlag.EMERGENCY_EXIT: PatternFlag.EMERGENCY_EXIT,
    UptrendFlag.RECLAIMED_EMA333: PatternFlag.RECLAIMED_EMA333,
    UptrendFlag.EXIT_POSITION: PatternFlag.EXIT_POSITION,
}


def pattern_flag(flag: UptrendFlag, *, is_rebuy: bool = False) -> PatternFlag:
    """Flag of the pattern a flag of the engine stands for.

    Parameters
    ----------
    flag : UptrendFlag
        As the engine set it; `buy_signal` of S1 is the pattern's `buy_flag`.
    is_rebuy : bool
        Whether a trim came after the last buy; a `buy_flag` is then a rebuy.

    Raises
    ------
    ValueError
        If a flag other than `buy_flag` is called a rebuy.

    >>> pattern_flag(UptrendFlag.BUY_SIGNAL)
    <PatternFlag.BUY_FLAG: 'buy_flag'>
    """
    if is_rebuy and flag is not UptrendFlag.BUY_FLAG:
        raise ValueError(f"Only buy_flag can be a rebuy, was {flag}")
    return PatternFlag.REBUY_FLAG if is_rebuy else _OF_ENGINE[flag]
