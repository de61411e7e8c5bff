"""Notes of a day: made without anybody, or asked for once; a hypothesis waits for its trades."""

import json
from collections.abc import Iterator
from datetime import timedelta

import dagster as dg
import pytest

from domain.learning.research_note import NoteStatus
from learning_assets.llm_learning import TABLE, research_answers_are_taken
from resources.clock import Clock
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.learned_schema import learned_schema_of, make_learned_schema
from tests.domain.learning.research_days import cell, traded
from tests.llm_answers import HYPOTHESIS, KEY, REPORT, items, said
from tests.loopback_api import Asked, LoopbackApi, Reply, serving
from tests.research_tables import DAY, LEARNING, MIDNIGHT, notes, research, store_day, store_facts

pytestmark = pytest.mark.postgres
OTHER = {"title": "Another view", "findings": ["The same."]}
SOON = {"max_age_days": 3, "min_trades": 10, "min_clusters": 2}
BUSY, WRONG = Reply({}, 401), said("no JSON")


@pytest.fixture
def api(database, monkeypatch) -> Iterator[LoopbackApi]:
    """A model that answers with a report until a test says otherwise; a day before it has been learned."""

    def answer(asked: Asked) -> Reply:
        return items(REPORT)

    with serving(answer) as served:
        monkeypatch.setenv("LOWCAP_LLM_URL", served.url)
        monkeypatch.setenv("LOWCAP_LLM_MODEL", "small-1")
        monkeypatch.setenv("LOWCAP_LLM_KEY", KEY)
        store_day(0)
        yield served


def said_by(model: str, number: int = 0) -> list[tuple[int, str]]:
    """Level and status of the notes of a model on a day."""
    return [(row["level"], row["status"]) for row in notes(number) if row["model_id"] == model]


def test_without_a_model_the_notes_are_templates(database):
    store_day(0, lessons=[cell(0.5, timeframe="4h")])
    told = research(0)

    assert (told["backend"], told["absent"]) == ("template", {"level_2": "no token data"})
    assert said_by("template") == [(1, "active"), (5, "hypothesis")]
    assert [row["test_results"] for row in notes()] == [None, None]


def test_a_second_run_makes_the_same_rows(database):
    store_day(0)
    research(0)
    first = notes()
    research(0, at=MIDNIGHT + 9 * DAY)

    assert notes() == first


def test_days_one_by_one_make_the_rows_of_one_run(database):
    for number in range(8):
        store_day(number, cell(0.1, 0.1 - 0.01 * number, timeframe=("1h", "4h", "15m")[number % 3]))
        store_facts(number, traded(1, gain=2.0, first=number, per_day=6, seed=number))
    for number in range(8):
        research(number, **SOON)
    one_by_one = notes()
    research(0, 7, **SOON)

    assert notes() == one_by_one
    assert {row["status"] for row in one_by_one} >= {"active", "hypothesis", "validated"}


def test_a_day_the_lesson_builder_did_not_see_has_no_notes(database):
    assert research(0)["days_without_lessons_made"] == 1
    assert notes() == []


def test_a_day_without_trades_has_no_notes(database):
    store_day(0, n_trades=0)

    assert research(0)["absent"]["level_1"] == "no closed trades"
    assert notes() == []


def test_a_model_stands_in_for_the_template_of_its_level(api):
    research(0)

    assert (said_by("small-1"), said_by("template")) == ([(1, "active")], [(5, "hypothesis")])
    content = json.loads(next(row for row in notes() if row["level"] == 1)["content"])
    assert content["note"] == REPORT


def test_the_same_question_is_not_asked_twice(api):
    research(0)
    first = notes()
    told = research(0, at=MIDNIGHT + 1.9 * DAY)

    assert (len(api.asked), told["requests"]) == (1, 0)
    assert notes() == first


def test_an_answer_of_several_notes_stays_as_it_is(api):
    api.answer = lambda asked: items(*[OTHER | {"title": f"View {number}"} for number in range(5)])
    research(0)
    first = notes()
    research(0)

    assert notes() == first
    assert said_by("small-1") == [(1, "active")] * 5


def test_the_same_answer_to_the_same_question_has_the_same_id(api):
    research(0)
    first = [row["id"] for row in notes()]
    with connect(DatabaseRole.OWNER) as owner:
        owner.execute(f"TRUNCATE {TABLE}".encode())
    research(0)

    assert [row["id"] for row in notes()] == first
    assert len(api.asked) == 2


def test_other_data_are_another_question_and_the_old_answer_stays_as_deprecated(api):
    research(0)
    store_day(0, cell(0.9))
    research(0)

    assert len(api.asked) == 2
    assert sorted(said_by("small-1")) == [(1, "active"), (1, "deprecated")]


def test_an_answer_comes_back_when_its_model_does_without_being_asked_for(api, monkeypatch):
    research(0)
    first = notes()
    monkeypatch.setenv("LOWCAP_LLM_MODEL", "small-2")
    research(0)
    assert (said_by("small-1"), said_by("small-2")) == ([(1, "deprecated")], [(1, "active")])
    monkeypatch.setenv("LOWCAP_LLM_MODEL", "small-1")
    research(0)

    assert len(api.asked) == 2
    assert [row for row in notes() if row["model_id"] != "small-2"] == first


def test_answers_stay_when_the_model_is_switched_off(api, monkeypatch):
    research(0)
    first = notes()
    monkeypatch.delenv("LOWCAP_LLM_URL")
    research(0)

    assert notes() == first


def test_a_refused_answer_leaves_its_reason_and_the_template_and_is_not_asked_again(api):
    api.answer = lambda asked: WRONG
    told = research(0)
    research(0)

    assert told["answers_refused"] == {"no_json": 1}
    assert len(api.asked) == 1
    assert said_by("small-1") == [(1, "rejected")]
    assert said_by("template") == [(1, "active"), (5, "hypothesis")]


def test_an_answer_that_did_not_come_is_asked_for_again_and_what_it_cost_is_kept(api):
    api.answer = lambda asked: BUSY
    research(0)
    api.answer = lambda asked: items(REPORT)
    research(0, at=MIDNIGHT + 1.5 * DAY)
    content = json.loads(next(row for row in notes() if row["model_id"] == "small-1")["content"])

    assert said_by("small-1") == [(1, "active")]
    assert [each["requests"] for each in content["asked"]] == [1, 1]


def test_an_endpoint_that_does_not_answer_is_left_alone_for_the_rest_of_the_run(api):
    api.answer = lambda asked: BUSY
    told = research(0, levels=[1, 3, 5])

    assert len(api.asked) == 1
    assert told["not_asked_endpoint_does_not_answer"] == 2
    assert said_by("template") == [(1, "active"), (5, "hypothesis")]


def test_the_budget_of_the_day_holds_over_runs(api, monkeypatch):
    monkeypatch.setenv("LOWCAP_LLM_REQUESTS_A_DAY", "1")
    proposal = {"pattern_key": "pm.uptrend.S1.buy_flag", "proposal": "Look.", "reasoning": "Thin."}
    api.answer = lambda asked: items(REPORT if len(api.asked) == 1 else proposal)
    told = [research(0, at=MIDNIGHT + DAY * days, levels=[1, 3]) for days in (1.1, 1.5, 2.2)]

    assert [each["requests"] for each in told] == [1, 0, 1]
    assert [each.get("not_asked_budget_spent", 0) for each in told] == [1, 1, 0]
    assert said_by("small-1") == [(1, "active"), (3, "hypothesis")]


@pytest.mark.parametrize(
    ("hours", "reason"), [(23.0, "not_asked_day_not_over"), (24.0 + 48.1, "not_asked_day_long_over")]
)
def test_only_a_day_that_has_just_ended_is_asked_about(api, hours, reason):
    told = research(0, at=MIDNIGHT + timedelta(hours=hours))

    assert (told[reason], api.asked) == (1, [])
    assert said_by("template") == [(1, "active"), (5, "hypothesis")]


def test_a_day_without_a_new_trade_is_not_asked_about(api):
    store_day(1, input_hash="facts 0")
    told = research(0, 1)

    assert (told["not_asked_no_new_trade"], len(api.asked)) == (1, 1)


def test_nobody_is_asked_about_a_replay(api):
    with connect(DatabaseRole.OWNER, autocommit=True) as owner:
        make_learned_schema(owner, learned_schema_of("spring"), drop_old=True)
    replayed = Tables(role=DatabaseRole.LEARNING.value, schemas={"learning": learned_schema_of("spring")})
    store_day(0, tables=replayed)
    research(0, tables=replayed)

    assert api.asked == []
    assert [row["model_id"] for row in notes(tables=replayed)] == ["template", "template"]
    assert notes() == []


def test_a_hypothesis_waits_for_its_trades_is_judged_once_and_not_made_again(database):
    for number in range(12):
        store_day(number, cell(0.3, 0.2))
        store_facts(number, traded(1, gain=2.0, first=number, per_day=5, seed=number))
    research(0, 11)
    by_day = [
        [(row["status"], row["test_results"]) for row in notes(number) if row["level"] == 5] for number in range(12)
    ]

    assert [[status for status, _ in day] for day in by_day] == [["hypothesis"]] * 7 + [["validated"]] + [[]] * 4
    results = json.loads(by_day[7][0][1])
    assert (results["n_in"], results["min_trades"]) == (35, 33)
    assert all(results is None for day in by_day[:7] for _, results in day)


def test_a_hypothesis_of_a_model_counts_trades_from_when_it_was_asked(api):
    api.answer = lambda asked: items(HYPOTHESIS)
    late = MIDNIGHT + 2.9 * DAY
    research(0, at=late, levels=[5])

    assert [json.loads(row["content"])["made_at"] for row in notes() if row["level"] == 5] == [late.isoformat()]


def test_a_claim_that_a_model_repeats_is_kept_and_given_up_at_once(api):
    api.answer = lambda asked: items(HYPOTHESIS, HYPOTHESIS | {"proposal": "Once more."})
    research(0, levels=[5])
    made = {json.loads(row["content"])["number"]: row for row in notes() if row["level"] == 5}

    assert [made[number]["status"] for number in (0, 1)] == ["hypothesis", "deprecated"]
    assert json.loads(made[1]["test_results"]) == {"given_up": "claimed already"}


def test_a_check_shows_what_was_refused(api):
    def shown() -> dg.AssetCheckResult:
        clock = Clock(as_of=(MIDNIGHT + 2 * DAY).isoformat())
        return research_answers_are_taken(tables=LEARNING, clock=clock)

    assert shown().passed
    api.answer = lambda asked: WRONG
    research(0)

    assert not shown().passed
    assert shown().severity == dg.AssetCheckSeverity.WARN
    assert shown().metadata["by_reason"].value == {"no_json": 1}


def test_what_was_not_tested_cannot_be_published_as_validated(database):
    store_day(0)
    research(0)
    window = (MIDNIGHT, MIDNIGHT + DAY)

    def broken(results: str) -> int:
        with connect(DatabaseRole.OWNER) as owner:
            changed = f"UPDATE {TABLE} SET status = %s, test_results = %s WHERE level = 5"
            owner.execute(changed.encode(), (NoteStatus.VALIDATED.value, results))
        return LEARNING.query("check_only_tested_hypotheses_are_validated", window).item()

    assert broken('{"n_in": 33, "n_rest": 33, "min_trades": 33}') == 0
    assert broken('{"n_in": 32, "n_rest": 33, "min_trades": 33}') == 1
    assert broken('{"n_in": 33, "n_rest": 32, "min_trades": 33}') == 1
    assert broken('{"p": 0.001}') == 1
