"""Three ways from the event log to facts: the same rows by each, however often and in whatever order they are told."""

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta

import polars as pl
import pytest

from domain.learning.trade_intake import StoredStrand
from learning_assets.pattern_trade_events import TABLE, process_strand_event
from resources.stamp import Stamp
from resources.tables import Tables
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.learned_world import (
    DAY,
    MIDNIGHT,
    as_owner,
    facts,
    forget_everything,
    intake,
    look,
    rows,
    run_learning,
    season,
    strands_of,
    tell,
    tell_trades,
    trade,
)

pytestmark = pytest.mark.postgres
TRADES = season(3)
NOW = MIDNIGHT + 3.2 * DAY
HOUR = timedelta(hours=1)
LEARNER = Tables(role=DatabaseRole.LEARNING.value)


@pytest.fixture(autouse=True)
def world(module_database):
    forget_everything()


@pytest.fixture(scope="module")
def reference(module_database):
    """Facts of a run of all days, of strands told once and in order."""
    forget_everything()
    tell_trades(TRADES)
    run_learning(0, 2, tables=(TABLE,))
    return facts()


def deliver(closed: pl.DataFrame, at: datetime = NOW) -> None:
    process_strand_event(LEARNER, closed, at=at, park_hours=72.0, stamp=Stamp("a test", "1"))


def closures() -> pl.DataFrame:
    return LEARNER.query("closures_after", (0,))


def test_the_sensor_takes_what_a_run_takes_and_tells_of_each_day(reference):
    tell_trades(TRADES)

    data = look(at=NOW)
    again = look(at=NOW, cursor=data.cursor)

    assert len(reference) == 2 * len(TRADES) == 36
    assert facts() == reference
    told = {event.partition: event.metadata["rows_written"].value for event in data.asset_events}
    assert told == {"2025-03-04": 12, "2025-03-05": 12, "2025-03-06": 12}
    assert (again.asset_events, again.run_requests, again.skip_message) == (
        *([], []),
        "no trade was closed since the last look",
    )


def test_the_sweep_takes_what_a_run_takes_and_nothing_twice(reference):
    tell_trades(TRADES)

    look(1, at=NOW)

    assert facts() == reference
    assert "every closed trade has its facts" in look(1, at=NOW).skip_message


def test_a_run_after_the_sensor_changes_no_row(reference):
    tell_trades(TRADES)
    look(at=NOW)
    run_learning(0, 2, tables=(TABLE,))

    assert facts() == reference


def test_told_a_thousand_times_it_is_taken_once(reference):
    tell_trades(TRADES * 10)
    closed = closures()
    deliver(pl.concat([closed] * 1000))
    for _ in range(5):
        deliver(closed)

    assert facts() == reference
    assert intake() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_told_in_any_order_it_is_the_same(reference, seed):
    tell_trades(TRADES)
    shuffled = closures().sample(fraction=1.0, shuffle=True, seed=seed)
    for number in range(shuffled.height):
        deliver(shuffled[number])

    assert facts() == reference


def test_strands_that_came_out_of_order_are_taken_whole_in_the_end(reference):
    strands = strands_of(TRADES)[::-1]
    for start in range(0, len(strands), 7):
        tell(strands[start : start + 7])
        look(1, at=NOW)

    assert facts() == reference
    assert {row["status"] for row in intake()} == {"taken"}


def test_a_closure_that_was_committed_late_below_the_cursor_is_found_by_the_sweep(reference):
    with connect(DatabaseRole.PM) as slow:
        tell(strands_of(TRADES[:1]), slow)
        tell_trades(TRADES[1:])
        cursor = look(at=NOW).cursor
    assert look(at=NOW, cursor=cursor).asset_events == []
    assert len(facts()) == len(reference) - 2

    look(1, at=NOW)

    assert facts() == reference


def test_four_at_once_and_a_run_take_each_trade_once(reference):
    tell_trades(TRADES)
    closed = closures()
    with ThreadPoolExecutor(5) as pool:
        works = [pool.submit(deliver, closed) for _ in range(4)]
        works.append(pool.submit(run_learning, 0, 2, tables=(TABLE,)))
        for work in works:
            work.result()

    assert facts() == reference


def test_what_the_sensor_takes_while_a_run_makes_the_same_day_is_not_lost(reference, monkeypatch):
    tell_trades(TRADES[:-1])
    query, looks = Tables.query, []

    def query_while_the_sensor_looks(self: Tables, name: str, parameters: tuple) -> pl.DataFrame:
        found = query(self, name, parameters)
        if name == "closures_between":
            monkeypatch.undo()
            tell_trades(TRADES[-1:])
            looks.append(pool.submit(look, at=NOW))
            wait(looks, timeout=1.0)
        return found

    monkeypatch.setattr(Tables, "query", query_while_the_sensor_looks)
    with ThreadPoolExecutor(1) as pool:
        run_learning(0, 2, tables=(TABLE,))

    assert len(looks[0].result().asset_events) > 0
    assert facts() == reference


def test_a_run_of_a_day_that_is_not_over_leaves_facts_that_came_after_it_began():
    early, late = trade(1, 0.1, 1.0), trade(2, 0.6, 1.0)
    tell_trades([early, late])
    look(at=MIDNIGHT + 0.9 * DAY)
    before = facts()

    run_learning(0, as_of=MIDNIGHT + 0.5 * DAY, tables=(TABLE,))

    assert facts() == before
    assert len(before) == 4


def test_of_a_day_that_begins_now_nothing_is_known_yet():
    tell_trades(TRADES[:6])

    run_learning(0, as_of=MIDNIGHT)

    assert facts() == rows("SELECT * FROM learning.learning_run") == []


def test_a_trade_whose_actions_have_not_come_waits_visibly_and_is_never_half_counted(reference):
    told = TRADES[0]
    first, second = told.actions.values()
    tell([first, told.closure])

    look(at=NOW)
    run_learning(0)

    (row,) = intake()
    assert (row["status"], row["actions_told"], row["actions_missing"], facts()) == ("parked", 2, 1, [])
    assert rows("SELECT n_parked, n_facts FROM learning.learning_run") == [{"n_parked": 1, "n_facts": 0}]
    tell([second])
    look(1, at=NOW + HOUR)
    (row,) = intake()
    assert (row["status"], row["actions_missing"], row["reason"]) == ("taken", 0, "came whole")
    assert facts() == [fact for fact in reference if fact["trade_id"] == told.closure.trade_id]


def test_a_trade_that_waited_too_long_is_given_up_visibly_and_still_taken_if_it_comes_whole():
    told = TRADES[0]
    first, second = told.actions.values()
    tell([first, told.closure])
    look(at=NOW)
    look(1, at=NOW + 71 * HOUR)
    assert intake()[0]["status"] == "parked"

    look(1, at=NOW + 72 * HOUR)

    assert (intake()[0]["status"], intake()[0]["first_seen_at"]) == ("given_up", NOW)
    tell([second])
    look(1, at=NOW + 99 * HOUR)
    assert (intake()[0]["status"], len(facts())) == ("taken", 2)


def test_a_malformed_closure_is_refused_with_its_place_and_the_others_are_taken(reference):
    tell_trades(TRADES[:5])
    tell([broken()])
    tell_trades(TRADES[5:])

    look(at=NOW)

    (row,) = intake()
    assert (row["status"], row["trade_id"], row["reason"].partition(":")[0]) == ("refused", "t-broken", "/exit_reason")
    assert facts() == reference


def broken(trade_id: str = "t-broken") -> StoredStrand:
    """A closure without what its schema asks for."""
    content = {name: value for name, value in TRADES[0].closure.content.items() if name != "exit_reason"}
    return replace(TRADES[0].closure, strand_id="f" * 64, trade_id=trade_id, content=content | {"trade_id": trade_id})


def test_a_closure_that_was_refused_for_good_is_not_read_again_by_the_same_code():
    tell([broken()])
    swept = look(1, at=NOW)
    again = look(1, at=NOW + HOUR, cursor=swept.cursor)

    assert (intake()[0]["status"], intake()[0]["last_seen_at"]) == ("refused", NOW)
    assert (again.cursor, "refused for good" in again.skip_message) == (swept.cursor, True)


@pytest.mark.parametrize("code", ["0.0.0/1", "0.1.0/0"])
def test_other_code_reads_once_more_what_was_refused(code):
    tell([broken()])
    look(1, at=NOW)
    swept = look(1, at=NOW + HOUR, cursor=f"{code} {NOW.isoformat()}")
    look(1, at=NOW + 2 * HOUR, cursor=swept.cursor)

    assert intake()[0]["last_seen_at"] == NOW + HOUR


def test_a_closure_that_stays_refused_keeps_no_other_from_being_read(reference):
    tell([broken()])
    cursor = look(1, at=NOW).cursor
    tell_trades(TRADES)

    look(1, at=NOW + HOUR, cursor=cursor)

    assert facts() == reference


def test_a_closure_refused_because_of_a_rival_that_waits_is_taken_when_the_rival_turns_out_wrong(reference):
    told, late = TRADES[0], "e" * 64
    (trade_told,) = told.closure.content["completed_trades"]
    actions = [trade_told["actions"][0] | {"strand_id": late}, *trade_told["actions"][1:]]
    content = told.closure.content | {"completed_trades": [trade_told | {"actions": actions}]}
    tell([*told.actions.values(), replace(told.closure, strand_id="a" * 64, content=content), told.closure])
    cursor = look(1, at=NOW).cursor
    assert sorted(row["status"] for row in intake()) == ["parked", "refused"]

    first = next(iter(told.actions.values()))
    tell([replace(first, strand_id=late, content={"kind": "pm_action"})])
    look(1, at=NOW + HOUR, cursor=cursor)

    assert {row["strand_id"]: row["status"] for row in intake()} == {
        "a" * 64: "refused",
        told.closure.strand_id: "taken",
    }
    assert facts() == [fact for fact in reference if fact["trade_id"] == told.closure.trade_id]


@pytest.mark.parametrize("table", ["trade_intake", "pattern_trade_events"])
def test_a_look_that_dies_halfway_leaves_no_trade_that_waits_for_ever(table):
    told = TRADES[0]
    first, second = told.actions.values()
    tell([first, told.closure])
    look(at=NOW)
    tell([second])
    as_owner(f"REVOKE INSERT, UPDATE ON learning.{table} FROM lowcap_learning")
    with pytest.raises(Exception, match="permission denied"):
        look(1, at=NOW)
    as_owner(f"GRANT INSERT, UPDATE ON learning.{table} TO lowcap_learning")

    look(1, at=NOW)

    assert (len(facts()), [row["status"] for row in intake()]) == (2, ["taken"])
