"""`lowcap lessons`: what is believed as of a day with its evidence, and what was asked and not believed."""

from datetime import date

import pytest

from console.lessons_view import ABOUT, WHY
from domain.learning.lesson_hypothesis import Verdict
from domain.vocabulary.lesson_type import LessonType
from tests.console.learned_rows import (
    BOUGHT,
    DAY,
    ESCAPE,
    HOURLY,
    MIDNIGHT,
    NANO,
    cell,
    hypothesis_row,
    lesson_row,
    make_taught,
    of_day,
    run_row,
    store,
)
from tests.console.test_trades_view import make_replay
from tests.portfolio_rows import sha256

pytestmark = pytest.mark.postgres
BEFORE = of_day(-1)
DIP = "pm.uptrend.S3.first_dip_buy_flag"


@pytest.fixture(scope="module")
def learned(module_database) -> None:
    """Two days of live trades, and one of a replay; `winter` was replayed and taught nothing yet."""
    store("learning_run", run_row(), run_row(**BEFORE, n_trades=290))
    weak = {"edge_used": -0.2, "missed_runs": 1, "measured_on": date(2025, 6, 9)}
    gone = {"status": "retired", "retired_on": date(2025, 6, 8), "missed_runs": 2, "edge_used": 0.9}
    store(
        "learning_lessons",
        lesson_row("nano"),
        lesson_row("hourly", HOURLY, **weak, decay_state="decaying", decay_mult=0.85, half_life_hours=62.4),
        lesson_row("gone", {}, **gone),
        lesson_row("dip", lesson_type="tuning", **cell(NANO, pattern=DIP)),
        lesson_row("nano", **BEFORE, n_trades=44, measured_on=date(2025, 6, 9)),
    )
    store(
        "lesson_hypothesis",
        hypothesis_row(NANO, "promoted", q_value=0.012, p_value=0.001),
        hypothesis_row(HOURLY, "explained_by", q_value=0.02, explained_by='{"mcap_bucket":"nano"}'),
        hypothesis_row({"mcap_bucket": "mid"}, "not_significant"),
        hypothesis_row({"mcap_bucket": "big"}, "not_significant", q_value=0.9),
        hypothesis_row({}, "too_few_trades", **cell({}, pattern=DIP), q_value=None, p_value=None, n_clusters=None),
    )
    schema = make_taught("summer")
    store("learning_run", run_row(n_trades=12), schema=schema)
    store("learning_lessons", lesson_row("of the replay"), schema=schema)
    make_replay("winter")


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_the_newest_day_is_shown_with_its_active_lessons_the_strongest_first(learned, lowcap_json):
    shown = lowcap_json("lessons")

    assert (shown["day"], shown["as_of"]) == ("2025-06-10", "2025-06-11T00:00:00+00:00")
    assert (shown["run"]["n_trades"], shown["run"]["promotion"], shown["interval_level"]) == (310, "honest", 0.9)
    ids = [lesson["lesson_id"] for lesson in shown["lessons"]]
    assert ids == [*sorted([sha256("nano"), sha256("dip")]), sha256("hourly")]
    nano = next(lesson for lesson in shown["lessons"] if lesson["lesson_id"] == sha256("nano"))
    assert (nano["scope"], nano["parent"], nano["n_trades"], nano["q_value"]) == (NANO, {}, 48, 0.012)
    assert (nano["effect_rr"], nano["effect_low"], nano["effect_high"]) == (0.42, 0.1, 0.74)
    assert (nano["oos_effect_rr"], nano["oos_trades"], nano["edge_used"]) == (0.38, 14, 0.31)


def test_the_table_tells_a_lesson_with_its_evidence_in_a_line(learned, lowcap):
    told = lines(lowcap("lessons", "--day", "2025-06-09").stdout)

    assert told[0] == "day 2025-06-09: 290 trades closed before 2025-06-10T00:00Z; baseline -0.125 R"
    assert told[1] == "1 active lessons, by the rule 'honest'; 6 cells were asked about"
    evidence = "S1.buy_flag entry mcap_bucket=nano 44 +0.42 (+0.10 to +0.74) 0.012 +0.38 of 14 +0.310 1.00 stable"
    assert told[-1] == f"{sha256('nano')[:8]} {evidence} 2025-06-01 0"


def test_a_lesson_that_was_missed_says_how_often_of_which_day_it_is_and_how_fast_it_fades(learned, lowcap):
    told = lowcap("lessons", "--pattern", "S1.buy_flag").stdout

    (line,) = [line for line in lines(told) if line.startswith(sha256("hourly")[:8])]
    assert "-0.200 0.85 decaying" in line
    assert {"62h", "2025-06-09"} <= set(told.split())


def test_retired_lessons_are_shown_when_asked_for(learned, lowcap, lowcap_json):
    told = lowcap_json("lessons", "--all")["lessons"]

    assert [lesson["lesson_id"] for lesson in told if lesson["status"] == "retired"] == [sha256("gone")]
    printed = lowcap("lessons", "--all").stdout
    assert "3 active lessons, 1 retired" in printed
    assert "everywhere" in printed


def test_an_earlier_day_is_shown_as_it_was_known_then(learned, lowcap_json):
    shown = lowcap_json("lessons", "--day", "2025-06-09")

    assert (shown["day"], shown["run"]["n_trades"]) == ("2025-06-09", 290)
    assert [(lesson["lesson_id"], lesson["n_trades"]) for lesson in shown["lessons"]] == [(sha256("nano"), 44)]


@pytest.mark.parametrize(
    ("day", "complaint"),
    [
        ("2025-06-12", "Day 2025-06-12 was not learned; the days from 2025-06-09 to 2025-06-10 were"),
        ("yesterday", "Expected a day such as 2025-06-30, was 'yesterday'"),
    ],
)
def test_a_day_that_is_none_is_refused_with_those_there_are(learned, lowcap, day, complaint):
    result = lowcap("lessons", "--day", day)

    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", "").split())


@pytest.mark.parametrize("pattern", ["S3.first_dip_buy_flag", DIP])
def test_a_pattern_is_found_by_its_key_and_without_what_all_begin_with(learned, lowcap_json, pattern):
    (told,) = lowcap_json("lessons", "--pattern", pattern)["lessons"]
    asked = lowcap_json("lessons", "--pattern", pattern, "--hypotheses")

    assert (told["pattern_key"], told["lesson_type"]) == (DIP, "tuning")
    assert (asked["asked"], [each["verdict"] for each in asked["hypotheses"]]) == (1, ["too_few_trades"])


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("S1.buyflag", "did you mean 'S1.buy_flag'?"),
        ("'; DROP TABLE learning.learning_lessons; --", "there are S0."),
        (ESCAPE, "No pattern 'x\\x1b]0;owned\\x07\\x9b31m\\u202e\\n'"),
    ],
)
def test_a_pattern_that_is_none_is_refused_with_what_may_be_meant(learned, lowcap, pattern, complaint):
    result = lowcap("lessons", "--pattern", pattern)

    assert (result.exit_code, complaint in result.stderr) == (2, True)
    assert lowcap("lessons").exit_code == 0


def test_what_was_asked_is_counted_by_verdict_first_and_says_why(learned, lowcap, lowcap_json):
    asked = lowcap_json("lessons", "--hypotheses")

    assert [(each["verdict"], each["count"]) for each in asked["verdicts"]] == [
        *(("promoted", 1), ("not_significant", 2), ("explained_by", 1), ("too_few_trades", 1))
    ]
    assert [each["verdict"] for each in asked["hypotheses"]][:2] == ["promoted", "explained_by"]
    assert asked["hypotheses"][1]["explained_by"] == NANO
    printed = lines(lowcap("lessons", "--hypotheses").stdout)
    counts = printed.index("not_significant chance may have made it 2")
    assert counts < printed.index("all of them, nearest to belief first")


def test_of_many_hypotheses_those_shown_are_told_with_how_many_there_are(learned, lowcap, lowcap_json):
    asked = lowcap_json("lessons", "--hypotheses", "--most", "2")

    assert (asked["asked"], len(asked["hypotheses"])) == (5, 2)
    assert "2 of them (--most), nearest to belief first" in lowcap("lessons", "--hypotheses", "--most", "2").stdout


def test_every_verdict_and_every_kind_of_lesson_has_its_words():
    assert set(WHY) == set(Verdict)
    assert set(ABOUT) == set(LessonType)


def test_before_anything_was_learned_it_says_so_and_what_to_do(database, lowcap, lowcap_json):
    assert lowcap_json("lessons")["lessons"] == []
    assert lowcap_json("lessons", "--hypotheses")["asked"] == 0
    assert lowcap("lessons").stdout == "Nothing was learned yet; first: lowcap learn --from DAY\n"
    refused = lowcap("lessons", "--day", "2025-06-10")
    assert (refused.exit_code, "lowcap learn --from DAY" in refused.stderr) == (2, True)


def test_what_a_replay_taught_is_looked_at_in_its_own_schema_only(learned, lowcap_json):
    shown = lowcap_json("lessons", "--replay", "summer", "--all")

    assert shown["run"]["n_trades"] == 12
    assert [lesson["lesson_id"] for lesson in shown["lessons"]] == [sha256("of the replay")]
    assert lowcap_json("lessons", "--replay", "summer", "--hypotheses")["asked"] == 0


@pytest.mark.parametrize("command", ["lessons", "forward"])
@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("winter", "Nothing was learned from replay 'winter' yet; first: lowcap learn --replay winter"),
        ("sumer", "did you mean 'summer'?"),
        ("pm", "there are summer"),
        ("summer, learning", "No replay"),
        ("summer; DROP SCHEMA learning", "No replay"),
    ],
)
def test_a_replay_that_taught_nothing_is_refused_with_advice(learned, lowcap, command, name, complaint):
    result = lowcap(command, "--replay", name)

    assert (result.exit_code, complaint in result.stderr) == (2, True)


def test_a_day_that_is_not_over_and_trades_that_are_not_used_are_told(database, lowcap):
    store("learning_run", run_row(as_of=MIDNIGHT + DAY / 2, n_trades_without_rr=7, n_parked=1, baseline_rr=None))

    told = lowcap("lessons").stdout

    assert (
        "closed before 2025-06-10T12:00Z (7 without an R/R, 1 more that wait for their actions); baseline - R" in told
    )


def test_hostile_or_broken_values_neither_reach_the_terminal_nor_stop_the_view(database, lowcap, lowcap_json):
    store("learning_run", run_row())
    broken = {"scope_values": '{"mcap_bucket":{"a":1e999}}', "scope_values_hash": "0" * 16, "effect_rr": float("nan")}
    hostile = {"scope_values": '{"curator":"\\u001b[31m\\u009b31m"}', "pattern_key": BOUGHT + ESCAPE}
    store("learning_lessons", lesson_row("a", **hostile, effect_rr=0.1), lesson_row("b", **broken))
    store("lesson_hypothesis", hypothesis_row(NANO, ESCAPE, explained_by=ESCAPE))

    printed = lowcap("lessons").stdout + lowcap("lessons", "--hypotheses").stdout

    assert printed.replace("\n", "").isprintable()
    assert "unreadable: " in printed
    told = {lesson["lesson_id"]: lesson for lesson in lowcap_json("lessons")["lessons"]}
    assert told[sha256("a")]["scope"] == {"curator": "\x1b[31m\x9b31m"}
    assert (told[sha256("b")]["scope"], told[sha256("b")]["effect_rr"]) == (broken["scope_values"], None)
