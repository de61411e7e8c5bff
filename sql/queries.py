"""Named queries: SQL is text in `queries/*.sql`, the code knows it by name.

A file holds any number of queries, each headed by its name and a line that says what it gives:

    -- name: fetch_latest_score
    -- Newest A and E of each token that is at most %(ttl_minutes)s minutes old.
    SELECT ...
"""

import functools
import re
from pathlib import Path

QUERIES_DIR = Path(__file__).resolve().parent / "queries"
_HEAD = re.compile(r"^-- name:[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def query(name: str) -> str:
    """Text of a named query, without its head.

    Raises
    ------
    KeyError
        If no file holds it.
    ValueError
        If a file of queries is malformed, or a name occurs twice.
    """
    queries = load_queries(QUERIES_DIR)
    if name not in queries:
        raise KeyError(f"No query is named {name!r} in {QUERIES_DIR.name}/*.sql")
    return queries[name]


@functools.cache
def load_queries(folder: Path) -> dict[str, str]:
    """Every query of a folder by name; read once per process.

    Raises
    ------
    ValueError
        If a query has no proper name, no description or no text, a name occurs twice, or text stands before the
        first name.
    """
    queries: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        for name, text in _read_file(path).items():
            if name in queries:
                raise ValueError(f"Query {name!r} occurs twice, again in {path.name}")
            queries[name] = text
    return queries


def _read_file(path: Path) -> dict[str, str]:
    """Return the queries of one file; comments may stand before the first."""
    preamble, *parts = _HEAD.split(path.read_text(encoding="utf-8"))
    if any(line.strip() and not line.startswith("--") for line in preamble.splitlines()):
        raise ValueError(f"{path.name}: text stands before the first '-- name:'")
    queries: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        if not _NAME.fullmatch(name):
            raise ValueError(f"{path.name}: expected a name of lower-case words, was {name!r}")
        if name in queries:
            raise ValueError(f"Query {name!r} occurs twice in {path.name}")
        queries[name] = _without_description(body.strip("\n"), f"{path.name}: query {name!r}")
    return queries


def _without_description(body: str, place: str) -> str:
    description, _, text = body.partition("\n")
    if not description.startswith("-- "):
        raise ValueError(f"{place} has no line of description under its name")
    if not text.strip():
        raise ValueError(f"{place} has no text")
    return text.strip() + "\n"
