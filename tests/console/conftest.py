"""The command line as a person uses it, without a process of its own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console.cli import app
from tests.console.ticked_trade import BARS, tick, watch_and_learn
from tests.portfolio_worlds import PostgresPortfolioWorld

Lowcap = Callable[..., Result]


@pytest.fixture
def lowcap() -> Lowcap:
    """Runs `lowcap` with arguments."""
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.fixture
def lowcap_json(lowcap: Lowcap) -> Callable[..., Any]:
    """Runs `lowcap` with arguments and --json; returns what it printed."""

    def run(*arguments: str) -> Any:
        result = lowcap(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


@pytest.fixture(scope="module")
def ended_trade(module_database) -> PostgresPortfolioWorld:
    """A trade that was entered, trimmed and left."""
    world = PostgresPortfolioWorld()
    watch_and_learn(world)
    tick(world, *range(len(BARS)))
    return world


@pytest.fixture
def begun_trade(database) -> PostgresPortfolioWorld:
    """The same token after the tick that orders its first buy, in a database of the test's own."""
    world = PostgresPortfolioWorld()
    watch_and_learn(world)
    tick(world, 0)
    return world
