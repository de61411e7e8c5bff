"""Names, reasons and notes that somebody made to be obeyed, in every column: every page and view shows them as text."""

import re
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.cli import app
from resources.picture import document, inline_image, text
from tests.console.pages.page_world import AS_OF_TEXT, client, make_page_world
from tests.console.pages.read_html import ReadHtml
from tests.console.pages.test_pages import PAGES
from tests.faults.hostile_values import HOSTILE
from tests.faults.poisoned_columns import POISON, ROUNDS, poison
from tests.inline_picture import parsed, words
from tests.postgres_fixtures import throw_away_database

pytestmark = pytest.mark.postgres

PROJECT = Path(__file__).resolve().parents[2]
AT = ["--as-of", AS_OF_TEXT]
VIEWS = [
    ["ae", *AT],
    ["states", *AT],
    ["regime", "show", *AT],
    ["doctor", *AT],
    *([name] for name in ("trades", "lessons", "forward", "decay", "funnel", "crowding", "tuning", "notes", "switch")),
    ["alarms", "--all"],
    ["lessons", "--hypotheses"],
    ["config", "show"],
    ["config", "history"],
    ["quarantine", "list"],
    ["sets", "list"],
    ["sets", "show", "7"],
    ["sets", "steps"],
    ["watch", "list"],
]


@pytest.fixture(scope="module")
def world(module_database) -> dict[str, str]:
    """Addresses of the pages of a world whose database is copied."""
    make_page_world()
    return {name: PAGES[name]() for name in PAGES if name != "error"}


@pytest.fixture(params=range(ROUNDS))
def poisoned(request, world, module_database, postgres_server):
    name = module_database.libpq().partition("?")[0].rpartition("/")[2]
    with throw_away_database(postgres_server, name):
        assert poison(request.param) > 25
        yield world


def test_every_page_and_view_shows_it_as_text(poisoned):
    pages, seen = client(), Counter()
    for name, address in poisoned.items():
        answer = pages.get(address)
        read = ReadHtml(answer.text)
        seen["shown"] += answer.status_code == 200
        seen["told"] += "hostile-mark" in read.text
        assert answer.status_code in (200, 404, 503), (name, answer.text)
        assert read.open == [], name
        assert read.forbidden() == [], name
        assert [tag for tag, given in read.elements if "hostile-mark" in (tag, *given)] == [], name
        assert not {"\u202e", "\x1b", "\x9b"} & set(answer.text), name
    for view in VIEWS:
        for as_json in ([], ["--json"]):
            result = CliRunner().invoke(app, [*view, *as_json])
            seen["printed"] += result.exit_code == 0
            seen["written"] += "hostile-mark" in result.stdout
            assert result.exception is None or isinstance(result.exception, SystemExit), (view, result.exception)
            assert result.output.replace("\n", "").isprintable(), view

    assert seen["shown"] > 30
    assert seen["told"] > 5
    assert seen["written"] > 5


MARKDOWN = {
    **dict.fromkeys(("heat_map", "phase_lanes", "bucket_ladder", "coverage_calendar"), "a picture of the regime"),
    **dict.fromkeys(("coverage_table", "ladder_table", "shown"), "a table of drivers, buckets and kinds, no names"),
    "picture": "of walk_forward and of learning_regime_weights",
}
"""What assets give the Dagster UI as Markdown; names of others are in pictures alone, which escape them."""


def test_assets_give_no_other_markdown():
    rooms = (PROJECT / room for room in ("regime_assets", "learning_assets", "resources"))
    code = "\n".join(path.read_text(encoding="utf-8") for room in rooms for path in room.rglob("*.py"))

    assert set(re.findall(r"MetadataValue\.md\(\s*(\w+)", code)) == MARKDOWN.keys()


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - {"surrogate", "undecodable"}))
def test_a_picture_for_the_dagster_ui_shows_it_as_text(name):
    hostile = f"{HOSTILE[name][:200]}{POISON}"
    image = inline_image(document(text(1.0, 2.0, hostile), width=10, height=10), hostile)

    assert image.count("](") - image.count("\\](") == 1
    assert "<" not in image
    assert "\n" not in image
    (shown,) = words(parsed(image.replace("\\[", "(").replace("\\]", ")")))
    assert "hostile-mark" in shown
