"""Rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = ("domain", "resources", "sql", "regime_assets", "learning_assets", "pm_runtime", "console", "benchmarks")
NAMELESS = {"utils", "helpers", "common", "misc", "util", "helper"}
VERSIONED = re.compile(r"_(v\d+|new|old|fixed|deprecated|tmp|copy)$")
IMPURE = {"os", "time", "random", "socket", "subprocess", "threading", "asyncio", "dagster", "psycopg", "requests"}
MAY_CATCH_ANYTHING = {"pm_runtime/loop.py"}
"""The loop survives any tick: it logs what was raised and counts it."""


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Path from the project and syntax tree of every module."""
    for folder in folders:
        for file in sorted((PROJECT / folder).rglob("*.py")):
            yield file.relative_to(PROJECT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def test_no_module_is_a_drawer_for_everything():
    stems = {path: Path(path).stem for path, _ in sources(*PACKAGES, "tests")}

    assert [path for path, stem in stems.items() if stem in NAMELESS] == []


def test_no_module_bears_a_version_in_its_name():
    assert [path for path, _ in sources(*PACKAGES, "tests") if VERSIONED.search(Path(path).stem)] == []


def test_a_package_file_is_empty():
    packages = [path for path, tree in sources(*PACKAGES) if Path(path).name == "__init__.py" and tree.body]

    assert packages == []


def broad_catches(tree: ast.Module) -> list[int]:
    """Lines that catch everything and do not raise it again."""
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    return [
        handler.lineno
        for handler in handlers
        if (handler.type is None or {"Exception", "BaseException"} & set(re.findall(r"\w+", ast.unparse(handler.type))))
        and ast.unparse(handler.body[-1]) != "raise"
    ]


def test_only_the_loop_catches_anything_whatever():
    catching = {path for path, tree in sources(*PACKAGES, "tests") if broad_catches(tree)}

    assert catching <= MAY_CATCH_ANYTHING


def imported(tree: ast.Module) -> set[str]:
    """Top-level names of everything a module imports, inside functions too."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_the_domain_imports_no_clock_no_chance_and_no_door():
    impure = {path: found for path, tree in sources("domain") if (found := imported(tree) & IMPURE)}

    assert impure == {}


CLOCKS = re.compile(
    r"\b(datetime\.now|datetime\.utcnow|date\.today|default_rng\(\)|np\.random\.(?!default_rng|Generator))"
)


def test_the_domain_asks_no_clock_and_draws_no_unseeded_number():
    asking = {path for path, tree in sources("domain") if CLOCKS.search(ast.unparse(tree))}

    assert asking == set()


def claims_of(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node


def asserts(function: ast.FunctionDef) -> bool:
    """Whether a test states something: asserts it, calls what does, expects an error, waits for a page to show it."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            called = name.rpartition(".")[2]
            if name in {"pytest.raises", "pytest.warns"} or called == "wait_for" or called.startswith("assert_"):
                return True
    return False


def test_every_test_asserts_something():
    silent = [
        f"{path}::{test.name}" for path, tree in sources("tests") for test in claims_of(tree) if not asserts(test)
    ]

    assert silent == []


@pytest.mark.parametrize(
    ("body", "states"),
    [
        ("assert 1 == 1", True),
        ("with pytest.raises(ValueError): f()", True),
        ("assert_frame_equal(a, b)", True),
        ("page.get_by_text('Loaded').wait_for()", True),
        ("f()", False),
        ("'assert nothing'", False),
    ],
)
def test_a_test_without_an_assertion_is_found(body, states):
    (function,) = claims_of(ast.parse(f"def test_x():\n    {body}"))

    assert asserts(function) is states


@pytest.mark.parametrize("clause", ["except Exception:", "except (ValueError, BaseException) as e:", "except:"])
def test_a_catch_of_everything_is_found_unless_it_raises_again(clause):
    assert broad_catches(ast.parse(f"try:\n    f()\n{clause}\n    g()")) == [3]
    assert broad_catches(ast.parse(f"try:\n    f()\n{clause}\n    g()\n    raise")) == []
