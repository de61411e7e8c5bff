"""Sessions that carry Arrow columns: each its own, whatever the driver keeps between them."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from resources.arrow_connection import arrow_connection

pytestmark = pytest.mark.postgres


def fetch(uri: str, statement: str) -> object:
    with arrow_connection(uri) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetch_polars().item()


def test_sessions_are_their_own_and_end_when_closed(empty_database):
    uri = empty_database.libpq()

    pids = {fetch(uri, "SELECT pg_backend_pid() AS pid") for _ in range(3)}

    with psycopg.connect(uri) as watcher:
        watcher.execute("SELECT pg_sleep(0.2)")
        left = watcher.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY (%s)", [list(pids)]).fetchone()
    assert len(pids) == 3
    assert left == (0,)


def test_what_was_not_committed_is_rolled_back(empty_database):
    uri = empty_database.libpq()
    with arrow_connection(uri) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (x integer)")
        connection.commit()
        cursor.execute("INSERT INTO kept VALUES (1)")

    assert fetch(uri, "SELECT count(*) AS rows FROM kept") == 0


def test_a_table_made_after_the_first_session_is_read(empty_database):
    uri = empty_database.libpq()
    assert fetch(uri, "SELECT 1 AS one") == 1
    with psycopg.connect(uri) as connection:
        connection.execute("CREATE TABLE late AS SELECT ARRAY[1.5, NULL]::double precision[] AS channel")

    assert fetch(uri, "SELECT channel FROM late").to_list() == [1.5, None]


def test_threads_have_sessions_at_once(empty_database):
    uri = empty_database.libpq()

    with ThreadPoolExecutor(6) as pool:
        rows = list(
            pool.map(lambda n: fetch(uri, f"SELECT count(*) + {n} AS n FROM generate_series(1, 20000)"), range(24))
        )

    assert rows == [20_000 + n for n in range(24)]
