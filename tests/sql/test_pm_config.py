"""Versions of the configuration: checked before they are stored, never changed after."""

import threading
from datetime import UTC, datetime

import psycopg
import pytest

from domain.config.pm_config import ConfigError, PmConfig, overrides_hash
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.pm_config import (
    ConfigConflictError,
    UnknownVersionError,
    history,
    read_pm_config,
    read_stored_config,
    write_pm_config,
)

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("database")]
BY_ANN = {"author": "ann", "reason": "a test"}
TEN_CHANNELS = {"scores": {"min_coverage": 10}}


@pytest.fixture
def connection(database):
    with connect(DatabaseRole.CONSOLE, autocommit=True) as connection:
        yield connection


def test_a_new_database_is_at_version_1_with_the_defaults(connection):
    versioned = read_pm_config(connection)

    assert (versioned.version, versioned.config) == (1, PmConfig())


def test_a_written_version_is_in_force_and_the_old_one_can_be_named(connection):
    version = write_pm_config(connection, TEN_CHANNELS, **BY_ANN)

    assert version == read_pm_config(connection).version == 2
    assert read_pm_config(connection).config.scores.min_coverage == 10
    assert read_pm_config(connection, version=1).config.scores.min_coverage == 12


def test_a_version_keeps_who_why_when_and_the_hash_of_its_overrides(connection):
    write_pm_config(connection, TEN_CHANNELS, **BY_ANN)

    stored = read_stored_config(connection)
    (hash_,) = connection.execute("SELECT config_hash FROM pm.pm_config WHERE version = 2").fetchone()

    assert (stored.overrides, stored.author, stored.reason) == (TEN_CHANNELS, "ann", "a test")
    assert stored.created_at <= datetime.now(UTC)
    assert hash_ == overrides_hash(TEN_CHANNELS)


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ({"scores": {"min_coverag": 10}}, "scores.min_coverag: unknown key; did you mean 'min_coverage'?"),
        ({"scores": {"min_coverage": 16}}, "scores.min_coverage: Input should be less than or equal to 15, was 16"),
        ({"runtime": {"neutral_lever": float("nan")}}, "runtime.neutral_lever: .*nan"),
        ({"scores": {"execution_multipliers": {"1h": {"macro": 0.9}}}}, "sum to 1"),
    ],
)
def test_a_wrong_configuration_is_refused_and_nothing_is_stored(connection, overrides, complaint):
    with pytest.raises(ConfigError, match=complaint):
        write_pm_config(connection, overrides, **BY_ANN)

    assert read_pm_config(connection).version == 1


def test_the_same_overrides_make_no_new_version(connection):
    first = write_pm_config(connection, {"scores": {"min_coverage": 10, "base": 0.4}}, **BY_ANN)
    again = write_pm_config(connection, {"scores": {"base": 0.4, "min_coverage": 10}}, author="bob", reason="again")

    assert first == again == 2
    assert [stored.author for stored in history(connection)] == ["ann", "migration"]


def test_going_back_to_an_older_configuration_is_a_version_of_its_own(connection):
    write_pm_config(connection, TEN_CHANNELS, **BY_ANN)

    assert write_pm_config(connection, {}, **BY_ANN) == 3


@pytest.mark.parametrize("missing", [{"author": " "}, {"reason": ""}])
def test_a_change_without_author_or_reason_is_refused(connection, missing):
    with pytest.raises(ValueError, match="author and a reason"):
        write_pm_config(connection, TEN_CHANNELS, **(BY_ANN | missing))


def test_a_change_based_on_a_version_no_longer_in_force_is_refused(connection):
    write_pm_config(connection, TEN_CHANNELS, **BY_ANN)

    with pytest.raises(ConfigConflictError, match=r"version 2 by ann \(a test\), no longer at 1"):
        write_pm_config(connection, {"scores": {"base": 0.4}}, author="bob", reason="at once", based_on=1)
    assert read_pm_config(connection).version == 2


def test_of_writers_at_once_one_wins_and_the_others_are_told(database):
    results = []
    start_together = threading.Barrier(4, timeout=20)

    def change(base):
        with connect(DatabaseRole.CONSOLE, autocommit=True) as own:
            start_together.wait()
            try:
                results.append(write_pm_config(own, {"scores": {"base": base}}, **BY_ANN, based_on=1))
            except ConfigConflictError:
                results.append(None)

    threads = [threading.Thread(target=change, args=(0.1 * n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results, key=lambda version: version is None) == [2, None, None, None]


def test_an_unknown_version_is_an_error(connection):
    with pytest.raises(UnknownVersionError, match="has version 7"):
        read_pm_config(connection, version=7)


def test_a_stored_version_this_code_does_not_know_can_be_read_as_it_was_written(connection):
    connection.execute(
        "INSERT INTO pm.pm_config (config, config_hash, author, reason) VALUES ('{\"gone\": 1}', '', 'old', 'old')"
    )

    with pytest.raises(ConfigError, match="version 2 is not valid under this code: gone: unknown key"):
        read_pm_config(connection)
    assert read_stored_config(connection).overrides == {"gone": 1}
    assert write_pm_config(connection, {}, **BY_ANN, based_on=2) == 3


def test_history_is_newest_first_and_can_be_cut(connection):
    for coverage in (9, 10, 11):
        write_pm_config(connection, {"scores": {"min_coverage": coverage}}, **BY_ANN)

    assert [stored.version for stored in history(connection, limit=2)] == [4, 3]


def test_the_console_cannot_change_a_stored_version(connection):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("UPDATE pm.pm_config SET reason = 'x'")
