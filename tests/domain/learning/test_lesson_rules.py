"""What is no lesson however good it looks, what is kept of it, and what must change nothing."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from domain.config.learning import EdgeConfig
from domain.config.lesson import LessonConfig, MiningConfig
from domain.learning.edge_decay import DecayState
from domain.learning.lattice import mine_cells
from domain.learning.lesson import build_lessons
from domain.learning.lesson_hypothesis import Verdict
from domain.learning.lesson_verdict import DecayFit
from domain.learning.trade_group import trade_groups
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.closed_trades import OPENED_AT, facts
from tests.domain.learning.planted_trades import group_of, lessons_of, noise


def planted(seed: int = 0, n_trades: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Trades of which the third with value 1 in the first dimension ends 1.5 R better."""
    rr, values, day = noise(n_trades, seed)
    values[:, 0] = np.random.default_rng(seed).integers(1, 4, n_trades)
    return rr + 1.5 * (values[:, 0] == 1), values, day


def test_the_order_of_the_facts_changes_no_bit():
    rr, values, day = planted(n_trades=400)
    told = [
        fact
        for i in range(400)
        for fact in facts(
            f"t{i}",
            float(rr[i]),
            ({"timeframe": ("1m", "1h", "4h")[values[i, 0] - 1], "chain": f"c{values[i, 1]}"},),
            opened_at=OPENED_AT + timedelta(days=float(day[i])),
            closed_at=OPENED_AT + timedelta(days=float(day[i]) + 0.5),
        )
    ]

    def run(ordered):
        groups = trade_groups(ordered, as_of_at=OPENED_AT + timedelta(days=400), max_abs_rr=10.0)
        return lessons_of(*groups, baseline_rr=0.25)

    shuffled = [told[i] for i in np.random.default_rng(1).permutation(len(told))]
    assert [each.cell.values for each in run(told).lessons] == [("1m",)]
    assert repr(run(told)) == repr(run(shuffled)) == repr(run(told[::-1]))


def test_each_cell_asked_about_has_one_verdict_and_its_reason():
    run = lessons_of(group_of(*planted()))
    cells = [each.cell for each in run.hypotheses]

    assert len(set(cells)) == len(cells) == sum(run.verdict_counts().values())
    assert len(cells) + run.n_cells_not_reached + 1 == run.n_cells
    for each in run.hypotheses:
        assert (each.explained_by is not None) == (each.verdict is Verdict.EXPLAINED_BY)
        assert (each.q > 0.1) == (each.verdict is Verdict.NOT_SIGNIFICANT)
        assert each.parent is not None
        assert each.depth == each.parent.mask.bit_count() + 1
    assert {each.explained_by for each in run.hypotheses} - {None} <= {each.cell for each in run.lessons}


def test_two_lucky_wins_are_no_lesson():
    rr, values, day = noise(600, 1)
    values[:, 0] = 2
    values[[100, 500], 0], rr[[100, 500]] = 1, 10.0
    group = group_of(rr, values, day)
    run = build_lessons(
        [group], [mine_cells(group, MiningConfig(min_trades=2, max_depth=1))], baseline_rr=0.0, recent_edges={},
        config=LessonConfig(), edge=EdgeConfig(),
    )  # fmt: skip
    lucky = next(each for each in run.hypotheses if each.cell.mask == 1 and each.n_trades == 2)

    assert (lucky.verdict, lucky.n_wins, math.isnan(lucky.q)) == (Verdict.TOO_FEW_TRADES, 2, True)
    assert run.lessons == ()


def test_outcomes_that_are_all_alike_are_no_lesson():
    rr, values, day = noise(600, 2)
    all_alike = lessons_of(group_of(np.ones(600), values, day), baseline_rr=0.0)
    values[:, 0] = 1 + (np.arange(600) % 4 == 0)
    rr[values[:, 0] == 2] = 2.0
    cell_alike = lessons_of(group_of(rr, values, day))
    alike = [each for each in cell_alike.hypotheses if each.cell.mask == 1]

    assert all_alike.verdict_counts()[Verdict.NO_SPREAD] == len(all_alike.hypotheses) > 0
    assert [each.verdict for each in alike] == [Verdict.NO_SPREAD] * 2
    assert cell_alike.lessons == ()


def test_trades_of_few_days_are_too_few_looks_at_the_market():
    rr, values, _ = planted()
    run = lessons_of(group_of(rr, values, np.repeat(np.arange(6.0), 100)))

    assert set(run.verdict_counts()) == set(Verdict)
    assert run.verdict_counts()[Verdict.TOO_FEW_CLUSTERS] == len(run.hypotheses)


def test_the_mean_is_drawn_to_that_of_the_parent_and_the_whole_to_the_baseline():
    group = group_of(*planted())
    run = lessons_of(group, baseline_rr=0.0)
    (lesson,) = run.lessons
    whole = group.n_trades * float(np.mean(group.rr)) / (group.n_trades + 33)

    assert lesson.avg_rr_shrunk == pytest.approx(
        (lesson.n_trades * lesson.avg_rr + 33 * whole) / (lesson.n_trades + 33)
    )
    assert lesson.edge_shrunk == pytest.approx(lesson.edge.edge_raw * lesson.avg_rr_shrunk / lesson.avg_rr)
    assert lessons_of(group, baseline_rr=0.0, shrinkage_trades=0).lessons[0].avg_rr_shrunk == lesson.avg_rr


def test_an_edge_too_small_to_act_on_is_no_lesson_though_it_is_there():
    group = group_of(*planted())
    (lesson,) = lessons_of(group).lessons
    run = lessons_of(group, baseline_rr=lesson.avg_rr_shrunk)

    assert next(each for each in run.hypotheses if each.cell == lesson.cell).verdict is Verdict.EDGE_TOO_SMALL


def test_without_a_baseline_there_is_no_lesson():
    run = lessons_of(group_of(*planted()), baseline_rr=math.nan)

    assert run.lessons == ()
    assert run.verdict_counts()[Verdict.NO_BASELINE] >= 1


@pytest.mark.parametrize(
    ("half_life_hours", "state", "verdict"),
    [
        (12.0, DecayState.DECAYING, Verdict.SHORT_LIVED),
        (48.0, DecayState.DECAYING, Verdict.PROMOTED),
        (12.0, DecayState.IMPROVING, Verdict.PROMOTED),
        (math.nan, DecayState.DECAYING, Verdict.PROMOTED),
    ],
)
@pytest.mark.parametrize("promotion", ["honest", "documents"])
def test_an_edge_that_dies_within_a_day_is_no_lesson(promotion, half_life_hours, state, verdict):
    group = group_of(*planted())
    cell = lessons_of(group).lessons[0].cell
    run = lessons_of(group, fits={cell: DecayFit(half_life_hours, state)}, promotion=promotion, max_depth=1)

    assert next(each for each in run.hypotheses if each.cell == cell).verdict is verdict


def test_of_too_many_lessons_the_strongest_are_kept():
    rr, values, day = planted()
    rr = rr - 1.5 * (values[:, 1] == 1)
    group = group_of(rr, values, day)
    both, one = lessons_of(group), lessons_of(group, max_lessons_per_pattern=1)

    assert {each.cell.mask for each in both.lessons} == {1, 2}
    assert one.lessons == (max(both.lessons, key=lambda each: abs(each.edge_shrunk) * each.edge.support_score),)
    assert one.verdict_counts()[Verdict.TOO_MANY] == len(both.lessons) - 1


def test_trades_open_with_the_discovering_ones_confirm_nothing():
    group = group_of(*planted(), hold_hours=24.0 * 30)
    purged, kept = lessons_of(group), lessons_of(group, purge_overlap=False)
    late = [run.hypotheses[0].confirmation for run in (purged, kept)]

    assert (kept.n_trades_purged, kept.lessons != ()) == (0, True)
    assert late[1].n_in + late[1].n_rest - late[0].n_in - late[0].n_rest == purged.n_trades_purged > 60


def test_a_trade_seen_in_two_scopes_is_on_one_side_only():
    rr, values, day = planted()
    group = group_of(rr, values, day)
    other = group.codes.copy()
    other[:, 0] = group.codes[:, 0] % 3 + 1
    both = replace(
        group,
        row_trade=np.repeat(group.row_trade, 2),
        row_actions=np.ones(1_200, np.int32),
        codes=np.stack([group.codes, other], axis=1).reshape(1_200, -1),
    )
    run = lessons_of(both, max_depth=1)

    first = [each for each in run.hypotheses if each.cell.mask == 1]
    assert sum(each.n_trades for each in first) == 1_200
    assert all(each.overall.n_in + each.overall.n_rest == 600 for each in first)


def test_a_group_with_too_few_trades_is_counted_and_asked_nothing():
    rr, values, day = noise(32, 0)
    run = lessons_of(group_of(rr, values, day), group_of(*noise(0, 0), category=ActionCategory.ADD))

    assert (run.n_groups, run.n_groups_too_small, run.hypotheses, run.n_cells) == (1, 1, (), 1)


def test_cells_of_other_groups_are_refused():
    entry = group_of(*noise(50, 0))
    mined = mine_cells(entry, MiningConfig())
    settings = {"baseline_rr": 0.0, "recent_edges": {}, "config": LessonConfig(), "edge": EdgeConfig()}

    with pytest.raises(ValueError, match="of each group"):
        build_lessons([replace(entry, action_category=ActionCategory.ADD)], [mined], **settings)
    with pytest.raises(ValueError, match="twice"):
        build_lessons([entry, entry], [mined, mined], **settings)


@pytest.mark.parametrize(
    "changed",
    [{"min_side_clusters": 11}, {"min_confirm_clusters": 11}, {"descend_rate": 0.05}, {"promotion": "bold"}, {"q": 1}],
)
def test_rules_that_contradict_each_other_are_refused(changed):
    with pytest.raises(ValueError, match="LessonConfig"):
        LessonConfig(**changed)
