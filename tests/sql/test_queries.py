"""Named queries are found by name, and malformed files are refused."""

from pathlib import Path

import pytest

from sql.queries import QUERIES_DIR, load_queries, query


def write_queries(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.sql").write_text(text)
    return folder


def test_a_query_is_its_text_without_name_and_description(tmp_path: Path) -> None:
    folder = write_queries(tmp_path, a="-- A file's own words.\n\n-- name: fetch_x\n-- What x is.\nSELECT 1\n  AS x;\n")

    assert load_queries(folder) == {"fetch_x": "SELECT 1\n  AS x;\n"}


def test_a_file_holds_several_queries(tmp_path: Path) -> None:
    folder = write_queries(tmp_path, a="-- name: one\n-- One.\nSELECT 1;\n\n-- name: two\n-- Two.\nSELECT 2;\n")

    assert list(load_queries(folder)) == ["one", "two"]


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({"a": "-- name: x\n-- X.\nSELECT 1;\n", "b": "-- name: x\n-- X.\nSELECT 2;\n"}, "twice, again in b"),
        ({"a": "-- name: x\n-- X.\nSELECT 1;\n-- name: x\n-- X.\nSELECT 2;\n"}, "'x' occurs twice in a"),
        ({"a": "-- name: x\nSELECT 1;\n"}, "no line of description"),
        ({"a": "-- name: x\n-- X.\n"}, "no text"),
        ({"a": "-- name: Fetch X\n-- X.\nSELECT 1;\n"}, "lower-case words"),
        ({"a": "SELECT 1;\n-- name: x\n-- X.\nSELECT 1;\n"}, "before the first"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, files: dict[str, str], complaint: str) -> None:
    folder = write_queries(tmp_path, **files)

    with pytest.raises(ValueError, match=complaint):
        load_queries(folder)


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError, match="fetch_nothing"):
        query("fetch_nothing")


def test_every_committed_query_loads() -> None:
    headed = sum(path.read_text().count("-- name:") for path in QUERIES_DIR.glob("*.sql"))

    assert len(load_queries(QUERIES_DIR)) == headed > 0
