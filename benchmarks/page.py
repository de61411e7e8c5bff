"""Benchmark H: how long each page takes, from the request to its last byte, over a real Postgres.

`python -m benchmarks.page [--small] [--here]`. The server is one of its own with the small world of the pages' tests;
with `--here` it is the database the environment names, which is only read. Pages are found as a reader finds them: by
the links of others, one of each kind. They take turns, so that a busy machine slows all of them; the first turn, which
reads templates, is told apart. It reports and does not judge: exit code 0.
"""

import argparse
import gc
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape

from starlette.testclient import TestClient

from benchmarks.window_bars import scratch_server
from console.pages.app import Door, build_app
from tests.console.pages.page_world import AS_OF_TEXT, make_page_world

ORIGIN = "http://127.0.0.1:3010"
ROUNDS, ROUNDS_SMALL = 30, 8
WANTED_MS = 100.0
MOST_LOOKED_AT = 400
"""Addresses followed at most in search of kinds of pages."""

_LINK = re.compile(r'<a [^>]*?href="(/[^"#]*)')
_NAMES_IN_PATH = re.compile(r"/(why/[a-z]+|api/[a-z]+|quality/[a-z-]+|[a-z]+)?(/?)")


@dataclass
class Visits:
    """What the requests of a page took, milliseconds of the clock and of this process; and its length, bytes."""

    address: str
    first_ms: float = 0.0
    ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    size: int = 0


def main() -> None:
    """Find the pages, time them, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help=f"{ROUNDS_SMALL} rounds instead of {ROUNDS}")
    parser.add_argument("--here", action="store_true", help="the database the environment names, as it is")
    asked = parser.parse_args()
    with world(is_here=asked.here) as starts:
        browser = TestClient(build_app(Door()), base_url=ORIGIN, follow_redirects=False)
        report(measure(browser, find_pages(browser, starts), ROUNDS_SMALL if asked.small else ROUNDS))


@contextmanager
def world(*, is_here: bool) -> Iterator[Sequence[str]]:
    """Let the pages have a database; gives addresses to begin at."""
    if is_here:
        yield ("/",)
        return
    with scratch_server():
        make_page_world()
        yield ("/", f"/regime?as_of={AS_OF_TEXT}", f"/quality?as_of={AS_OF_TEXT}")


def find_pages(browser: TestClient, starts: Sequence[str]) -> list[str]:
    """Addresses reached by links, the first of each kind, that lead to a page or to facts."""
    found: dict[str, str] = {}
    seen, waiting = set(starts), list(starts)
    while waiting and len(seen) < MOST_LOOKED_AT:
        address = waiting.pop(0)
        if kind_of(address) in found and address not in starts:
            continue
        answer = browser.get(address)
        if answer.status_code != 200:
            continue
        found[kind_of(address)] = address
        if answer.headers["content-type"].startswith("text/html"):
            links = [unescape(link) for link in _LINK.findall(answer.text)]
            fresh = [link for link in dict.fromkeys(links) if link not in seen]
            seen |= set(fresh)
            waiting += fresh
    return [found[kind] for kind in sorted(found)]


def kind_of(address: str) -> str:
    """Return what all addresses of a page have in common.

    >>> kind_of("/override/7?as_of=x"), kind_of("/why/trade/ab"), kind_of("/sets"), kind_of("/api/ae?as_of=x")
    ('/override/', '/why/trade/', '/sets', '/api/ae')
    """
    path, _, query = address.partition("?")
    found = _NAMES_IN_PATH.match(path)
    return (found[0] if found else path) + (" down" if "down=1" in query else "")


def measure(browser: TestClient, addresses: Sequence[str], rounds: int) -> Mapping[str, Visits]:
    """Visit every page once, then in turns."""
    visits = {address: Visits(address) for address in addresses}
    for visit in visits.values():
        visit.first_ms, _, visit.size = _visit(browser, visit.address)
    gc.collect()
    for _ in range(rounds):
        for visit in visits.values():
            ms, cpu_ms, _ = _visit(browser, visit.address)
            visit.ms.append(ms)
            visit.cpu_ms.append(cpu_ms)
    return visits


def _visit(browser: TestClient, address: str) -> tuple[float, float, int]:
    started, used = time.perf_counter(), time.process_time()
    answer = browser.get(address)
    return 1e3 * (time.perf_counter() - started), 1e3 * (time.process_time() - used), len(answer.content)


def report(visits: Mapping[str, Visits]) -> None:
    """Print the times, the slowest page first."""
    rounds = len(next(iter(visits.values())).ms)
    print(f"H. {len(visits)} pages, {rounds} visits each, one after the other; wanted: below {WANTED_MS:.0f} ms")
    print(f"{'p50 ms':>9}{'min ms':>9}{'max ms':>9}{'cpu ms':>9}{'first':>9}{'a second':>10}{'kB':>8}  page")
    for visit in sorted(visits.values(), key=lambda each: -statistics.median(each.ms)):
        middle = statistics.median(visit.ms)
        mark = "  slower than wanted" if middle > WANTED_MS else ""
        numbers = (middle, min(visit.ms), max(visit.ms), statistics.median(visit.cpu_ms), visit.first_ms)
        times = "".join(f"{number:9.1f}" for number in numbers)
        print(f"{times}{1e3 / middle:10.0f}{visit.size / 1e3:8.1f}  {visit.address[:70]}{mark}")


if __name__ == "__main__":
    main()
