"""An HTTP service on 127.0.0.1 that answers what a test tells it to, well or badly, and a time that only tests move."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from resources.http_client import CallLimits, HttpClient
from resources.rate_limit import RateLimit, Stopwatch

QUICK = CallLimits(connect_timeout_s=0.5, attempt_timeout_s=0.5)


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """One answer; `manner` is how it is sent."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    manner: Literal["whole", "cut", "drip", "drip_headers", "reset"] = "whole"

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class LoopbackApi(ThreadingHTTPServer):
    """Answers by a function of the request, and keeps the requests."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Asked], Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[Asked] = []
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackApi

    def do_GET(self) -> None:
        self._reply()

    def do_POST(self) -> None:
        self._reply()

    def log_message(self, format: str, *args: Any) -> None:
        """Not a word on the terminal."""

    def _reply(self) -> None:
        parts = urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked = Asked(self.command, parts.path, query, json.loads(sent) if sent else None, dict(self.headers))
        self.server.asked.append(asked)
        reply = self.server.answer(asked)
        if reply.manner == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        if reply.manner == "drip_headers":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000)
            return
        self.send_response_only(reply.status)
        for name, value in {"Content-Length": str(len(reply.content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if reply.manner == "drip":
            self._drip(reply.content)
        else:
            self.wfile.write(reply.content[: len(reply.content) // 2] if reply.manner == "cut" else reply.content)

    def _drip(self, content: bytes) -> None:
        """A byte at a time, each well within any timeout of a single read."""
        for position in range(len(content)):
            if self.server.stopping.wait(0.02):
                return
            self.wfile.write(content[position : position + 1])


@contextmanager
def serving(answer: Callable[[Asked], Reply]) -> Iterator[LoopbackApi]:
    """A service while the block runs."""
    api = LoopbackApi(answer)
    thread = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.stopping.set()
        api.shutdown()
        api.server_close()
        thread.join(timeout=5)


def in_turn(*replies: Reply) -> Callable[[Asked], Reply]:
    """Give the replies one after the other, the last one for ever."""
    waiting = list(replies)
    return lambda asked: waiting.pop(0) if len(waiting) > 1 else waiting[0]


@dataclass
class MovedTime:
    """Seconds that pass only by sleeping, and the sleeps."""

    at: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds

    @property
    def stopwatch(self) -> Stopwatch:
        return Stopwatch(monotonic=lambda: self.at, sleep=self.sleep, uniform=lambda low, high: (low + high) / 2)


def client_of(api: LoopbackApi, time: MovedTime | None = None, *, per_minute: int = 10_000) -> HttpClient:
    """A client of a service, in moved time."""
    return HttpClient(api.url, RateLimit(per_minute, (time or MovedTime()).stopwatch), limits=QUICK)
