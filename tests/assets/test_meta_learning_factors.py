"""Lessons that are about the same trades: one factor, one name from day to day, one override."""

from copy import deepcopy
from typing import Any

import pytest

from learning_assets.learning_latent_factors import TABLE
from tests.chain_runs import configure
from tests.domain.learning.told_trades import ToldTrade
from tests.learned_world import (
    DAY,
    FEW,
    MIDNIGHT,
    as_owner,
    everything,
    forget_everything,
    overrides_by_day,
    rows,
    run_learning,
    stored,
    tell_trades,
    trade,
)

pytestmark = pytest.mark.postgres
LAST, TURN = 8, 5
CONFIG: dict[str, Any] = deepcopy(FEW)
CONFIG["learning"]["lesson"] |= {"promotion": "documents", "min_abs_edge": 0.3}
CONFIG["learning"]["mining"] |= {"excluded_dimensions": ["chain", "timeframe"]}


def curated(days: int) -> list[ToldTrade]:
    """Six trades a day, three of them good: nano caps, and but for one in ten all that ann told of.

    The one in ten is a little better than the others at first, and much worse from day `TURN` on.
    """
    told = []
    for number in range(6 * days):
        day, is_nano = number // 6, number % 2 == 0
        is_anns = is_nano and number % 20
        rr = 1.5 + 0.2 * (number % 3 - 1) if is_nano else 0.2 * (number % 3 - 1)
        if is_nano and not is_anns:
            rr = 2.2 if day < TURN else -0.5
        bucket, curator = ("nano" if is_nano else "micro"), ("ann" if is_anns else "bob")
        told.append(trade(number, day + 0.1 * (number % 6), rr, bucket, curator=curator))
    return told


@pytest.fixture(scope="module")
def learned(module_database) -> dict[str, Any]:
    forget_everything()
    configure(CONFIG)
    tell_trades(curated(LAST + 1))
    run_learning(0, LAST)
    return everything()


def lesson_ids() -> dict[str, str]:
    """Ids of the lessons of both scopes."""
    told = rows(
        "SELECT DISTINCT lesson_id, scope_values::text AS scope FROM learning.learning_lessons"
        " WHERE action_category = 'entry' AND scope_values::text IN (%s, %s)",
        '{"mcap_bucket":"nano"}',
        '{"curator":"ann"}',
    )
    return {"nano" if "nano" in row["scope"] else "ann": row["lesson_id"] for row in told}


def shared(learned: dict[str, Any]) -> list[dict[str, Any]]:
    """Factors of both lessons, by day."""
    both = set(lesson_ids().values())
    return [row for row in learned[TABLE] if both <= set(row["lesson_ids"])]


def test_two_lessons_about_the_same_trades_are_one_factor_that_keeps_its_name(learned):
    factors = shared(learned)

    assert len(lesson_ids()) == 2
    assert len(factors) >= 5
    assert len({row["factor_id"] for row in factors}) == 1
    assert [row["is_carried"] for row in factors] == [False, *[True] * (len(factors) - 1)]
    assert all(0.7 <= row["min_jaccard"] < 1 for row in factors)


def test_of_a_factor_the_representative_is_proposed_and_stays_whoever_represents_it_later(learned):
    names = {lesson_id: name for name, lesson_id in lesson_ids().items()}
    represented = [names[row["representative"]] for row in shared(learned)]
    acting = [names[row["lesson_id"]] for row in overrides_by_day() if row["lesson_id"] in names]

    assert (represented[0], represented[-1]) == ("nano", "ann")
    assert set(acting) == {"nano"}
    assert overrides_by_day()[-1]["as_of"] == MIDNIGHT + (LAST + 1) * DAY


def test_every_lesson_is_in_one_factor_of_its_day(learned):
    active = {
        (row["timestamp"], row["lesson_id"])
        for row in learned["learning.learning_lessons"]
        if row["status"] == "active"
    }
    grouped = [(row["timestamp"], each) for row in learned[TABLE] for each in row["lesson_ids"]]

    assert len(grouped) == len(set(grouped))
    assert set(grouped) == active


def test_a_day_without_lessons_takes_no_factor_its_name_in_one_run_or_in_many(learned):
    as_owner(
        "CREATE TABLE public.kept AS SELECT * FROM learning.learning_lessons;"
        " UPDATE learning.learning_lessons SET status = 'retired', retired_on = born_on"
        f" WHERE \"timestamp\" = '{MIDNIGHT + 7 * DAY}'"
    )
    run_learning(6, LAST, tables=(TABLE,))
    at_once = stored(TABLE).to_dicts()
    for day in range(6, LAST + 1):
        run_learning(day, tables=(TABLE,))
    one_by_one = stored(TABLE).to_dicts()
    as_owner(
        "DELETE FROM learning.learning_lessons; INSERT INTO learning.learning_lessons SELECT * FROM public.kept;"
        " DROP TABLE public.kept"
    )
    run_learning(6, LAST, tables=(TABLE,))

    assert one_by_one == at_once
    assert {row["timestamp"] for row in at_once} == {MIDNIGHT + day * DAY for day in (*range(2, 7), 8)}
    assert stored(TABLE).to_dicts() == learned[TABLE]
