"""Background processes: real children, real signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from console.service import Service

PARENT_AND_CHILD = ["/bin/sh", "-c", "sleep 300 & echo $!; wait"]
STUBBORN = ["/bin/sh", "-c", "trap '' TERM; sleep 300 & echo $!; wait; wait"]
WHAT_SIGINT_DOES = [sys.executable, "-c", "import signal; print(signal.getsignal(signal.SIGINT), flush=True)"]


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not fact():
        assert time.monotonic() < deadline, "it did not come true in 10 s"
        time.sleep(0.02)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    made = Service("sleeper", tmp_path / "run")
    yield made
    made.stop(patience_s=0)


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is no service."""
    with subprocess.Popen(["/bin/sleep", "300"]) as process:
        yield process
        process.kill()


def start(service: Service, command: list[str]) -> int:
    return service.start(command, cwd=Path("/"), environment=os.environ)


def said(service: Service) -> str:
    """First line the service prints."""
    wait_until(lambda: "\n" in service.log_file.read_text(encoding="utf-8"))
    return service.log_file.read_text(encoding="utf-8").splitlines()[0]


def record_pid(service: Service, pid: int) -> None:
    """Leave the pid file of a service that ran earlier under a pid."""
    service.folder.mkdir(parents=True)
    record = {"pid": pid, "began": "1", "mark": "sleeper-of-long-ago", "command": ["/bin/sleep"]}
    (service.folder / "sleeper.json").write_text(json.dumps(record), encoding="utf-8")


def test_stopping_ends_the_process_and_its_children(service):
    pid = start(service, PARENT_AND_CHILD)
    child = int(said(service))

    assert service.pid() == pid
    assert service.running_command() == PARENT_AND_CHILD
    assert service.stop()
    wait_until(lambda: not is_running(pid) and not is_running(child))  # the kernel takes a moment over an ended one
    assert service.pid() is None


def test_what_ignores_the_request_to_end_is_killed(service):
    pid = start(service, STUBBORN)
    child = int(said(service))

    assert service.stop(patience_s=0.3)
    wait_until(lambda: not is_running(pid) and not is_running(child))


def test_starting_twice_gives_the_same_process(service):
    assert start(service, PARENT_AND_CHILD) == start(service, PARENT_AND_CHILD)


def test_children_of_a_killed_process_are_ended_when_it_is_stopped(service):
    pid = start(service, PARENT_AND_CHILD)
    child = int(said(service))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: service.pid() is None)

    assert is_running(child)
    assert service.stop()
    assert not is_running(child)


def test_children_of_a_killed_process_are_ended_before_the_next_starts(service):
    pid = start(service, PARENT_AND_CHILD)
    child = int(said(service))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: service.pid() is None)

    assert start(service, PARENT_AND_CHILD) != pid
    assert not is_running(child)


def test_a_pid_that_another_process_was_given_since_is_not_signalled(service, stranger):
    record_pid(service, stranger.pid)

    assert service.pid() is None
    assert not service.stop()
    assert is_running(stranger.pid)


def test_a_pid_file_of_a_process_that_is_gone_counts_as_not_running(service, stranger):
    stranger.kill()
    stranger.wait()
    record_pid(service, stranger.pid)

    assert service.pid() is None
    assert service.running_command() is None
    assert not service.stop()


def test_what_never_started_does_not_run(service):
    assert service.pid() is None
    assert not service.stop()


def test_a_service_started_by_a_background_job_still_hears_sigint(service):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        start(service, WHAT_SIGINT_DOES)

        assert "default_int_handler" in said(service)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
