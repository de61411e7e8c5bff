"""Tuning under outcomes that mislead: too few, all alike, contradicting, and the same for ever."""

from itertools import pairwise

from domain.config.portfolio import MaskWeightConfig
from domain.learning.tuning_override import tuning_overrides
from domain.learning.tuning_rate import tuning_rates
from domain.portfolio.gate import Gate
from domain.portfolio.override_contradiction import Precedence, contradictions
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.pm_strength import StrengthRequest, pm_strengths
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.tuned_episodes import (
    CONFIG,
    bought,
    gate_of,
    run_of,
    several,
    start_of,
    state_at,
    verdict_of,
)
from tests.domain.portfolio.override_rows import NOW, override_row

BOUND = 0.45


def test_f29_two_lucky_windows_and_outcomes_without_variance_move_nothing():
    lucky = run_of(several(2, 0, 0.58), config=CONFIG)
    alike = run_of([*several(60, 0, 0.65), *several(20, 0, 0.9, name="far")], config=CONFIG)
    rate = tuning_rates(several(2, 0, 0.58), as_of_at=start_of(1), config=CONFIG)[0]

    assert {each.verdict.value for each in lucky.verdicts} == {"too_few"}
    assert {each.verdict.value for each in alike.verdicts} == {"within", "too_few"}
    assert (lucky.states, alike.states) == ((), ())
    assert rate.mr.rate == 1.0
    assert rate.mr.low < 0.60


def test_f29_a_mean_of_one_trade_is_no_reason_for_a_step():
    said = verdict_of(run_of([*several(40, 0, 0.58), *several(1, 0, 0.9, name="far")]))

    assert (said.verdict, said.step_to) == ("rr_unknown", 1.0)


def test_f31_too_tight_and_too_loose_at_once_is_told_with_both_rates_and_no_step_is_taken():
    run = run_of([*several(36, 4, 0.58), *several(4, 36, 0.61), *bought()], previous=[state_at(0.98, week=-2)])
    said = verdict_of(run)

    assert (said.verdict, said.step_from, said.step_to) == ("contradiction", 0.98, 0.98)
    assert said.evidence.miss.low > CONFIG.loosen_above
    assert said.evidence.false_positive.low > CONFIG.tighten_above
    assert [each.multiplier for each in run.states] == [0.98]


def test_f31_more_size_behind_a_tighter_gate_is_obeyed_twice_and_both_are_shown():
    tight = tuning_overrides([state_at(1.1)], config=CONFIG).wanted
    rows = [each.row(override_row()["expires_at"]) | {"override_id": 10 + i} for i, each in enumerate(tight)]
    compiled = compile_overrides([override_row(1, multiplier=1.5), *rows], NOW)
    asked = StrengthRequest(pattern_key="pm.uptrend.S1.buy_flag", category=ActionCategory.ENTRY, scope={})

    panel = pm_strengths(compiled, [asked], as_of=NOW, weights=MaskWeightConfig())
    (found,) = contradictions({lever: panel.strength(0, lever) for lever in OverrideLever})

    assert (found.more, found.less) == (OverrideLever.PM_STRENGTH, OverrideLever.TS_MIN_MULT)
    assert found.precedence is Precedence.GATES_FIRST


def ratchet(n_weeks: int, n_told: int) -> tuple[list[float], list[int]]:
    """Multiplier and overrides by week: for `n_told` weeks what is just shut out goes well, and then nothing comes."""
    states, episodes, path, n_overrides = (), [], [], []
    for week in range(n_weeks):
        stands = states[0].multiplier if states else 1.0
        if week < n_told:
            just_out = gate_of().threshold(stands) - 0.01
            episodes += [*several(40, 0, just_out, name="out", week=week, multiplier=stands), *bought(week)]
        run = run_of(episodes, week=week + 1, previous=states)
        states = run.states
        path.append(states[0].multiplier if states else 1.0)
        n_overrides.append(len(tuning_overrides(states, config=CONFIG).wanted))
    return path, n_overrides


def test_f32_misses_every_week_for_half_a_year_loosen_a_step_a_week_and_never_beyond_the_bound():
    path = [1.0, *ratchet(26, 26)[0]]
    steps = [after / before for before, after in pairwise(path)]

    assert min(steps) > 0.95 - 1e-9
    assert path[-1] * gate_of().base >= BOUND - 1e-12
    assert path[-1] * gate_of().base < BOUND + 0.02


def test_f32_without_fresh_evidence_a_loosened_threshold_returns_to_its_base_and_its_override_goes():
    path, n_overrides = ratchet(40, 5)
    turning = path.index(min(path))

    assert min(path) < 0.85
    assert path[-1] == 1.0
    assert all(after >= before for before, after in pairwise(path[turning:]))
    assert (max(n_overrides), n_overrides[-1]) == (2, 0)


def test_f32_one_batch_of_misses_told_again_every_week_is_one_step():
    batch = [*several(60, 0, 0.53), *several(20, 0, 0.58, name="near"), *bought()]
    states = ()
    for week in range(1, 12):
        states = run_of(batch, week=week, previous=states).states

    assert [(each.gate, round(each.multiplier, 6)) for each in states] == [(Gate.TREND_STRENGTH, 0.95)]
