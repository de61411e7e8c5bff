"""From bars to indicators to uptrend states, whosever series they are: the wiring that drivers and tokens share.

A table of indicators or states goes on from its own stored rows, series by series; of those only what the recursion
reads is fetched.
"""

from dataclasses import dataclass

import polars as pl

from domain.regime.indicator import LOOKBACK_ROWS, indicator_frame
from domain.regime.indicator_segment import BAR_VALUES, RESUME_COLUMNS
from domain.regime.uptrend_bar import DecayColumns
from domain.regime.uptrend_engine import HISTORY_ROWS, INPUT_COLUMNS, PREVIOUS_COLUMNS, uptrend_frame
from domain.vocabulary.uptrend import UptrendState
from regime_assets.chain_asset import Work

INDICATOR_INPUTS = tuple(name for name in INPUT_COLUMNS if name not in BAR_VALUES)
"""Columns of an indicator row that the states read; the others are the bar's own."""

DECAY_INPUTS = tuple(name for name in DecayColumns._fields if name in INDICATOR_INPUTS)
"""Those that are read of the bars before the window, too."""


@dataclass(frozen=True)
class SeriesTables:
    """Tables of one kind of series: its bars, their indicators; `key` names a series in both and in its states."""

    bars: str
    indicators: str
    key: tuple[str, ...]

    def window_bars(self, work: Work) -> pl.DataFrame:
        """Read the bars of the window, with what indicators and states read of them."""
        columns = [*self.key, "timestamp", *BAR_VALUES]
        return work.tables.read(self.bars, work.window, columns=columns, is_ordered=False)

    def window_indicators(self, work: Work) -> pl.DataFrame:
        """Read the indicator rows of the window, with what the states read of them."""
        columns = [*self.key, "timestamp", *INDICATOR_INPUTS]
        return work.tables.read(self.indicators, work.window, columns=columns, is_ordered=False)

    def indicator_rows(self, work: Work, bars: pl.DataFrame, *, made_from: pl.Expr | None = None) -> pl.DataFrame:
        """Make the indicator rows of bars of the window.

        Parameters
        ----------
        bars : DataFrame
            As `window_bars` gives them, or fewer.
        made_from : Expr, optional
            Instant before which the stored rows of a series stand; by default the window's start.
        """
        series = self._series(work, bars, made_from)
        stored = work.tables.read_last(
            self.indicators, work.window.start, rows=LOOKBACK_ROWS, columns=RESUME_COLUMNS, series=series
        )
        return indicator_frame(bars, stored, key=self.key, config=work.config.regime.indicator)

    def last_states(self, work: Work, bars: pl.DataFrame, *, made_from: pl.Expr | None = None) -> pl.DataFrame:
        """Read the last stored state row of each series of the bars."""
        series = self._series(work, bars, made_from)
        return work.tables.read_last(work.table, work.window.start, columns=PREVIOUS_COLUMNS, series=series)

    def state_rows(
        self, work: Work, evaluated: pl.DataFrame, previous: pl.DataFrame, *, made_from: pl.Expr | None = None
    ) -> pl.DataFrame:
        """Make the state rows of bars of the window.

        Parameters
        ----------
        evaluated : DataFrame
            Bars of the window joined with their indicators.
        previous : DataFrame
            Last stored state row of each series before them.
        made_from : Expr, optional
            As in `indicator_rows`.
        """
        in_s3 = previous.filter(pl.col("state") == UptrendState.S3.value)
        since_s3 = self._series(work, in_s3, made_from, since="s3_start_at")
        bars, indicators = (
            work.tables.read_last(table, work.window.start, rows=HISTORY_ROWS, columns=columns, series=since_s3)
            for table, columns in ((self.bars, BAR_VALUES), (self.indicators, DECAY_INPUTS))
        )
        past = bars.join(indicators, on=[*self.key, "timestamp"])
        return uptrend_frame(
            pl.concat([evaluated, past], how="diagonal"),
            previous,
            key=self.key,
            config=work.config.regime.uptrend,
            start=work.window.start,
        )

    def _series(self, work: Work, rows: pl.DataFrame, made_from: pl.Expr | None, **since: str) -> pl.DataFrame:
        before = pl.lit(work.window.start) if made_from is None else made_from
        return rows.select(*self.key, **since).unique().with_columns(before=before)
