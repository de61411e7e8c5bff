"""Run a command against a private cluster of Debian's Postgres 15.

    python -m tests.debian_postgres COMMAND...

What the embedded server is not: the oldest version supported, reached by TCP with a password, by a login that may
create databases and roles and is no superuser. TEST_DATABASE_URL names it for the command, whose exit status is
returned. The cluster is gone afterwards, also when the command is interrupted; killed outright, this process takes
the server with it, and the next one removes its folder.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg.sql import SQL, Literal

from tests.server_folder import server_folder

BIN_DIR = Path("/usr/lib/postgresql/15/bin")
FOLDER_PREFIX = "lowcap-debian-postgres-"
SUPERUSER = "postgres"
OWNER = "lowcap_test_owner"
PORTS_TO_TRY = 5
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
NOT_STARTED = 70
"""Exit status when there is no server to run the command against."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "Europe/Berlin",  # not UTC: whoever forgets to ask for it shows
    "fsync": "off",  # it is thrown away
    "jit": "off",
}


def main(command: Sequence[str]) -> int:
    """Start, run, remove; returns the command's exit status, 128 + n when signal n ended it."""
    if not command:
        sys.stderr.write(f"{__doc__}")
        return NOT_STARTED
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    try:
        with cluster() as url:
            return run(command, {**os.environ, "TEST_DATABASE_URL": url})
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_STARTED


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command to its end; interrupted, it is ended first."""
    with subprocess.Popen(command, env=environment) as process:
        try:
            status = process.wait()
        except BaseException:
            process.terminate()
            raise
    return status if status >= 0 else 128 - status


@contextlib.contextmanager
def cluster() -> Iterator[str]:
    """Start a cluster; yields the URL of its database `postgres` for the login that is no superuser."""
    remove_abandoned_folders()
    folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-", dir=server_folder()))
    try:
        shutil.chown(folder, *_server_user())
        password = f"{secrets.token_urlsafe(12)}@:/%"  # what a URL must spell differently
        initialise(folder, password)
        with serve(folder, password) as port:
            yield f"postgresql://{OWNER}:{quote(password, safe='')}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def initialise(folder: Path, password: str) -> None:
    """Make the data folder; everybody needs a password."""
    password_file = folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    shutil.chown(password_file, *_server_user())
    options = ["--auth=scram-sha-256", f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C.UTF-8"]
    made = subprocess.run(
        [*_as_server_user(), BIN_DIR / "initdb", "-D", folder / "data", "-U", SUPERUSER, "--no-sync", *options],
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if made.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{made.stdout}")


@contextlib.contextmanager
def serve(folder: Path, password: str) -> Iterator[int]:
    """Run the server with its login role; yields its port."""
    settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    log_file = folder / "log"
    for _ in range(PORTS_TO_TRY):
        port = free_port()
        with log_file.open("a") as log:
            server = subprocess.Popen(
                [*_as_server_user(), BIN_DIR / "postgres", "-D", folder / "data", "-p", str(port), *settings],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the command
            )
        try:
            if create_owner(server, port, password):
                yield port
                return
        finally:
            stop(server)
    raise RuntimeError(f"Postgres did not start:\n{log_file.read_text()}")


def create_owner(server: "subprocess.Popen[bytes]", port: int, password: str) -> bool:
    """Wait until the server answers and make the login role; False if it ended instead."""
    deadline = time.monotonic() + START_TIMEOUT_S
    statement = SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {}").format(SQL(OWNER), Literal(password))
    address: dict[str, Any] = {"host": "127.0.0.1", "port": port, "user": SUPERUSER, "dbname": "postgres"}
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with psycopg.connect(password=password, **address) as connection:
                connection.execute(statement)
                return True
        except psycopg.OperationalError:
            time.sleep(0.1)
    return False


def stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server, at once if it does not end by itself."""
    server.send_signal(signal.SIGINT)  # Postgres's fast shutdown
    try:
        server.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()


def free_port() -> int:
    """Find a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def remove_abandoned_folders() -> None:
    """Remove what killed processes left behind."""
    for folder in server_folder().glob(f"{FOLDER_PREFIX}*-*"):
        pid = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _server_user() -> tuple[int, int]:
    """User and group of the server's processes: Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return entry.pw_uid, entry.pw_gid


def _as_server_user() -> list[str]:
    """Words before a program that run it as the server's user, and end it when this process dies."""
    words = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() != 0:
        return words
    uid, gid = _server_user()
    return [*words, f"--reuid={uid}", f"--regid={gid}", "--clear-groups"]


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
