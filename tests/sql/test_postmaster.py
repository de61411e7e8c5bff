"""Who holds a data folder, judged by live processes."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sql.postmaster import holders, recorded_pid

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are told apart by /proc")


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process called postgres that works in `data`, and is none."""
    (tmp_path / "data").mkdir()
    program = tmp_path / "postgres"
    program.symlink_to("/bin/sleep")
    process = subprocess.Popen([program, "60"], cwd=tmp_path / "data")
    while Path(f"/proc/{process.pid}/comm").read_text() != "postgres\n":  # a moment after it began
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()


def test_a_live_postgres_in_the_folder_holds_it(tmp_path: Path, impostor: "subprocess.Popen[bytes]") -> None:
    assert holders(tmp_path / "data", server_uid=os.geteuid()) == [impostor.pid]


def test_another_folder_or_user_is_not_held(tmp_path: Path, impostor: "subprocess.Popen[bytes]") -> None:
    assert impostor.poll() is None
    assert holders(tmp_path, server_uid=os.geteuid()) == []
    assert holders(tmp_path / "data", server_uid=os.geteuid() + 1) == []


def test_a_zombie_holds_nothing(tmp_path: Path, impostor: "subprocess.Popen[bytes]") -> None:
    impostor.kill()
    while "State:\tZ" not in Path(f"/proc/{impostor.pid}/status").read_text():
        time.sleep(0.01)

    assert holders(tmp_path / "data", server_uid=os.geteuid()) == []


def test_a_shell_in_the_folder_does_not_hold_it(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as bystander:
        held = holders(tmp_path, server_uid=os.geteuid())
        bystander.kill()

    assert held == []


@pytest.mark.parametrize(("text", "pid"), [("123\n/data\n", 123), ("-77\n", 77), ("", None), ("torn", None)])
def test_the_recorded_pid_is_the_first_line(tmp_path: Path, text: str, pid: int | None) -> None:
    (tmp_path / "postmaster.pid").write_text(text)

    assert recorded_pid(tmp_path) == pid
