"""`lowcap learn` and `lowcap rebuild` hand their options to learning and its exit code back."""

import pytest


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A database that is not there: nothing of it is needed to refuse a command line."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("LOWCAP_STATE", str(tmp_path))


@pytest.mark.parametrize(("command", "option"), [("learn", "--replay"), ("rebuild", "--verify")])
def test_its_help_is_that_of_learning(lowcap, nowhere, capfd, command, option):
    assert lowcap(command, "--help").exit_code == 0

    assert option in capfd.readouterr().out


def test_a_wrong_command_line_is_exit_code_2(lowcap, nowhere, capfd):
    assert lowcap("learn", "--from", "2025-04-02", "--to", "2025-04-01").exit_code == 2

    assert "must not be after" in capfd.readouterr().err


def test_a_database_that_is_away_is_exit_code_1(lowcap, nowhere, capfd):
    assert lowcap("rebuild", "--verify").exit_code == 1

    assert "127.0.0.1" in capfd.readouterr().err


@pytest.mark.postgres
def test_a_replay_that_is_not_there_is_refused(lowcap, database, capfd):
    assert lowcap("learn", "--replay", "spring").exit_code == 2

    assert "There is no replay spring" in capfd.readouterr().err
