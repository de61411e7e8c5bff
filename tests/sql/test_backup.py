"""What the nightly backup writes can be restored into a database that was just migrated, and is the same there."""

import os
import subprocess
import time
from pathlib import Path

import psycopg
import pytest

from domain.config.pm_config import PmConfig
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.pm_config import read_pm_config, write_pm_config
from sql.postgres_binaries import find_binaries, major_version
from tests.postgres_fixtures import throw_away_database

BACKUP = Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "backup.sh"
OLD = "lowcap-2026-01-01.dump"
DAY_S = 86_400.0

pytestmark = pytest.mark.postgres


@pytest.fixture
def programs(database) -> Path:
    """Folder of pg_dump and pg_restore of the server's version."""
    found = find_binaries(data_major=None)
    with psycopg.connect(database.libpq()) as session:
        server = session.info.server_version // 10_000
    if major_version(found) != server:
        pytest.skip(f"the programs are of Postgres {major_version(found)}, the server of {server}")
    return found


@pytest.fixture
def back_up(database, programs, tmp_path):
    """Make a backup of the database in a folder; returns its files."""

    def backing_up() -> list[str]:
        environment = os.environ | {"DATABASE_URL": database.libpq(), "PG_BIN_DIR": str(programs)}
        subprocess.run(["/bin/sh", BACKUP, tmp_path, "14"], env=environment, check=True, capture_output=True)
        return sorted(path.name for path in tmp_path.iterdir())

    return backing_up


def test_a_restored_database_is_the_one_that_was_backed_up(
    back_up, programs, tmp_path, postgres_server, database_template
):
    with connect(DatabaseRole.CONSOLE, autocommit=True) as session:
        write_pm_config(session, {"scores": {"min_coverage": 10}}, author="ann", reason="before the backup")
    (dump,) = back_up()

    with throw_away_database(postgres_server, database_template) as restored:
        command = [programs / "pg_restore", "--clean", "--if-exists", "--no-owner", "--exit-on-error"]
        subprocess.run([*command, f"--dbname={restored.libpq()}", tmp_path / dump], check=True, capture_output=True)
        with connect(DatabaseRole.PM, autocommit=True) as session:
            found = read_pm_config(session)

    assert (found.version, found.config.scores.min_coverage) == (2, 10)
    assert PmConfig().scores.min_coverage != 10


def test_dumps_that_grew_old_are_deleted_and_the_others_stay(back_up, tmp_path):
    for name, days in ((OLD, 16.0), ("lowcap-2026-01-02.dump", 3.0), ("mine.dump", 100.0)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - days * DAY_S,) * 2)

    kept = back_up()

    assert OLD not in kept
    assert {"lowcap-2026-01-02.dump", "mine.dump"} < set(kept)
    assert len(kept) == 3
