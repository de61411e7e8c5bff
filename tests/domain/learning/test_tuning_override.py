"""From a tuned threshold to a gate that opens: the keys that are written are those that are asked for."""

from datetime import timedelta

import pytest

from domain.config.override import OverrideConfig
from domain.config.portfolio import MaskWeightConfig
from domain.learning.override import OverrideKey
from domain.learning.override_life_cycle import advance
from domain.learning.override_record import OverrideState, StepReason
from domain.learning.tuning_cell import TuningCell
from domain.learning.tuning_override import tuning_overrides
from domain.learning.tuning_state import TuningState
from domain.portfolio.buy_check import GateTuning, check_buy
from domain.portfolio.gate import Gate, blocking_gates
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.plan import buy_check_pattern
from domain.portfolio.pm_strength import StrengthPanel, StrengthRequest, pm_strengths
from domain.scopes.bitmask import mask_of
from domain.scopes.pattern_key import TuningFamily
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.uptrend import UptrendState
from tests.domain.learning.tuned_episodes import CONFIG, PLAN, ROOT, S1, S3, UPTREND, start_of, state_at
from tests.domain.portfolio.token_bars import token_bar

NANO_HERE = {ScopeDimension.MCAP_BUCKET: "nano", ScopeDimension.TIMEFRAME: "1h", ScopeDimension.CHAIN: "solana"}
NANO = TuningCell(S1, mask_of([ScopeDimension.MCAP_BUCKET]), ("nano",))
NOW = start_of(1)
BUYS = [ActionCategory.ENTRY, ActionCategory.ADD]
TUNED = [
    (S1, Gate.TREND_STRENGTH, UptrendState.S1, {"ts_with_boost": 0.58}, 0.95),
    (S1, Gate.NEAR_EMA60, UptrendState.S1, {"close_usd": 102.08}, 1.05),
    (S3, Gate.TREND_STRENGTH, UptrendState.S3, {"ts_with_boost": 0.58}, 0.95),
    (S3, Gate.DISCOUNTED, UptrendState.S3, {"dx": 0.49}, 0.95),
]


def tuned(family: TuningFamily, gate: Gate, multiplier: float) -> TuningState:
    cell = TuningCell(family, 0, ())
    return TuningState(cell=cell, gate=gate, multiplier=multiplier, since=NOW, fed_at=NOW, n_evidence=40)


def looked_up(states, state: UptrendState, category: ActionCategory) -> StrengthPanel:
    """What a tick finds for a buy of a state, as `pm_runtime.planning` asks for it."""
    wanted = tuning_overrides(states, config=CONFIG).wanted
    rows = [each.row(NOW + timedelta(days=14)) | {"override_id": number} for number, each in enumerate(wanted)]
    compiled = compile_overrides(rows, NOW)
    assert compiled.refused == ()
    asked = StrengthRequest(pattern_key=str(buy_check_pattern(state)), category=category, scope=NANO_HERE)
    return pm_strengths(compiled, [asked], as_of=NOW, weights=MaskWeightConfig())


@pytest.mark.parametrize("category", BUYS)
@pytest.mark.parametrize(("family", "gate", "state", "bar", "multiplier"), TUNED)
def test_a_loosened_threshold_opens_the_gate_of_the_buy_it_was_learned_for(
    family, gate, state, bar, multiplier, category
):
    panel = looked_up([tuned(family, gate, multiplier)], state, category)
    levers = ("ts_min_mult", "halo_mult", "dx_min_mult")
    tuning = GateTuning(**{name: float(panel.multiplier[OverrideLever(name)][0]) for name in levers})
    shut_bar = token_bar(state.value, **bar)

    before = check_buy(shut_bar, uptrend=UPTREND, config=PLAN)
    after = check_buy(shut_bar, uptrend=UPTREND, config=PLAN, tuning=tuning)

    assert blocking_gates(before) == (gate,)
    assert blocking_gates(after) == ()


@pytest.mark.parametrize("category", BUYS)
def test_no_threshold_touches_the_buys_of_another_state_or_their_size(category):
    states = [tuned(family, gate, multiplier) for family, gate, _, _, multiplier in TUNED]

    elsewhere = looked_up(states, UptrendState.S2, category)
    here = looked_up(states, UptrendState.S1, category)

    assert {float(each[0]) for each in elsewhere.multiplier.values()} == {1.0}
    assert here.multiplier[OverrideLever.PM_STRENGTH][0] == 1.0
    assert here.multiplier[OverrideLever.DX_MIN_MULT][0] == 1.0


def test_a_cell_applies_in_its_scope_only():
    cell = TuningCell(S1, mask_of([ScopeDimension.MCAP_BUCKET]), ("big",))

    panel = looked_up([state_at(0.9, cell=cell)], UptrendState.S1, ActionCategory.ENTRY)

    assert panel.multiplier[OverrideLever.TS_MIN_MULT][0] == 1.0


def test_a_threshold_back_at_its_base_has_a_row_only_where_a_coarser_cell_says_otherwise():
    alone = tuning_overrides([state_at(1.0, cell=NANO)], config=CONFIG)
    under = tuning_overrides([state_at(1.0, cell=NANO), state_at(0.8)], config=CONFIG)

    assert alone.wanted == ()
    assert sorted(each.multiplier for each in under.wanted) == [0.8, 0.8, 1.0, 1.0]


def test_entry_and_add_of_every_gate_and_cell_are_lessons_of_their_own():
    states = [
        state_at(0.9),
        state_at(0.95, cell=NANO),
        tuned(S1, Gate.NEAR_EMA60, 1.05),
        tuned(S3, Gate.DISCOUNTED, 0.9),
    ]

    wanted = tuning_overrides(states, config=CONFIG).wanted

    assert len({each.key.lesson_id for each in wanted}) == len(wanted) == 8
    assert {(each.edge, each.decay_mult, each.n_trades) for each in wanted} == {(None, None, 40)}
    assert all(0 < each.confidence <= 1 for each in wanted)


def test_a_threshold_that_returned_leaves_the_set_at_once_and_a_size_does_not():
    wanted = tuning_overrides([state_at(0.9)], config=CONFIG).wanted
    standing = advance([], wanted, {}, as_of_at=NOW, retired=frozenset(), revoked_at={}, config=OverrideConfig())
    size = OverrideKey("a lesson", OverrideLever.PM_STRENGTH)

    after = tuning_overrides([], config=CONFIG, standing=[size, *(each.key for each in standing.records)])
    cycle = advance(
        standing.records,
        after.wanted,
        {},
        as_of_at=NOW + timedelta(days=1),
        retired=after.withdrawn,
        revoked_at={},
        config=OverrideConfig(),
    )

    assert "a lesson" not in after.withdrawn
    assert cycle.records == ()
    assert {(step.to_state, step.reason) for step in cycle.steps} == {
        (OverrideState.EXPIRED, StepReason.LESSON_RETIRED)
    }


def test_a_cell_keeps_its_lesson_from_run_to_run():
    one, other = (tuning_overrides([state_at(m, n_evidence=n)], config=CONFIG) for m, n in ((0.95, 33), (0.9, 80)))

    assert [each.key for each in one.wanted] == [each.key for each in other.wanted]
    assert [each.cell for each in one.wanted] == [each.cell for each in other.wanted]
    assert {each.cell.mask for each in one.wanted} == {ROOT.mask}
