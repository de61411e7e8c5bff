"""Background processes of the product: start one, ask whether it runs, end it with all its children.

A service is known by its pid and by when that process began, so that a pid another process was given since is never
signalled; its children by a mark in their environment, also when it was killed and left them behind. Each runs in a
session of its own: a Ctrl-C in the terminal does not end it.
"""

import json
import os
import secrets
import signal
import subprocess
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STAT_START_TIME = 19
"""Place of the start time among the fields of /proc/<pid>/stat that follow the command's name."""
_MARK = "LOWCAP_SERVICE"
"""Environment variable that every process of a service bears."""


class ServiceError(RuntimeError):
    """A service did not start; the message says where its log is."""


@dataclass(frozen=True)
class Service:
    """A named background process; `folder` keeps its pid file and its log."""

    name: str
    folder: Path

    @property
    def log_file(self) -> Path:
        """What the process prints."""
        return self.folder / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.json"

    def start(self, command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> int:
        """Start the process unless it runs; returns its pid."""
        running = self.pid()
        if running is not None:
            return running
        self.stop()
        mark = f"{self.name}-{secrets.token_hex(8)}"
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log, _interruptible():
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env={**environment, _MARK: mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        pid = process.pid
        record = {"pid": pid, "began": _began(pid), "mark": mark, "command": list(command)}
        partial = self._pid_file.with_suffix(".partial")
        partial.write_text(json.dumps(record), encoding="utf-8")
        partial.replace(self._pid_file)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # it is meant to outlive this process
            del process
        return pid

    def pid(self) -> int | None:
        """Pid of the process when it runs."""
        running = self._running()
        return None if running is None else int(running["pid"])

    def running_command(self) -> list[str] | None:
        """Command the process was started by, when it runs."""
        running = self._running()
        return None if running is None else list(running["command"])

    def stop(self, *, patience_s: float = 20.0) -> bool:
        """End the process and its children, also those it left behind when it was killed; returns whether any ran."""
        began = {pid: _began(pid) for pid in self._members()}
        _signal(began, signal.SIGTERM)
        deadline = time.monotonic() + patience_s
        while self._remaining(began) and time.monotonic() < deadline:
            time.sleep(0.05)
        while remaining := self._remaining(began):  # what ignored the request cannot ignore this one
            _signal(remaining, signal.SIGKILL)
            time.sleep(0.05)
        self._pid_file.unlink(missing_ok=True)
        return bool(began)

    def _remaining(self, began: Mapping[int, str | None]) -> set[int]:
        """Pids still there: a process on its way out has lost its environment before it is gone."""
        return {pid for pid, then in began.items() if then is not None and _began(pid) == then} | set(self._members())

    def _running(self) -> dict[str, Any] | None:
        record = self._record()
        if record is None:
            return None
        began = _began(record["pid"])
        return record if began is not None and began == record["began"] else None

    def _members(self) -> list[int]:
        """Pids of the process and of all it started, in whatever session they are."""
        record = self._record()
        if record is None:
            return []
        marked = f"{_MARK}={record.get('mark')}".encode()
        leader = self.pid()
        pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
        return [pid for pid in pids if pid == leader or marked in _environment(pid)]

    def _record(self) -> dict[str, Any] | None:
        if not self._pid_file.exists():
            return None
        record: dict[str, Any] = json.loads(self._pid_file.read_text(encoding="utf-8"))
        return record


@contextmanager
def _interruptible() -> Iterator[None]:
    """Start children with SIGINT in force.

    A background job of a shell ignores it, its children inherit that, and Dagster treats SIGTERM as it does SIGINT: it
    would have to be killed.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _signal(pids: Iterable[int], sent: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, sent)


def _began(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot; None when it is gone or only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields[_STAT_START_TIME]


def _environment(pid: int) -> list[bytes]:
    """Environment a process began with; empty when it is gone or another user's."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []
