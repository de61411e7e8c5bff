"""Importing costs what it must and does nothing: no heavy library at a door, no socket, no look at the environment."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
HEAVY = {"dagster", "polars", "scipy", "numba", "pandas", "adbc_driver_postgresql"}
QUIET_PACKAGES = ("domain", "resources", "regime_assets", "learning_assets")

IMPORT_AND_LISTEN = """
import importlib, sys

def hook(event, arguments):
    if event in {"socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect"}:
        raise RuntimeError(f"{event} {arguments} while importing")

sys.addaudithook(hook)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(len(sys.argv) - 1)
"""


def modules(package: str) -> list[str]:
    files = sorted((PROJECT / package).rglob("*.py"))
    return [".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__") for file in files]


def python(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def test_the_console_loads_nothing_heavy():
    done = python("import sys, console.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))")

    assert done.returncode == 0, done.stderr
    assert "typer" in done.stdout.split()
    assert HEAVY & set(done.stdout.split()) == set()


@pytest.mark.parametrize("package", QUIET_PACKAGES)
def test_importing_opens_no_connection(package, tmp_path):
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"  # libpq is not seen by the hook; it would fail here
    names = modules(package)

    done = python(IMPORT_AND_LISTEN, *names, DATABASE_URL=nowhere, LOWCAP_POSTGRES_ROOT=str(tmp_path))

    assert (done.returncode, done.stdout.strip()) == (0, str(len(names))), done.stderr
    assert list(tmp_path.iterdir()) == []


def run_at_import(tree: ast.Module) -> list[ast.AST]:
    """Nodes that run when a module is imported: everything but the bodies of functions; defaults and decorators do."""
    found: list[ast.AST] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            own = [] if isinstance(node, ast.Lambda) else node.decorator_list
            waiting += [*node.args.defaults, *(default for default in node.args.kw_defaults if default), *own]
        elif not is_main_guard(node):
            waiting += ast.iter_child_nodes(node)
    return found


def is_main_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def looks_at_the_environment(tree: ast.Module) -> list[str]:
    nodes = [node for node in run_at_import(tree) if isinstance(node, ast.Attribute | ast.Name)]
    return [text for text in map(ast.unparse, nodes) if text in {"os.environ", "os.getenv", "environ", "getenv"}]


@pytest.mark.parametrize("package", [*QUIET_PACKAGES, "sql", "pm_runtime", "console"])
def test_no_module_looks_at_the_environment_when_it_is_imported(package):
    looking = {
        file.relative_to(PROJECT).as_posix(): found
        for file in sorted((PROJECT / package).rglob("*.py"))
        if (found := looks_at_the_environment(ast.parse(file.read_text(encoding="utf-8"))))
    }

    assert looking == {}


@pytest.mark.parametrize(
    ("source", "looks"),
    [
        ("import os\nHOME = os.environ['HOME']", True),
        ("import os\ndef home(name=os.getenv('HOME')): ...", True),
        ("import os\nclass Home:\n    path = os.environ.get('HOME')", True),
        ("import os\ndef home():\n    return os.environ['HOME']", False),
    ],
)
def test_a_look_at_the_environment_is_seen_where_it_is(source, looks):
    assert bool(looks_at_the_environment(ast.parse(source))) is looks
