"""The command line as a person uses it, without a process of its own."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console.cli import app

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
