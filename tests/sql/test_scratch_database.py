"""A scratch database is gone afterwards, whatever happened and whoever is still connected."""

import psycopg
import pytest

from sql.scratch_database import scratch_database
from tests.postgres_fixtures import PostgresServer

pytestmark = pytest.mark.postgres


def database_names(server: PostgresServer) -> set[str]:
    with psycopg.connect(server.url.libpq()) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}


def test_it_is_dropped_under_a_connected_client(postgres_server: PostgresServer) -> None:
    with scratch_database(postgres_server.url) as name:
        client = psycopg.connect(postgres_server.url.with_database(name).libpq())
        assert name in database_names(postgres_server)

    assert name not in database_names(postgres_server)
    with pytest.raises(psycopg.OperationalError):
        client.execute("SELECT 1")


def test_it_is_dropped_after_an_error(postgres_server: PostgresServer) -> None:
    before = database_names(postgres_server)
    with pytest.raises(ZeroDivisionError), scratch_database(postgres_server.url):
        raise ZeroDivisionError

    assert database_names(postgres_server) == before


def test_it_copies_its_template(postgres_server: PostgresServer, database_template: str) -> None:
    with (
        scratch_database(postgres_server.url, template=database_template) as name,
        psycopg.connect(postgres_server.url.with_database(name).libpq()) as connection,
    ):
        found = connection.execute("SELECT count(*) > 0 FROM public.lowcap_migration_checksum").fetchone()

    assert found == (True,)
