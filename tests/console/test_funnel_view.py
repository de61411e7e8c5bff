"""`lowcap funnel`: every step counts what there is, and what a step left out adds up to the one before."""

import itertools
from typing import Any

import pytest

from console.evidence_funnel import INSIGNIFICANT, UNCONFIRMED, UNTESTED, UNWANTED
from console.lessons_view import WHY
from domain.learning.lesson_hypothesis import Verdict
from tests.console.learned_rows import (
    DAY,
    ESCAPE,
    MIDNIGHT,
    NANO,
    hypothesis_row,
    lesson_row,
    make_taught,
    record,
    run_row,
    step,
    store,
    store_version,
)
from tests.console.test_trades_view import make_replay, store_closure
from tests.portfolio_rows import sha256

pytestmark = pytest.mark.postgres
VERDICTS = {
    **{"promoted": 2, "too_few_trades": 3, "too_few_clusters": 1, "not_significant": 5, "not_confirmed": 2},
    **{"edge_too_small": 1, "explained_by": 1},
}
ASKED = sum(VERDICTS.values())
SOON = MIDNIGHT + 400 * DAY


def parked(name: str, status: str, **values: Any) -> dict[str, Any]:
    times = dict.fromkeys(("timestamp", "first_seen_at", "last_seen_at"), MIDNIGHT)
    told = {"actions_told": 3, "actions_missing": 1, "reason": "x", "status": status}
    return {"strand_id": sha256(name), "trade_id": sha256(name)} | times | told | values


def asked() -> list[dict[str, Any]]:
    names = [name for name, count in VERDICTS.items() for _ in range(count)]
    return [hypothesis_row({"curator": f"c{number}"}, name) for number, name in enumerate(names)]


def by_name(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in told["steps"]}


@pytest.fixture(scope="module")
def thinned(module_database) -> None:
    """A day with a closure that waits, cells with seven verdicts, four lessons, and a set of three overrides."""
    counts = {"n_trades": 12, "n_trades_without_rr": 2, "cells_found": 50, "cells_mined": 30, "cells_cut": 4}
    store("learning_run", run_row(**counts, n_hypotheses=ASKED, n_retired=1))
    store("lesson_hypothesis", *asked())
    older = {"promoted_on": MIDNIGHT.date() - DAY}
    lessons = [lesson_row(name, {"curator": name}) for name in ("a", "b", "c", "d")]
    lessons += [lesson_row("trim", NANO, action_category="trim"), lesson_row("old", {"curator": "old"}, **older)]
    store("learning_lessons", *lessons)
    store("trade_intake", parked("w", "parked"), parked("r", "refused"), parked("later", "parked", timestamp=SOON))
    for name in ("w", "r", "seen", "unseen"):
        store_closure(name, {}, hour=1)
    records = [record(*each, expires_at=SOON) for each in (("a", "live"), ("b", "shadow"), ("c", "proposed"))]
    ended = record("d", expires_at=SOON)
    store_version(1, *records, steps=(step(ended, "revoked", "contradicted", at=MIDNIGHT + DAY),))
    store_version(2, *records[:1])
    schema = make_taught("summer")
    store("learning_run", run_row(promotion="documents", n_hypotheses=ASKED), schema=schema)
    store("lesson_hypothesis", *asked(), hypothesis_row({"curator": "z"}, ESCAPE), schema=schema)


def test_each_step_counts_what_there_is(thinned, lowcap_json):
    told = lowcap_json("funnel")

    assert {each["name"]: each["count"] for each in told["steps"]} == {
        **{"strands": 4, "closed": 4, "taken": 0, "measured": 10, "found": 50, "mined": 30, "asked": ASKED},
        **{"tested": ASKED - 4, "significant": ASKED - 9, "confirmed": ASKED - 11, "promoted": 2},
        **{"standing": 6, "overrides": 3, "watched": 2, "live": 1},
    }
    assert (told["day"], told["promotion"], told["is_live"]) == ("2025-06-10", "honest", False)


def test_what_a_step_of_the_same_things_left_out_adds_up_to_the_step_before(thinned, lowcap_json):
    steps = by_name(lowcap_json("funnel"))

    order = ("found", "mined", "asked", "tested", "significant", "confirmed", "promoted")
    for before, name in itertools.pairwise(order):
        left = sum(each["count"] for each in steps[name]["left_out"])
        assert steps[before]["count"] == steps[name]["count"] + left, name
    for before, name in (("overrides", "watched"), ("watched", "live")):
        assert steps[before]["count"] == steps[name]["count"] + sum(each["count"] for each in steps[name]["left_out"])


def test_trades_that_were_not_taken_say_where_they_are(thinned, lowcap_json):
    left = by_name(lowcap_json("funnel"))["taken"]["left_out"]

    assert [(each["count"], each["kind"], each["value"]) for each in left] == [
        (1, "intake", "parked"),
        (1, "intake", "refused"),
        (2, None, None),
    ]


def test_lessons_without_an_override_say_why(thinned, lowcap_json):
    steps = by_name(lowcap_json("funnel"))

    assert [(each["count"], each["why"]) for each in steps["overrides"]["left_out"]] == [
        (1, "about sales, which nothing learned moves"),
        (2, "no override: too near neutral, or another lesson speaks for it"),
        (1, "ended: trades since its proposal speak against it"),
    ]
    assert steps["standing"]["note"] == "1 of them from days before"


def test_a_day_knows_the_set_of_its_end_and_no_later_one(thinned, lowcap_json):
    told = lowcap_json("funnel", "--day", "2025-06-10")

    assert by_name(told)["overrides"]["note"] == f"set {told['set_id']}, as of 2025-06-11"


def test_what_the_documents_rule_does_not_ask_is_not_counted(thinned, lowcap, lowcap_json):
    steps = by_name(lowcap_json("funnel", "--replay", "summer"))

    assert [steps[name]["count"] for name in ("tested", "significant", "confirmed")] == [None, None, None]
    assert steps["asked"]["count"] - 1 == ASKED - 1
    assert sum(each["count"] for each in steps["promoted"]["left_out"]) == ASKED + 1 - VERDICTS["promoted"]
    assert "the documents' rule does not ask this" in " ".join(lowcap("funnel", "--replay", "summer").stdout.split())


def test_an_event_log_that_is_not_there_is_not_known_and_one_of_a_replay_is_its_own(thinned, lowcap_json):
    assert by_name(lowcap_json("funnel", "--replay", "summer"))["strands"]["count"] is None

    make_replay("summer")
    steps = by_name(lowcap_json("funnel", "--replay", "summer"))
    assert (steps["strands"]["count"], steps["closed"]["count"]) == (0, 0)


def test_a_verdict_nobody_knows_is_told_and_not_obeyed(thinned, lowcap, lowcap_json):
    left = by_name(lowcap_json("funnel", "--replay", "summer"))["promoted"]["left_out"]

    assert {"count": 1, "why": ESCAPE, "kind": "verdict", "value": ESCAPE} in left
    assert not {"\x1b", "\x9b", "\u202e"} & set(lowcap("funnel", "--replay", "summer").stdout)


def test_the_words_tell_each_step_and_whether_any_of_it_acts(thinned, lowcap):
    said = " ".join(lowcap("funnel").stdout.split())

    assert "significant, chance held at bay" in said
    assert f"5: {WHY['not_significant']}" in said
    assert "The runtime does not read set" in said


def test_a_day_that_was_not_learned_is_refused_and_before_any_there_is_nothing(thinned, lowcap):
    assert lowcap("funnel", "--day", "2025-01-01").exit_code == 2
    assert lowcap("funnel", "--replay", "winter").exit_code == 2


def test_before_anything_is_learned_it_says_how_to_begin(lowcap, database):
    assert "lowcap learn" in lowcap("funnel").stdout


def test_every_verdict_stops_a_cell_at_one_step():
    stopped = [*UNTESTED, *INSIGNIFICANT, *UNCONFIRMED, *UNWANTED]

    assert sorted([*stopped, "promoted"]) == sorted(verdict.value for verdict in Verdict)
