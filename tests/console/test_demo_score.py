"""The end of a demo: what is planted against what stands in the newest set."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from console.demo_score import demo_facts, print_score, print_where_to_look
from console.session import reading
from tests.console.learned_rows import lesson_row, record, run_row, store, store_version

pytestmark = pytest.mark.postgres
LATER = datetime.now(UTC) + timedelta(days=14)
UNTIL = datetime(2026, 5, 3, tzinfo=UTC)
ORCA, MOTH, FINCH = {"curator": "orca"}, {"curator": "moth"}, {"curator": "finch"}


@pytest.fixture(scope="module")
def facts(module_database):
    """One edge found rightly, one the wrong way round, one scope not planted, one whole pattern, one watched."""
    store("learning_run", run_row())
    store("learning_lessons", lesson_row("orca", ORCA, half_life_hours=480.0, decay_state="decaying"))
    store_version(
        1,
        record("orca", scope=ORCA, multiplier=1.5, expires_at=LATER),
        record("moth", scope=MOTH, multiplier=1.4, expires_at=LATER),
        record("finch", scope=FINCH, multiplier=1.3, expires_at=LATER),
        record("everywhere", scope={}, multiplier=0.6, expires_at=LATER),
        record("watched", "shadow", {"chain": "sui"}, multiplier=1.4, expires_at=LATER),
    )
    with reading() as connection:
        return demo_facts(connection)


def printed(write) -> str:
    told = StringIO()
    write(Console(file=told, width=160))
    return told.getvalue()


def test_only_live_overrides_that_speak_of_an_edge_the_right_way_find_it(facts):
    score = facts["score"]

    assert [len(ids) for ids in score.found] == [1, 0, 0, 0, 0]
    assert (len(score.false), len(score.unscoped)) == (2, 1)


def test_the_score_names_what_was_found_what_not_and_what_is_false(facts):
    lines = printed(lambda console: print_score(console, facts)).splitlines()

    orca = next(line for line in lines if line.startswith("orca knows"))
    assert "x 1.50" in orca
    assert "20 d" in orca
    assert sum("not found" in line for line in lines) == 4
    assert sum(line.startswith("false") for line in lines) == 2
    assert "1 of 5 planted, 2 false; 6 questions asked of 310 trades" in lines[-1]


def test_where_to_look_leads_to_the_override_that_was_found(facts):
    found = facts["score"].found[0][0]

    told = printed(lambda console: print_where_to_look(console, facts, pages="http://127.0.0.1:9", until=UNTIL))

    assert f"http://127.0.0.1:9/override/{found}" in told
    assert f"lowcap why override {found}" in told
    assert f"lowcap whatif --without {found} --from 2026-04-26T00:00Z --to 2026-05-03T00:00Z" in told


def test_where_nothing_was_found_no_override_is_named(facts):
    nothing = facts | {
        "score": type(facts["score"])(edges=facts["score"].edges, found=((),) * 5, false=(), unscoped=())
    }

    told = printed(lambda console: print_where_to_look(console, nothing, pages="http://127.0.0.1:9", until=UNTIL))

    assert "lowcap lessons --hypotheses" in told
    assert "override" not in told
