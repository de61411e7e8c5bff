"""The life of an override: each step, each end, the cool-down, the caps, and that nothing outlives its expiry."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.config.override import OverrideConfig
from domain.learning.override_evidence import EvidenceVerdict
from domain.learning.override_life_cycle import LifeCycle, LifeCycleDiff, MultiplierChange, advance
from domain.learning.override_record import OverrideState, StepReason
from domain.learning.trade_fact import ScopeCell
from domain.portfolio.override_row import parse_override
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.override_worlds import CONFIG, DAY, MICRO, S2, T0, key, override, verdict

PROPOSED, SHADOW, LIVE, EXPIRED, REVOKED = OverrideState
NOTHING = LifeCycle((), (), LifeCycleDiff((), (), ()), {}, ())
AGAINST = {key(): verdict(EvidenceVerdict.CONTRADICTS)}


def step(before: LifeCycle, day: float, wanted=(), evidence=None, retired=(), config: OverrideConfig = CONFIG):
    """Advance as of so many days after T0."""
    return advance(
        before.records,
        wanted,
        evidence or {},
        as_of_at=T0 + day * DAY,
        retired=retired,
        revoked_at=before.revoked_at,
        config=config,
    )


def days(*wanted, config: OverrideConfig = CONFIG) -> LifeCycle:
    """Advance day by day from nothing, each with what is wanted then."""
    cycle = NOTHING
    for day, each in enumerate(wanted):
        cycle = step(cycle, day, each, config=config)
    return cycle


def taken(cycle: LifeCycle) -> list[tuple]:
    return [(each.from_state, each.to_state, each.reason) for each in cycle.steps]


LIVED = days([override()], [override()], [override()])
"""Live since day 2, to expire on day 16."""


def test_a_wanted_override_is_proposed_then_watched_then_live():
    cycles = [days(*[[override()]] * n) for n in (1, 2, 3, 4)]

    assert [taken(cycle) for cycle in cycles] == [
        [(None, PROPOSED, StepReason.WANTED)],
        [(PROPOSED, SHADOW, StepReason.WATCHED)],
        [(SHADOW, LIVE, StepReason.STOOD_WATCH)],
        [],
    ]
    assert [[record.key for record in cycle.live] for cycle in cycles] == [[], [], [key()], [key()]]


def test_a_record_says_since_when_it_is_what_it_is():
    (record,) = LIVED.records

    assert (record.proposed_at, record.since, record.live_at) == (T0, T0 + 2 * DAY, T0 + 2 * DAY)
    assert record.expires_at == T0 + 16 * DAY


def test_a_row_of_the_set_has_its_state_and_is_believed_by_the_runtime():
    row = LIVED.records[0].row() | {"override_id": 1}

    assert (row["state"], row["state_since"], row["proposed_at"], row["live_at"]) == (
        "live",
        T0 + 2 * DAY,
        T0,
        T0 + 2 * DAY,
    )
    assert parse_override(row).expires_at == T0 + 16 * DAY


def test_it_is_watched_for_as_long_as_configured():
    config = OverrideConfig(shadow_hours=72)
    states = [days(*[[override()]] * n, config=config).records[0].state for n in range(1, 7)]

    assert states == [PROPOSED, SHADOW, SHADOW, SHADOW, LIVE, LIVE]


def test_without_a_watch_it_is_still_live_only_at_the_next_as_of():
    config = OverrideConfig(shadow_hours=0)
    watched = days([override()], [override()], config=config)

    assert [step(watched, day, [override()], config=config).records[0].state for day in (1, 2)] == [SHADOW, LIVE]


def test_expiry_is_renewed_only_while_its_lesson_is_found():
    kept = step(LIVED, 3)
    renewed = step(kept, 4, [override()])

    assert kept.records == LIVED.records
    assert renewed.records[0].expires_at == T0 + 18 * DAY


def test_what_is_not_wanted_any_more_stays_until_its_expiry_and_not_beyond():
    late, last = step(LIVED, 15.99), step(LIVED, 16)

    assert (late.records, late.steps) == (LIVED.records, ())
    assert (last.records, taken(last)) == ((), [(LIVE, EXPIRED, StepReason.LAPSED)])


def test_a_lapsed_override_ended_when_it_ceased_to_apply_and_begins_again():
    cycle = step(LIVED, 30, [override()])

    assert taken(cycle) == [(LIVE, EXPIRED, StepReason.LAPSED), (None, PROPOSED, StepReason.WANTED)]
    assert [each.at for each in cycle.steps] == [T0 + 16 * DAY, T0 + 30 * DAY]
    assert (cycle.records[0].proposed_at, cycle.diff.added) == (T0 + 30 * DAY, (key(),))


def test_one_that_is_not_wanted_for_now_does_not_become_live():
    waiting = step(step(days([override()], [override()]), 2), 3)

    assert [record.state for record in waiting.records] == [SHADOW]
    assert [record.state for record in step(waiting, 4, [override()]).records] == [LIVE]


def test_the_override_of_a_retired_lesson_ends_now():
    cycle = step(LIVED, 3, retired=["l1"])

    assert (cycle.records, taken(cycle)) == ((), [(LIVE, EXPIRED, StepReason.LESSON_RETIRED)])
    assert cycle.diff.retired == ((key(), StepReason.LESSON_RETIRED),)


@pytest.mark.parametrize("n_days", [1, 2, 3])
def test_what_its_own_trades_contradict_is_revoked_whatever_its_state(n_days):
    before = days(*[[override()]] * n_days)
    cycle = step(before, n_days, [override()], AGAINST)

    assert (cycle.records, taken(cycle)) == ((), [(before.records[0].state, REVOKED, StepReason.CONTRADICTED)])
    assert (cycle.steps[0].evidence, cycle.cooling) == (AGAINST[key()], (key(),))


@pytest.mark.parametrize("said", sorted(set(EvidenceVerdict) - {EvidenceVerdict.CONTRADICTS}))
def test_any_other_evidence_lets_it_become_live(said):
    watched = days([override()], [override()])

    assert step(watched, 2, [override()], {key(): verdict(said)}).records[0].state is LIVE


def test_a_revoked_override_is_proposed_again_only_after_its_cooldown():
    cycle = step(LIVED, 3, [override()], AGAINST)
    began = {}
    for day in range(4, 19):
        cycle = step(cycle, day, [override()])
        began |= {day: cycle.diff.added} if cycle.diff.added else {}

    assert began == {17: (key(),)}
    assert cycle.revoked_at == {}


def test_without_a_cooldown_it_is_proposed_again_at_the_next_as_of_but_not_at_the_same():
    config = OverrideConfig(revoke_cooldown_days=0)
    revoked = step(LIVED, 3, [override()], AGAINST, config=config)

    assert step(revoked, 3, [override()], config=config).records == ()
    assert step(revoked, 4, [override()], config=config).diff.added == (key(),)


def test_a_lesson_that_says_the_opposite_begins_anew():
    cycle = step(LIVED, 3, [override(multiplier=0.8)])

    assert taken(cycle) == [(LIVE, EXPIRED, StepReason.REVERSED), (None, PROPOSED, StepReason.WANTED)]
    assert [record.state for record in cycle.records] == [PROPOSED]


def test_the_diff_tells_a_multiplier_that_moved_and_none_that_did_not():
    moved, same = (step(LIVED, 3, [override(multiplier=each)]) for each in (1.2 + 1e-8, 1.2 + 1e-10))

    assert moved.diff.changed == (MultiplierChange(key(), 1.2, 1.2 + 1e-8),)
    assert (same.diff.changed, same.records[0].override.multiplier) == ((), 1.2 + 1e-10)


def test_nothing_comes_of_nothing():
    assert step(NOTHING, 0) == NOTHING


def test_a_set_never_holds_more_than_it_may_and_what_was_found_longest_ago_goes_first():
    config = OverrideConfig(max_rows=3)
    old = days([override("a"), override("b")], [override("b")], config=config)
    cycle = step(old, 2, [override("x"), override("y")], config=config)

    assert [record.key for record in cycle.records] == [key("b"), key("x"), key("y")]
    assert taken(cycle)[0] == (PROPOSED, EXPIRED, StepReason.DISPLACED)


def test_a_pattern_never_holds_more_than_it_may():
    config = OverrideConfig(max_rows_per_pattern=1)
    there = ScopeCell(S2, ActionCategory.ADD, 0, ())
    old = days([override("a"), override("b", cell=there)], config=config)

    assert [record.key for record in step(old, 1, [override("c")], config=config).records] == [key("b"), key("c")]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"day": 1.9}, "must stand since"),
        ({"wanted": [override(), override()]}, "twice in wanted"),
        ({"wanted": [override()], "retired": ["l1"]}, "is retired, and its override wanted"),
        ({"wanted": [override(cell=replace(MICRO, values=("nano",)))]}, "must keep its cell"),
        ({"wanted": [override("x"), override("y")], "config": OverrideConfig(max_rows=1)}, "A set holds 1"),
    ],
)
def test_what_cannot_be_is_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        step(LIVED, **({"day": 3} | arguments))


def test_what_has_ended_or_comes_twice_cannot_stand_in_a_set():
    (record,) = LIVED.records
    ended, twice = (replace(LIVED, records=each) for each in ((replace(record, state=EXPIRED),), (record, record)))

    with pytest.raises(ValueError, match="must stand since"):
        step(ended, 3)
    with pytest.raises(ValueError, match="twice in previous"):
        step(twice, 3)


def test_time_has_an_offset_and_knows_no_later_revocation():
    with pytest.raises(ValueError, match="must have an offset"):
        advance([], [], {}, as_of_at=datetime(2025, 6, 1), retired=(), revoked_at={}, config=CONFIG)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no later revocation is known"):
        step(replace(NOTHING, revoked_at={key(): T0 + 9 * DAY}), 8)


LESSONS = "abcd"
DAYS = st.fixed_dictionaries(
    {
        "gap": st.sampled_from([0.25, 1, 1, 1, 3, 20]),
        "wanted": st.dictionaries(st.sampled_from(LESSONS), st.sampled_from([0.7, 1.2, 1.4])),
        "against": st.sets(st.sampled_from(LESSONS), max_size=1),
        "retired": st.sets(st.sampled_from(LESSONS), max_size=1),
    }
)
TIGHT = OverrideConfig(max_rows=3, max_rows_per_pattern=3)
LEGAL = {(None, PROPOSED), (PROPOSED, SHADOW), (SHADOW, LIVE)} | {
    (state, end) for state in (PROPOSED, SHADOW, LIVE) for end in (EXPIRED, REVOKED)
}


def lived(day: dict, cycle: LifeCycle, at: float) -> LifeCycle:
    names = sorted(set(day["wanted"]) - day["retired"])[:3]
    wanted = [override(name, day["wanted"][name]) for name in names]
    against = {key(name): verdict(EvidenceVerdict.CONTRADICTS) for name in day["against"]}
    return step(cycle, at, wanted, against, day["retired"], TIGHT)


@settings(max_examples=150, deadline=None)
@given(st.lists(DAYS, max_size=12))
def test_whatever_happens_no_override_acts_unwatched_or_outlives_its_expiry(history):
    cycle, at, states = NOTHING, 0.0, {}
    for day in history:
        at += day["gap"]
        before = {record.key: record for record in cycle.records}
        cycle = lived(day, cycle, at)
        for each in cycle.steps:
            assert (states.pop(each.key, None), each.to_state) in LEGAL
            states |= {each.key: each.to_state} if each.to_state in (PROPOSED, SHADOW, LIVE) else {}
            assert each.to_state is not EXPIRED or each.at <= before[each.key].expires_at
        assert states == {record.key: record.state for record in cycle.records}
        assert all(T0 + at * DAY < record.expires_at <= T0 + (at + 14) * DAY for record in cycle.records)
        assert all(record.live_at >= record.proposed_at + timedelta(hours=24) for record in cycle.live)
        assert len(cycle.records) <= 3


@settings(max_examples=100, deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=8))
def test_advancing_again_at_the_same_instant_changes_nothing(history):
    cycle, at = NOTHING, 0.0
    for day in history:
        at += day["gap"]
        before, cycle = cycle, lived(day, cycle, at)
    again, further = lived(day, before, at), lived(day | {"against": set()}, cycle, at)

    assert again == cycle
    assert (further.records, further.steps, further.revoked_at) == (cycle.records, (), cycle.revoked_at)


@given(st.permutations([override(name) for name in LESSONS]))
def test_the_order_of_what_is_given_changes_nothing(wanted):
    records = days(wanted, wanted).records

    assert records == days(sorted(wanted, key=lambda each: each.key), wanted).records
    assert step(replace(NOTHING, records=records[::-1]), 2, wanted) == step(
        replace(NOTHING, records=records), 2, wanted
    )
