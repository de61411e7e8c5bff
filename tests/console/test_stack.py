"""Where the stack keeps its state, and what it refuses to start."""

import os
import socket

import pytest

from console.service import ServiceError
from console.stack import STATE, Stack, separate_markets

NAMES = ("DATABASE_URL", "LOWCAP_POSTGRES_ROOT", "LOWCAP_CANDLES", "LOWCAP_STATE")


@pytest.fixture(autouse=True)
def no_database_named(monkeypatch):
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that what the code sets is taken back at the end
        monkeypatch.delenv(name)


def root_with(monkeypatch, folder, **variables: str) -> str | None:
    """Folder of the embedded database that commands get under these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    separate_markets(folder)
    return os.environ.get("LOWCAP_POSTGRES_ROOT")


def test_each_folder_of_candles_has_a_database_of_its_own(monkeypatch, tmp_path):
    first = root_with(monkeypatch, tmp_path, LOWCAP_CANDLES="/candles/2024")
    monkeypatch.delenv("LOWCAP_POSTGRES_ROOT")
    second = root_with(monkeypatch, tmp_path, LOWCAP_CANDLES="/candles/2025")

    assert first != second
    assert all(root.startswith(f"{tmp_path}/candles-") for root in (first, second))


def test_the_same_folder_of_candles_finds_its_database_again(monkeypatch, tmp_path):
    first = root_with(monkeypatch, tmp_path, LOWCAP_CANDLES="/candles/2024")
    monkeypatch.delenv("LOWCAP_POSTGRES_ROOT")

    assert root_with(monkeypatch, tmp_path) == first


@pytest.mark.parametrize("named", ["DATABASE_URL", "LOWCAP_POSTGRES_ROOT"])
def test_a_database_that_is_named_is_used_for_any_candles(monkeypatch, tmp_path, named):
    separated = root_with(monkeypatch, tmp_path, LOWCAP_CANDLES="/candles/2024", **{named: "/somewhere"})

    assert separated == ("/somewhere" if named == "LOWCAP_POSTGRES_ROOT" else None)


def test_the_simulated_market_keeps_the_database_of_the_project(monkeypatch):
    assert root_with(monkeypatch, STATE) is None


def test_another_folder_of_state_has_a_database_of_its_own(monkeypatch, tmp_path):
    assert root_with(monkeypatch, tmp_path) == f"{tmp_path}/postgres"


def test_down_with_nothing_running_is_fine(lowcap, tmp_path):
    state = tmp_path / "state"

    done = lowcap("--state", str(state), "down")

    assert done.exit_code == 0, done.output
    assert "nothing was running" in done.output
    assert not state.exists()


def test_up_refuses_a_port_that_another_process_has(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ServiceError, match=f"Port {port} is taken"):
            Stack(tmp_path).start_dagster(port)


def test_processes_share_one_dagster_home_and_compile_what_they_load(monkeypatch, tmp_path):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    environment = Stack(tmp_path).environment()

    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["DAGSTER_HOME"] == f"{tmp_path}/dagster"
    assert (tmp_path / "dagster" / "dagster.yaml").read_text() == (STATE.parent / "dagster.yaml").read_text()
