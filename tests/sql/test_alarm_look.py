"""Every look reads the rows it is about and no other: something stands, nothing does, or nobody can tell."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from dagster._daemon.types import DaemonHeartbeat

from domain.config.alarm import AlarmConfig
from domain.config.pm_config import PmConfig
from sql.alarm_look import (
    look_at_coverage,
    look_at_daemon,
    look_at_edges,
    look_at_false_positives,
    look_at_labels,
    look_at_tables,
    look_at_ticks,
)
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.console.learned_rows import DAY, MADE, MIDNIGHT, lesson_row, record, sha256, store, store_version
from tests.dagster_runs import dagster_in
from tests.regime_hours import bucket_row, composite_row
from tests.stored_rows import insert_rows, stored_score

pytestmark = pytest.mark.postgres
CONFIG = PmConfig()
HOUR = timedelta(hours=1)


def looked(look, *, at, role=DatabaseRole.CONSOLE, config=CONFIG):
    with connect(role, autocommit=True, read_only=True) as connection:
        return look(connection, config, at=at)


def as_regime(table, *rows):
    with connect(DatabaseRole.REGIME) as connection:
        insert_rows(connection, table, rows)


def live(*names):
    soon = MIDNIGHT + 14 * DAY
    scopes = ({"mcap_bucket": "nano"}, {"mcap_bucket": "mid"})
    return store_version(
        0, *(record(name, scope=scope, expires_at=soon) for name, scope in zip(names, scopes, strict=True))
    )


def set_live(number):
    statement = "INSERT INTO learning.live_override_set (set_id, author, reason) VALUES (%s, 't', 't')"
    with connect(DatabaseRole.LEARNING) as connection:
        connection.execute(statement, [number])


def test_edges_are_those_of_live_overrides_as_of_the_newest_day(database):
    for day, now in ((0, 0.9), (1, 0.3)):
        on = {"timestamp": MIDNIGHT + day * DAY, "as_of": MIDNIGHT + (day + 1) * DAY}
        store("learning_lessons", lesson_row("halved", edge_at_birth=1.0, edge_current=now, **on))
        store("learning_lessons", lesson_row("fine", {"mcap_bucket": "mid"}, edge_at_birth=1.0, edge_current=0.9, **on))
        store("learning_lessons", lesson_row("idle", {"mcap_bucket": "big"}, edge_at_birth=1.0, edge_current=0.1, **on))
    before = looked(look_at_edges, at=MIDNIGHT + 2 * DAY)
    set_live(live("halved", "fine"))

    assert before.standing == ()
    look = looked(look_at_edges, at=MIDNIGHT + 2 * DAY)
    assert [alarm.subject for alarm in look.standing] == [f"lesson {sha256('halved')}"]
    assert looked(look_at_edges, at=MIDNIGHT + 20 * DAY).standing == ()  # expired


def rate_row(day, failures, n, *, family="pm.s1_entry"):
    names = ("wr", "fpr", "mr", "dr")
    rates = {f"{name}{end}": None for name in names for end in ("", "_low", "_high")}
    rate = failures / n
    rates |= {"fpr": rate, "fpr_low": max(rate - 0.1, 0), "fpr_high": min(rate + 0.1, 1)}
    counts = {"n_acted": n, "n_acted_failure": failures, "n_acted_success": n - failures}
    counts |= dict.fromkeys(("n_skipped", "n_skipped_success", "n_skipped_failure", "n_pending", "n_expired"), 0)
    cell = {"family": family, "scope_mask": 0, "scope_values": "{}", "scope_values_hash": "0" * 16}
    on = {"timestamp": MIDNIGHT + day * DAY, "as_of": MIDNIGHT + (day + 1) * DAY}
    return on | cell | counts | rates | MADE


@pytest.mark.parametrize(("earlier_day", "is_judged"), [(-90, True), (-96, True), (-89, False), (-97, False)])
def test_false_positives_are_compared_with_the_window_that_ended_where_the_newest_begins(
    database, earlier_day, is_judged
):
    store("tuning_rate", rate_row(0, 60, 100), rate_row(-1, 10, 100), rate_row(earlier_day, 10, 100))
    look = looked(look_at_false_positives, at=MIDNIGHT + 2 * DAY)

    assert (len(look.standing), look.judged == {"pm.s1_entry {}"}) == (int(is_judged), is_judged)


def test_nothing_that_was_learned_says_nothing_and_is_no_error(database):
    assert looked(look_at_edges, at=MIDNIGHT).standing == ()
    assert looked(look_at_false_positives, at=MIDNIGHT).judged == frozenset()
    assert looked(look_at_coverage, at=MIDNIGHT) is None
    assert looked(look_at_labels, at=MIDNIGHT) is None
    assert looked(look_at_tables, at=MIDNIGHT).judged == frozenset()
    assert looked(look_at_ticks, at=MIDNIGHT).judged == frozenset()
    assert looked(look_at_daemon, at=MIDNIGHT, role=DatabaseRole.OWNER, config=AlarmConfig()) is None


def test_coverage_is_of_the_newest_score_by_then(database):
    as_regime("regime.ae_score", *(stored_score("nano", MIDNIGHT + n * HOUR, coverage=c) for n, c in ((0, 15), (1, 9))))

    assert looked(look_at_coverage, at=MIDNIGHT).standing == ()
    assert [alarm.subject for alarm in looked(look_at_coverage, at=MIDNIGHT + HOUR).standing] == ["nano 1h"]


def labels(*, changes_of_last_day):
    """Fifteen days of hours; the newest day changes so often, each other day once."""
    for number in range(15 * 24):
        days_ago, hour = divmod(number, 24)
        at = MIDNIGHT - number * HOUR
        is_dip = hour < changes_of_last_day and hour % 2 if days_ago == 0 else hour == 0
        phase = "Dip" if is_dip else "Good"
        yield at, phase


@pytest.mark.parametrize(("changes", "stands"), [(10, True), (3, False)])
def test_changes_of_label_are_counted_a_day_back_from_the_newest_hour(database, changes, stands):
    rows = list(labels(changes_of_last_day=changes))
    as_regime("regime.phase_state_bucket", *(bucket_row(at, "nano", 0.1, phase=phase) for at, phase in rows))
    as_regime("regime.phase_state", *(composite_row(at, "meso") for at, _phase in rows))
    look = looked(look_at_labels, at=MIDNIGHT + HOUR)

    assert [alarm.subject for alarm in look.standing] == (["nano"] if stands else [])
    assert look.judged == {"nano", "composite"}


def test_tables_of_the_regime_and_learned_days_are_looked_at_apart(database):
    as_regime("regime.ae_score", stored_score("nano", MIDNIGHT))
    late = MIDNIGHT + 5 * HOUR

    assert [alarm.subject for alarm in looked(look_at_tables, at=late).standing] == ["ae_score 1h"]
    with connect(DatabaseRole.LEARNING, read_only=True) as connection:
        assert look_at_tables(connection, CONFIG, at=late, learned=True).judged == frozenset()


def test_a_daemon_that_stopped_is_seen_by_the_owner(database, tmp_path):
    with dagster_in(tmp_path / "home") as instance:
        for name in ("SCHEDULER", "SENSOR"):
            instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), name, "id", []))
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - 90_000, "BACKFILL", "id", []))
    now = datetime.now(UTC)
    looks = [
        looked(look_at_daemon, at=now + later, role=DatabaseRole.OWNER, config=AlarmConfig())
        for later in (timedelta(), timedelta(minutes=6))
    ]

    assert [[alarm.subject for alarm in look.standing] for look in looks] == [[], ["daemon"]]
