"""`lowcap doctor`: what is wrong is told in a line that says what to do, and nothing is changed by looking."""

import json
import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.database_checks import clock
from console.disk_check import GIB, room
from console.finding import Level
from console.freshness_checks import CADENCE
from console.host_checks import KNOWN_VARIABLES, Host, locked_packages, python_version, unknown_variables
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.console.learned_rows import MIDNIGHT, record, store, store_version
from tests.portfolio_rows import episode_row, position_row, sha256
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.stored_rows import PROVENANCE, insert_rows, stored_score

PROJECT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 6, 11, 12, 0, tzinfo=UTC)
AS_OF = ("--as-of", NOW.isoformat())
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def host(python: tuple[int, int, int] = (3, 12, 1), project: Path = PROJECT, **environment: str) -> Host:
    return Host(python=python, environment=environment, project=project)


def put(table: str, *rows: dict) -> None:
    with connect(DatabaseRole.OWNER) as owner:
        insert_rows(owner, table, rows)


@pytest.fixture
def found(lowcap):
    """Findings of a look as of noon, by check."""

    def look() -> dict:
        told = json.loads(lowcap("doctor", *AS_OF, "--json").stdout)
        return {each["check"]: each for each in told["findings"]}

    return look


@pytest.mark.parametrize(
    ("python", "level"),
    [((3, 10, 9), Level.FAIL), ((3, 11, 0), Level.OK), ((3, 14, 2), Level.OK), ((3, 15, 0), Level.FAIL)],
)
def test_a_python_the_product_is_not_made_for_fails(python, level):
    assert python_version(host(python)).level is level


def test_the_pythons_that_pass_are_those_of_the_project():
    wanted = re.search(r'requires-python = "(.*)"', (PROJECT / "pyproject.toml").read_text(encoding="utf-8"))

    assert wanted is not None
    assert wanted[1] == ">=3.11,<3.15"


def test_a_package_that_is_missing_or_not_as_locked_is_named(tmp_path):
    lock = "psycopg[binary]==0.0.1 \\\n    --hash=sha256:00\nno-such-package==1.0\nelsewhere==2 ; sys_platform == 'x'\n"
    (tmp_path / "requirements.lock").write_text(lock, encoding="utf-8")

    seen = locked_packages(host(project=tmp_path))

    assert seen.level is Level.WARN
    assert "psycopg" in seen.said
    assert "no-such-package is missing" in seen.said
    assert "elsewhere" not in seen.said


def test_a_misspelled_variable_is_told_with_the_nearest_and_never_its_value():
    seen = unknown_variables(host(LOWCAP_LLM_KYE="s3cret", LOWCAP_LIVE="live.toml", PATH="/bin"))

    assert (seen.level, seen.said) == (Level.WARN, "LOWCAP_LLM_KYE is none, did you mean LOWCAP_LLM_KEY?")
    assert "s3cret" not in repr(seen)


def test_the_known_variables_are_those_of_the_page():
    page = (PROJECT / "docs/reference/environment.md").read_text(encoding="utf-8")

    assert sorted(KNOWN_VARIABLES) == sorted(re.findall(r"^\| `(LOWCAP_\w+)`", page, re.MULTILINE))


@pytest.mark.parametrize(("free", "level"), [(50 * GIB, Level.OK), (5 * GIB, Level.WARN), (GIB, Level.FAIL)])
def test_a_disk_that_fills_up_warns_and_then_fails(free, level):
    assert room(free, GIB).level is level


def test_without_a_database_it_says_so_and_still_looks_at_the_host(lowcap, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody:s3cret@127.0.0.1:1/nothing")
    monkeypatch.setenv("DATABASE_URL_CONSOLE", "")

    result = lowcap("doctor", *AS_OF)

    assert result.exit_code == 1
    assert "Cannot connect to postgresql://nobody:***@127.0.0.1:1/nothing" in result.stdout
    assert "python" in result.stdout
    assert "s3cret" not in result.output


@pytest.mark.postgres
def test_a_new_database_has_everything_in_order_but_data(database, found):
    seen = found()

    ill = {check: each["level"] for check, each in seen.items() if each["level"] != "ok" and check != "packages"}
    assert ill == {"tables": "fail", "coverage": "warn", "runtime": "warn", "daemon": "warn"}
    assert all(each["todo"] for each in seen.values() if each["level"] != "ok")
    assert seen["switch"]["said"].startswith("ACTIVE everywhere")


@pytest.mark.postgres
def test_a_database_without_migrations_is_looked_at_no_further(empty_database, lowcap):
    result = lowcap("doctor", *AS_OF)

    assert result.exit_code == 1
    assert "make migrate" in result.stdout or "python -m sql.migrate" in result.stdout
    assert "episodes" not in result.stdout


@pytest.mark.postgres
def test_an_edited_migration_fails(database, found):
    with connect(DatabaseRole.OWNER) as owner:
        owner.execute("UPDATE public.lowcap_migration_checksum SET sha256 = repeat('0', 64) WHERE revision = '0002'")

    assert "Edited after it was applied: 0002" in found()["migrations"]["said"]


@pytest.mark.postgres
@pytest.mark.parametrize(("ahead_s", "level"), [(0.5, Level.OK), (2.5, Level.FAIL), (-2.5, Level.FAIL)])
def test_clocks_more_than_two_seconds_apart_fail(module_database, ahead_s, level):
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        seen = clock(connection, NOW, host_now=lambda: datetime.now(UTC) + timedelta(seconds=ahead_s))

    assert seen.level is level
    assert ("ahead of" if ahead_s > 0 else "behind") in seen.said


@pytest.mark.postgres
def test_an_invalid_configuration_fails_with_its_key(database, found):
    put("pm.pm_config", {"config": '{"scores": {"min_coverag": 1}}', "config_hash": "", "author": "x", "reason": "x"})

    seen = found()["configuration"]

    assert seen["level"] == "fail"
    assert "did you mean 'min_coverage'?" in seen["said"]


@pytest.mark.postgres
@pytest.mark.parametrize(("late", "level"), [(HOUR, None), (3.5 * HOUR, "warn"), (5 * HOUR, "fail")])
def test_a_table_is_late_by_its_cadence(database, found, late, level):
    put("regime.ae_score", *(stored_score("nano", NOW - late - HOUR) for _ in "1"))

    said = found()["tables"]["said"]

    assert ("ae_score 1h" in said.replace("ae_score 1h is empty", "")) == (level is not None)


def test_every_cadence_is_longer_than_nothing():
    assert min(CADENCE.values()) == timedelta(minutes=1)


@pytest.mark.postgres
def test_thin_scores_are_told_by_bucket(database, found):
    put("regime.ae_score", stored_score("nano", NOW - HOUR, coverage=11), stored_score("mid", NOW - HOUR))

    seen = found()["coverage"]

    assert (seen["level"], seen["said"]) == ("warn", "below 12 of 15: nano 1h 11")


def quarantined(name: str, known_at: datetime) -> dict:
    row = {"quarantine_id": sha256(name), "table_name": "majors_price_data_ohlc", "loaded_for": MIDNIGHT}
    made = {key: value for key, value in PROVENANCE.items() if key != "config_version"}
    return (
        row | {"reason": "price_jump", "detail": "x", "payload": "{}", "known_at": known_at, "computed_at": NOW} | made
    )


@pytest.mark.postgres
def test_bars_refused_in_the_last_day_are_counted_unless_released(database, found):
    put("regime.bar_quarantine", *(quarantined(name, NOW - HOUR) for name in "ab"), quarantined("old", NOW - 2 * DAY))
    put("pm.bar_release", {"quarantine_id": sha256("b"), "author": "ann", "reason": "right"})

    assert found()["quarantine"]["said"] == "1 bars in the last day: 1 price_jump in majors_price_data_ohlc"


@pytest.mark.postgres
def test_a_halt_warns_with_who_set_it(database, found, lowcap):
    lowcap("halt", "--reason", "the venue misprices", "--author", "ann")

    seen = found()["switch"]

    assert seen["level"] == "warn"
    assert "HALTED everywhere, set by ann: the venue misprices" in seen["said"]


@pytest.mark.postgres
def test_an_old_live_set_and_a_held_one_warn(database, found, lowcap):
    number = store_version(0, record("a", expires_at=NOW + 30 * DAY))
    lowcap("sets", "live", str(number), "--reason", "wait", "--author", "ann")
    held = found()["overrides"]
    store("live_override_set", {"set_id": number, "holds": False, "author": "ann", "reason": "go on"})

    assert (held["level"], "held by ann" in held["said"]) == ("warn", True)
    assert found()["overrides"]["level"] == "ok"
    with connect(DatabaseRole.OWNER) as owner:
        owner.execute("UPDATE learning.override_set SET as_of = as_of - interval '9 days'")
    assert found()["overrides"]["level"] == "warn"


def waiting(status: str, hours: int) -> dict:
    seen = {"timestamp": NOW - hours * HOUR, "first_seen_at": NOW, "last_seen_at": NOW}
    named = {"strand_id": sha256(status), "trade_id": status, "status": status, "reason": "x"}
    return named | {"actions_told": 2, "actions_missing": 1} | seen


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("status", "hours", "level"),
    [("parked", 5, "ok"), ("parked", 80, "warn"), ("refused", 1, "warn"), ("taken", 1, "ok")],
)
def test_trades_that_wait_too_long_or_were_refused_warn(database, found, status, hours, level):
    store("trade_intake", waiting(status, hours))

    assert found()["closed trades"]["level"] == level


@pytest.mark.postgres
@pytest.mark.parametrize(("days", "level"), [(0.5, "fail"), (3, "warn")])
def test_a_dead_letter_of_the_last_day_fails_an_older_one_warns(database, found, days, level):
    letter = {"dead_letter_id": sha256("a"), "kind": "pm_action", "pointer": "/a", "reason": "x", "payload": "{}"}
    put("pm.strand_dead_letter", letter | {"found_at": NOW - days * DAY})

    assert found()["dead letters"]["level"] == level


@pytest.mark.postgres
@pytest.mark.parametrize(("days", "level"), [(59, "ok"), (61, "warn")])
def test_an_episode_older_than_its_expiry_warns(database, found, days, level):
    held = position_row()
    PostgresPortfolioWorld().add(held)
    row = asdict(episode_row(held, started_at=NOW - days * DAY))
    made = {"updated_at": NOW, "config_version": 1, "code_version": "0"}
    put("pm.pattern_episode_events", row | {"samples": "{}", "scope": "{}"} | made)

    assert found()["episodes"]["level"] == level


@pytest.mark.postgres
def test_it_changes_nothing(database, lowcap):
    def counts() -> list:
        with connect(DatabaseRole.OWNER, autocommit=True) as owner:
            owner.execute("SELECT pg_stat_force_next_flush()")
            return owner.execute(
                "SELECT schemaname, relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables ORDER BY 1, 2"
            ).fetchall()

    before = counts()
    lowcap("doctor", *AS_OF)

    assert counts() == before
