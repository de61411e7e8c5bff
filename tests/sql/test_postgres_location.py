"""Each OS user ends in a folder of its own, and the server never runs as root."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from sql import postgres_location
from sql.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from sql.postgres_binaries import find_binaries, wheel_dir
from sql.postgres_location import PostgresLocationError, locate

PROJECT = Path(__file__).resolve().parents[2]
AS_USER = """
import os, pwd, sys
from sql import embedded_postgres  # before the step down: the interpreter may lie in a private home
import psycopg
user = pwd.getpwnam(sys.argv[1])
os.setgroups([]), os.setgid(user.pw_gid), os.setuid(user.pw_uid), os.chdir("/")
sys.exit(embedded_postgres.main(sys.argv[2:]))
"""

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another OS user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder everybody may enter and write to; pytest's own is private to the caller."""
    folder = Path(tempfile.mkdtemp(prefix="lowcap-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def no_system_folder(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root's fall-backs go to a temporary folder."""
    system = open_folder / "system"
    monkeypatch.setattr(postgres_location, "SYSTEM_STATE_DIR", system)
    return system


def run_as(user: str, *arguments: str, root: Path) -> str:
    """Run the supervisor's command line as an OS user; returns what it printed."""
    command = [sys.executable, "-c", AS_USER, user, *arguments, "--root", str(root)]
    return subprocess.run(command, cwd=PROJECT, text=True, check=True, stdout=subprocess.PIPE).stdout.strip()


@only_root
@pytest.mark.postgres
def test_two_os_users_have_servers_of_their_own(open_folder: Path) -> None:
    if not postgres_location.PostgresLocation(open_folder, open_folder, 65534, 65534, "").lets_server_user_enter(
        wheel_dir()
    ):
        pytest.skip("other OS users cannot run the installed Postgres programs")
    roots = {user: open_folder / user for user in ("nobody", "daemon")}
    try:
        for user, root in roots.items():
            run_as(user, "start", root=root)
        for user, root in roots.items():
            assert (root / "data").stat().st_uid == pwd.getpwnam(user).pw_uid
            assert run_as(user, "status", root=root).startswith("running")
    finally:
        stopped = [run_as(user, "stop", root=root) for user, root in roots.items()]
    assert stopped == ["stopped", "stopped"]


@only_root
@pytest.mark.postgres
def test_root_serves_an_ordinary_users_data_as_that_user(open_folder: Path) -> None:
    root = open_folder / "daemons"
    url = run_as("daemon", "start", root=root)
    server = EmbeddedPostgres(root)
    try:
        assert server.url() == url
        assert server.stop()
        with psycopg.connect(server.start()) as connection:
            assert connection.info.dbname == "lowcap"
        assert server.location.server_uid == pwd.getpwnam("daemon").pw_uid
    finally:
        server.stop()


@only_root
@pytest.mark.postgres
def test_root_in_a_private_home_gets_another_folder_and_is_told(
    open_folder: Path, no_system_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = open_folder / "home"
    home.mkdir(mode=0o700)
    server = EmbeddedPostgres(home / "project" / ".lowcap" / "postgres")
    try:
        server.start()
        status = server.status()
        assert status.root.parent == no_system_folder
        assert f"cannot enter {home}" in status.note
        assert status.note in caplog.text
        assert list(home.iterdir()) == []
        assert home.stat().st_mode & 0o777 == 0o700
    finally:
        server.stop()


@only_root
def test_a_folder_of_another_os_user_is_left_alone(open_folder: Path, no_system_folder: Path) -> None:
    theirs = open_folder / "postgres"
    theirs.mkdir()
    os.chown(theirs, 1, 1)
    found = locate(theirs)

    assert found.root.parent == no_system_folder
    assert "belongs to user" in found.note


@pytest.mark.parametrize("spoil", [Path.touch, lambda path: path.symlink_to("/tmp")], ids=["file", "link"])
def test_what_is_not_a_folder_of_ours_is_not_used_for_the_socket(
    open_folder: Path, no_system_folder: Path, spoil: Callable[[Path], None]
) -> None:
    root = open_folder / ("d" * 100)
    squatted = locate(root).socket_dir
    squatted.rmdir()
    spoil(squatted)
    try:
        reason = locate(root).note
    except PostgresLocationError as error:
        reason = str(error)
    squatted.unlink()

    assert re.search(f"{squatted} is not a folder|File exists: '{squatted}'", reason)


def test_a_folder_with_other_things_in_it_is_not_taken_over(open_folder: Path, no_system_folder: Path) -> None:
    (open_folder / "thesis.txt").touch()
    before = open_folder.stat()
    found = locate(open_folder)
    shutil.rmtree(found.root)

    assert "thesis.txt" in found.note
    assert (open_folder.stat().st_uid, open_folder.stat().st_mode) == (before.st_uid, before.st_mode)


@pytest.mark.postgres
def test_programs_of_another_version_than_the_data_are_refused(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BIN_DIR", str(find_binaries(data_major=None)))
    server = EmbeddedPostgres(open_folder / "postgres")
    server.location.data_dir.mkdir()
    (server.location.data_dir / "PG_VERSION").write_text("9\n")

    with pytest.raises(EmbeddedPostgresError, match="made by Postgres 9, the programs found are"):
        server.start()
