"""The port of a source that is asked only for what is missing; a folder of files need not have it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import polars as pl

from domain.regime.bar_quarantine import QUARANTINE_SCHEMA
from domain.vocabulary.universe import Universe
from domain.vocabulary.window import Window


@dataclass(frozen=True, eq=False)
class Offered:
    """What a source brings to a load.

    Attributes
    ----------
    bars : DataFrame
        Columns of `CANDLE_SCHEMA`, inside the window.
    refused : DataFrame
        Columns of `QUARANTINE_SCHEMA`: bars of a source that does not continue the series it was meant for.
    """

    bars: pl.DataFrame
    refused: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=QUARANTINE_SCHEMA))


@runtime_checkable
class IncrementalSource(Protocol):
    """A source of candles that costs something to ask."""

    def missing_candles(self, universe: Universe, window: Window, known: pl.DataFrame) -> Offered:
        """Ask for the closed bars of a window that are not known, and for the newest ones once more.

        Parameters
        ----------
        universe : Universe
            Whose bars.
        window : Window
            What is being made; it may reach beyond the present.
        known : DataFrame
            token_contract, chain, timeframe, timestamp, close_usd, source: the bars of the window that venues
            printed, and the last ones before it. Majors are of chain "majors".
        """
        ...

    def report(self) -> Mapping[str, Any]:
        """Tell what this source was asked for and did not give, in numbers, since it was opened."""
        ...
