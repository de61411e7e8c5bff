"""A day of overrides: sizes and thresholds in one set, what it takes back, and the hash of what it was made from."""

from dataclasses import replace

import pytest

from domain.config.learning import LearningConfig
from domain.config.override import OverrideConfig
from domain.learning.override import LeftOutReason
from domain.learning.override_day import OverrideDay, kept_thresholds, override_day, set_hash
from domain.learning.override_record import StepReason
from domain.learning.tuning_override import tuning_overrides
from domain.learning.tuning_state import TuningState
from domain.portfolio.gate import Gate
from domain.portfolio.override_row import OverrideLever
from tests.domain.learning.override_worlds import DAY, MICRO, T0, entered, lesson
from tests.domain.learning.tuned_episodes import ROOT

TUNED = TuningState(cell=ROOT, gate=Gate.TREND_STRENGTH, multiplier=0.95, since=T0, fed_at=T0, n_evidence=40)
NEAR = replace(TUNED, gate=Gate.NEAR_EMA60, multiplier=1.05, n_evidence=60)
LESSONS = [lesson("l1", 0.6), lesson("l2", 0.4, cell=replace(MICRO, values=("nano",)))]


def config(**override: object) -> LearningConfig:
    return LearningConfig(override=OverrideConfig(**override))


def day(
    before: OverrideDay | None = None, lessons=LESSONS, states=(TUNED,), number: float = 0, **changed
) -> OverrideDay:
    """One day after another; of nothing unless a day before is given."""
    usual = {"retired": frozenset(), "is_judged": True, "revoked_at": {}, "config": config(), "max_abs_rr": 10.0}
    facts = changed.pop("facts", [])
    previous = () if before is None else before.cycle.records
    return override_day(previous, lessons, states, facts, as_of_at=T0 + number * DAY, **(usual | changed))


def levers(made: OverrideDay) -> list[str]:
    return sorted(record.key.lever for record in made.cycle.records)


def test_sizes_and_thresholds_stand_in_one_set_a_threshold_for_entries_and_adds():
    assert levers(day()) == sorted([OverrideLever.PM_STRENGTH] * 2 + [OverrideLever.TS_MIN_MULT] * 2)


@pytest.mark.parametrize(("max_rows", "sizes", "thresholds"), [(4, 2, 2), (3, 1, 2), (2, 0, 2), (1, 0, 1), (0, 0, 0)])
def test_thresholds_have_their_room_first_and_of_0_rows_nothing_is_left(max_rows, sizes, thresholds):
    made = day(config=config(max_rows=max_rows))

    told = levers(made)
    assert (told.count(OverrideLever.PM_STRENGTH), told.count(OverrideLever.TS_MIN_MULT)) == (sizes, thresholds)
    assert made.sizes.n_left_out[LeftOutReason.SET_IS_FULL] == 2 - sizes


def test_the_thresholds_of_most_episodes_find_room():
    wanted = tuning_overrides([TUNED, NEAR], config=LearningConfig().tuning).wanted
    kept = kept_thresholds(reversed(wanted), OverrideConfig(max_rows=3))

    assert [each.n_trades for each in kept] == [60, 60, 40]
    assert kept == kept_thresholds(wanted, OverrideConfig(max_rows=3))


def test_a_threshold_that_is_back_where_it_was_ends_on_a_day_that_judged_it_and_on_no_other():
    before = day()
    unjudged, judged = (day(before, states=(), number=1, is_judged=each) for each in (False, True))

    assert levers(unjudged) == levers(before)
    assert levers(judged) == [OverrideLever.PM_STRENGTH] * 2
    assert {step.reason for step in judged.cycle.steps if step.key.lever is OverrideLever.TS_MIN_MULT} == {
        StepReason.LESSON_RETIRED
    }


def test_a_retired_lesson_ends_its_override():
    made = day(day(), LESSONS[:1], number=1, retired={"l2"})

    assert [record.key.lesson_id for record in made.cycle.records if record.override.edge is not None] == ["l1"]


def test_trades_since_its_proposal_that_speak_against_a_size_revoke_it():
    bad = [fact for i in range(30) for fact in entered(f"bad{i}", -2.0 - 0.01 * i, 0.1)]
    good = [fact for i in range(30) for fact in entered(f"good{i}", 2.0 + 0.01 * i, 0.1, bucket="mid")]
    first = day()
    told, not_known = (day(first, number=number, facts=bad + good) for number in (1, 0.4))

    (step,) = [each for each in told.cycle.steps if each.key.lesson_id == "l1"]
    assert (step.reason, step.evidence.n_trades) == (StepReason.CONTRADICTED, 30)
    assert StepReason.CONTRADICTED not in {each.reason for each in not_known.cycle.steps}


def test_the_hash_tells_the_set_before_what_it_became_and_the_steps():
    first = day()
    second = day(first, number=1)
    again = day(second, number=1)  # nothing left to do: the records are those of the second, its steps are not

    assert again.cycle.records == second.cycle.records
    assert len({first.input_hash, second.input_hash, again.input_hash}) == 3
    assert day(first, number=1).input_hash == second.input_hash == set_hash(first.cycle.records, second.cycle)
    assert day(first, LESSONS[::-1], number=1).input_hash == second.input_hash


def test_what_a_hash_is_made_of_does_not_change_for_every_set_that_is_stored_would_be_stored_again():
    assert day(states=()).input_hash.startswith("eaadc8dd35e894bb")  # as sets are stored since the first release
