"""The Dagster UI in a headless Chromium, and Dagster's GraphQL beside it."""

import json
import shutil
import socket
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other machine can be reached
]
POLL_S = 0.5


def find_chromium() -> str | None:
    """Program of an installed Chromium."""
    names = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")
    return next((found for found in map(shutil.which, names) if found), None)


def free_port() -> int:
    """A port of this machine nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass(frozen=True)
class DagsterApi:
    """GraphQL of a running Dagster."""

    url: str

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Data of an answer; raises on an error in it."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        assert "errors" not in answer, answer["errors"]
        data: dict[str, Any] = answer["data"]
        return data

    def wait_for(self, query: str, fact: Callable[[dict[str, Any]], Any], *, timeout_s: float) -> Any:
        """Ask until a fact of the answer is there; returns the fact."""
        deadline = time.monotonic() + timeout_s
        while not (found := fact(data := self.ask(query))):
            assert time.monotonic() < deadline, f"not so after {timeout_s} s: {data}"
            time.sleep(POLL_S)
        return found


@dataclass
class Watch:
    """What went wrong in the pages of a browser.

    Set apart, and no problem: requests still open when a test leaves a page or closes it, which the browser itself
    then aborts. A server that does not answer, or a name that cannot be resolved, has another error than ABORTED.
    """

    problems: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    requests: int = 0

    def over(self, page: "Page") -> None:
        """Look at a page from now on."""
        page.on("request", self._count)
        page.on("requestfailed", self._see_failure)
        page.on("console", lambda told: self._see(told.type == "error", f"console: {told.text}"))
        page.on("pageerror", lambda error: self._see(True, f"uncaught: {error}"))
        page.on("response", lambda answer: self._see(answer.status >= 400, f"{answer.status}: {answer.url}"))

    def _see(self, is_problem: bool, text: str) -> None:
        if is_problem:
            self.problems.append(text)

    def _see_failure(self, request: "Request") -> None:
        seen = self.left if request.failure == "net::ERR_ABORTED" else self.problems
        seen.append(f"{request.failure}: {request.method} {request.url}")

    def _count(self, _: "Request") -> None:
        self.requests += 1
