"""The judge on episodes by hand: every verdict, the step it takes or not, and where states come from and go."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.plan import PlanConfig, TuningBoundsConfig
from domain.learning.tuning_cell import TuningCell
from domain.learning.tuning_state import Home, home_of, states_by_key
from domain.learning.tuning_verdict import judge
from domain.portfolio.gate import Gate
from domain.scopes.bitmask import mask_of
from domain.vocabulary.scope_dimension import ScopeDimension
from tests.domain.learning.tuned_episodes import (
    CONFIG,
    MINUTE,
    PLAN,
    ROOT,
    ROOT_ONLY,
    S1,
    UPTREND,
    WEEK,
    bought,
    episode,
    run_of,
    several,
    start_of,
    state_at,
    verdict_of,
)

MISSED = several(30, 3, 0.58)
WRONG = several(5, 35, 0.61)
NANO = TuningCell(S1, mask_of([ScopeDimension.MCAP_BUCKET]), ("nano",))
NANO_1H = TuningCell(S1, mask_of([ScopeDimension.MCAP_BUCKET, ScopeDimension.TIMEFRAME]), ("nano", "1h"))
HOURLY = TuningCell(S1, mask_of([ScopeDimension.TIMEFRAME]), ("1h",))


def test_what_goes_well_without_us_loosens_the_gate_that_kept_it_out():
    run = run_of([*MISSED, *bought()])
    said = verdict_of(run)

    assert (said.verdict, said.step_from, said.step_to) == ("loosened", 1.0, pytest.approx(0.95))
    assert (said.base, said.threshold) == (0.60, pytest.approx(0.57))
    assert verdict_of(run, Gate.NEAR_EMA60).verdict == "too_few"
    assert [(each.gate, each.since, each.n_evidence) for each in run.states] == [(Gate.TREND_STRENGTH, start_of(1), 33)]


def test_what_goes_badly_just_inside_tightens_it():
    said = verdict_of(run_of([*WRONG, *bought()]))

    assert (said.verdict, said.step_to) == ("tightened", pytest.approx(1.05))


def test_a_halo_loosens_upwards():
    missed = [episode(f"far-{i}", 0.9, halo=1.02) for i in range(33)]
    said = verdict_of(run_of([*missed, *bought()]), Gate.NEAR_EMA60)

    assert (said.verdict, said.step_to, said.threshold) == ("loosened", pytest.approx(1.05), pytest.approx(1.05))


@pytest.mark.parametrize(
    ("episodes", "verdict"),
    [
        (several(32, 0, 0.58), "too_few"),
        (several(24, 9, 0.58), "within"),
        (several(30, 3, 0.58), "rr_unknown"),
        ([*several(20, 20, 0.61), *bought()], "within"),
    ],
    ids=["32 of 32", "24 of 33", "no rr known", "half went badly"],
)
def test_why_a_threshold_stays(episodes, verdict):
    run = run_of(episodes)
    said = verdict_of(run)

    assert (said.verdict, said.step_from, said.step_to) == (verdict, 1.0, 1.0)
    assert run.states == ()


def test_a_step_that_does_not_pay_is_not_taken():
    dear = several(10, 10, 0.9, name="dear", rr=None)
    losses = [replace(each, rr=-8.0) if not each.is_success else replace(each, rr=0.2) for each in dear]
    run = run_of([*several(30, 3, 0.58), *losses])
    said = verdict_of(run)

    assert (said.verdict, said.step_to, run.states) == ("no_gain", 1.0, ())
    assert said.replay.gain_rr == pytest.approx((30 * 0.2 - 3 * 8.0) / 53)


def test_a_passed_bound_is_held_against_all_that_was_asked():
    barely = several(25, 8, 0.58, scope={ScopeDimension.TIMEFRAME: "4h", ScopeDimension.MCAP_BUCKET: "big"})
    scopes = [{ScopeDimension.TIMEFRAME: "1h", ScopeDimension.MCAP_BUCKET: name} for name in ("nano", "micro", "mid")]
    quiet = [each for i, scope in enumerate(scopes) for each in several(16, 17, 0.58, name=f"{i}", scope=scope)]
    cell = TuningCell(S1, NANO_1H.mask, ("big", "4h"))

    alone = verdict_of(run_of([*barely, *bought()], config=CONFIG), cell=cell)
    among = verdict_of(run_of([*barely, *quiet, *bought()], config=CONFIG), cell=cell)

    assert (alone.verdict, among.verdict) == ("loosened", "chance")
    assert alone.q < CONFIG.false_step_rate < among.q
    bare = CONFIG.model_copy(update={"false_step_rate": 1.0})
    assert verdict_of(run_of([*barely, *quiet, *bought()], config=bare), cell=cell).verdict == "loosened"


@pytest.mark.parametrize(("n_new", "verdict"), [(32, "cooling"), (33, "loosened")])
def test_after_a_step_33_new_episodes_are_waited_for(n_new, verdict):
    new = several(n_new, 0, 0.55, week=1)
    run = run_of([*MISSED, *new, *bought()], week=2, previous=[state_at(0.95, week=1)])

    assert verdict_of(run).verdict == verdict


def test_a_second_run_in_a_week_takes_no_second_step():
    episodes = [*MISSED, *bought(), *several(40, 0, 0.55, week=1)]
    first = run_of(episodes)
    again = judge(first.states, episodes, as_of_at=start_of(2) - MINUTE, config=ROOT_ONLY, plan=PLAN, uptrend=UPTREND)

    assert verdict_of(again).verdict == "cooling"
    assert run_of(episodes, previous=first.states).states == first.states


def test_at_its_bound_a_threshold_goes_no_further():
    said = verdict_of(run_of([*several(40, 0, 0.44, week=1), *bought(week=1)], week=2, previous=[state_at(0.75)]))

    assert (said.verdict, said.step_to, said.threshold) == ("at_bound", 0.75, pytest.approx(0.45))


def test_a_state_beyond_narrower_bounds_is_taken_as_at_the_bound():
    plan = PlanConfig(tuning_bounds=TuningBoundsConfig(ts_min_low=0.54))
    run = judge([state_at(0.75)], bought(), as_of_at=start_of(1), config=ROOT_ONLY, plan=plan, uptrend=UPTREND)

    assert verdict_of(run).step_from == pytest.approx(0.9)
    assert run.states[0].multiplier == pytest.approx(0.9)


def test_without_enough_episodes_for_four_weeks_a_threshold_returns_a_step_a_week():
    states, path = (state_at(0.9),), []
    for week in range(1, 9):
        run = run_of([], week=week, previous=states)
        states = run.states
        path.append((verdict_of(run).verdict.value if run.verdicts else "gone", [each.multiplier for each in states]))

    assert [word for word, _ in path[:3]] == ["cooling"] * 3
    assert path[3] == ("returned", [pytest.approx(0.945)])
    assert path[4] == ("returned", [pytest.approx(0.99225)])
    assert path[5:] == [("returned", []), ("gone", []), ("gone", [])]


def test_a_returning_threshold_takes_one_step_a_week_too_however_often_it_is_asked():
    first = run_of([], week=4, previous=[state_at(0.9)])
    day_later = judge(first.states, [], as_of_at=start_of(4) + WEEK / 7, config=ROOT_ONLY, plan=PLAN, uptrend=UPTREND)

    assert verdict_of(first).verdict == "returned"
    assert (verdict_of(day_later).verdict, day_later.states) == ("cooling", first.states)


def test_episodes_that_bear_on_a_threshold_hold_it_where_it_is():
    held = several(17, 16, 0.58)
    states = (state_at(0.9),)
    for week in range(1, 12):
        states = run_of(held, week=week, previous=states).states

    assert [each.multiplier for each in states] == [0.9]


def test_a_cell_begins_where_the_coarser_cells_stand():
    scope = {ScopeDimension.TIMEFRAME: "1h", ScopeDimension.MCAP_BUCKET: "nano"}
    episodes = [*several(40, 0, 0.45, week=1, scope=scope), *bought(week=1)]
    run = run_of(episodes, week=2, previous=[state_at(0.8)], config=CONFIG)

    said = verdict_of(run, cell=NANO)

    assert (said.step_from, said.verdict) == (0.8, "no_gain")


def test_of_two_next_coarser_cells_the_blend_counts_and_the_coarsest_does_not():
    states = states_by_key([state_at(0.5), state_at(0.9, cell=NANO, week=1), state_at(0.95, cell=HOURLY, week=2)])

    home = home_of(states, NANO_1H, Gate.TREND_STRENGTH)

    assert home.multiplier == pytest.approx(math.sqrt(0.9 * 0.95))
    assert home.since == start_of(2)
    assert home_of(states, NANO, Gate.TREND_STRENGTH).multiplier == 0.5
    alike = states_by_key([state_at(0.9, cell=NANO, week=1), state_at(0.9, cell=HOURLY, week=2)])
    assert home_of(alike, NANO_1H, Gate.TREND_STRENGTH) == Home(0.9, start_of(2))
    assert home_of(states, NANO_1H, Gate.NEAR_EMA60).since is None


def test_a_cell_returns_to_where_the_coarser_cells_stand():
    parent = state_at(0.9, fed_at=start_of(5))
    run = run_of([], week=6, previous=[parent, state_at(0.87, cell=NANO)])

    assert verdict_of(run, cell=NANO).step_to == 0.9
    assert [each.cell for each in run.states] == [ROOT]


def test_nothing_known_later_moves_a_run():
    later = [replace(each, episode_id=f"later {each.episode_id}") for each in several(40, 0, 0.57, week=1)]
    known = [*MISSED, *bought()]

    assert run_of([*known, *later]) == run_of(known)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_episodes_and_states_does_not_count(seed):
    rng = np.random.default_rng(seed)
    episodes = [*MISSED, *bought(), *several(20, 15, 0.62, week=1, scope={ScopeDimension.TIMEFRAME: "4h"})]
    states = [state_at(0.95), state_at(0.9, cell=NANO), state_at(1.05, cell=HOURLY)]
    shuffled = [episodes[i] for i in rng.permutation(len(episodes))]

    one = run_of(episodes, week=2, previous=states, config=CONFIG)
    other = run_of(shuffled, week=2, previous=[states[i] for i in rng.permutation(3)], config=CONFIG)

    assert [each.row() for each in one.verdicts] == [each.row() for each in other.verdicts]
    assert one.states == other.states


@given(
    multiplier=st.floats(0.3, 3.0),
    counts=st.lists(st.tuples(st.floats(0.3, 0.9), st.integers(0, 40), st.integers(0, 40)), max_size=4),
)
def test_whatever_the_episodes_no_threshold_leaves_its_bounds_or_moves_two_steps(multiplier, counts):
    episodes = [
        each
        for place, (ts, wins, losses) in enumerate(counts)
        for each in several(wins, losses, ts, name=f"{place}", week=1)
    ]
    run = run_of([*episodes, *bought(week=1)], week=2, previous=[state_at(multiplier)])
    said = verdict_of(run)

    assert 0.45 - 1e-9 <= said.threshold <= 0.75 + 1e-9
    assert abs(said.step_to - said.step_from) <= 0.05 * said.step_from + 1e-9


def test_a_verdict_is_told_with_all_it_was_decided_by():
    row = verdict_of(run_of([*MISSED, *bought()])).row()
    evidence = json.loads(json.dumps(row["evidence"], allow_nan=False))

    assert (row["family"], row["gate"], row["scope_mask"], row["verdict"]) == (
        *("pm.s1_entry", "trend_strength", 0),
        "loosened",
    )
    assert evidence["miss"]["n_hits"] == 30
    assert evidence["miss"]["low"] > 0.60
    assert evidence["replay"]["n_let_in"] == 33


@pytest.mark.parametrize(
    ("previous", "message"),
    [([state_at(0.9), state_at(0.8)], "has one state"), ([state_at(0.9, week=3)], "no later state")],
)
def test_states_that_cannot_be_are_refused(previous, message):
    with pytest.raises(ValueError, match=message):
        run_of([], previous=previous)
