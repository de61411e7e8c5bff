"""The documentation speaks of what exists: pages made from the code, links, commands, modules, variables, tables."""

import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer.main

from console.cli import app
from docs.reference.generate import FOLDER, PAGES
from sql.database_role import ROLE_LIMITS

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
SOURCES = ("console", "domain", "learning_assets", "pm_runtime", "regime_assets", "resources", "sql")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^(?: {4}|\t).*\n?)+", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PLACEHOLDER = re.compile(r"[<>*{}$]|NNNN|(?:\b|_)x\.py")


def code_of(document: Path) -> list[str]:
    """Code spans of a page, and the lines of its code blocks."""
    text = document.read_text(encoding="utf-8")
    blocks = [*FENCE.findall(text), *INDENTED.findall(text)]
    return [*SPAN.findall(FENCE.sub("", text)), *(line for block in blocks for line in block.splitlines())]


def anchors_of(document: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def lost_links(document: Path) -> Iterator[str]:
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        if not found.exists() or (anchor and anchor not in anchors_of(found)):
            yield target


def unknown_make_targets(document: Path) -> Iterator[str]:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for code in code_of(document):
        yield from (name for name in re.findall(r"(?<![\w-])make ([a-z][a-z-]*)", code) if name not in targets)


def commands(group: click.Command, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in getattr(group, "commands", {}).items():
        yield (*before, name)
        yield from commands(command, (*before, name))


def unknown_lowcap_commands(document: Path) -> Iterator[str]:
    known = set(commands(typer.main.get_command(app)))
    groups = {command[0] for command in known if len(command) > 1}
    for code in code_of(document):
        for words in re.findall(r"(?:^|[\s/|(])lowcap((?: [a-z]+)+)", code):
            named = tuple(words.split()[:2])
            if (named if named[0] in groups else named[:1]) not in known:
                yield words.strip()


def unknown_modules(document: Path) -> Iterator[str]:
    for code in code_of(document):
        for module in re.findall(r"python -m ([a-z_][\w.]*\w)", code):
            if importlib.util.find_spec(module.partition(".")[0]) is None or importlib.util.find_spec(module) is None:
                yield module


def absent_paths(document: Path) -> Iterator[str]:
    rooms = {entry.name for entry in PROJECT.iterdir()} - {".lowcap", ".venv"}
    for span in SPAN.findall(document.read_text(encoding="utf-8")):
        is_path = "/" in span and " " not in span and span.partition("/")[0] in rooms and not PLACEHOLDER.search(span)
        path, _, test = span.partition("::")
        if is_path and not ((PROJECT / path).exists() and (not test or has_function(PROJECT / path, test))):
            yield span


def has_function(module: Path, name: str) -> bool:
    return re.search(rf"^def {re.escape(name)}\(", module.read_text(encoding="utf-8"), re.MULTILINE) is not None


FINDERS = (lost_links, unknown_make_targets, unknown_lowcap_commands, unknown_modules, absent_paths)


@pytest.mark.parametrize("finder", FINDERS, ids=lambda finder: finder.__name__)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.relative_to(PROJECT).as_posix())
def test_a_page_names_nothing_that_is_not_there(document, finder):
    assert list(finder(document)) == []


@pytest.mark.parametrize(
    ("text", "finder", "found"),
    [
        ("See [there](nowhere.md) and [here](#here).\n# Here\n", lost_links, ["nowhere.md"]),
        ("See [it](#it).\n# Here\n", lost_links, ["#it"]),
        ("Run `make tea`, make sure, `make demo`.", unknown_make_targets, ["tea"]),
        (
            "Then:\n\n    lowcap brew --now\n    lowcap config shout\n",
            unknown_lowcap_commands,
            ["brew", "config shout"],
        ),
        (
            "Run `python -m regime_assets.tea` or `python -m tea.pot`.",
            unknown_modules,
            ["regime_assets.tea", "tea.pot"],
        ),
        ("In `domain/tea.py` and `domain/config/`.", absent_paths, ["domain/tea.py"]),
        (
            "`tests/architecture/test_docs.py::has_function`, `tests/architecture/test_docs.py::test_tea`",
            absent_paths,
            ["tests/architecture/test_docs.py::test_tea"],
        ),
    ],
)
def test_what_is_not_there_is_found(tmp_path, text, finder, found):
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")

    assert list(finder(page)) == found


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_what_the_code_says(page):
    assert (FOLDER / page).read_text(encoding="utf-8") == PAGES[page](), "python -m docs.reference.generate"


def test_every_environment_variable_of_the_code_is_documented_and_no_other():
    code = "\n".join(path.read_text(encoding="utf-8") for room in SOURCES for path in (PROJECT / room).rglob("*.py"))
    read = set(re.findall(r'"((?:LOWCAP_|PG_BIN_DIR|DAGSTER_EVENT|DATABASE_URL)\w*)"', code))
    read |= {f"DATABASE_URL_{role.name}" for role in ROLE_LIMITS}
    page = (FOLDER / "environment.md").read_text(encoding="utf-8")
    of_others = {"DAGSTER_HOME", "NUMBA_CACHE_DIR", "PGPASSFILE", "TEST_DATABASE_URL", "PYTHONDONTWRITEBYTECODE"}

    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) - of_others == read


def test_every_table_is_documented_and_no_other():
    tables = re.findall(r"^CREATE TABLE (\S+)", (PROJECT / "sql/schema.sql").read_text(encoding="utf-8"), re.MULTILINE)
    page = (FOLDER / "tables.md").read_text(encoding="utf-8")

    assert sorted(re.findall(r"^### (\w+\.\w+)$", page, re.MULTILINE)) == sorted(tables)


def test_every_decision_stands_in_the_index():
    folder = PROJECT / "docs" / "decisions"
    indexed = LINK.findall((folder / "README.md").read_text(encoding="utf-8"))

    assert indexed == sorted(page.name for page in folder.glob("0*.md"))
