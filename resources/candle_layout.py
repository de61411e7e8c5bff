"""What a folder of candle files holds, declared in TOML: which file, which columns, which time zone, which unit.

What belongs here: the declaration and where it is looked for. What does not: reading the files.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, StringConstraints, ValidationError, model_validator

from domain.vocabulary.driver import DOMINANCE_DRIVERS
from domain.vocabulary.timeframe import Timeframe

LAYOUT_FILE = "candles.toml"
BUNDLED_LAYOUTS = Path(__file__).with_name("candle_layouts")

Name = Annotated[str, StringConstraints(min_length=1)]


class LayoutError(ValueError):
    """A layout does not fit its files; the message says which file, which column and what to write."""


class FileEntry(BaseModel, frozen=True, extra="forbid"):
    """One file, or a glob of files of one kind."""

    path: Name = Field(description="Relative to the folder; may be a glob.")
    source: Name = Field(description="Value of the source column of these rows.")
    format: Literal["parquet", "csv"] | None = Field(
        default=None, description="By the file's ending when absent; CSV may be gzipped."
    )
    time_zone: Name | None = Field(
        default=None, description="Zone of times that bear none. Never guessed: without it such rows are refused."
    )
    timestamp_unit: Literal["s", "ms", "us", "ns"] | None = Field(
        default=None, description="Unit of times that are numbers since 1970-01-01 UTC."
    )
    timestamp_format: str | None = Field(default=None, description="strptime format of times that are text.")
    timeframe: Timeframe | None = Field(default=None, description="Timeframe of every row.")

    @property
    def is_csv(self) -> bool:
        """Whether the files are text."""
        return self.format == "csv" or (self.format is None and self.path.endswith((".csv", ".csv.gz")))

    @model_validator(mode="after")
    def _has_a_known_format(self) -> "FileEntry":
        if self.format is None and not self.path.endswith((".csv", ".csv.gz", ".parquet")):
            raise ValueError(f'{self.path}: set format = "parquet" or format = "csv"')
        return self


class CandleColumns(BaseModel, frozen=True, extra="forbid"):
    """Names of a file's columns."""

    timestamp: Name = "timestamp"
    open: Name = "open"
    high: Name = "high"
    low: Name = "low"
    close: Name = "close"
    volume: Name = "volume"
    symbol: Name | None = None
    timeframe: Name | None = None


class TokenEntry(FileEntry):
    """Files with a column of tokens."""

    chain: Name = Field(description="Chain, or venue, of every row.")
    strip_suffix: str = Field(default="", description="Ending to take off the symbol, such as USDT.")
    multipliers: dict[Name, PositiveFloat] = Field(
        default={},
        description="Prefixes of symbols that stand for so many coins, such as 1000 of 1000PEPE. The prefix is taken"
        " off, prices are divided by the number, volume in coins is multiplied by it; caps and supplies count coins"
        " whatever the prefix, and stay.",
    )
    include: tuple[Name, ...] = Field(default=(), description="Symbols to read, after stripping; all when empty.")
    exclude: tuple[Name, ...] = Field(default=(), description="Symbols to leave out, after stripping.")


class CandleEntry(TokenEntry):
    """Files of candles; timestamps are the bars' opens."""

    volume_unit: Literal["base", "usd"] = Field(description="What volume counts: coins, or USD.")
    columns: CandleColumns = CandleColumns()
    symbol: Name | None = Field(default=None, description="Symbol of every row, where the file has no such column.")
    universe: Literal["by_symbol", "majors", "lowcap"] = Field(
        default="by_symbol", description="Universe of every row, or by whether the symbol is a major."
    )
    priority: PositiveInt = Field(default=100, description="1 is the most trusted, where sources disagree on a bar.")

    @model_validator(mode="after")
    def _names_symbol_and_timeframe_once(self) -> "CandleEntry":
        for name, column in (("symbol", self.columns.symbol), ("timeframe", self.columns.timeframe)):
            if (getattr(self, name) is None) == (column is None):
                raise ValueError(f"{self.path}: set one of {name} (same for all rows) and columns.{name}")
        return self


class DominanceEntry(FileEntry):
    """Files of dominance samples in percent, a column a metric."""

    timestamp_column: Name = "timestamp"
    metrics: dict[str, Name] = Field(description="Column of each metric, BTC.d and USDT.d.", min_length=1)

    @model_validator(mode="after")
    def _samples_known_metrics_at_a_known_interval(self) -> "DominanceEntry":
        unknown = sorted(set(self.metrics) - set(DOMINANCE_DRIVERS))
        if unknown or self.timeframe is None:
            raise ValueError(f"{self.path}: metrics must be of {DOMINANCE_DRIVERS} and timeframe be set; was {unknown}")
        return self


class MarketCapColumns(BaseModel, frozen=True, extra="forbid"):
    """Names of a file's columns; what is not named is unknown. Amounts are in USD, the supply counts coins."""

    token: Name
    timestamp: Name | None = None
    market_cap: Name | None = None
    circulating_supply: Name | None = None
    fdv: Name | None = None
    volume_24h: Name | None = None
    liquidity: Name | None = None


class MarketCapEntry(TokenEntry):
    """Files of market caps or supplies; timestamps are the instants they were read.

    Without `columns.timestamp` the file is a table that holds at every midnight, such as one of supplies.
    """

    columns: MarketCapColumns

    @model_validator(mode="after")
    def _says_how_large_a_token_is(self) -> "MarketCapEntry":
        if self.columns.market_cap is None and self.columns.circulating_supply is None:
            raise ValueError(f"{self.path}: set columns.market_cap or columns.circulating_supply")
        if self.timeframe is not None:
            raise ValueError(f"{self.path}: a market cap has no timeframe; take it out")
        return self


class CandleLayout(BaseModel, frozen=True, extra="forbid"):
    """All files of a folder."""

    name: Name
    candles: tuple[CandleEntry, ...] = Field(min_length=1)
    dominance: tuple[DominanceEntry, ...] = ()
    market_caps: tuple[MarketCapEntry, ...] = ()

    @property
    def entries(self) -> tuple[FileEntry, ...]:
        """All entries, whatever they hold."""
        return (*self.candles, *self.dominance, *self.market_caps)

    @model_validator(mode="after")
    def _has_one_volume_unit_a_source(self) -> "CandleLayout":
        units = {(entry.source, entry.volume_unit) for entry in self.candles}
        if len(units) != len({source for source, _ in units}):
            raise ValueError("entries of one source must have one volume_unit; give them different source names")
        return self

    def missing_in(self, folder: Path) -> list[str]:
        """Paths of the layout that no file in `folder` answers to."""
        return [entry.path for entry in self.entries if not any(folder.glob(entry.path))]


def read_layout(path: Path) -> CandleLayout:
    """Layout declared in a TOML file.

    Raises
    ------
    LayoutError
        If the file cannot be read as a layout.
    """
    try:
        return CandleLayout.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError, OSError) as error:
        raise LayoutError(f"{path} is not a candle layout: {error}") from error


def find_layout(folder: Path, layout_file: Path | None = None) -> tuple[CandleLayout, Path]:
    """Layout of a folder and the file it was read from.

    The file named, else `candles.toml` in the folder, else the first bundled layout all of whose files are there.

    Raises
    ------
    LayoutError
        If there is none, or the files it lists are not there.
    """
    if not folder.is_dir():
        raise LayoutError(f"{folder} is not a folder")
    own = layout_file or folder / LAYOUT_FILE
    if layout_file is not None or own.exists():
        layout = read_layout(own)
        if missing := layout.missing_in(folder):
            raise LayoutError(f"{own}: no file in {folder} for {missing}; correct path, or take the entry out")
        return layout, own
    bundled = {path: read_layout(path) for path in sorted(BUNDLED_LAYOUTS.glob("*.toml"))}
    for path, layout in bundled.items():
        if not layout.missing_in(folder):
            return layout, path
    tried = "; ".join(f"{path.stem} lacks {layout.missing_in(folder)}" for path, layout in bundled.items())
    raise LayoutError(
        f"{folder} has no {LAYOUT_FILE} and fits no bundled layout ({tried}). Write {LAYOUT_FILE} in it:"
        ' name = "...", and for each file [[candles]] with path, source, chain, volume_unit, time_zone, timeframe or'
        f" columns.timeframe, symbol or columns.symbol; {BUNDLED_LAYOUTS.name}/ in the package has an example"
    )
