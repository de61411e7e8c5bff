from datetime import timedelta

import pytest

from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.execution_bar import newest_closed_bar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.tick import run_tick
from tests.runtime_worlds import START, PostgresWorld, published, stored_ticks

pytestmark = pytest.mark.postgres
HOUR = timedelta(hours=1)
NANO, MICRO, MID = CapBucket.NANO, CapBucket.MICRO, CapBucket.MID
AS_OF = START + HOUR + timedelta(minutes=20)


@pytest.fixture
def world(database):
    world = PostgresWorld()
    world.publish(
        published(NANO, START, a=0.533, e=0.6425),
        published(NANO, START + HOUR, a=0.9, e=0.9),
        published(MICRO, START, coverage=9, degraded=True),
        published(MID, START - 5 * HOUR),
    )
    return world


def test_the_table_shows_levers_coverage_age_and_what_a_tick_uses(lowcap, world):
    lines = lowcap("ae", "--as-of", AS_OF.isoformat()).stdout.splitlines()

    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in lines if line.strip()}
    assert rows["nano"] == "0.533 0.642 15/15 20m 0.533 / 0.642"
    assert rows["micro"] == "0.600 0.400 9/15 20m 0.500 / 0.500 (neutral: degraded)"
    assert rows["mid"] == "0.600 0.400 15/15 5h 20m nothing: stale"
    assert rows["big"] == "- - - - nothing: never materialized by then"


def test_an_open_bar_is_not_seen(lowcap_json, world):
    before = lowcap_json("ae", "--as-of", (START + 2 * HOUR - timedelta(seconds=1)).isoformat())
    after = lowcap_json("ae", "--as-of", (START + 2 * HOUR).isoformat())

    assert (before["scores"][0]["a"], after["scores"][0]["a"]) == (0.533, 0.9)


def test_the_view_says_what_a_tick_stores(lowcap_json, world):
    store = world.store()
    run_tick(store, newest_closed_bar(Timeframe.H1, AS_OF))
    store.close()

    scores = lowcap_json("ae", "--as-of", AS_OF.isoformat())["scores"]

    assert [{name: entry[name] for name in entry if name != "age_s"} for entry in scores] == stored_ticks()[0]["scores"]


def test_another_timeframe_has_its_own_scores(lowcap_json, world):
    world.publish(published(NANO, START, a=0.1), timeframe=Timeframe.H4)

    facts = lowcap_json("ae", "--timeframe", "4h", "--as-of", (START + 4 * HOUR).isoformat())

    assert (facts["timeframe"], facts["scores"][0]["a"], facts["scores"][1]["status"]) == ("4h", 0.1, "missing")


def test_an_unknown_timeframe_is_refused_with_the_known_ones(lowcap):
    result = lowcap("ae", "--timeframe", "7m")

    assert result.exit_code == 2
    assert "'4h'" in result.stderr
