"""Strands twice, late, in pieces, broken: a closed trade is counted once and whole, or it is told why not."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.learning.trade_fact import TradeFact
from domain.learning.trade_intake import RIVAL_REASON, Intake, IntakeStatus, StoredStrand, take_in
from domain.portfolio.strand import StrandKind
from tests.domain.learning.told_trades import ToldTrade, evidence, stored, told_trade
from tests.domain.portfolio.strand_documents import AT, position_closed

NOW = AT + timedelta(days=3)
TRADES = [told_trade(f"t{i}", 10 * i, outcome={"pnl_usd": 100.0 + i}) for i in range(4)]
STRANDS = [strand for told in TRADES for strand in (*told.actions.values(), told.closure)]
FACTS = tuple(fact for told in TRADES for fact in evidence(told).facts)


def looked_at(told: ToldTrade, actions: dict[str, StoredStrand] | None = None, **given: Any) -> Intake:
    """One look at one closure."""
    known = told.actions if actions is None else actions
    return take_in([told.closure], known, given.pop("already", {}), **{"at": NOW, **given})


def test_a_trade_whose_actions_have_come_gives_its_facts():
    intake = looked_at(TRADES[0])
    (record,) = intake.taken

    assert intake.facts == evidence(TRADES[0]).facts
    assert (record.status, record.trade_id, record.actions_told, record.actions_missing) == ("taken", "t0", 2, 0)
    assert (intake.parked, intake.refused, intake.n_repeated) == ((), (), 0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(STRANDS), max_size=40), st.permutations(STRANDS), st.lists(st.integers(0, 30), max_size=4)
)
def test_facts_do_not_depend_on_order_repetition_or_the_moment_of_a_look(repeated, order, cuts):
    arriving = [*repeated, *order]
    taken: dict[str, str] = {}
    facts: list[TradeFact] = []
    for stop in [*sorted(cuts), len(arriving)]:
        told = arriving[:stop]
        actions = {each.strand_id: each for each in told if each.kind == StrandKind.PM_ACTION}
        intake = take_in([each for each in told if each.kind == StrandKind.POSITION_CLOSED], actions, taken, at=NOW)
        facts += intake.facts
        taken |= {record.trade_id: record.strand_id for record in intake.taken}

    assert sorted(facts, key=lambda fact: (fact.trade_id, fact.action_ts)) == list(FACTS)


def test_a_closure_delivered_a_thousand_times_is_one_trade():
    (told,) = TRADES[:1]
    intake = take_in([told.closure] * 1000, told.actions, {}, at=NOW)

    assert (len(intake.facts), len(intake.taken), intake.n_repeated) == (2, 1, 999)


def test_a_closure_that_is_taken_already_gives_nothing_more():
    told = TRADES[0]
    intake = looked_at(told, already={"t0": told.closure.strand_id})

    assert (intake.facts, intake.taken, intake.parked, intake.refused, intake.n_repeated) == ((), (), (), (), 1)


def test_a_trade_lacking_an_action_waits_and_tells_how_many_and_since_when():
    told = TRADES[0]
    (first, _) = told.actions
    since = NOW - timedelta(hours=5)
    intake = looked_at(told, {first: told.actions[first]}, first_seen={told.closure.strand_id: since})
    (record,) = intake.parked

    assert intake.facts == ()
    assert (record.status, record.actions_told, record.actions_missing) == (IntakeStatus.PARKED, 2, 1)
    assert record.first_seen_at == since
    assert record.reason == f"1 of 2 actions have not come since {since.isoformat()}"


def test_what_is_parked_for_the_first_time_is_seen_from_now_on():
    (record,) = looked_at(TRADES[0], {}).parked

    assert (record.first_seen_at, record.actions_missing) == (NOW, 2)


@pytest.mark.parametrize(("hours", "status"), [(71.99, "parked"), (72.0, "given_up"), (900.0, "given_up")])
def test_a_trade_that_waited_three_days_is_given_up_and_stays_visible(hours, status):
    told = TRADES[0]
    since = NOW - timedelta(hours=hours)
    (record,) = looked_at(told, {}, first_seen={told.closure.strand_id: since}).parked

    assert (record.status, record.first_seen_at) == (status, since)


def test_a_trade_that_was_given_up_is_taken_when_its_actions_do_come():
    told = TRADES[0]
    intake = looked_at(told, first_seen={told.closure.strand_id: NOW - timedelta(days=30)})

    assert intake.facts == evidence(told).facts
    assert [record.status for record in intake.taken] == ["taken"]


BROKEN: dict[str, tuple[Any, str]] = {
    "without its entry context": (position_closed() | {"entry_context": ...}, "/entry_context"),
    "an outcome against the money": (told_trade(outcome={"rr": -1.0}).closure.content, "/completed_trades/0"),
    "a number in quotes": (position_closed() | {"config_version": "3"}, "/config_version"),
    "another version": (position_closed() | {"schema_version": 2}, "/schema_version"),
    "no JSON": ("{", ""),
    "a key given twice": ('{"ts": 1, "ts": 2}', "/ts"),
    "half of a pair": ('{"ts": "\\ud800"}', "/ts"),
    "too deep": ("[" * 100_000, ""),
    "ten megabytes": ('"' + "x" * 10_000_000 + '"', ""),
    "of another trade": (position_closed(), "/trade_id"),
}


@pytest.mark.parametrize(("content", "pointer"), BROKEN.values(), ids=BROKEN)
def test_a_closure_that_cannot_be_read_is_refused_with_the_place_and_the_others_are_taken(content, pointer):
    if isinstance(content, dict):
        content = {name: value for name, value in content.items() if value is not ...}
    broken = replace(TRADES[1].closure, content=content, strand_id="f" * 64, trade_id="t9")
    intake = take_in([broken, TRADES[0].closure], TRADES[0].actions, {}, at=NOW)
    (record,) = intake.refused

    assert intake.facts == evidence(TRADES[0]).facts
    assert (record.strand_id, record.status) == ("f" * 64, "refused")
    assert record.pointer.startswith(pointer)
    assert record.reason


def test_an_action_that_cannot_be_read_keeps_its_trade_out():
    told = TRADES[0]
    (first, second) = told.actions
    broken = replace(told.actions[second], content={"schema_version": 1})
    (record,) = looked_at(told, {first: told.actions[first], second: broken}).refused

    assert record.reason.startswith(f"Action {second}: /a_value: Field required")
    assert record.actions_told == 2


def test_an_action_of_another_kind_or_another_trade_keeps_its_trade_out():
    told, other = TRADES[:2]
    (first, second) = told.actions
    swapped = {first: told.actions[first], second: other.closure}
    assert "expected a pm_action" in looked_at(told, swapped).refused[0].reason

    foreign = told.actions | {second: list(other.actions.values())[1]}
    assert "its trade_id is 't1'" in looked_at(told, foreign).refused[0].reason


def test_what_is_no_closure_is_refused():
    told = TRADES[0]
    (record,) = take_in(told.actions.values(), told.actions, {}, at=NOW).refused[:1]

    assert record.reason == "expected a position_closed, was a pm_action"


def rivals() -> tuple[ToldTrade, ToldTrade]:
    """Two closures of one trade that do not say the same."""
    return told_trade("t0", 10), told_trade("t0", 20, outcome={"pnl_usd": 1.0})


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_closures_of_one_trade_the_first_stands_whatever_came_first(turned):
    first, second = rivals()
    told = [second.closure, first.closure] if turned else [first.closure, second.closure]
    intake = take_in(told, first.actions | second.actions, {}, at=NOW)

    assert intake.facts == evidence(first).facts
    (record,) = intake.refused
    assert record.strand_id == second.closure.strand_id
    assert record.reason == RIVAL_REASON + first.closure.strand_id


def test_a_closure_that_was_taken_stands_against_an_earlier_one():
    first, second = rivals()
    intake = take_in([first.closure], first.actions, {"t0": second.closure.strand_id}, at=NOW)

    assert (intake.facts, [record.strand_id for record in intake.refused]) == ((), [first.closure.strand_id])


def test_a_closure_that_waits_stands_and_one_that_cannot_be_read_does_not():
    first, second = rivals()
    waiting = take_in([first.closure, second.closure], {}, {}, at=NOW)
    assert [record.strand_id for record in waiting.parked] == [first.closure.strand_id]
    assert [record.strand_id for record in waiting.refused] == [second.closure.strand_id]

    broken = replace(first.closure, content="{")
    intake = take_in([broken, second.closure], second.actions, {}, at=NOW)
    assert intake.facts == evidence(second).facts


def test_a_document_still_in_text_is_the_same():
    told = TRADES[0]
    in_text = replace(told.closure, content=json.dumps(dict(told.closure.content)))

    assert take_in([in_text], told.actions, {}, at=NOW).facts == evidence(told).facts


def test_keys_nobody_named_are_kept_and_do_not_matter():
    told = told_trade(closure={"whatever": {"deep": [1, 2]}})

    assert looked_at(told).facts == evidence(told).facts


def test_a_strand_of_another_row_is_refused():
    strand = stored(StrandKind.POSITION_CLOSED, dict(TRADES[0].closure.content), 10, schema_version=2)
    (record,) = take_in([strand], TRADES[0].actions, {}, at=NOW).refused

    assert (record.pointer, record.reason) == ("/schema_version", "the row says 2, the document 1")


@pytest.mark.parametrize("given", [{"at": datetime(2025, 3, 4)}, {"park_hours": 0.0}])  # noqa: DTZ001
def test_a_look_without_an_instant_or_without_patience_is_refused(given):
    with pytest.raises(ValueError, match="Expected an instant with an offset and hours > 0"):
        looked_at(TRADES[0], **given)
