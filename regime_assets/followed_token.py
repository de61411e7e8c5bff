"""Which tokens are followed and how their rows are replaced: the wiring that token_ta and token_uptrend_state share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import dagster as dg
import polars as pl

from domain.regime.followed_token import followed_bars, minutes_start
from domain.regime.uptrend_engine import HISTORY_ROWS
from domain.vocabulary.timeframe import Timeframe
from regime_assets.chain_asset import Work

BARS, TAGS = "regime.lowcap_price_data_ohlc", "regime.token_cap_bucket"
KEY = ("token_contract", "chain", "timeframe")
FORGET, PRUNE = "delete_window_but_old_minutes", "prune_minutes"


@dataclass(frozen=True)
class Following:
    """The tokens a window follows, on which timeframes, and from which midnight on minutes are made."""

    tokens: pl.DataFrame
    timeframes: tuple[str, ...]
    minutes_from: datetime

    @classmethod
    def of(cls, work: Work) -> Self:
        """Find whom a window follows: every token tagged other than xl on one of its days or before."""
        config = work.config.regime.token_state
        tokens = work.tables.query("followed_tokens", (work.window.end,))
        return cls(tokens, config.timeframes, minutes_start(work.as_of, config.minute_days))

    def bars(self, bars: pl.DataFrame) -> pl.DataFrame:
        """Keep the bars that are followed."""
        return followed_bars(bars, self.tokens, timeframes=self.timeframes, minutes_from=self.minutes_from)

    def made_from(self, start: datetime) -> pl.Expr:
        """First instant of which rows of a series are made in a window: minutes may begin later than the window."""
        is_minute = pl.col("timeframe") == Timeframe.M1.value
        return pl.when(is_minute).then(pl.lit(max(start, self.minutes_from))).otherwise(pl.lit(start))

    def replace(
        self, work: Work, frame: pl.DataFrame, *, metadata: Mapping[str, Any], values: Mapping[str, tuple[Any, ...]]
    ) -> dg.MaterializeResult:
        """Replace what changed of the window; leave the minutes that are no longer made, forget the older ones.

        Of those a series keeps what its next bars look back on, so that the first day of minutes can be made again. A
        micro-batch, whose window is shorter than a day, leaves that to the next run.
        """
        is_run = work.window.end - work.window.start >= Timeframe.D1.duration
        return work.replace(
            frame,
            metadata=metadata,
            forget=FORGET,
            prune=PRUNE if is_run else None,
            values={FORGET: (self.minutes_from,), PRUNE: (self.minutes_from, HISTORY_ROWS), **values},
            only_changes=True,
        )
