"""`lowcap replay` hands its options to the runtime's replay and its exit code back."""

import signal

import pytest


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A database that is not there: nothing of it is needed to refuse a command line."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    monkeypatch.setenv("LOWCAP_STATE", str(tmp_path))


def test_its_help_is_that_of_the_replay(lowcap, nowhere, capfd):
    assert lowcap("replay", "--help").exit_code == 0

    said = capfd.readouterr().out
    assert "--universe" in said
    assert "--overrides" in said


def test_a_wrong_option_is_exit_code_2(lowcap, nowhere, capfd):
    assert lowcap("replay", "--from", "2025-04-01T00:00Z", "--to", "soon").exit_code == 2

    assert "to_at" in capfd.readouterr().err


def test_a_database_that_is_away_is_exit_code_1_and_ctrl_c_is_the_terminals_again(lowcap, nowhere, capfd):
    before = signal.getsignal(signal.SIGINT)

    done = lowcap("replay", "--from", "2025-04-01T00:00Z", "--to", "2025-04-02T00:00Z")

    assert done.exit_code == 1
    assert "Cannot connect" in capfd.readouterr().err
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.postgres
def test_a_window_without_tokens_is_refused(lowcap, database, capfd):
    done = lowcap("replay", "--from", "2025-04-01T00:00Z", "--to", "2025-04-02T00:00Z", "--universe", "WIF")

    assert done.exit_code == 2
    assert "No token of the universe has states and a cap tag" in capfd.readouterr().err
