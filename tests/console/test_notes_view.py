"""`lowcap notes`: what was written of a day, the tests of hypotheses, and what was refused; text is only text."""

import json
from typing import Any

import pytest

from console.notes_view import MAX_SHOWN
from console.stored_note import TEMPLATE_MODEL
from domain.learning import research_template
from domain.learning.research_hypothesis import Judgement
from domain.learning.research_note import Hypothesis, NoteStatus, RefusalReason, Report
from learning_assets.learning_table import Day
from learning_assets.llm_row import Source, carried_row, note_rows, refusal_row, stored_note
from tests.console.learned_rows import DAY, ESCAPE, MADE, MIDNIGHT, make_taught, run_row, store
from tests.llm_answers import CLAIM, HYPOTHESIS, REPORT

pytestmark = pytest.mark.postgres
MODEL = Source("small-model", "prompt", "input")
TEMPLATE = Source(TEMPLATE_MODEL, "prompt", "input")
CLAIMED = Hypothesis.model_validate(HYPOTHESIS)
TESTED = {"n_in": 40, "n_rest": 60, "clusters_in": 12, "clusters_rest": 20, "effect": 0.42, "se": 0.1, "df": 20.5}
TESTED |= {"p": 0.003, "min_trades": 33, "q": 0.02}


def day_of(days: int = 0) -> Day:
    return Day(MIDNIGHT + days * DAY, MIDNIGHT + (days + 1) * DAY)


def written(*notes: Any, level: int, source: Source = TEMPLATE, days: int = 0) -> list[dict[str, Any]]:
    """Rows of an answer as the asset makes them."""
    return note_rows(day_of(days), level, notes, source, made_at=day_of(days).as_of)


def judged(row: dict[str, Any], status: NoteStatus, results: dict[str, Any] | None) -> dict[str, Any]:
    """Row of a hypothesis of an earlier day as the newest leaves it."""
    return carried_row(day_of(), stored_note(row, row), Judgement(status, results))


def refused(level: int, reason: RefusalReason, told: str = "the answer is no JSON document") -> dict[str, Any]:
    return refusal_row(day_of(), level, MODEL, reason, told, [])


def store_notes(*rows: dict[str, Any], schema: str = "learning") -> None:
    made = {name: value for name, value in MADE.items() if name != "config_version"}
    store("llm_learning", *(row | made for row in rows), schema=schema)


@pytest.fixture(scope="module")
def noted(module_database) -> None:
    """A day with every kind of row, one before, today without notes, and one of a replay."""
    store("learning_run", run_row())
    (old,) = written(CLAIMED, level=5, days=-1)
    (other,) = written(CLAIMED.model_copy(update={"proposal": "Hours do worse."}), level=5, days=-1)
    (waiting,) = written(CLAIMED, level=5, source=MODEL)
    store_notes(
        *written(Report(**REPORT), level=1),
        *(waiting, judged(old, NoteStatus.VALIDATED, TESTED)),
        judged(other, NoteStatus.DEPRECATED, TESTED | {"q": None, "p": None, "given_up": "too few trades in 90 days"}),
        *(refused(1, RefusalReason.NO_JSON), refused(3, RefusalReason.NO_JSON), refused(4, RefusalReason.SECRET)),
        *(old, other),
    )
    schema = make_taught("summer")
    store("learning_run", run_row(), schema=schema)
    store_notes(*written(Report(title="Of a replay", findings=["One."]), level=1), schema=schema)


def test_the_newest_day_with_notes_is_told_by_level(noted, lowcap_json):
    told = lowcap_json("notes")

    assert (told["day"], told["as_of"]) == ("2025-06-10", "2025-06-11T00:00:00+00:00")
    named = [(each["kind"], each["level"], each["status"], each["is_template"]) for each in told["notes"]]
    assert named[:2] == [("report", 1, "active", True), ("hypothesis", 5, "hypothesis", False)]
    assert sorted(named[2:]) == [("hypothesis", 5, "deprecated", True), ("hypothesis", 5, "validated", True)]
    assert (told["notes"][0]["note"], told["notes"][1]["claim"]["scope"]) == (REPORT, {"timeframe": "1h"})


def test_a_report_is_shown_as_text_with_who_wrote_it(noted, lowcap):
    said = lowcap("notes", "--kind", "report").stdout.splitlines()

    assert said[0] == "day 2025-06-10: 1 notes as of 2025-06-11T00:00Z (report 1). They move no number."
    assert said[2].endswith(" level 1 report: active; by the template, made 2025-06-11T00:00")
    assert said[3:7] == [f"  title: {REPORT['title']}", "  findings:", *(f"  - {each}" for each in REPORT["findings"])]


def test_a_hypothesis_says_which_trades_it_claims_and_how_its_test_went(noted, lowcap):
    said = lowcap("notes", "--kind", "hypothesis").stdout

    assert "level 5 hypothesis: hypothesis; by model small-model, made 2025-06-11T00:00\n" in said
    assert said.count("  claims: S1.buy_flag entry where timeframe=1h ends better than elsewhere\n") == 3
    assert "  test: waits for trades entered after it was made\n" in said
    sides = "40 trades on 12 days beside 60 on 20, 33 asked of each; effect +0.42 R"
    assert f"  test: {sides}, p 0.003, q 0.020\n" in said
    assert f"  test: given up: too few trades in 90 days; {sides}, p -, q -\n" in said


def test_refused_answers_are_counted_and_are_no_notes(noted, lowcap, lowcap_json):
    told = lowcap_json("notes")

    assert told["refused"] == [{"reason": "no_json", "count": 2}, {"reason": "secret", "count": 1}]
    assert [(each["level"], each["model_id"]) for each in told["refusals"]] == [(n, "small-model") for n in (1, 3, 4)]
    assert "3 answers were refused or did not come: no_json 2, secret 1." in lowcap("notes").stdout
    assert lowcap_json("notes", "--kind", "semantic_pattern")["refused"] == [{"reason": "secret", "count": 1}]


def test_an_earlier_day_and_a_replay_are_looked_at_alone(noted, lowcap, lowcap_json):
    earlier = lowcap_json("notes", "--day", "2025-06-09")

    assert [each["status"] for each in earlier["notes"]] == ["hypothesis", "hypothesis"]
    assert "0 answers were refused or did not come.\n" in lowcap("notes", "--day", "2025-06-09").stdout
    (told,) = lowcap_json("notes", "--replay", "summer")["notes"]
    assert told["note"]["title"] == "Of a replay"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--day", "2025-06-11"), "has no notes; the first are of 2025-06-09, the last of 2025-06-10"),
        (("--kind", "poem"), "'report'"),
        (("--replay", "sumer"), "did you mean 'summer'?"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(noted, lowcap, arguments, complaint):
    result = lowcap("notes", *arguments)

    assert (result.exit_code, complaint in " ".join(result.stderr.replace("│", "").split())) == (2, True)


def test_before_a_note_was_written_it_says_what_to_do(database, lowcap, lowcap_json):
    store("learning_run", run_row())

    assert lowcap("notes").stdout == "No note was written yet; first: lowcap learn --from DAY\n"
    assert (lowcap_json("notes")["day"], lowcap_json("notes")["notes"]) == (None, [])


def test_what_a_terminal_would_obey_is_shown_escaped(database, lowcap, lowcap_json):
    hostile = {"title": ESCAPE + "[red]", "findings": [ESCAPE, {"a": ESCAPE}], ESCAPE: ESCAPE}
    (row,) = written(Report(**REPORT), level=1, source=Source(ESCAPE, "p", "i"))
    (claim,) = written(CLAIMED, level=5)
    test = CLAIM | {"pattern_key": ESCAPE, "scope": {"curator": ESCAPE}}
    store_notes(
        row | {"content": json.dumps({"note": hostile, "made_at": ESCAPE})},
        claim | {"content": json.dumps({"note": {"test": test}}), "test_results": json.dumps({"given_up": ESCAPE})},
        refused(3, RefusalReason.NO_TEXT, ESCAPE),
    )

    said = lowcap("notes").output

    assert said.replace("\n", "").isprintable()
    assert "  title: x\\x1b]0;owned\\x07\\x9b31m\\u202e\\n[red]\n" in said
    assert lowcap_json("notes")["notes"][0]["note"] == hostile


@pytest.mark.parametrize(
    ("content", "results"),
    [
        ('{"note":{"title":"a","title":"b"}}', None),
        ('{"note":[1]}', None),
        ("{}", None),
        ('{"note":{"test":{"scope":{"timeframe":1}}},"number":"x","made_at":3}', '{"n_in":"many","effect":true}'),
    ],
)
def test_a_note_nobody_can_read_stops_no_other(database, lowcap, lowcap_json, content, results):
    (row,) = written(CLAIMED, level=5)
    store_notes(row | {"content": content, "test_results": results}, *written(Report(**REPORT), level=1))

    said = lowcap("notes")
    told = lowcap_json("notes")["notes"][1]

    assert (said.exit_code, REPORT["title"] in said.stdout) == (0, True)
    assert told["claim"] is None
    assert (told["problem"] is None) is ("it cannot be read" not in said.stdout)


def test_a_text_longer_than_any_note_is_cut_where_it_is_shown(database, lowcap, lowcap_json):
    (row,) = written(Report(**REPORT), level=1)
    store_notes(row | {"content": json.dumps({"note": {"title": "x" * 50_000}})})

    assert f"  title: {'x' * MAX_SHOWN}... ({50_000 - MAX_SHOWN} more)\n" in lowcap("notes").stdout
    assert len(lowcap_json("notes")["notes"][0]["note"]["title"]) == 50_000


def test_the_template_is_known_by_the_name_it_signs_with():
    assert TEMPLATE_MODEL == research_template.TEMPLATE_MODEL
