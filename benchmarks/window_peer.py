"""Other ways to replace and to read a window of bars: what `resources.tables` is measured against.

Each opens its own connection and commits, as ours does.
"""

import importlib.util
from collections.abc import Callable
from contextlib import closing
from urllib.parse import quote

import polars as pl
import psycopg
import sqlalchemy
from adbc_driver_postgresql import dbapi
from psycopg.conninfo import conninfo_to_dict

from benchmarks.window_bars import COPY_IN, DELETE, TABLE, Bars, copy_in

Contender = Callable[[Bars], object]
Reader = Callable[[Bars], pl.DataFrame | None]

SCHEMA, NAME = TABLE.split(".")
STAGE = "CREATE TEMP TABLE stage (LIKE regime.lowcap_price_data_ohlc) ON COMMIT DROP"
COPY_IN_STAGE = "COPY stage FROM STDIN WITH (FORMAT binary)"
UPSERT = """
INSERT INTO regime.lowcap_price_data_ohlc AS bar SELECT * FROM stage
ON CONFLICT (token_contract, chain, timeframe, "timestamp") DO UPDATE
SET (open_usd, high_usd, low_usd, close_usd, volume, source, coverage, partial, known_at, run_id, computed_at,
     code_version)
  = (excluded.open_usd, excluded.high_usd, excluded.low_usd, excluded.close_usd, excluded.volume, excluded.source,
     excluded.coverage, excluded.partial, excluded.known_at, excluded.run_id, excluded.computed_at,
     excluded.code_version)
"""
SELECT = """SELECT * FROM regime.lowcap_price_data_ohlc
WHERE "timestamp" >= '{start}' AND "timestamp" < '{end}' ORDER BY token_contract, chain, timeframe, "timestamp"
"""


def replace_by_raw_copy(bars: Bars) -> None:
    """Do the same job with rows that are packed already: delete, COPY BINARY, commit."""
    with psycopg.connect(bars.url.libpq()) as connection, connection.cursor() as cursor:
        cursor.execute(DELETE, (bars.window.start, bars.window.end))
        copy_in(cursor, bars, COPY_IN)


def replace_by_adbc(bars: Bars) -> None:
    """Delete, ADBC ingest, commit, and nothing else."""
    with dbapi.connect(bars.url.libpq()) as connection, connection.cursor() as cursor:
        cursor.execute(DELETE.replace("%s", "$1", 1).replace("%s", "$2"), (bars.window.start, bars.window.end))
        cursor.adbc_ingest(NAME, bars.stamped, mode="append", db_schema_name=SCHEMA)
        connection.commit()


def upsert_by_copy(bars: Bars) -> None:
    """Packed rows by COPY BINARY into a temporary table, then an upsert."""
    with psycopg.connect(bars.url.libpq()) as connection, connection.cursor() as cursor:
        cursor.execute(STAGE)
        copy_in(cursor, bars, COPY_IN_STAGE)
        cursor.execute(UPSERT)


def upsert_by_adbc(bars: Bars) -> None:
    """ADBC ingest into a temporary table, then an upsert."""
    with dbapi.connect(bars.url.libpq()) as connection, connection.cursor() as cursor:
        cursor.execute(STAGE)
        cursor.adbc_ingest("stage", bars.stamped, mode="append", temporary=True)
        cursor.execute(UPSERT)
        connection.commit()


def replace_by_write_database(bars: Bars) -> None:
    """Delete, then Polars' own writer."""
    with _engine(bars).begin() as connection:
        connection.exec_driver_sql(DELETE, (bars.window.start, bars.window.end))
        bars.stamped.write_database(TABLE, connection, if_table_exists="append", engine="sqlalchemy")


def replace_by_pandas(bars: Bars) -> None:
    """Delete, then pandas' writer."""
    with _engine(bars).begin() as connection:
        connection.exec_driver_sql(DELETE, (bars.window.start, bars.window.end))
        bars.stamped.to_pandas().to_sql(NAME, connection, schema=SCHEMA, if_exists="append", index=False)


def read_by_adbc(bars: Bars) -> pl.DataFrame:
    """ADBC, one statement without parameters."""
    with dbapi.connect(bars.url.libpq()) as connection, connection.cursor() as cursor:
        cursor.execute(_select(bars))
        frame: pl.DataFrame = cursor.fetch_polars()
        return frame


def read_by_connectorx(bars: Bars) -> pl.DataFrame:
    """Polars through connectorx, which wants the folder of the socket where others have a host."""
    at = conninfo_to_dict(bars.url.libpq())
    url = f"postgresql://{at['user']}@{quote(str(at['host']), safe='')}:{at['port']}/{at['dbname']}"
    return pl.read_database_uri(_select(bars), url, engine="connectorx")


def read_by_psycopg(bars: Bars) -> pl.DataFrame:
    """All rows as Python tuples, then a frame."""
    with psycopg.connect(bars.url.libpq()) as connection, connection.cursor(binary=True) as cursor:
        rows = cursor.execute(_select(bars).encode()).fetchall()
    return pl.DataFrame(rows, schema=bars.stamped.schema, orient="row")


def read_by_read_database(bars: Bars) -> pl.DataFrame:
    """Polars through SQLAlchemy."""
    with _engine(bars).connect() as connection:
        return pl.read_database(_select(bars), connection, infer_schema_length=None)


def discard_on_server(bars: Bars) -> None:
    """Let the server pack the rows and throw them away: nothing that reads them can be faster."""
    with closing(psycopg.connect(bars.url.libpq(), autocommit=True)) as connection:
        packed = connection.execute(f"COPY ({_select(bars)}) TO '/dev/null' WITH (FORMAT binary)".encode())
    if packed.rowcount != bars.n:
        raise ValueError(f"The server packed {packed.rowcount} rows of {bars.n}")


def is_installed(*packages: str) -> bool:
    """Whether the packages a peer needs are all there."""
    return all(importlib.util.find_spec(package) for package in packages)


def _select(bars: Bars) -> str:
    return SELECT.format(start=bars.window.start.isoformat(), end=bars.window.end.isoformat())


def _engine(bars: Bars) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(bars.url.sqlalchemy("psycopg"), poolclass=sqlalchemy.NullPool)
