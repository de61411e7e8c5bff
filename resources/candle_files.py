"""Candles, dominance and market caps from a folder of Parquet and CSV files, by a declared layout.

What belongs here: lazy reading of files into the frames of the port. What does not: what the files hold
(`candle_layout`), and whether a bar is right.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import polars as pl

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import MAJORS, Universe
from resources.candle_layout import CandleEntry, CandleLayout, FileEntry, LayoutError, MarketCapEntry, find_layout
from resources.candle_row import RAW, as_bars, as_readings, as_samples
from resources.candle_source import (
    CANDLE_SCHEMA,
    DOMINANCE_SCHEMA,
    MARKET_CAP_SCHEMA,
    NAIVE_TEXT,
    SourceTerms,
    require_window,
    timeframe_duration,
)
from resources.candle_timestamp import WINDOW_AT, near_window, timestamp_columns

Window = tuple[datetime, datetime]


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
            as_samples(rows, metric, column, entry)
            for entry in self.layout.dominance
            for rows in self._rows(entry, entry.timestamp_column, list(entry.metrics.values()), (start, end))
            for metric, column in entry.metrics.items()
        ]
        return pl.concat(pl.collect_all([pl.LazyFrame(schema=DOMINANCE_SCHEMA), *frames]))

    def market_caps(self, start: datetime, end: datetime) -> pl.DataFrame:
        """Read the caps and supplies of the window; a table without times gives its rows at each midnight.

        Raises
        ------
        LayoutError
            If times bear no zone and the layout declares none: they cannot go to quarantine as candles do.
        """
        require_window(start, end)
        frames = [
            as_readings(rows, entry)
            for entry in self.layout.market_caps
            for rows in self._cap_rows(entry, (start, end))
        ]
        return pl.concat(pl.collect_all([pl.LazyFrame(schema=MARKET_CAP_SCHEMA), *frames]))

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
        files = sum(len(list(self.folder.glob(entry.path))) for entry in self.layout.entries)
        return f"{self.name}: {files} files in {self.folder}, read as {self.layout_found[1].name} says"

    def _bars(self, entry: CandleEntry, universe: Universe | None, window: Window | None) -> Iterator[pl.LazyFrame]:
        """Bars of one entry, a lazy frame a file; of both universes, or at all times, when these are None."""
        if universe is not None and entry.universe not in ("by_symbol", universe.value):
            return
        names = [name for name in entry.columns.model_dump().values() if name is not None]
        for rows in self._rows(entry, entry.columns.timestamp, names, window):
            bars = as_bars(rows, entry)
            if universe is not None and entry.universe == "by_symbol":
                is_major = pl.col("token_contract").is_in(MAJORS).fill_null(value=False)
                bars = bars.filter(is_major if universe is Universe.MAJORS else ~is_major)
            yield bars

    def _cap_rows(self, entry: MarketCapEntry, window: Window) -> Iterator[pl.LazyFrame]:
        """Rows of one entry, a lazy frame a file; those of a table once for each midnight of the window."""
        at = entry.columns.timestamp
        names = [name for name in entry.columns.model_dump().values() if name not in (None, at)]
        if at is not None:
            for rows in self._rows(entry, at, names, window):
                if entry.time_zone is None and rows.select(pl.col(NAIVE_TEXT).count()).collect().item():
                    raise LayoutError(f"{entry.path}: times in {at!r} bear no zone; set time_zone")
                yield rows
            return
        midnights = _midnights(*window).to_frame("timestamp").lazy()
        for _, rows in self._opened(entry, names):
            yield rows.select(pl.col(sorted({*names})).name.prefix(RAW)).join(midnights, how="cross")

    def _opened(self, entry: FileEntry, columns: list[str]) -> Iterator[tuple[pl.Schema, pl.LazyFrame]]:
        """Each file of an entry that has the columns it should."""
        for file in sorted(self.folder.glob(entry.path)):
            rows = pl.scan_csv(file, infer_schema=False) if entry.is_csv else pl.scan_parquet(file)
            schema = rows.collect_schema()
            if missing := sorted({*columns} - set(schema)):
                raise LayoutError(
                    f"{file} has no column {missing}, it has {list(schema)}; correct the column names of the entry"
                    f" {entry.path!r} in {self.layout_found[1]}"
                )
            yield schema, rows

    def _rows(self, entry: FileEntry, at: str, columns: list[str], window: Window | None) -> Iterator[pl.LazyFrame]:
        """Rows of each file of an entry as they are, with timestamp and `NAIVE_TEXT` beside them."""
        for schema, rows in self._opened(entry, [at, *columns]):
            if window is not None:
                rows = rows.filter(near_window(at, schema[at], *window))
            received = timestamp_columns(at, schema[at], entry)
            rows = rows.select(pl.col(sorted({*columns} - {at})).name.prefix(RAW), *received)
            if window is not None:
                chosen_by = pl.col(WINDOW_AT)
                rows = rows.filter(chosen_by.is_null() | chosen_by.is_between(*window, closed="left"))
            yield rows


def _midnights(start: datetime, end: datetime) -> pl.Series:
    """Midnights UTC in [start, end)."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    days = pl.datetime_range(Timeframe.D1.floor(start), end, "1d", closed="left", time_unit="us", eager=True)
    return days.filter(days >= start)
