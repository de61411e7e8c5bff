"""A Postgres of the project's own: started by whoever needs it first, left running until it is stopped.

    python -m sql.embedded_postgres start|stop|status|url

It listens on a Unix socket in a private folder and on nothing else, so a second machine needs DATABASE_URL. Whether
it runs is only ever decided by a handshake, never by a pid. There is no count of users: no process stops it by ending.
Environment: PG_BIN_DIR names other Postgres programs (15 or newer), LOWCAP_POSTGRES_ROOT another folder.
"""

import argparse
import contextlib
import fcntl
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psycopg

from sql import postgres_binaries, postgres_location, postmaster

DATABASE = "lowcap"
SUPERUSER = "postgres"
PORT = 5432
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",  # compiling costs more than it saves on queries of milliseconds
    "log_checkpoints": "off",  # on by default since 15: a line every five minutes, for ever
}
OWN_CONF = "lowcap.conf"
LARGEST_LOG_BYTES = 10_000_000
POLL_S = 0.1
REFUSALS_BEFORE_GIVING_UP = 20
FAILED, NOT_RUNNING = 1, 3
"""Exit codes of the command line, the same as pg_ctl's."""

logger = logging.getLogger(__name__)


class EmbeddedPostgresError(RuntimeError):
    """The embedded server could not be started or stopped."""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What is known of an embedded server."""

    is_ready: bool
    root: Path
    note: str
    url: str
    log_file: Path


def default_root() -> Path:
    """Folder of the project's embedded server: LOWCAP_POSTGRES_ROOT, else `.lowcap/postgres` in the project.

    The project is the checkout this file lies in; for an installed package, the nearest folder at or above the
    working directory that holds a pyproject.toml, else the working directory.
    """
    if named := os.environ.get("LOWCAP_POSTGRES_ROOT", "").strip():
        return Path(named)
    cwd = Path.cwd()
    candidates = [Path(__file__).resolve().parents[1], cwd, *cwd.parents]
    project = next((folder for folder in candidates if (folder / "pyproject.toml").is_file()), cwd)
    return project / ".lowcap" / "postgres"


class EmbeddedPostgres:
    """Supervisor of one embedded server; any number of them, in any number of processes, may serve the same root.

    Parameters
    ----------
    root : Path
        Folder of its own for data, socket and log. Another is taken, and named by `status().note`, where the OS user
        who runs the server cannot use this one.
    """

    def __init__(self, root: Path) -> None:
        self._wanted_root = root

    @cached_property
    def location(self) -> postgres_location.PostgresLocation:
        """The folders in use and the server's OS user."""
        try:
            return postgres_location.locate(self._wanted_root)
        except postgres_location.PostgresLocationError as error:
            raise EmbeddedPostgresError(str(error)) from error

    def url(self, *, user: str = SUPERUSER, database: str = DATABASE) -> str:
        """Libpq URI of a database, whether the server runs or not. The socket folder is the only credential."""
        socket_dir = quote(str(self.location.socket_dir), safe="/")
        return f"postgresql://{quote(user)}@/{quote(database)}?host={socket_dir}&port={PORT}"

    def is_ready(self) -> bool:
        """Whether a server answers a handshake and takes connections."""
        if not (self.location.socket_dir / f".s.PGSQL.{PORT}").exists():
            return False
        handshake = ["-q", "-h", str(self.location.socket_dir), "-p", str(PORT), "-U", SUPERUSER, "-d", "postgres"]
        return subprocess.run([self.bin_dir / "pg_isready", *handshake], env=_ENVIRONMENT).returncode == 0

    def status(self) -> ServerStatus:
        """Describe the server; starts nothing."""
        place = self.location
        return ServerStatus(self.is_ready(), place.root, place.note, self.url(), place.log_file)

    def start(self, timeout_s: float = 60.0) -> str:
        """Make sure the server runs and its database exists.

        Concurrent callers are safe: one starts, the others wait and find it running. A server that was killed
        recovers here; lock files of dead servers are cleared, whatever process their pid now belongs to.

        Returns
        -------
        str
            Libpq URI of the database `lowcap`, as superuser.

        Raises
        ------
        EmbeddedPostgresError
            If it does not answer within `timeout_s` seconds; the message ends with the server's log.
        """
        with contextlib.suppress(psycopg.OperationalError):  # the connection is the handshake; no program is started
            if self._has_database():
                return self.url()
        deadline = time.monotonic() + timeout_s
        with self._exclusively(deadline):
            if not self.is_ready():
                self._initialise()
                self._launch(deadline)
            if not self._has_database():
                self._create_database()
        return self.url()

    def stop(self, timeout_s: float = 60.0) -> bool:
        """Stop the server, disconnecting its clients; open transactions roll back.

        Returns
        -------
        bool
            False when it was not running. A stranger's process whose pid is in a stale lock file gets no signal.
        """
        place = self.location
        with self._exclusively(time.monotonic() + timeout_s):
            held = postmaster.holders(place.data_dir, server_uid=place.server_uid)
            if postmaster.recorded_pid(place.data_dir) not in held and not self.is_ready():
                return False
            wait = ["-w", "-t", str(max(1, round(timeout_s)))]
            stopped = self._run("pg_ctl", "-D", str(place.data_dir), "-m", "fast", *wait, "stop")
            if stopped.returncode != 0:
                raise EmbeddedPostgresError(f"Postgres in {place.root} did not stop: {stopped.stdout.strip()}")
        return True

    @cached_property
    def bin_dir(self) -> Path:
        """The programs that fit the data folder, in a place where the server's user can run them."""
        override = os.environ.get("PG_BIN_DIR", "").strip()
        version_file = self.location.data_dir / "PG_VERSION"
        data_major = int(version_file.read_text()) if version_file.exists() else None
        try:
            found = postgres_binaries.find_binaries(
                data_major=data_major, override=Path(override) if override else None
            )
        except postgres_binaries.PostgresBinariesError as error:
            raise EmbeddedPostgresError(str(error)) from error
        if override or self.location.lets_server_user_enter(found):
            return found
        made = (found / "postgres").stat()
        copies = postgres_location.SYSTEM_STATE_DIR / "programs"
        return postgres_binaries.copy_binaries(found, copies / f"{made.st_size:x}-{int(made.st_mtime):x}")

    def _run(self, tool: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a Postgres program as the server's user, in a session of its own so that no Ctrl-C reaches it."""
        return subprocess.run(
            [self.bin_dir / tool, *arguments],
            cwd="/",
            env=_ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **self.location.as_server_user(),
        )

    @contextlib.contextmanager
    def _exclusively(self, deadline: float) -> Iterator[None]:
        """Hold this root's lock; the kernel frees it when its holder dies."""
        with self.location.lock_file.open("a") as lock:
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        message = f"Another process has been starting or stopping Postgres in {self.location.root}"
                        raise EmbeddedPostgresError(f"{message} for the whole time allowed") from None
                    time.sleep(POLL_S)
            yield

    def _initialise(self) -> None:
        """Make the data folder, all or nothing: a folder named `data` is complete."""
        place = self.location
        if place.data_dir.exists():
            return
        if place.note:
            logger.warning("%s", place.note)
        partial = place.data_dir.with_name("data.partial")
        shutil.rmtree(partial, ignore_errors=True)
        locale = ["--encoding=UTF8", "--locale=C.UTF-8"]
        made = self._run("initdb", "-D", str(partial), "--auth=trust", "-U", SUPERUSER, *locale)
        if made.returncode != 0:
            raise EmbeddedPostgresError(f"Postgres cannot make a data folder in {place.root}:\n{_tail(made.stdout)}")
        with (partial / "postgresql.conf").open("a") as conf:
            conf.write(f"\ninclude '{OWN_CONF}'\n")
        partial.rename(place.data_dir)

    def _write_settings(self) -> None:
        """Renew our settings: the socket folder changes when the project moves."""
        socket_dir = '"' + str(self.location.socket_dir).replace('"', '""') + '"'
        settings = SETTINGS | {"unix_socket_directories": socket_dir, "port": str(PORT)}
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
        partial = self.location.data_dir / f"{OWN_CONF}.partial"
        partial.write_text("".join(lines))
        partial.chmod(0o644)
        partial.rename(self.location.data_dir / OWN_CONF)

    def _launch(self, deadline: float) -> None:
        place = self.location
        self._write_settings()
        if place.log_file.exists() and place.log_file.stat().st_size > LARGEST_LOG_BYTES:
            place.log_file.rename(place.log_file.with_name("server.log.1"))
        refusals = 0
        while not self.is_ready():
            seconds_left = deadline - time.monotonic()
            if seconds_left <= 0 or refusals >= REFUSALS_BEFORE_GIVING_UP:
                raise EmbeddedPostgresError(self._why_not_started())
            if postmaster.clear_stale_lock_files(place.data_dir, place.socket_dir, server_uid=place.server_uid):
                wait = ["-w", "-t", str(max(1, round(seconds_left)))]
                started = self._run("pg_ctl", "-D", str(place.data_dir), "-l", str(place.log_file), *wait, "start")
                refusals += started.returncode != 0
            time.sleep(POLL_S)  # recovering, still ending, or a zombie that keeps its pid

    def _why_not_started(self) -> str:
        place = self.location
        held = postmaster.holders(place.data_dir, server_uid=place.server_uid)
        held_by = f" (its data folder is in use by process {', '.join(map(str, held))})" if held else ""
        log = _tail(place.log_file.read_text(errors="replace")) if place.log_file.exists() else "(no log)"
        return f"Postgres in {place.root} did not start{held_by}; {place.log_file} ends:\n{log}"

    def _has_database(self) -> bool:
        with psycopg.connect(self.url(database="postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE])
            return found.fetchone() is not None

    def _create_database(self) -> None:
        with psycopg.connect(self.url(database="postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}")


_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
"""Of every Postgres program: the caller's PGPORT, PGDATA or locale change nothing."""


def _tail(text: str, lines: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sql.embedded_postgres", description=__doc__)
    parser.add_argument("command", choices=["start", "stop", "status", "url"])
    parser.add_argument("--root", type=Path, default=None, help="folder of the server (default: of the project)")
    given = parser.parse_args(arguments)
    server = EmbeddedPostgres(given.root or default_root())
    try:
        if given.command == "status":
            return _print_status(server.status())
        if given.command == "stop":
            said = "stopped" if server.stop() else "was not running"
        else:
            said = server.start() if given.command == "start" else server.url()
    except EmbeddedPostgresError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    sys.stdout.write(f"{said}\n")
    return 0


def _print_status(status: ServerStatus) -> int:
    state = "running" if status.is_ready else "not running"
    sys.stdout.write(f"{state}\nfolder {status.root}\nlog {status.log_file}\nurl {status.url}\n")
    if status.note:
        sys.stdout.write(f"note {status.note}\n")
    return 0 if status.is_ready else NOT_RUNNING


if __name__ == "__main__":
    raise SystemExit(main())
