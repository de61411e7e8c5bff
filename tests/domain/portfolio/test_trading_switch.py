"""The switch: the most restrictive row that speaks counts, and what cannot be read halts."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.portfolio.trading_switch import EffectiveSwitch, TradingMode, effective_switch, most_restrictive
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension

D = ScopeDimension
M = TradingMode
START = datetime(2025, 6, 1, tzinfo=UTC)
SOLANA = {D.CHAIN: "solana", D.TIMEFRAME: "1h", D.MCAP_BUCKET: "nano"}
BASE = {**SOLANA, D.CHAIN: "base"}


@dataclass(frozen=True)
class Row:
    """A row as the table gives it."""

    scope: object = "{}"
    mode: str | None = None
    overrides_on: bool | None = None
    author: str = "ann"
    reason: str = "test"
    set_at: datetime = START


def row(scope: object = "{}", mode: str | None = None, on: bool | None = None, *, hours: float = 0, **changed) -> Row:
    return Row(scope=scope, mode=mode, overrides_on=on, set_at=START + timedelta(hours=hours), **changed)


FROM_THE_START = row(mode="ACTIVE", on=True, author="migration", reason="defaults")


def modes(*rows: Row) -> tuple[str, str, str]:
    """Mode everywhere, of a position on solana, of one on base."""
    return tuple(effective_switch(rows, scope).mode.value for scope in ({}, SOLANA, BASE))


def test_from_the_start_everything_is_allowed_and_says_by_whom():
    found = effective_switch([FROM_THE_START], SOLANA)

    assert (found.mode, found.overrides_on) == (M.ACTIVE, True)
    assert found.mode_by == found.overrides_by
    assert (found.mode_by.scope, found.mode_by.author, found.mode_by.reason) == ("{}", "migration", "defaults")
    assert found.said == "ACTIVE everywhere, set by migration: defaults"


def test_without_a_row_everything_is_halted():
    halted = EffectiveSwitch(
        mode=M.HALTED,
        mode_by=None,
        overrides_on=False,
        overrides_by=None,
        said="HALTED: no switch row sets a mode here",
    )

    assert effective_switch([], SOLANA) == effective_switch([], {}) == halted
    assert effective_switch([row({"chain": "solana"}, "ACTIVE", True)], BASE) == halted
    assert effective_switch([row(on=True)], SOLANA) == halted


def test_a_halted_chain_halts_that_chain_only():
    assert modes(FROM_THE_START, row('{"chain":"solana"}', "HALTED", hours=1)) == ("ACTIVE", "HALTED", "ACTIVE")


def test_a_scope_cannot_be_freer_than_everywhere():
    rows = [row(mode="REDUCE_ONLY", on=True), row({"chain": "solana"}, "ACTIVE", hours=1)]

    assert modes(*rows) == ("REDUCE_ONLY",) * 3
    assert effective_switch(rows, SOLANA).mode_by.scope == "{}"


def test_the_newest_row_of_a_scope_counts_however_its_text_is_written():
    halt = row('{"timeframe": "1h", "chain": "Solana"}', "HALTED", hours=1)
    resume = row({"chain": "solana", "timeframe": "1h"}, "ACTIVE", hours=2)

    assert modes(FROM_THE_START, resume, halt) == ("ACTIVE",) * 3
    assert modes(FROM_THE_START, replace(resume, set_at=START), halt) == ("ACTIVE", "HALTED", "ACTIVE")


def test_a_row_leaves_what_it_does_not_set_as_it_was():
    off = row(on=False, hours=1, author="bob", reason="learned nonsense")
    found = effective_switch([FROM_THE_START, off], SOLANA)

    assert (found.mode, found.mode_by.author) == (M.ACTIVE, "migration")
    assert (found.overrides_on, found.overrides_by.author) == (False, "bob")


def test_overrides_are_off_where_any_row_says_so():
    rows = [FROM_THE_START, row({"chain": "solana"}, on=False, hours=-1)]

    assert not effective_switch(rows, SOLANA).overrides_on
    assert effective_switch(rows, BASE).overrides_on
    assert not effective_switch([row(mode="ACTIVE")], SOLANA).overrides_on


def test_a_row_that_restricts_counts_where_its_dimension_is_not_known_and_one_that_frees_does_not():
    unknown = {D.CHAIN: "solana", D.TIMEFRAME: "1h"}
    halt, free = row({"mcap_bucket": "nano"}, "HALTED", False), row({"mcap_bucket": "nano"}, "ACTIVE", True)

    assert effective_switch([FROM_THE_START, halt], unknown).mode is M.HALTED
    assert not effective_switch([FROM_THE_START, halt], unknown).overrides_on
    assert effective_switch([free], unknown).mode is M.HALTED
    assert not effective_switch([row(mode="ACTIVE"), free], unknown).overrides_on
    assert effective_switch([FROM_THE_START, halt], {}).mode is M.ACTIVE


@pytest.mark.parametrize(
    "wrong",
    [
        row('{"chian":"solana"}', "ACTIVE"),
        row('{"mcap_bucket":"tiny"}', "HALTED"),
        row('{"chain":', "ACTIVE"),
        row('{"chain":"a","chain":"b"}', "ACTIVE"),
        row('{"chain":null}', "ACTIVE"),
        row("[]", "ACTIVE"),
        row(None, "ACTIVE"),
        row({1: "x", "chain": "solana"}, "ACTIVE"),
        row(mode="PAUSED"),
        row(mode="active"),
        row(),
        row(mode="ACTIVE", on="false"),
    ],
)
def test_a_row_that_cannot_be_read_halts_until_somebody_sets_a_mode_everywhere(wrong):
    wrong = replace(wrong, set_at=START + timedelta(hours=1), author="typist")
    found = effective_switch([FROM_THE_START, wrong], BASE)

    assert (found.mode, found.overrides_on, found.mode_by) == (M.HALTED, False, None)
    assert "by typist cannot be read" in found.said
    assert modes(FROM_THE_START, wrong, row(mode="ACTIVE", on=True, hours=2)) == ("ACTIVE",) * 3
    assert modes(FROM_THE_START, wrong, row({"chain": "base"}, "ACTIVE", hours=2)) == ("HALTED",) * 3


def test_an_instant_without_an_offset_cannot_be_read():
    naive = replace(FROM_THE_START, set_at=datetime(2025, 6, 1))  # noqa: DTZ001 - the point of the test

    assert effective_switch([naive, FROM_THE_START], SOLANA).mode is M.HALTED


def test_each_mode_lets_through_what_it_says():
    allowed = {mode: [each.value for each in ActionCategory if mode.allows(each)] for mode in M}

    assert allowed == {M.ACTIVE: ["entry", "add", "trim", "exit"], M.REDUCE_ONLY: ["trim", "exit"], M.HALTED: ["exit"]}


def test_of_no_modes_the_strictest_is_halted():
    assert most_restrictive([]) is M.HALTED
    assert most_restrictive([M.REDUCE_ONLY, M.ACTIVE]) is M.REDUCE_ONLY


SCOPES = st.fixed_dictionaries(
    {}, optional={"chain": st.sampled_from(["solana", "base"]), "mcap_bucket": st.sampled_from(["nano", "mid"])}
)
ROWS = st.lists(
    st.builds(
        lambda scope, setting, hours: row(scope, *setting, hours=hours),
        SCOPES,
        st.tuples(st.sampled_from([*M]), st.booleans() | st.none()) | st.tuples(st.none(), st.booleans()),
        st.integers(0, 5),
    ),
    max_size=10,
)
POSITIONS = st.sampled_from([{}, SOLANA, BASE, {D.TIMEFRAME: "1h"}])
STRICTNESS = list(M)


@given(ROWS, POSITIONS, st.randoms(use_true_random=False))
def test_neither_the_order_nor_the_number_of_times_a_row_is_told_counts(rows, scope, random):
    again = random.sample(rows, len(rows)) + rows[:3]

    assert effective_switch(again, scope) == effective_switch(rows, scope)


@given(ROWS, POSITIONS, SCOPES)
def test_one_more_halt_never_frees_anything(rows, scope, halted):
    before = effective_switch(rows, scope)
    after = effective_switch([*rows, row(halted, "HALTED", False, hours=9)], scope)

    assert STRICTNESS.index(after.mode) >= STRICTNESS.index(before.mode)
    assert after.overrides_on <= before.overrides_on


@given(ROWS, POSITIONS)
def test_the_rows_of_a_newest_reading_are_enough(rows, scope):
    newest: dict[tuple, Row] = {}
    for each in sorted(rows, key=lambda each: (each.set_at, STRICTNESS.index(M(each.mode or "ACTIVE")))):
        if each.mode is not None:
            newest[(str(sorted(each.scope.items())), "mode")] = each
    settings = [each for each in rows if each.overrides_on is not None and each.mode is None]
    kept = [*newest.values(), *settings]

    assert effective_switch(kept, scope).mode is effective_switch(rows, scope).mode
