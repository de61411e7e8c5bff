"""A pattern has one spelling, written by one function and read by one."""

import pytest

from domain.scopes.pattern_key import (
    PATTERN_KEYS,
    PatternFlag,
    PatternKey,
    TuningFamily,
    parse_pattern_key,
    pattern_flag,
)
from domain.vocabulary.uptrend import UptrendFlag, UptrendState


def test_the_documents_key_is_literally_what_is_stored():
    key = PatternKey(UptrendState.S1, pattern_flag(UptrendFlag.BUY_SIGNAL))

    assert str(key) == "pm.uptrend.S1.buy_flag"


def test_every_pattern_reads_back_and_no_two_are_spelled_alike():
    assert [parse_pattern_key(str(key)) for key in PATTERN_KEYS] == list(PATTERN_KEYS)
    assert len({str(key) for key in PATTERN_KEYS}) == len(PATTERN_KEYS) == 17


def test_every_flag_of_the_words_stands_in_some_pattern():
    assert {key.flag for key in PATTERN_KEYS} == set(PatternFlag)
    assert {flag.value for flag in PatternFlag} == {
        "buy_flag",
        "first_dip_buy_flag",
        "rebuy_flag",
        "reclaimed_ema333",
        "trim_flag",
        "exit_position",
        "emergency_exit",
    }


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "uptrend.S1.buy_flag",
        "module=pm|pattern_key=uptrend.S1.buy_flag",
        "pm.uptrend.S1.buy_signal",
        "pm.uptrend.S1.entry",
        "pm.uptrend.S4.buy_flag",
        "pm.uptrend.S0.buy_flag",
        "pm.uptrend.S1.buy_flag ",
        "pm.uptrend.s1.buy_flag",
        *TuningFamily,
    ],
)
def test_another_spelling_is_no_pattern(wrong):
    with pytest.raises(ValueError, match="Expected a pattern key"):
        parse_pattern_key(wrong)


@pytest.mark.parametrize(
    ("state", "flag"),
    [
        ("S0", "buy_flag"),
        ("S1", "trim_flag"),
        ("S1", "rebuy_flag"),
        ("S2", "first_dip_buy_flag"),
        ("S4", "exit_position"),
    ],
)
def test_a_state_that_cannot_have_the_flag_makes_no_pattern(state, flag):
    with pytest.raises(ValueError, match="does not act on"):
        PatternKey(UptrendState(state), PatternFlag(flag))


def test_every_flag_of_the_engine_has_its_pattern_flag():
    assert {pattern_flag(flag) for flag in UptrendFlag} == set(PatternFlag) - {PatternFlag.REBUY_FLAG}
    assert pattern_flag(UptrendFlag.BUY_FLAG, is_rebuy=True) is PatternFlag.REBUY_FLAG
    with pytest.raises(ValueError, match="Only buy_flag"):
        pattern_flag(UptrendFlag.BUY_SIGNAL, is_rebuy=True)


def test_the_tuning_families_are_the_documents():
    assert [family.value for family in TuningFamily] == ["pm.s1_entry", "pm.s3_retest"]
