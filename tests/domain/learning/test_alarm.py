"""An edge that halved, a rate that doubled beyond chance; what is not known is neither."""

from datetime import UTC, datetime

import pytest

from domain.config.alarm import AlarmConfig
from domain.learning.alarm import CellRates, LiveEdge, WindowRate, edge_look, false_positive_look
from domain.learning.tuning_rate import Rate

CONFIG = AlarmConfig()
DAY = datetime(2026, 3, 1, tzinfo=UTC)


def edge(birth, now, number=1, lesson="a"):
    return LiveEdge(
        override_id=number, lesson_id=lesson, said="S1.buy_flag entry", edge_at_birth=birth, edge_current=now
    )


@pytest.mark.parametrize(
    ("birth", "now", "stands"),
    [
        (0.8, 0.4, True),
        (0.8, 0.401, False),
        (0.8, -0.1, True),
        (-0.8, -0.4, True),
        (-0.8, -0.5, False),
        (-0.8, 0.3, True),
        (0.2, 0.9, False),
        (0.0, 0.0, False),
        (None, 0.1, False),
        (0.8, None, False),
    ],
)
def test_an_edge_has_halved_when_it_keeps_half_or_less_in_its_direction(birth, now, stands):
    assert bool(edge_look([edge(birth, now)], CONFIG).standing) is stands


def test_a_halved_edge_says_from_what_to_what_and_leads_to_its_rows():
    (alarm,) = edge_look([edge(0.8, -0.1, number=42, lesson="abc")], CONFIG).standing

    assert alarm.subject == "lesson abc"
    assert "override 42" in alarm.sentence
    assert "0.800 R at birth to -0.100 R, and has turned" in alarm.sentence
    assert alarm.evidence["page"] == "/override/42"
    assert alarm.evidence["rows"] == {"learning.pm_overrides": 42, "learning.learning_lessons": "abc"}


def test_two_overrides_of_one_lesson_are_one_alarm_and_one_that_is_live_no_more_is_over():
    look = edge_look([edge(0.8, 0.1, 1), edge(0.8, 0.1, 2)], CONFIG)

    assert (len(look.standing), look.judged) == (1, None)


def window(failures, n):
    rate = Rate.of(failures, n, 0.90)
    return WindowRate(as_of=DAY, n=n, rate=rate.rate, low=rate.low, high=rate.high)


@pytest.mark.parametrize(
    ("now", "earlier", "stands", "is_judged"),
    [
        ((40, 80), (10, 80), True, True),
        ((19, 80), (10, 80), False, True),  # not yet double
        ((8, 40), (4, 40), False, True),  # double, and may be chance
        ((12, 33), (0, 60), True, True),
        ((30, 32), (1, 80), False, False),
        ((40, 80), (1, 32), False, False),
        ((40, 80), None, False, False),
    ],
)
def test_a_rate_has_doubled_when_both_windows_are_large_and_their_intervals_part(now, earlier, stands, is_judged):
    cell = CellRates(cell="S1 {}", now=window(*now), earlier=earlier and window(*earlier))
    look = false_positive_look([cell], CONFIG)

    assert bool(look.standing) is stands
    assert look.judged == (frozenset({"S1 {}"}) if is_judged else frozenset())


def test_a_doubled_rate_says_both_with_their_counts():
    (alarm,) = false_positive_look(
        [CellRates(cell="S1 {}", now=window(40, 80), earlier=window(10, 80))], CONFIG
    ).standing

    assert alarm.sentence == "False positives of S1 {} went from 12% of 80 buys, as of 2026-03-01, to 50% of 80."
    assert alarm.evidence["command"] == "lowcap tuning --rates --day 2026-03-01"
    assert alarm.evidence["now"]["n"] == 80


def test_a_rate_of_nothing_is_no_rate():
    look = false_positive_look([CellRates(cell="x", now=window(0, 0), earlier=window(0, 0))], CONFIG)

    assert (look.standing, look.judged) == ((), frozenset())
