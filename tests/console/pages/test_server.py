"""The process that listens: it refuses to be open to others without a token, and no client holds it up."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from console.pages import guard, server
from console.pages.bearer_token import read_bearer_token
from console.session import RefusedError
from tests.console.pages.page_server import serving
from tests.console.pages.page_world import TOKEN

PROJECT = Path(__file__).resolve().parents[3]
ASKED = b"GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n"


def answer(port: int, *parts: bytes, pause_s: float = 0.0) -> tuple[bytes, float]:
    """What comes back for bytes sent one after the other, until the server ends the connection, and when that was."""
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        received = b""
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause_s)
            while chunk := connection.recv(65536):
                received += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
    return received, time.monotonic() - begun


def test_a_connection_is_one_request():
    with serving() as port:
        received, _ = answer(port, ASKED + ASKED)

    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.count(b"HTTP/1.1") == 1
    assert b"connection: close" in received.lower()
    assert b"server:" not in received.lower()


@pytest.mark.parametrize("parts", [[b"GET /"], [b"GET / HTTP/1.1\r\n"], [*(b"x" for _ in range(20))], []])
def test_who_sends_slowly_is_cut_off(monkeypatch, parts):
    monkeypatch.setattr(server, "CONNECTION_S", 0.4)
    with serving() as port:
        received, took_s = answer(port, *parts, pause_s=0.1)
        again, _ = answer(port, ASKED)

    assert took_s < 4
    assert received == b"" or received.startswith(b"HTTP/1.1 4")
    assert again.startswith(b"HTTP/1.1 200")


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(guard, "BODY_PATIENCE_S", 0.2)
    head = b"POST /switch/halt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\na=1"
    with serving() as port:
        received, took_s = answer(port, head)

    assert received.startswith(b"HTTP/1.1 408")
    assert took_s < 4


def test_headers_without_end_are_refused():
    with serving() as port:
        received, _ = answer(port, b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000)

    assert received == b"" or received.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "target", [b"/../../etc/passwd", b"/style.css/../../../etc/passwd", b"http://evil.example/", b"/%00", b"//x"]
)
def test_a_raw_target_leads_to_no_file(target):
    with serving() as port:
        received, _ = answer(port, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert received.split(b" ", 2)[1] in (b"404", b"400")
    assert b"root:" not in received


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 3\r\nContent-Length: 40",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked, identity",
        b"Content-Length: 3\r\n Folded: 1",
        b"Content-Length : 3",
        b"Host: evil.example",
    ],
)
def test_a_request_that_two_readers_would_read_differently_is_one_at_most(headers):
    hidden = b"0\r\n\r\nGET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with serving() as port:
        received, _ = answer(
            port, b"POST /switch/halt HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n\r\n" + hidden
        )

    assert received.count(b"HTTP/1.1") == 1
    assert received.split(b" ", 2)[1] in (b"400", b"403", b"413", b"501")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_a_public_address_needs_a_token_file(lowcap, host):
    refused = lowcap("serve", "--host", host, "--port", "0")

    assert refused.exit_code == 2
    assert "--token-file" in refused.stderr


@pytest.mark.postgres
def test_a_taken_port_is_told(lowcap, database):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = lowcap("serve", "--port", str(taken.getsockname()[1]))

    assert refused.exit_code == 2
    assert "name another: --port" in refused.stderr


@pytest.mark.postgres
def test_a_database_without_tables_is_told_before_anything_listens(lowcap, empty_database):
    refused = lowcap("serve", "--port", "0")

    assert refused.exit_code == 1
    assert "python -m sql.migrate" in refused.stderr


@pytest.mark.postgres
def test_the_command_serves_until_it_is_told_to_end(database):
    command = [sys.executable, "-m", "console.cli", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=PROJECT, env=os.environ | {"PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE
    ) as process:
        try:
            line = process.stdout.readline().decode()
            with urllib.request.urlopen(line.split()[1], timeout=10) as page:
                text = page.read().decode()
        finally:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=10)

    assert "<h1>Overview</h1>" in text


def token_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_token_is_the_one_line_of_its_file(tmp_path):
    assert read_bearer_token(token_file(tmp_path, f"{TOKEN}\n")) == TOKEN


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (TOKEN, 0o640, "chmod 600"),
        (TOKEN, 0o604, "chmod 600"),
        ("short", 0o600, "32 to 512"),
        ("", 0o600, "32 to 512"),
        (TOKEN + "\n" + TOKEN, 0o600, "one line"),
        (f"{TOKEN} {TOKEN}", 0o600, "one line"),
        ("x" * 600, 0o600, "32 to 512"),
        ("ü" * 40, 0o600, "cannot be read"),
    ],
)
def test_a_token_file_that_is_not_in_order_is_refused(tmp_path, text, mode, said):
    with pytest.raises(RefusedError, match=said):
        read_bearer_token(token_file(tmp_path, text, mode))


def test_a_token_file_that_is_none_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(RefusedError, match="token file"):
            read_bearer_token(path)
