"""What there is is documented: commands and options, addresses, what starts by itself, what the demo plants."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from console.cli import app
from console.pages.app import Door, build_app
from domain.learning.planted_edge import BASE_CHANCE, PLANTED_EDGES, run_chance

PROJECT = Path(__file__).resolve().parents[2]
OF_EVERY_COMMAND = {"--help", "--install-completion", "--show-completion"}
PASSED_ON = {"learn", "rebuild", "export", "import", "notify", "replay"}
"""Commands that hand their options to a module; those stand in that module's section."""
NOT_FOR_PEOPLE = {"/style.css", "/switch/halt", "/switch/resume"}
LOCATIONS = ("regime_assets.definitions", "learning_assets.definitions")


def page(name: str) -> str:
    return (PROJECT / "docs" / name).read_text(encoding="utf-8")


def commands(group: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*before, name))
        else:
            yield " ".join((*before, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))


def line_of(command: str) -> str:
    """Row of a command in the table of commands."""
    rows = [row for row in page("reference/commands.md").splitlines() if re.search(rf"^\|.*`lowcap {command}`", row)]
    assert len(rows) == 1, f"lowcap {command} stands in {len(rows)} rows of docs/reference/commands.md"
    return rows[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_documented_with_its_options(command):
    options = {each.opts[0] for each in COMMANDS[command].params if each.opts[0].startswith("--")}

    told = set(re.findall(r"--[a-z][a-z-]*", line_of(command)))

    assert options - told - OF_EVERY_COMMAND == set()
    assert command in PASSED_ON or told - options - OF_EVERY_COMMAND == set()


def test_no_command_is_documented_that_is_none():
    table = re.findall(r"^\| (.*?) \|", page("reference/commands.md"), re.MULTILINE)
    told = {words for cell in table for words in re.findall(r"`lowcap ([a-z ]+)`", cell)}

    assert told == set(COMMANDS)


def addresses() -> set[str]:
    """Addresses that are told, without what varies in them."""
    pages = re.findall(r"`(/[^`]*)`", page("how-to/open-the-pages.md"))
    answers = re.findall(r"^## (/\S+)$", page("reference/api.md"), re.MULTILINE)
    return {re.split(r"[?{]|(?<=/)[A-Z0-9]", address)[0] for address in [*pages, *answers]}


@pytest.mark.parametrize("path", sorted({route.path for route in build_app(Door()).app.routes} - NOT_FOR_PEOPLE))
def test_an_address_is_documented(path):
    stem = path.partition("{")[0]

    assert [told for told in addresses() if told == stem or (stem != path and told.startswith(stem))]


@pytest.mark.parametrize("location", LOCATIONS)
def test_what_starts_by_itself_is_documented(location):
    definitions = importlib.import_module(location).defs()
    names = {each.name for each in (*definitions.schedules, *definitions.sensors)}

    told = set(re.findall(r"^\| `(\w+)` \|", page("how-to/run-it-for-good.md"), re.MULTILINE))

    assert names
    assert names - told == set()


@pytest.mark.parametrize("edge", PLANTED_EDGES, ids=lambda edge: edge.name)
def test_the_tutorial_tells_what_is_planted(edge):
    runs = run_chance({edge.dimension: edge.value}, 0.0, [edge])
    left = f"{edge.half_life_days:.0f} days" if edge.half_life_days else "it stays"
    told = (edge.name, f"`{edge.dimension.value}={edge.value}`", f"{BASE_CHANCE:.0%} -> {runs:.0%}", left)

    assert f"| {' | '.join(told)} |".replace("%", " %") in page("tutorial.md")
