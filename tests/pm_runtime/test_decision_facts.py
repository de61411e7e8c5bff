"""What a decision tells besides its numbers: overrides that disagree, and where its timeframe's share is from."""

import json
from datetime import timedelta

import pytest

from domain.portfolio.strand import StrandKind, parse_strand, strand_content, strand_id
from domain.scopes.bitmask import mask_of
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.portfolio.strand_documents import pm_action
from tests.portfolio_rows import START
from tests.trade_life import TRIM, TradeLife


def rule(override_id: int, lever: str, multiplier: float, bucket: str | None = None) -> dict:
    values = {} if bucket is None else {ScopeDimension.MCAP_BUCKET: bucket}
    words = json.dumps({dimension.value: value for dimension, value in values.items()})
    edge = {"edge_raw": 0.4, "decay_mult": 0.9} if lever == "pm_strength" else {"edge_raw": None, "decay_mult": None}
    return {
        **{"override_id": override_id, "pattern_key": "pm.uptrend.S1.buy_flag", "action_category": "entry"},
        **{"scope_mask": mask_of(values), "scope_values": words},
        **{"lever": lever, "multiplier": multiplier, "confidence": 0.5, "n_trades": 40, **edge},
        **{"lesson_id": f"lesson-{override_id}", "expires_at": START + timedelta(days=14)},
    }


def told(life: TradeLife, **row: object) -> list[dict]:
    """Enter, fill and trim; return what the log tells of both actions."""
    life.watch(**row)
    life.step("S1", buyable=True, ts_with_boost=0.75)
    life.step("S2", 3.0, TRIM)
    life.step("S2", 3.0)
    return [action.content for action in life.actions]


def test_more_size_against_a_tighter_gate_is_shown_from_both_sides_and_the_gate_goes_first(life):
    life.world.make_live(7, [rule(1, "pm_strength", 1.5), rule(2, "ts_min_mult", 1.1)])

    bought, sold = told(life)

    (found,) = bought["contradictions"]
    assert found == {
        **{"more": "pm_strength", "less": "ts_min_mult", "more_ids": [1], "less_ids": [2]},
        "precedence": "gates_first",
    }
    assert sold["contradictions"] == []


def test_overrides_that_cancel_on_one_threshold_contradict_each_other_although_nothing_moved(life):
    life.world.make_live(7, [rule(1, "ts_min_mult", 1.25), rule(2, "ts_min_mult", 0.8, "micro")])
    life.world.configure({"portfolio": {"mask_weight": {"power": 1e-9}}})

    bought, _ = told(life)

    assert [(each["precedence"], each["more_ids"], each["less_ids"]) for each in bought["contradictions"]] == [
        ("blended", [2], [1])
    ]


def test_a_lever_that_no_gate_of_the_buy_asks_for_contradicts_nothing(life):
    life.world.make_live(7, [rule(1, "pm_strength", 1.5), rule(2, "dx_min_mult", 1.2)])

    assert told(life)[0]["contradictions"] == []


def test_overrides_that_agree_contradict_nothing(life):
    life.world.make_live(7, [rule(1, "pm_strength", 1.5), rule(2, "ts_min_mult", 0.9)])

    assert told(life)[0]["contradictions"] == []


def test_a_position_is_sized_by_the_share_it_keeps_and_says_whether_it_was_learned(life):
    kept = {"timeframe_split": 0.4, "timeframe_split_learned_at": "2025-05-30T00:00:00+00:00"}

    bought, sold = told(life, entry_context=kept)

    (step,) = [step for step in bought["sizing"] if step["name"] == "timeframe_split"]
    assert (step["factor"], step["amount"]) == (0.4, pytest.approx(20_000 * 0.10 * 0.4))
    assert bought["timeframe_split"]["basis"] == "learned"
    assert bought["timeframe_split"]["learned_at"].startswith("2025-05-30T00:00:00")
    assert sold["timeframe_split"] is None


@pytest.mark.parametrize(("kept", "basis"), [({"timeframe_split": 0.7}, "default"), ({}, "configured")])
def test_a_share_that_was_not_learned_says_so(life, kept, basis):
    assert told(life, entry_context=kept)[0]["timeframe_split"] == {
        **{"share": 0.7, "basis": basis, "learned_at": None}
    }


def test_a_document_from_before_these_facts_keeps_its_id():
    old = pm_action()
    assert not {"contradictions", "timeframe_split"} & set(old)

    strand = parse_strand("pm_action", old)

    assert strand_content(strand).keys() == old.keys()
    assert strand_id(StrandKind.PM_ACTION, strand) == strand_id(StrandKind.PM_ACTION, strand_content(strand))
