"""Which live process, if any, holds a data folder; and the lock files a dead one left behind.

A pid proves nothing: after a crash it may be a zombie's, after a restart of the machine or container it belongs to
anybody. Postgres refuses to start while the pid in its lock file is alive under its own user, so a stale file has to
go first, and only when it is certain that nobody holds the folder.
"""

import contextlib
from pathlib import Path

PROC = Path("/proc")
SERVER_NAMES = frozenset({"postgres", "postmaster"})
PID_FILE = "postmaster.pid"
SOCKET_LOCK_FILE = ".s.PGSQL.5432.lock"


def recorded_pid(data_dir: Path) -> int | None:
    """Process id a server wrote into its data folder; None where there is no file or no number.

    A standalone backend writes its pid as a negative number.
    """
    try:
        return abs(int((data_dir / PID_FILE).read_text(errors="replace").partition("\n")[0]))
    except (FileNotFoundError, ValueError):
        return None


def holders(data_dir: Path, *, server_uid: int) -> list[int]:
    """Pids of live processes that may be serving `data_dir`; without /proc, none can be told.

    Every Postgres process works inside its data folder, backends that outlived their postmaster included.
    """
    if not (PROC / "self").exists():
        return []
    pids = [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]
    real_dir = data_dir.resolve()
    return [pid for pid in pids if _may_hold(pid, real_dir, server_uid)]


def clear_stale_lock_files(data_dir: Path, socket_dir: Path, *, server_uid: int) -> bool:
    """Remove the lock files of a server that is certainly gone.

    Returns
    -------
    bool
        True when a start may be tried; False while a live process may hold the folder. Where there is no /proc
        nothing can be told: nothing is removed, and Postgres decides by its own rules.
    """
    if holders(data_dir, server_uid=server_uid):
        return False
    if (PROC / "self").exists():
        for lock_file in (data_dir / PID_FILE, socket_dir / SOCKET_LOCK_FILE):
            lock_file.unlink(missing_ok=True)
    return True


def _may_hold(pid: int, data_dir: Path, server_uid: int) -> bool:
    """Whether a process is a live Postgres of the server's user, and works in `data_dir` as far as can be seen."""
    process = PROC / str(pid)
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if process.stat().st_uid != server_uid or (process / "comm").read_text().strip() not in SERVER_NAMES:
            return False
        if _is_dead(process):
            return False
        try:
            return (process / "cwd").readlink() == data_dir
        except PermissionError:  # root without the right to trace; the same user in another group
            return _stated_data_dir(process) in {data_dir, None}
    return False


def _stated_data_dir(process: Path) -> Path | None:
    """Read from its command line the folder a postmaster, or a backend's, was started with; None if it does not say."""
    parent = PROC / _stat_fields(process)[1]
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        if (parent / "comm").read_text().strip() in SERVER_NAMES:
            process = parent
    arguments = (process / "cmdline").read_text(errors="replace").split("\0")
    return Path(arguments[arguments.index("-D") + 1]).resolve() if "-D" in arguments[:-1] else None


def _is_dead(process: Path) -> bool:
    """Whether it only waits to be reaped: a zombie keeps its pid, but holds nothing."""
    return _stat_fields(process)[0] in {"Z", "X"}


def _stat_fields(process: Path) -> list[str]:
    """State, parent and so on: what follows the name, which may hold anything."""
    return (process / "stat").read_text(errors="replace").rpartition(")")[2].split()
