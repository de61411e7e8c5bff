"""Names, ids, scopes, days and instants that are none, at every place a person can type one."""

import contextlib
from collections.abc import Iterator

import psycopg
import pytest
import typer.main
from typer.testing import CliRunner

from console.cli import app
from console.pages.page_session import reading_page
from console.session import reading
from learning_assets.__main__ import main as learning
from pm_runtime.replay.__main__ import main as replaying
from resources.notify import main as notifying
from sql.database import connect
from sql.database_role import DatabaseRole
from tests.console.pages.page_world import make_page_world
from tests.faults.hostile_values import HOSTILE, values_at
from tests.faults.table_sums import table_sums

pytestmark = pytest.mark.postgres

NO_ARGUMENTS = ("nul", "surrogate")
"""What no operating system hands to a program."""
STARTED = {("demo",), ("up",), ("down",)}
"""They start or end processes; all they take is ports."""
ELSEWHERE = {("learn",), ("rebuild",), ("export",), ("import",), ("notify",), ("replay",)}
"""They hand their words to another program, which is asked below."""
VALID = {
    **dict.fromkeys(("identity", "words"), "ab" * 32),
    **{"asked": "trade", "from_": "2025-05-31T00:00Z", "to": "2025-06-02T00:00Z", "state": "on", "kind": "pm_action"},
    **dict.fromkeys(("assignments", "given"), "scores.min_coverage=11"),
    **{"keys": "regime.bar.max_jump", "before": "1", "after": "2", "number": "7", "reason": "a test"},
    **{"token": "0xabc", "chain": "base", "ticker": "T", "file": "/nowhere/at/all"},
}
HARMLESS = {("prune",): ["--dry-run"], ("serve",): ["--host", "256.0.0.1", "--token-file", "/nowhere/at/all"]}
"""So that nothing is deleted, and no server stays, whatever the other value is."""

GROWS = {
    "pm.trading_switch": [("halt",), ("resume",), ("overrides",)],
    "pm.pm_config": [("config", "set"), ("config", "unset")],
    "learning.live_override_set": [("sets", "live"), ("sets", "release")],
    "pm.bar_release": [("quarantine", "release")],
    "pm.lowcap_positions": [("watch", name) for name in ("add", "import", "pause", "resume", "archive")],
    "pm.position_status_change": [("watch", name) for name in ("pause", "resume", "archive")],
}
"""Tables a command may write when it was obeyed; no other command writes any."""
ANSWERS_WITH_1 = {("config", "validate"), ("regime", "show"), ("doctor",)}


def commands(group, before=()) -> Iterator[tuple[tuple[str, ...], typer.core.TyperCommand]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield (*before, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))
PLACES = [
    (path, parameter.name)
    for path, command in COMMANDS.items()
    if path not in STARTED | ELSEWHERE
    for parameter in command.params
    if not getattr(parameter, "is_flag", False)
]


def arguments(path: tuple[str, ...], place: str, value: str) -> list[str]:
    """Command line with a value at a place, and something right wherever it cannot do without."""
    words, options = [], []
    for parameter in COMMANDS[path].params:
        if parameter.name != place and not parameter.required:
            continue
        said = value if parameter.name == place else VALID[parameter.name]
        if parameter.param_type_name == "argument":
            words.append(said)
        else:
            options += [parameter.opts[0], said]
    spare = HARMLESS.get(path, [])
    own = [*spare, *options] if place != "host" else [*spare[2:], *options]
    return [*path, *own, *(["--", *words] if words else [])]


@pytest.fixture(scope="module")
def world(module_database) -> None:
    make_page_world()


@pytest.mark.parametrize(("path", "place"), PLACES, ids=[f"{'_'.join(path)}-{place}" for path, place in PLACES])
def test_a_command_refuses_it_in_a_sentence_or_takes_it_as_text(world, path, place):
    before, obeyed = table_sums(), False
    for name, value in values_at(PLACES.index((path, place)), *NO_ARGUMENTS).items():
        result = CliRunner().invoke(app, arguments(path, place, value))
        told = f"{name}: {result.exit_code}, {result.exception!r}, {result.output}"

        obeyed |= result.exit_code == 0
        assert result.exception is None or isinstance(result.exception, SystemExit), told
        assert result.exit_code in ({0, 1, 2} if path in ANSWERS_WITH_1 else {0, 2, 3}), told
        assert result.exit_code == 0 or result.output.strip(), told
        assert result.stderr.startswith("Usage: ") or len(result.stderr.splitlines()) <= 1, told
        assert result.output.replace("\n", "").isprintable(), told
        assert "Traceback" not in result.output

    after = table_sums()
    changed = {table for table in before if before[table] != after.get(table)}
    assert after.keys() == before.keys()
    assert changed <= {table for table, writers in GROWS.items() if obeyed and path in writers}


def test_what_is_not_asked_here_takes_ports_alone_or_nothing():
    taken = {parameter.name for path in STARTED | ELSEWHERE for parameter in COMMANDS[path].params}

    assert taken == {"port", "pages_port"}


SPAN = ["--from", "2001-05-31T00:00Z", "--to", "2001-06-02T00:00Z"]
"""Nothing is known of it, so what is no more than a name is refused as well."""
HANDED_ON = {
    "learn_replay": lambda value: (learning, ["backfill", "--replay", value]),
    "learn_from": lambda value: (learning, ["backfill", "--from", value]),
    "learn_days": lambda value: (learning, ["backfill", "--from", "2025-06-01", "--days-per-run", value]),
    "rebuild_days": lambda value: (learning, ["rebuild", "--days-per-run", value]),
    "export_kind": lambda value: (learning, ["export", value, "--out", "/nowhere/at/all.json"]),
    "export_replay": lambda value: (learning, ["export", "lessons", "--out", "/nowhere/x.json", "--replay", value]),
    "import_name": lambda value: (learning, ["import", "lessons", "/nowhere/at/all.json", "--name", value]),
    "import_file": lambda value: (learning, ["import", "lessons", value, "--name", "taken"]),
    "notify_every": lambda value: (notifying, ["--every-s", value]),
    "replay_from": lambda value: (replaying, [*SPAN, "--from", value]),
    "replay_name": lambda value: (replaying, [*SPAN, "--name", value]),
    "replay_overrides": lambda value: (replaying, [*SPAN, "--name", "r", "--overrides", value]),
    "replay_timeframe": lambda value: (replaying, [*SPAN, "--name", "r", "--timeframe", value]),
    "replay_universe": lambda value: (replaying, [*SPAN, "--name", "r", "--universe", value]),
}


@pytest.mark.parametrize("place", HANDED_ON)
def test_a_program_that_is_handed_it_refuses_it_in_a_sentence(world, place, capfd):
    before = table_sums()
    for name, value in values_at(list(HANDED_ON).index(place), *NO_ARGUMENTS).items():
        program, line = HANDED_ON[place](value)
        status = None
        with contextlib.suppress(SystemExit):
            status = program(line)
        told = capfd.readouterr()

        assert status in (1, 2, None), f"{name}: {told}"
        assert told.err.strip(), name
        assert "Traceback" not in told.err, name
        assert told.err.replace("\n", "").isprintable(), f"{name}: {told.err!r}"

    assert table_sums() == before


DOCUMENTED = {
    "pm.pm_config": {"INSERT"},
    "pm.bar_release": {"INSERT"},
    "pm.trading_switch": {"INSERT"},
    "learning.live_override_set": {"INSERT"},
    "pm.position_status_change": {"INSERT"},
    "pm.lowcap_positions": {"INSERT", "UPDATE"},
    "pm.pm_alarm": {"INSERT", "UPDATE"},
    "pm.notification": {"INSERT", "UPDATE"},
}
"""What SECURITY.md says the console may write: the rest of the database is to be read."""
EVERY_PRIVILEGE = """
    SELECT n.nspname || '.' || c.relname, p.name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
           unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS p (name)
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND (has_table_privilege('lowcap_console', c.oid, p.name)
           OR (p.name IN ('INSERT', 'UPDATE') AND has_any_column_privilege('lowcap_console', c.oid, p.name)))
"""


def test_the_console_may_write_what_is_documented_and_nothing_else(world):
    found: dict[str, set[str]] = {}
    with connect(DatabaseRole.OWNER) as owner:
        for table, privilege in owner.execute(EVERY_PRIVILEGE.encode()).fetchall():
            found.setdefault(table, set()).add(privilege)
        (may_create,) = owner.execute(
            "SELECT bool_or(has_schema_privilege('lowcap_console', oid, 'CREATE')) FROM pg_namespace"
            " WHERE nspname IN ('regime', 'learning', 'pm', 'public')"
        ).fetchone()

    assert found == DOCUMENTED
    assert not may_create
    assert GROWS.keys() <= DOCUMENTED.keys()


WRITES = [
    "INSERT INTO {table} DEFAULT VALUES",
    "DELETE FROM {table}",
    "TRUNCATE {table}",
    "DROP TABLE {table}",
    "ALTER TABLE {table} ADD COLUMN x int",
    "SET TRANSACTION READ WRITE; DELETE FROM {table}",
    "COPY {table} FROM PROGRAM 'id'",
]


@pytest.mark.parametrize("session", [reading, reading_page])
@pytest.mark.parametrize("statement", WRITES)
def test_a_session_that_reads_is_refused_every_write_by_the_server(world, session, statement):
    before = table_sums()
    for table in ("pm.trading_switch", "pm.lowcap_positions", "regime.ae_score", "learning.pm_overrides"):
        with pytest.raises((psycopg.Error, typer.Exit)), session() as connection:
            connection.execute(statement.format(table=table).encode())

    assert table_sums() == before


def test_every_value_is_tried_somewhere():
    tried = {name for place in range(len(PLACES)) for name in values_at(place)}

    assert tried == HOSTILE.keys()
