"""`lowcap sets`: what versions there are, what is in them, and which one the runtime reads from its next tick on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from console.override_set_printing import WHY
from domain.learning.override_evidence import EvidenceVerdict, GuardrailVerdict
from domain.learning.override_record import StepReason
from learning_assets.override_store import make_live
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.queries import query
from tests.console.learned_rows import (
    BOUGHT,
    ESCAPE,
    HOURLY,
    NANO,
    cell,
    record,
    seen_by_runtime,
    step,
    store,
    store_version,
)
from tests.console.ticked_trade import tick, watch_and_learn
from tests.portfolio_rows import sha256
from tests.portfolio_worlds import PostgresPortfolioWorld

pytestmark = pytest.mark.postgres
WHO = ("--reason", "a test", "--author", "ann")
SOON = datetime.now(UTC) + timedelta(days=14)
PAST = datetime.now(UTC) - timedelta(days=1)
SAID = GuardrailVerdict(
    verdict=EvidenceVerdict.TOO_FEW,
    **{"n_trades": 8, "n_others": 16, "n_without_rr": 0},
    **{"difference_r": 0.125, "lower_r": float("nan"), "upper_r": float("nan")},
)


def store_versions() -> tuple[int, int]:
    """Two versions: of one override that goes, one that stays, one that comes; returns their numbers."""
    going, staying = record("going", expires_at=PAST), record("staying", "shadow", HOURLY, expires_at=SOON)
    first = store_version(1, going, staying)
    grown = record("staying", "live", HOURLY, multiplier=1.5, expires_at=SOON)
    coming = record("coming", "proposed", {}, expires_at=SOON)
    at = {"at": datetime(2025, 6, 12, tzinfo=UTC)}
    ended = step(going, "revoked", "contradicted", evidence=SAID, **at)
    steps = (ended, step(staying, "live", "stood_watch", **at))
    return first, store_version(2, grown, coming, steps=steps)


@pytest.fixture
def versions(database) -> tuple[int, int]:
    """Two versions in a database of the test's own; none is live."""
    return store_versions()


@pytest.fixture(scope="module")
def unchanged(module_database) -> tuple[int, int]:
    """The same, the second is live, for tests that change nothing."""
    first, second = store_versions()
    assert materialize(second)
    return first, second


def materialize(set_id: int) -> bool:
    """Let a set be live as a run of learning does."""
    with connect(DatabaseRole.LEARNING) as connection:
        return make_live(connection, set_id, at=datetime.now(UTC), reason="learned")


def test_versions_are_listed_with_their_overrides_by_state_and_the_one_that_is_live(unchanged, lowcap, lowcap_json):
    first, second = unchanged

    told = lowcap_json("sets", "list")

    names = ("set_id", "live", "live_expired", "shadow", "proposed")
    counts = [[each[name] for name in names] for each in told["sets"]]
    assert counts == [[second, 1, 0, 0, 1], [first, 1, 1, 1, 0]]
    assert [each["is_live"] for each in told["sets"]] == [True, False]
    assert (told["live"]["set_id"], told["live"]["holds"], told["overrides_on"]) == (second, False, True)
    assert told["sets"][0]["as_of"] == "2025-06-12T00:00:00+00:00"
    assert [each["set_id"] for each in lowcap_json("sets", "list", "--most", "1")["sets"]] == [second]
    assert lowcap("sets", "list").stdout.startswith(f"Set {second} is live since ")


def test_a_roll_back_is_read_by_the_runtime_and_held_against_later_sets(versions, lowcap, lowcap_json):
    first, second = versions
    materialize(second)

    done = lowcap("sets", "live", str(first), *WHO)
    later = store_version(3)

    assert done.stdout == (
        f"Set {first} is live and held, as of 2025-06-11 00:00: 1 live overrides, 1 of them expired and without"
        " effect. In force by the next tick.\n"
    )
    assert (materialize(later), seen_by_runtime()) == (False, [(first, sha256("going"))])
    told = lowcap_json("sets", "list")
    assert [(each["set_id"], each["holds"], each["author"]) for each in told["choices"]] == [
        *((first, True, "ann"), (second, False, "learning"))
    ]
    printed = lowcap("sets", "list").stdout
    assert "held by ann: a test. Later sets wait until: lowcap sets release" in printed


def test_a_release_goes_to_the_newest_set_and_later_ones_become_live_again(versions, lowcap):
    first, second = versions
    lowcap("sets", "live", str(first), *WHO)

    done = lowcap("sets", "release", *WHO)
    released = seen_by_runtime()
    later = store_version(3)

    assert f"Released: set {second}, the newest as of now, is live" in done.stdout
    assert released == [(second, sha256("staying"))]
    assert (materialize(later), seen_by_runtime()) == (True, [(later, None)])


def test_what_will_be_known_later_is_not_released_to(versions, lowcap_json):
    ahead = store_version(365 * 100)
    lowcap_json("sets", "live", "none", *WHO)

    assert lowcap_json("sets", "release", *WHO)["chosen"]["set_id"] == versions[1] != ahead


def test_no_set_is_live_and_held_where_none_is_chosen(versions, lowcap, lowcap_json):
    lowcap("sets", "live", str(versions[1]), *WHO)

    done = lowcap_json("sets", "live", "none", *WHO)

    assert (done["chosen"]["set_id"], done["chosen"]["holds"], done["set"]) == (None, True, None)
    assert done["before"]["set_id"] == versions[1]
    assert (materialize(versions[1]), seen_by_runtime()) == (False, [])
    assert lowcap("sets", "list").stdout.startswith("No set is live since ")


def test_the_next_tick_obeys(database, lowcap):
    world = PostgresPortfolioWorld()
    watch_and_learn(world)
    tick(world, 0)

    lowcap("sets", "live", "none", *WHO)
    tick(world, 1)
    lowcap("sets", "live", "7", *WHO)
    tick(world, 2)

    with connect(DatabaseRole.CONSOLE) as connection:
        ticks = connection.execute("SELECT override_set_id FROM pm.pm_tick ORDER BY bar_timestamp").fetchall()
    assert ticks == [(7,), (None,), (7,)]


def test_who_chooses_waits_for_another_who_does(versions, lowcap, lowcap_json):
    with ThreadPoolExecutor(1) as pool, connect(DatabaseRole.CONSOLE) as other:
        other.execute(query("lock_live_set").encode())
        waiting = pool.submit(lowcap, "sets", "live", "none", *WHO)
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.4)
        values = {"set_id": versions[0], "holds": True, "author": "bob", "reason": "first"}
        other.execute(query("choose_live_set").encode(), values)
        other.commit()
        assert waiting.result().exit_code == 0

    assert [each["author"] for each in lowcap_json("sets", "list")["choices"]] == ["ann", "bob"]


@pytest.mark.parametrize("command", [("show",), ("diff", "1"), ("live", *WHO)])
def test_a_set_that_is_not_there_is_refused_with_those_that_are(unchanged, lowcap, lowcap_json, command):
    refused = lowcap("sets", *command, "999")

    first, last = unchanged
    assert refused.exit_code == 2
    assert refused.stderr == f"No set 999: the first is {first}, the last {last}; see: lowcap sets list\n"
    assert len(lowcap_json("sets", "list")["choices"]) == 1


@pytest.mark.parametrize("number", ["newest", "7; DROP TABLE learning.override_set", "1e3", "٣", "9" * 30, ESCAPE])
def test_what_is_no_number_chooses_nothing(unchanged, lowcap, lowcap_json, number):
    assert lowcap("sets", "live", number, *WHO).exit_code == 2
    assert lowcap("sets", "show", number).exit_code == 2
    assert len(lowcap_json("sets", "list")["choices"]) == 1


@pytest.mark.parametrize("reason", [(), ("--reason", " "), ("--reason", "x", "--author", " "), ("--reason", "\udcff")])
@pytest.mark.parametrize("command", [("live", "none"), ("live", "1")])
def test_a_choice_needs_a_reason_and_an_author(unchanged, lowcap, lowcap_json, command, reason):
    assert lowcap("sets", *command, *reason).exit_code == 2
    assert len(lowcap_json("sets", "list")["choices"]) == 1


def test_what_nobody_holds_cannot_be_released(unchanged, lowcap):
    refused = lowcap("sets", "release", *WHO)

    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"No set is held, so none can be released. Set {unchanged[1]} is live since")


def test_without_any_set_nothing_is_live_and_none_can_be_held_and_released(database, lowcap, lowcap_json):
    empty = lowcap("sets", "list").stdout

    assert empty.startswith("No set was ever live: sizes and thresholds are as configured.")
    assert "there is none yet" in lowcap("sets", "show", "1").stderr
    assert lowcap("sets", "live", "none", *WHO).exit_code == 0
    assert "Released: there is no set yet" in lowcap("sets", "release", *WHO).stdout
    assert lowcap_json("sets", "list")["live"]["set_id"] is None
    assert materialize(store_version(1))


def test_that_overrides_are_switched_off_is_told_beside_the_live_set(versions, lowcap, lowcap_json):
    lowcap("overrides", "off", *WHO)

    assert lowcap_json("sets", "list")["overrides_on"] is False
    assert "Overrides are switched off, so no set applies" in lowcap("sets", "list").stdout


def test_the_overrides_of_a_set_are_shown_with_where_they_hold_and_until_when(unchanged, lowcap, lowcap_json):
    told = lowcap_json("sets", "show", str(unchanged[0]))
    lines = [" ".join(line.split()) for line in lowcap("sets", "show", str(unchanged[0])).stdout.splitlines()]

    states = [(each["state"], each["is_expired"], each["scope"], each["problem"]) for each in told["overrides"]]
    assert states == [("live", True, NANO, None), ("shadow", False, HOURLY, None)]
    assert lines[0] == f"set {unchanged[0]} as of 2025-06-11 00:00: 1 live (1 expired), 1 shadow, 0 proposed"
    row = "S1.buy_flag entry mcap_bucket=nano pm_strength 1.200 0.500 40 +0.400 0.90"
    place = lines.index(f"shadow {row} {SOON:%Y-%m-%d %H:%M} {sha256('staying')[:8]}")
    assert lines[place + 1] == "timeframe=1h"
    assert any(line.startswith("live, expired ") for line in lines)


def test_two_sets_are_told_apart_with_why_an_override_ended(unchanged, lowcap, lowcap_json):
    first, second = map(str, unchanged)

    told = lowcap_json("sets", "diff", first, second)

    assert [each["lesson_id"] for each in told["added"]] == [sha256("coming")]
    (changed,) = told["changed"]
    assert (changed["before"]["state"], changed["state"]) == ("shadow", "live")
    assert (changed["before"]["multiplier"], changed["multiplier"]) == (1.2, 1.5)
    assert [(each["lesson_id"], each["reason"]) for each in told["retired"]] == [(sha256("going"), "contradicted")]
    printed = " ".join(lowcap("sets", "diff", first, second).stdout.split())
    assert "1 added, 1 changed, 1 retired, 0 unchanged" in printed
    assert "1.200 -> 1.500" in printed
    assert "trades since its proposal speak against it" in printed


def test_backwards_nothing_ended_for_a_reason_and_the_same_set_is_the_same(unchanged, lowcap_json):
    first, second = map(str, unchanged)

    back = lowcap_json("sets", "diff", second, first)
    same = lowcap_json("sets", "diff", first, first)

    assert [(each["lesson_id"], each["reason"]) for each in back["retired"]] == [(sha256("coming"), None)]
    assert [same[name] for name in ("added", "changed", "retired", "unchanged")] == [[], [], [], 2]


def test_steps_are_told_newest_first_with_why_and_what_its_own_trades_said(unchanged, lowcap, lowcap_json):
    live, revoked = lowcap_json("sets", "steps")["steps"]

    assert (live["from_state"], live["to_state"], live["reason"]) == ("shadow", "live", "stood_watch")
    assert (revoked["to_state"], revoked["evidence"]["difference_r"]) == ("revoked", 0.125)
    assert revoked["evidence"]["lower_r"] is None
    printed = " ".join(lowcap("sets", "steps").stdout.split())
    assert "live -> revoked" in printed
    assert "too few: 8 beside 16 others" in printed


def test_the_steps_of_one_lesson_are_found_by_the_first_digits_of_its_id(unchanged, lowcap, lowcap_json):
    (revoked,) = lowcap_json("sets", "steps", "--lesson", sha256("going")[:8])["steps"]

    assert revoked["lesson_id"] == sha256("going")
    for lesson in ("zz", "%", "' OR true --", ESCAPE):
        refused = lowcap("sets", "steps", "--lesson", lesson)
        assert (refused.exit_code, refused.stderr.strip().isprintable()) == (2, True)


def test_every_reason_of_a_step_has_its_words():
    assert set(WHY) == set(StepReason)


def test_hostile_or_broken_rows_neither_reach_the_terminal_nor_stop_the_view(versions, lowcap, lowcap_json):
    number = str(versions[0])
    columns = cell(NANO) | {"set_id": versions[0], "lever": "pm_strength", "multiplier": 1.1, "confidence": 0.5}
    columns |= {"n_trades": 1, "lesson_id": ESCAPE, "expires_at": SOON, "pattern_key": BOUGHT + ESCAPE}
    columns |= {"scope_values": '{"curator":"\\u001b[31m","x":"\\u009b31m"}'}
    del columns["scope_values_hash"]
    store("pm_overrides", columns, columns | {"scope_values": '{"a":[1e999]}', "lesson_id": "b"})
    store("live_override_set", {"set_id": versions[0], "author": ESCAPE, "reason": ESCAPE})

    shown = lowcap("sets", "show", number)
    printed = [shown.output, *(lowcap("sets", *each).output for each in (("list",), ("diff", number, number)))]

    assert "".join(printed).replace("\n", "").isprintable()
    assert "is ignored: unknown_pattern: " in shown.stderr
    assert sum(each["problem"] is not None for each in lowcap_json("sets", "show", number)["overrides"]) == 2
