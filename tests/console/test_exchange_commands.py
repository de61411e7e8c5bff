"""`lowcap export` and `import` hand their options to learning, with files where the caller is."""

import pytest


@pytest.fixture
def here(monkeypatch, tmp_path):
    """A folder to work in, and a database that is not there."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("LOWCAP_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_looked_for_where_the_caller_is(lowcap, here, capfd):
    (here / "a.csv").write_text("x\n", encoding="utf-8")

    assert lowcap("import", "lessons", "a.csv", "--name", "x").exit_code == 2

    assert "Expected the columns of lessons" in capfd.readouterr().err


def test_a_wrong_command_line_is_refused_by_learning(lowcap, here, capfd):
    assert lowcap("export", "lesson").exit_code == 2

    assert "usage: lowcap export" in capfd.readouterr().err
