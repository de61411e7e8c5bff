"""Bars of benchmark H, and the scratch database they are written to and read from."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import psycopg

from benchmarks.workloads import ohlcv_panel
from domain.vocabulary.window import Window
from resources.stamp import Stamp
from sql.database_role import ROLE_LIMITS
from sql.database_url import DatabaseUrl
from sql.embedded_postgres import EmbeddedPostgres
from sql.migrate import migrate
from sql.schema import table_schema
from sql.scratch_database import scratch_database

TABLE = "regime.lowcap_price_data_ohlc"
KEY = ("token_contract", "chain", "timeframe", "timestamp")
BARS_PER_TOKEN = 2000
STAMP = Stamp("benchmark-run", "1", datetime(2025, 1, 1, tzinfo=UTC))
COPY_IN = "COPY regime.lowcap_price_data_ohlc FROM STDIN WITH (FORMAT binary)"
COPY_IN_FROZEN = "COPY regime.lowcap_price_data_ohlc FROM STDIN WITH (FORMAT binary, FREEZE)"
DELETE = 'DELETE FROM regime.lowcap_price_data_ohlc WHERE "timestamp" >= %s AND "timestamp" < %s'
PIECE = 1 << 18
"""Bytes handed to the driver at a time."""

_STAGE = "CREATE TABLE public.benchmark_bar (LIKE regime.lowcap_price_data_ohlc)"
_COPY_IN_STAGE = "COPY public.benchmark_bar FROM STDIN"
_COPY_OUT_STAGE = (
    "COPY (SELECT * FROM public.benchmark_bar ORDER BY token_contract, chain, timeframe, timestamp) "
    "TO STDOUT WITH (FORMAT binary)"
)
_FINGERPRINT = "SELECT count(*), sum(hashtextextended(bar::text, 0)::numeric) FROM regime.lowcap_price_data_ohlc AS bar"


@dataclass(frozen=True)
class Bars:
    """A window's rows in the forms the contenders start from."""

    url: DatabaseUrl
    """The scratch database, as its owner and superuser."""
    window: Window
    frame: pl.DataFrame
    """As an asset hands it over: without stamps, in the order of arrival (bar by bar across tokens)."""
    stamped: pl.DataFrame
    """Every column of the table, ordered by primary key: the peers need neither sort nor stamp."""
    packed: bytes
    """The same rows in the format of COPY BINARY."""

    @property
    def n(self) -> int:
        """Rows."""
        return self.frame.height

    def first(self, tokens: int) -> "Bars":
        """Keep the rows of the first tokens only."""
        kept = self.stamped["token_contract"].unique().sort()[:tokens].implode()
        picked = pl.col("token_contract").is_in(kept)
        return packed_bars(self.url, self.window, self.frame.filter(picked))


@contextmanager
def scratch_server() -> Iterator[DatabaseUrl]:
    """Make a migrated database on a server of its own; DATABASE_URL names it. Both are removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="lowcap-benchmark-"))
    folder.chmod(0o755)  # for root's sake, whose server runs as nobody
    server = EmbeddedPostgres(folder / "postgres")
    try:
        url = DatabaseUrl.parse(server.start())
        with scratch_database(url) as name:
            for role in ROLE_LIMITS:
                os.environ.pop(f"DATABASE_URL_{role.name}", None)
            os.environ["DATABASE_URL"] = url.with_database(name).libpq()
            migrate()
            yield url.with_database(name)
    finally:
        server.stop()
        shutil.rmtree(server.location.socket_dir, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def make_bars(url: DatabaseUrl, tokens: int) -> Bars:
    """Minute bars of `tokens` tokens, 2,000 each, all in one window."""
    panel = ohlcv_panel(tokens, BARS_PER_TOKEN)
    start = datetime.fromtimestamp(int(panel.ts[0]), UTC)
    window = Window(start, start + timedelta(minutes=BARS_PER_TOKEN))
    contract = pl.format("0x{}", pl.Series(panel.series).cast(pl.String).str.zfill(40))
    frame = pl.select(
        token_contract=contract,
        chain=pl.lit("bsc"),
        timeframe=pl.lit("1m"),
        timestamp=pl.Series(panel.ts * 1_000_000).cast(pl.Datetime("us", "UTC")),
        open_usd=pl.Series(panel.open),
        high_usd=pl.Series(panel.high),
        low_usd=pl.Series(panel.low),
        close_usd=pl.Series(panel.close),
        volume=pl.Series(panel.volume),
        source=pl.lit("venue"),
        coverage=pl.lit(1.0),
        partial=pl.lit(False),
        known_at=pl.lit(window.end + timedelta(minutes=1)),
    )
    return packed_bars(url, window, frame.sort("timestamp", "token_contract"))


def packed_bars(url: DatabaseUrl, window: Window, frame: pl.DataFrame) -> Bars:
    """Stamp and order the rows, and let the server pack them, by text and so by another way than any contender's."""
    stamps = {"run_id": STAMP.run_id, "computed_at": STAMP.computed_at, "code_version": STAMP.code_version}
    columns = [column.name for column in table_schema(TABLE).columns]
    stamped = frame.with_columns(**{name: pl.lit(value) for name, value in stamps.items()}).select(columns).sort(KEY)
    text = stamped.write_csv(separator="\t", include_header=False, quote_style="never", datetime_format="%+")
    with psycopg.connect(url.libpq()) as connection, connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy(_COPY_IN_STAGE) as copy:
            copy.write(text)
        with cursor.copy(_COPY_OUT_STAGE) as copy:
            packed = b"".join(bytes(piece) for piece in copy)
        connection.rollback()
    return Bars(url, window, frame, stamped, packed)


def copy_in(cursor: psycopg.Cursor, bars: Bars, statement: str = COPY_IN) -> None:
    """Send the packed rows."""
    rows = memoryview(bars.packed)
    with cursor.copy(statement) as copy:
        for start in range(0, len(rows), PIECE):
            copy.write(rows[start : start + PIECE])


def reset(bars: Bars, *, is_filled: bool) -> None:
    """Put the table in the state every run starts from: empty, or holding the window's rows; nothing left to clean."""
    with psycopg.connect(bars.url.libpq(), autocommit=True) as connection:
        with connection.transaction():
            connection.execute("TRUNCATE regime.lowcap_price_data_ohlc")
            if is_filled:
                copy_in(connection.cursor(), bars, COPY_IN_FROZEN)
        connection.execute("CHECKPOINT")


def fill(bars: Bars) -> None:
    """Put the rows in the table, with the statistics a table that stands for a while has."""
    reset(bars, is_filled=True)
    with psycopg.connect(bars.url.libpq(), autocommit=True) as connection:
        connection.execute("ANALYZE regime.lowcap_price_data_ohlc")


def fingerprint(bars: Bars) -> tuple[int, int]:
    """Count the rows of the table, and sum their hashes, all columns included."""
    with psycopg.connect(bars.url.libpq()) as connection:
        row = connection.execute(_FINGERPRINT).fetchone()
    if row is None:
        raise ValueError("A count gave no row")
    return row[0], int(row[1] or 0)
