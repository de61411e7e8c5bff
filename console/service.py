"""Background processes of the product: start one, ask whether it runs, end it with all its children.

A service is known by its pid and by when that process began, so that a pid another process was given since is never
signalled. Each runs in a session of its own: ending it ends its children, and a Ctrl-C in the terminal does not.
"""

import json
import os
import signal
import subprocess
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STAT_START_TIME = 19
"""Place of the start time among the fields of /proc/<pid>/stat that follow the command's name."""


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
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        pid = process.pid
        record = {"pid": pid, "began": _began(pid), "command": list(command)}
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

    def _running(self) -> dict[str, Any] | None:
        if not self._pid_file.exists():
            return None
        record: dict[str, Any] = json.loads(self._pid_file.read_text(encoding="utf-8"))
        began = _began(record["pid"])
        return record if began is not None and began == record["began"] else None

    def stop(self, *, patience_s: float = 20.0) -> bool:
        """End the process and its children; returns whether it ran."""
        pid = self.pid()
        if pid is not None:
            _signal_group(pid, signal.SIGTERM)
            deadline = time.monotonic() + patience_s
            while self.pid() is not None and time.monotonic() < deadline:
                time.sleep(0.1)
            _signal_group(pid, signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)
        return pid is not None


def _signal_group(leader: int, sent: signal.Signals) -> None:
    try:
        os.killpg(leader, sent)
    except ProcessLookupError:
        return


def _began(pid: int) -> str | None:
    """Start time of a process in clock ticks since boot; None when it is gone or only waits to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in ("Z", "X") else fields[_STAT_START_TIME]
