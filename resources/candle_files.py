"""Candles and dominance from a folder of Parquet and CSV files, by a declared layout.

What belongs here: lazy reading of files into the frames of the port. What does not: what the files hold
(`candle_layout`), and whether a bar is right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from domain.vocabulary.universe import MAJORS, Universe
from resources.candle_layout import CandleEntry, CandleLayout, DominanceEntry, FileEntry, LayoutError, find_layout
from resources.candle_source import (
    CANDLE_SCHEMA,
    DOMINANCE_SCHEMA,
    NAIVE_TEXT,
    SourceTerms,
    require_window,
    timeframe_duration,
)
from resources.candle_timestamp import WINDOW_AT, near_window, timestamp_columns

Window = tuple[datetime, datetime]

_RAW = "raw_"
"""Prefix of a file's own columns, so that none can be taken for one of ours."""


@dataclass(frozen=True)
class CandleFiles:
    """A folder of files and the layout that explains them. Every call reads the files anew.

    Times without a zone, where the layout declares none, come back as text in `NAIVE_TEXT` with a null timestamp; the
    window is then chosen as if they were UTC. Rows whose time cannot be read at all come with every window.

    Attributes
    ----------
    folder : Path
        Where the files are.
    layout_file : Path, optional
        Layout to use instead of the one found for the folder.

    Raises
    ------
    LayoutError
        If there is no layout for the folder or its files are not there; and on reading, if a file is not as declared.
    """

    folder: Path
    layout_file: Path | None = None

    def __post_init__(self) -> None:
        self.layout_found  # noqa: B018 - a folder without a layout fails here, not at the first read

    @cached_property
    def layout_found(self) -> tuple[CandleLayout, Path]:
        """Layout and the file that declares it; see `find_layout`."""
        return find_layout(self.folder, self.layout_file)

    @property
    def layout(self) -> CandleLayout:
        """What the folder holds."""
        return self.layout_found[0]

    @property
    def name(self) -> str:
        """Name of the layout."""
        return self.layout.name

    @property
    def is_simulated(self) -> bool:
        """Never: files are taken at their word."""
        return False

    @property
    def terms(self) -> tuple[SourceTerms, ...]:
        """Sources of the layout by priority, then by their order in it."""
        ranked = sorted(self.layout.candles, key=lambda entry: entry.priority)
        return tuple(dict.fromkeys(SourceTerms(entry.source, entry.volume_unit) for entry in ranked))

    def candles(self, universe: Universe, start: datetime, end: datetime) -> pl.DataFrame:
        """Bars of the window from every file that may hold the universe, as the files have them."""
        require_window(start, end)
        frames = [
            bars.select(*CANDLE_SCHEMA, NAIVE_TEXT)
            for entry in self.layout.candles
            for bars in self._bars(entry, universe, (start, end))
        ]
        empty = pl.LazyFrame(schema=CANDLE_SCHEMA | {NAIVE_TEXT: pl.String()})
        found = pl.concat(pl.collect_all([empty, *frames]))
        return found.drop(NAIVE_TEXT) if found[NAIVE_TEXT].null_count() == found.height else found

    def dominance(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Read the samples of the window; a missing value is no row, nor is one whose time is not known."""
        require_window(start, end)
        frames = [
            _samples(rows, metric, column, entry)
            for entry in self.layout.dominance
            for rows in self._rows(entry, entry.timestamp_column, list(entry.metrics.values()), (start, end))
            for metric, column in entry.metrics.items()
        ]
        return pl.concat(pl.collect_all([pl.LazyFrame(schema=DOMINANCE_SCHEMA), *frames]))

    def span(self) -> tuple[datetime, datetime]:
        """Open of the first bar and end of the last one, over all candle files."""
        opens = pl.col("timestamp")
        ends = opens + timeframe_duration()
        extents = pl.concat(
            pl.collect_all(
                bars.select(first=opens.min(), end=ends.max())
                for entry in self.layout.candles
                for bars in self._bars(entry, universe=None, window=None)
            )
        )
        first, end = extents["first"].min(), extents["end"].max()
        if not isinstance(first, datetime) or not isinstance(end, datetime):
            raise LayoutError(f"{self.layout_found[1]}: no file in {self.folder} has a bar with a time zone")
        return first, end

    def description(self) -> str:
        """Layout, folder, and how many files."""
        entries = (*self.layout.candles, *self.layout.dominance)
        files = sum(len(list(self.folder.glob(entry.path))) for entry in entries)
        return f"{self.name}: {files} files in {self.folder}, read as {self.layout_found[1].name} says"

    def _bars(self, entry: CandleEntry, universe: Universe | None, window: Window | None) -> Iterator[pl.LazyFrame]:
        """Bars of one entry, a lazy frame a file; of both universes, or at all times, when these are None."""
        if universe is not None and entry.universe not in ("by_symbol", universe.value):
            return
        names = [name for name in entry.columns.model_dump().values() if name is not None]
        for rows in self._rows(entry, entry.columns.timestamp, names, window):
            bars = _as_bars(rows, entry)
            if universe is not None and entry.universe == "by_symbol":
                is_major = pl.col("token_contract").is_in(MAJORS).fill_null(value=False)
                bars = bars.filter(is_major if universe is Universe.MAJORS else ~is_major)
            yield bars

    def _rows(self, entry: FileEntry, at: str, columns: list[str], window: Window | None) -> Iterator[pl.LazyFrame]:
        """Rows of each file of an entry as they are, with timestamp and `NAIVE_TEXT` beside them."""
        for file in sorted(self.folder.glob(entry.path)):
            rows = pl.scan_csv(file, infer_schema=False) if entry.is_csv else pl.scan_parquet(file)
            schema = rows.collect_schema()
            if missing := sorted({at, *columns} - set(schema)):
                raise LayoutError(
                    f"{file} has no column {missing}, it has {list(schema)}; correct the column names of the entry"
                    f" {entry.path!r} in {self.layout_found[1]}"
                )
            if window is not None:
                rows = rows.filter(near_window(at, schema[at], *window))
            received = timestamp_columns(at, schema[at], entry)
            rows = rows.select(pl.col(sorted({*columns} - {at})).name.prefix(_RAW), *received)
            if window is not None:
                chosen_by = pl.col(WINDOW_AT)
                rows = rows.filter(chosen_by.is_null() | chosen_by.is_between(*window, closed="left"))
            yield rows


def _as_bars(rows: pl.LazyFrame, entry: CandleEntry) -> pl.LazyFrame:
    columns = entry.columns
    printed = pl.lit(entry.symbol) if columns.symbol is None else pl.col(_RAW + columns.symbol).cast(pl.String)
    printed = printed.str.strip_suffix(entry.strip_suffix)
    symbol, coins = printed, pl.lit(1.0)
    for prefix, number in entry.multipliers.items():
        has_prefix = printed.str.contains(f"^{re.escape(prefix)}[A-Za-z]")
        symbol = pl.when(has_prefix).then(printed.str.strip_prefix(prefix)).otherwise(symbol)
        coins = pl.when(has_prefix).then(number).otherwise(coins)
    timeframe = pl.lit(entry.timeframe) if columns.timeframe is None else pl.col(_RAW + columns.timeframe)
    price = {name: _number(getattr(columns, name)) / coins for name in ("open", "high", "low", "close")}
    volume = _number(columns.volume)
    bars = rows.select(
        symbol.alias("token_contract"),
        pl.lit(entry.chain).alias("chain"),
        timeframe.cast(pl.String).alias("timeframe"),
        pl.col("timestamp"),
        *(value.alias(f"{name}_usd") for name, value in price.items()),
        (volume * coins if entry.volume_unit == "base" else volume).alias("volume"),
        pl.lit(entry.source).alias("source"),
        pl.col(NAIVE_TEXT),
    )
    listed = pl.col("token_contract")
    if entry.include:
        bars = bars.filter(listed.is_in(entry.include).fill_null(value=True))
    return bars.filter(~listed.is_in(entry.exclude).fill_null(value=False)) if entry.exclude else bars


def _samples(rows: pl.LazyFrame, metric: str, column: str, entry: DominanceEntry) -> pl.LazyFrame:
    return rows.select(
        pl.lit(metric).alias("metric"),
        pl.col("timestamp"),
        pl.lit(entry.timeframe).cast(pl.String).alias("timeframe"),
        _number(column).alias("value_pct"),
        pl.lit(entry.source).alias("source"),
    ).drop_nulls()


def _number(column: str) -> pl.Expr:
    """Text that is no number becomes null, which validation refuses."""
    return pl.col(_RAW + column).cast(pl.Float64, strict=False)
