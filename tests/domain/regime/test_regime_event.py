"""A change is told once, by an id of its own, however the hours are looked at."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.regime_event import RegimeEventConfig
from domain.regime.regime_context import RegimeContext
from domain.regime.regime_event import RegimeEvent, RegimeEventKind, regime_events
from domain.vocabulary.cap_bucket import CapBucket
from tests.regime_hours import DAY, HOUR, context_of

CONFIG = RegimeEventConfig()
BEFORE_ALL = DAY - HOUR
ROTATION, EXTREME = RegimeEventKind.BUCKET_ROTATION, RegimeEventKind.BUCKET_EXTREME
ORDERS = ({"nano": 2.0, "mid": 1.0}, {"nano": 1.0, "mid": 2.0}, {"mid": 2.0}, {})
Moment = tuple[str, float] | None


def at(hour: int):
    return DAY + hour * HOUR


def of_orders(*orders: int) -> list[RegimeContext]:
    """An hour an order of `ORDERS`."""
    return [context_of(at(hour), ORDERS[order]) for hour, order in enumerate(orders)]


def of_phases(*moments: Moment) -> list[RegimeContext]:
    """An hour a meso phase and confidence of micro; None is an hour without a row of it."""
    return [
        context_of(at(hour), {} if moment is None else {"micro": 1.5}, **_named(moment))
        for hour, moment in enumerate(moments)
    ]


def _named(moment: Moment):
    return {} if moment is None else {"phase": moment[0], "confidence": moment[1]}


def told(contexts: list[RegimeContext], *, config=CONFIG, after=BEFORE_ALL) -> list[tuple[str, int]]:
    """Kind and hour of each event."""
    return [(event.kind, (event.timestamp - DAY) // HOUR) for event in regime_events(contexts, config, after=after)]


def test_a_changed_order_is_told_in_the_hour_that_shows_it():
    assert told(of_orders(0, 0, 1, 1, 0)) == [(ROTATION, 2), (ROTATION, 4)]


def test_a_bucket_that_leaves_the_rank_changes_the_order():
    assert told(of_orders(1, 2, 1)) == [(ROTATION, 1), (ROTATION, 2)]


def test_an_hour_without_a_rank_is_compared_with_none():
    assert told(of_orders(0, 3, 1, 1)) == []


def test_hours_with_a_hole_between_them_are_not_compared():
    contexts = of_orders(0, 0, 1)

    assert told([contexts[0], contexts[2]]) == []


def test_a_rotation_tells_both_orders_and_how_each_slope_moved():
    contexts = [
        context_of(at(0), {"nano": 2.0, "mid": 1.0}, slope=0.5),
        context_of(at(1), {"mid": 2.0, "nano": 1.0, "big": 0.0}, slope=0.75),
    ]

    (event,) = regime_events(contexts, CONFIG, after=BEFORE_ALL)

    assert event.bucket is None
    assert json.loads(event.payload) == {
        "old_order": ["nano", "mid"],
        "new_order": ["mid", "nano", "big"],
        "slope_deltas": {"nano": 0.25, "mid": 0.25, "big": None},
    }


CALM, UP, SURE_UP, SURE_DOWN = ("Good", 0.9), ("Euphoria", 0.5), ("Euphoria", 0.7), ("Oh-Shit", 0.7)


@pytest.mark.parametrize(
    ("moments", "hours"),
    [
        ((CALM, SURE_UP, SURE_UP), [1]),
        ((CALM, UP, UP, SURE_UP, UP, SURE_UP), [3]),
        ((CALM, UP, UP, CALM), []),
        ((CALM, SURE_UP, CALM, SURE_UP), [1, 3]),
        ((CALM, SURE_UP, SURE_DOWN), [1, 2]),
        ((CALM, SURE_UP, ("Euphoria", None), SURE_UP), [1]),
        ((None, SURE_UP), [1]),
        ((CALM, SURE_UP, None, SURE_UP), [1, 3]),
        ((SURE_UP, SURE_UP), []),
        ((UP, SURE_UP), [1]),
        ((SURE_UP, UP, SURE_UP), []),
    ],
)
def test_an_extreme_is_told_once_a_run_when_it_is_sure(moments, hours):
    assert told(of_phases(*moments)) == [(EXTREME, hour) for hour in hours]


def test_an_extreme_tells_phase_score_and_confidence():
    (event,) = regime_events(of_phases(CALM, SURE_DOWN), CONFIG, after=BEFORE_ALL)

    assert event.bucket == "micro"
    assert event.payload == '{"phase":"Oh-Shit","score":1.5,"confidence":0.7}'


def test_a_label_that_only_dwells_on_is_no_extreme_however_sure_its_score():
    left = context_of(at(0), {"micro": 0.8}, phase="Euphoria", confidence=1.0, pending_label="Good")

    assert told([left]) == []


def test_xl_has_extremes_though_no_rank():
    contexts = [context_of(at(0), {"xl": 0.5}), context_of(at(1), {"xl": 1.5}, phase="Euphoria")]

    assert [event.bucket for event in regime_events(contexts, CONFIG, after=BEFORE_ALL)] == ["xl"]


@pytest.mark.parametrize(
    ("config", "kinds"),
    [
        (RegimeEventConfig(), {ROTATION, EXTREME}),
        (RegimeEventConfig(is_bucket_rotation_on=False), {EXTREME}),
        (RegimeEventConfig(is_bucket_extreme_on=False), {ROTATION}),
        (RegimeEventConfig(is_bucket_rotation_on=False, is_bucket_extreme_on=False), set()),
        (RegimeEventConfig(extreme_min_confidence=0.9), {ROTATION}),
    ],
)
def test_each_kind_can_be_switched_off(config, kinds):
    contexts = [context_of(at(0), ORDERS[0]), context_of(at(1), ORDERS[1], phase="Euphoria")]

    assert {kind for kind, _ in told(contexts, config=config)} == kinds


HISTORY = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([CALM, UP, SURE_UP, SURE_DOWN])), min_size=2, max_size=12
)


@given(HISTORY, st.data())
def test_spans_that_overlap_give_the_same_ids(history, data):
    history = [(0, CALM), *history]
    contexts = [context_of(at(hour), ORDERS[order], **_named(moment)) for hour, (order, moment) in enumerate(history)]
    whole = regime_events(contexts, CONFIG, after=BEFORE_ALL)
    calm = data.draw(st.sampled_from([hour for hour, (_, moment) in enumerate(history) if moment == CALM]))
    end = data.draw(st.integers(calm + 1, len(contexts)))

    part = regime_events(contexts[calm:end], CONFIG, after=at(calm))

    assert part == [event for event in whole if at(calm) < event.timestamp < at(end)]
    assert len({event.event_id for event in whole}) == len(whole)


def test_what_is_not_after_the_instant_is_left_out_but_remembered():
    contexts = of_phases(CALM, SURE_UP, UP, SURE_UP)

    assert told(contexts, after=at(1)) == []


def test_ids_differ_by_kind_hour_and_bucket_and_not_by_payload():
    event = {"kind": EXTREME, "timestamp": at(0), "bucket": CapBucket.MICRO, "payload": "{}"}
    others = [{"kind": ROTATION}, {"timestamp": at(1)}, {"bucket": CapBucket.MID}, {"bucket": None}]

    ids = {RegimeEvent(**event | other).event_id for other in ({}, *others)}

    assert len(ids) == 1 + len(others)
    assert RegimeEvent(**event | {"payload": "[]"}).event_id in ids


def test_contexts_that_do_not_follow_each_other_are_refused():
    with pytest.raises(ValueError, match="follow each other"):
        regime_events(of_orders(0, 1)[::-1], CONFIG, after=BEFORE_ALL)
