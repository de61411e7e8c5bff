"""Who speaks for a factor: who acts already goes on, else the representative; never two."""

from dataclasses import replace

from domain.learning.factor_speaker import factor_speakers
from domain.learning.override import OverrideKey
from domain.learning.override_record import OverrideRecord, OverrideState
from domain.portfolio.override_row import OverrideLever
from tests.domain.learning.override_worlds import DAY, T0, override

FACTOR = ("first", ["first", "second", "third"])


def standing(lesson_id: str, day: float = 0.0) -> OverrideRecord:
    """An override of size proposed so many days after T0."""
    at = T0 + day * DAY
    return OverrideRecord(
        override=override(lesson_id),
        state=OverrideState.PROPOSED,
        since=at,
        proposed_at=at,
        live_at=None,
        expires_at=at + 14 * DAY,
    )


def test_where_none_of_its_lessons_acts_the_representative_speaks():
    assert factor_speakers([FACTOR], []) == {"first"}
    assert factor_speakers([FACTOR], [standing("another")]) == {"first"}


def test_a_lesson_whose_override_stands_speaks_though_another_represents_the_factor_now():
    assert factor_speakers([FACTOR], [standing("third")]) == {"third"}


def test_of_two_that_stand_the_one_proposed_first_speaks_and_of_equal_ones_the_lesser_id():
    assert factor_speakers([FACTOR], [standing("second", 1.0), standing("third", 0.5)]) == {"third"}
    assert factor_speakers([FACTOR], [standing("third"), standing("second")]) == {"second"}


def test_a_threshold_speaks_for_no_lesson():
    size = standing("second")
    key = OverrideKey("second", OverrideLever.TS_MIN_MULT)
    threshold = replace(size, override=replace(size.override, key=key, edge=None, decay_mult=None))

    assert factor_speakers([FACTOR], [threshold]) == {"first"}


def test_every_factor_has_one_speaker():
    factors = [FACTOR, ("fourth", ["fourth"]), ("fifth", ["fifth", "sixth"])]

    assert factor_speakers(factors, [standing("second"), standing("sixth")]) == {"second", "fourth", "sixth"}
