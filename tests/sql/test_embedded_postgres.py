"""The supervisor: concurrent starts, crashes, stale lock files, several roots. A real server throughout."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sql import postmaster
from sql.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, default_root
from tests.postgres_fixtures import temporary_postgres

pytestmark = pytest.mark.postgres
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server that each test finds running and leaves able to start."""
    with temporary_postgres() as embedded:
        yield embedded


@pytest.fixture
def cold_server() -> Iterator[EmbeddedPostgres]:
    """A server whose data folder does not exist yet."""
    with temporary_postgres() as embedded:
        yield embedded


@pytest.fixture
def run_process(server: EmbeddedPostgres) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start processes as the server's OS user; they are killed at the end."""
    started: list[subprocess.Popen[bytes]] = []

    def run(*command: object) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([str(word) for word in command], cwd="/", **server.location.as_server_user())
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def command_line(*arguments: str, root: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "sql.embedded_postgres", *arguments, "--root", str(root)]
    return subprocess.Popen(command, cwd=PROJECT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def count_rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM kept").fetchone() or (-1,)
    return int(rows)


def kill_postmaster(server: EmbeddedPostgres) -> int:
    pid = postmaster.recorded_pid(server.location.data_dir)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def insert_until_killed(connection: psycopg.Connection, server: EmbeddedPostgres) -> int:
    """Insert rows, kill the server in the middle, and return how many inserts were acknowledged."""
    acknowledged = 0
    with contextlib.suppress(psycopg.OperationalError):
        while True:
            connection.execute("INSERT INTO kept VALUES (1)")
            acknowledged += 1
            if acknowledged == 200:
                kill_postmaster(server)
                os.kill(connection.info.backend_pid, signal.SIGKILL)
    return acknowledged


def write_stale_lock_files(server: EmbeddedPostgres, pid: int) -> None:
    """Leave what a crashed server leaves, with a pid that now belongs to somebody else or nobody."""
    place = server.location
    lines = f"{pid}\n{place.data_dir}\n{int(time.time())}\n5432\n{place.socket_dir}\n\n  5432001        99\nready   \n"
    for lock_file in (place.data_dir / "postmaster.pid", place.socket_dir / ".s.PGSQL.5432.lock"):
        lock_file.write_text(lines)
        os.chown(lock_file, place.server_uid, place.server_gid)
        lock_file.chmod(0o600)


def kill_postmaster_while_a_backend_is_busy(
    server: EmbeddedPostgres, run_process: Callable[..., "subprocess.Popen[bytes]"]
) -> int:
    """Leave a backend that computes for three seconds and so does not notice; returns the dead postmaster's pid."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        (end,) = connection.execute("SELECT clock_timestamp() + interval '3 seconds'").fetchone() or ("",)
        busy = f"DO $$ BEGIN WHILE clock_timestamp() < '{end}' LOOP END LOOP; END $$"
        run_process(server.bin_dir / "psql", "-q", "-c", busy, server.url())
        working = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query = %s"
        while connection.execute(working, [busy]).fetchone() is None:
            time.sleep(0.02)
    return kill_postmaster(server)


def wait_until_nobody_holds(server: EmbeddedPostgres) -> None:
    while postmaster.holders(server.location.data_dir, server_uid=server.location.server_uid):
        time.sleep(0.05)


def test_eight_concurrent_first_starts_make_one_server(cold_server: EmbeddedPostgres) -> None:
    root = cold_server.location.root
    starters = [command_line("start", root=root) for _ in range(8)]
    outputs = [starter.communicate(timeout=120) for starter in starters]

    assert [starter.returncode for starter in starters] == [0] * 8, outputs
    assert {url.strip() for url, _ in outputs} == {cold_server.url()}
    assert cold_server.location.log_file.read_text().count("ready to accept connections") == 1


def test_the_folder_and_what_listens_are_private(server: EmbeddedPostgres) -> None:
    url = server.start()
    place = server.location

    assert [path.stat().st_mode & 0o777 for path in (place.root, place.data_dir, place.socket_dir)] == [0o700] * 3
    with psycopg.connect(url) as connection:
        names = ["listen_addresses", "fsync", "max_connections", "TimeZone", "jit", "server_encoding"]
        rows = [connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names]
    assert rows == [("",), ("on",), ("200",), ("UTC",), ("off",), ("UTF8",)]


def test_starting_a_running_server_changes_nothing(server: EmbeddedPostgres) -> None:
    server.start()
    before = postmaster.recorded_pid(server.location.data_dir)

    assert EmbeddedPostgres(server.location.root).start() == server.url()
    assert postmaster.recorded_pid(server.location.data_dir) == before


def test_what_was_committed_survives_kill_9(server: EmbeddedPostgres) -> None:
    url = server.start()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        already = count_rows(url)
        acknowledged = insert_until_killed(connection, server)
    server.start()

    assert acknowledged >= 200
    assert count_rows(url) - already in {acknowledged, acknowledged + 1}  # the last may be in without an answer


def test_an_unreaped_postmaster_is_not_taken_for_a_running_one(
    server: EmbeddedPostgres, run_process: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    server.start()
    server.stop()
    child = run_process(server.bin_dir / "postgres", "-D", server.location.data_dir)
    while not server.is_ready():
        time.sleep(0.05)
    kill_postmaster(server)
    server.start()

    assert server.is_ready()
    assert postmaster.recorded_pid(server.location.data_dir) != child.pid


@pytest.mark.parametrize("holder", ["init", "unrelated", "dead"])
def test_a_stale_lock_file_does_not_keep_it_from_starting(
    server: EmbeddedPostgres, run_process: Callable[..., "subprocess.Popen[bytes]"], holder: str
) -> None:
    server.start()
    server.stop()
    stranger = run_process("sleep", 60)
    if holder == "dead":
        stranger.kill()
        stranger.wait()
    write_stale_lock_files(server, pid=1 if holder == "init" else stranger.pid)

    assert server.stop() is False
    assert stranger.poll() is None or holder == "dead"
    server.start()
    assert server.is_ready()


def test_the_database_is_made_again_when_it_was_dropped(server: EmbeddedPostgres) -> None:
    server.start()
    with psycopg.connect(server.url(database="postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE lowcap WITH (FORCE)")

    with psycopg.connect(server.start()) as connection:
        assert connection.info.dbname == "lowcap"


def test_an_interrupted_first_start_is_begun_again(cold_server: EmbeddedPostgres) -> None:
    partial = cold_server.location.root / "data.partial"
    partial.mkdir()
    (partial / "PG_VERSION").write_text("18\n")

    assert psycopg.connect(cold_server.start()).close() is None
    assert not partial.exists()


def test_two_roots_are_two_servers(server: EmbeddedPostgres, cold_server: EmbeddedPostgres) -> None:
    server.start()
    cold_server.start()
    server.stop()

    assert not server.is_ready()
    assert cold_server.is_ready()


def test_a_long_path_gets_a_short_socket(server: EmbeddedPostgres) -> None:
    with temporary_postgres() as sibling:
        parent = sibling.location.root.parent
        deep = EmbeddedPostgres(parent / ("d" * 100) / "postgres")
        try:
            url = deep.start()
            with psycopg.connect(url) as connection:
                assert connection.info.host.startswith("/tmp/lowcap-")
            assert deep.location.data_dir.is_relative_to(parent)
        finally:
            deep.stop()
            deep.location.socket_dir.rmdir()


def test_a_path_with_odd_characters_works() -> None:
    with temporary_postgres() as sibling:
        odd = EmbeddedPostgres(sibling.location.root.parent / "it's, an %41 odd+folder" / "pg")
        try:
            with psycopg.connect(odd.start()) as connection:
                assert connection.info.dbname == "lowcap"
        finally:
            odd.stop()
            odd.location.socket_dir.rmdir()


def test_a_data_folder_in_use_is_not_broken_into(
    server: EmbeddedPostgres, run_process: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    server.start()
    pid = kill_postmaster_while_a_backend_is_busy(server, run_process)

    assert postmaster.holders(server.location.data_dir, server_uid=server.location.server_uid)
    with pytest.raises(EmbeddedPostgresError, match="in use by process"):
        server.start(timeout_s=1)
    assert postmaster.recorded_pid(server.location.data_dir) == pid
    wait_until_nobody_holds(server)
    server.start()


def test_a_server_that_cannot_start_says_what_its_log_says(cold_server: EmbeddedPostgres) -> None:
    cold_server.start()
    cold_server.stop()
    conf = cold_server.location.data_dir / "postgresql.conf"
    conf.write_text(conf.read_text() + "max_connections = many\n")

    with pytest.raises(EmbeddedPostgresError, match='invalid value for parameter "max_connections"'):
        cold_server.start(timeout_s=1)


def test_the_command_line_starts_describes_and_stops(server: EmbeddedPostgres) -> None:
    root = server.location.root
    server.stop()
    said = []
    for word in ("status", "start", "status", "url", "stop", "stop"):
        process = command_line(word, root=root)
        output, _ = process.communicate(timeout=60)
        said.append((process.returncode, output.splitlines()[0]))

    url = server.url()
    assert said == [(3, "not running"), (0, url), (0, "running"), (0, url), (0, "stopped"), (0, "was not running")]


def test_the_default_root_is_in_the_project_unless_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOWCAP_POSTGRES_ROOT", raising=False)
    assert default_root() == PROJECT / ".lowcap" / "postgres"

    monkeypatch.setenv("LOWCAP_POSTGRES_ROOT", "/elsewhere")
    assert default_root() == Path("/elsewhere")
