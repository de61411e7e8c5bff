"""From a planted edge to what the runtime buys, and back: proposed, watched, live, revoked, expired, rolled back."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

import pytest

from domain.config.pm_config import PmConfig
from domain.learning.override import OverrideKey
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.pm_strength import Strength, apply_pattern_strength_overrides
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension
from learning_assets.override_store import revocations
from learning_assets.pm_overrides import SET, STEP_TABLE, TABLE
from pm_runtime.postgres_store import open_postgres_store
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.queries import query
from tests.chain_runs import configure
from tests.domain.learning.told_trades import ToldTrade
from tests.learned_world import (
    BOUGHT,
    DAY,
    FEW,
    MIDNIGHT,
    as_owner,
    forget_everything,
    overrides_by_day,
    rows,
    run_learning,
    season,
    tell_trades,
)

pytestmark = pytest.mark.postgres
PROPOSED, SHADOW, LIVE = 6, 7, 8
"""Days as of whose end the override of nano caps takes its steps."""
STEADY = season(LIVE + 2, edge=1.5)
PATIENT: dict[str, Any] = deepcopy(FEW)
PATIENT["learning"]["lesson"] |= {"retire_after": 50}
PATIENT["learning"]["override"] = {"revoke_cooldown_days": 30, "guardrail": {"min_trades": 4}}


def learn(config: Mapping[str, Any], trades: list[ToldTrade], last: int, *, as_of: datetime | None = None) -> None:
    forget_everything()
    configure(config)
    tell_trades(trades)
    run_learning(0, last, as_of=as_of)


@pytest.fixture(scope="module")
def learned(module_database) -> None:
    learn(FEW, STEADY, LIVE)
    assert pointer() == [], "a backfill of past days made a set live"


@pytest.fixture
def today(learned) -> int:
    """Days 0 to `LIVE` are learned; it is the day after, and no set is live."""
    as_owner("TRUNCATE learning.live_override_set")
    return LIVE + 1


def noon(day: int) -> datetime:
    return MIDNIGHT + (day + 0.5) * DAY


def seen_by_runtime(at: datetime, bucket: str = "nano") -> Strength:
    """Strength of an S1 entry, as a tick of the runtime at an instant has it."""
    store = open_postgres_store("a:1:start")
    try:
        with store.snapshot() as snapshot:
            raw = snapshot.live_overrides()
    finally:
        store.close()
    return apply_pattern_strength_overrides(
        compile_overrides(raw.rows, at, set_id=raw.set_id),
        BOUGHT,
        ActionCategory.ENTRY,
        {ScopeDimension.MCAP_BUCKET: bucket, ScopeDimension.TIMEFRAME: "1h"},
        as_of=at,
        weights=PmConfig().portfolio.mask_weight,
    )


def pointer() -> list[tuple[int, str, bool]]:
    """Which set was made live, by whom, and whether it is held."""
    told = rows("SELECT set_id, author, holds FROM learning.live_override_set ORDER BY step_id")
    return [(row["set_id"], row["author"], row["holds"]) for row in told]


def point_to(set_id: int | None, *, holds: bool) -> None:
    """What a person does at the console."""
    with connect(DatabaseRole.CONSOLE) as connection:
        connection.execute(
            "INSERT INTO learning.live_override_set (set_id, author, reason, holds) VALUES (%s, 'ann', 'a test', %s)",
            [set_id, holds],
        )


def steps_of(bucket: str) -> list[tuple[str, str, int]]:
    """Steps of the overrides of a cell: to which state, why, and as of which midnight."""
    told = rows(
        "SELECT to_state, reason, stepped_at FROM learning.override_step WHERE lesson_id IN"
        " (SELECT lesson_id FROM learning.learning_lessons WHERE scope_values->>'mcap_bucket' = %s) ORDER BY step_id",
        bucket,
    )
    return [(row["to_state"], row["reason"], (row["stepped_at"] - MIDNIGHT) // DAY - 1) for row in told]


def set_of(at: datetime) -> int:
    return rows("SELECT max(set_id) AS id FROM learning.override_set WHERE as_of = %s", at)[0]["id"]


def test_a_planted_edge_is_proposed_watched_and_live_over_days(today):
    assert steps_of("nano") == [
        ("proposed", "wanted", PROPOSED),
        ("shadow", "watched", SHADOW),
        ("live", "stood_watch", LIVE),
    ]
    (first, *_, last) = [row for row in overrides_by_day() if row["scope_values"] == {"mcap_bucket": "nano"}]
    assert first["multiplier"] > 1.2
    assert (first["pattern_key"], first["action_category"], first["lever"]) == (BOUGHT, "entry", "pm_strength")
    assert last["expires_at"] == MIDNIGHT + (LIVE + 1 + 14) * DAY


def test_a_backfill_of_past_days_makes_no_set_live(today):
    run_learning(SHADOW, LIVE)

    assert pointer() == []
    assert seen_by_runtime(noon(today)).multiplier == 1.0


def test_the_set_of_today_is_what_the_runtime_reads_and_buys_more_of_what_matches(today):
    run_learning(today, as_of=noon(today))

    assert pointer() == [(set_of(noon(today)), "learning", False)]
    strength = seen_by_runtime(noon(today))
    assert strength.multiplier > 1.2
    assert {row.values[ScopeDimension.MCAP_BUCKET] for row in strength.matched} == {"nano"}
    assert seen_by_runtime(noon(today), "micro").multiplier <= 1.0
    assert seen_by_runtime(noon(today), "big").multiplier == 1.0


def test_a_choice_a_person_holds_stays_and_one_that_is_not_held_does_not(today):
    run_learning(today, as_of=noon(today))
    point_to(None, holds=True)
    run_learning(today, as_of=noon(today) + DAY / 12)
    assert pointer()[-1] == (None, "ann", True)
    assert seen_by_runtime(noon(today)).multiplier == 1.0

    point_to(set_of(noon(today)), holds=False)
    assert seen_by_runtime(noon(today)).multiplier > 1.2
    run_learning(today, as_of=noon(today) + DAY / 6)

    assert pointer()[-1] == (set_of(noon(today) + DAY / 6), "learning", False)


def test_rolled_back_by_one_row_the_next_read_obeys(today):
    run_learning(today, as_of=noon(today))
    before = seen_by_runtime(noon(today)).multiplier

    point_to(set_of(MIDNIGHT + (SHADOW + 1) * DAY), holds=True)

    assert before > 1.2
    assert seen_by_runtime(noon(today)).matched == ()


def test_overrides_alone_can_be_made_again_during_the_day(today):
    run_learning(today, as_of=noon(today))
    run_learning(today, as_of=noon(today) + DAY / 24, tables=(SET, STEP_TABLE, TABLE))

    sets = [set_of(noon(today)), set_of(noon(today) + DAY / 24)]
    assert pointer() == [(set_id, "learning", False) for set_id in sets]
    assert seen_by_runtime(noon(today)).multiplier > 1.2


def test_as_of_the_very_end_of_a_day_the_day_is_past(module_database):
    learn(FEW, STEADY, LIVE, as_of=MIDNIGHT + (LIVE + 1) * DAY)

    assert pointer() == []


def test_an_override_that_is_only_watched_changes_nothing(module_database):
    learn(FEW, STEADY, SHADOW)
    run_learning(LIVE, as_of=noon(LIVE))

    assert {row["state"] for row in overrides_by_day() if row["as_of"] == noon(LIVE)} == {"shadow"}
    assert pointer() == [(set_of(noon(LIVE)), "learning", False)]
    assert seen_by_runtime(noon(LIVE)).matched == ()


def test_an_empty_set_changes_nothing(module_database):
    learn(FEW, season(2), 0)
    run_learning(1, as_of=noon(1))

    assert pointer() == [(set_of(noon(1)), "learning", False)]
    assert seen_by_runtime(noon(1)).multiplier == 1.0


def test_trades_that_speak_against_it_revoke_it_with_their_numbers(module_database):
    learn(PATIENT, [*season(LIVE, edge=1.5), *season(4, first=LIVE, edge=-2.0)], LIVE + 3)

    assert ("revoked", "contradicted") in {(state, reason) for state, reason, _ in steps_of("nano")}
    step, *_ = rows(
        "SELECT evidence FROM learning.override_step INNER JOIN learning.learning_lessons USING (lesson_id)"
        " WHERE to_state = 'revoked' AND scope_values->>'mcap_bucket' = 'nano'"
    )
    assert step["evidence"]["verdict"] == "contradicts"
    assert step["evidence"]["upper_r"] < 0
    last = [row for row in overrides_by_day() if row["as_of"] == MIDNIGHT + (LIVE + 4) * DAY]
    assert {"mcap_bucket": "nano"} not in [row["scope_values"] for row in last]


def test_it_expires_on_its_own_once_its_lesson_is_found_no_more(module_database):
    quiet = deepcopy(PATIENT)
    quiet["learning"]["override"] |= {"expiry_days": 2, "guardrail": {"min_trades": 1000}}
    learn(quiet, [*season(LIVE, edge=1.5), *season(6, first=LIVE, edge=-2.0)], LIVE + 5)

    (*_, last) = steps_of("nano")
    assert last[:2] == ("expired", "lapsed")


@pytest.mark.parametrize(
    ("sets", "counts"),
    [
        ([(1.0, True)], True),
        ([(0.5, True)], True),
        ([(1.0, True), (2.0, False)], True),
        ([(1.0, True), (1.0, False)], False),
        ([(1.0, False), (1.0, True)], True),
        ([(0.5, True), (1.0, False)], False),
        ([(2.5, True)], False),
    ],
    ids=[
        *("of a day that is over", "of a day that was never finished", "a day later it still counts"),
        *("its day was made again", "made again with it", "it held until noon and not at midnight", "not known yet"),
    ],
)
def test_a_revocation_counts_if_the_set_it_led_to_is_the_one_of_its_day(module_database, sets, counts):
    forget_everything()
    key = OverrideKey("a-lesson", OverrideLever.PM_STRENGTH)
    with connect(DatabaseRole.LEARNING) as session:
        for number, (day, is_revoked) in enumerate(sets):
            made = {"made_at": MIDNIGHT, "as_of": MIDNIGHT + day * DAY, "input_hash": str(number), "row_count": 0}
            provenance = {"run_id": "r", "code_version": "1", "config_version": 1}
            ((set_id,),) = session.execute(query("insert_override_set").encode(), made | provenance).fetchall()
            if is_revoked:
                step = {"set_id": set_id, "lesson_id": key.lesson_id, "lever": key.lever.value, "evidence": None}
                step |= {"from_state": "live", "to_state": "revoked", "reason": "contradicted"}
                session.execute(query("insert_override_step").encode(), step | {"stepped_at": made["as_of"]})
        found = revocations(session, MIDNIGHT + 2 * DAY)

    assert (key in found) is counts
