"""Bars of many ticks read at once. Ticks are shown their own bar only; what lies ahead stays in here."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.portfolio_row import Token
from pm_runtime.postgres_market import token_bar, token_columns

BARS_AT_ONCE = 48
"""Bars of a timeframe in one read: two days of hours."""

Read = Callable[..., list[tuple[Any, ...]]]


class BarsAhead:
    """What was read ahead of each timeframe."""

    def __init__(self) -> None:
        self._read: dict[Timeframe, tuple[frozenset[Token], datetime, datetime]] = {}
        self._bars: dict[ExecutionBar, dict[Token, TokenBar]] = {}

    def at(self, bar: ExecutionBar, tokens: Collection[Token], read: Read) -> dict[Token, TokenBar]:
        """Return the bar of each token, where there are bar and state.

        Parameters
        ----------
        read : callable
            Rows of a named query.
        """
        wanted = frozenset(tokens)
        known, first_open, last_open = self._read.get(bar.timeframe, (frozenset(), bar.timestamp, bar.timestamp))
        if not (wanted <= known and first_open <= bar.timestamp <= last_open):
            self._fill(bar, wanted, read)
        found = self._bars.get(bar, {})
        return found if found.keys() <= wanted else {token: found[token] for token in found if token in wanted}

    def _fill(self, bar: ExecutionBar, tokens: frozenset[Token], read: Read) -> None:
        """Forget what was read of the timeframe, and read on from a bar."""
        last_open = bar.timestamp + (BARS_AT_ONCE - 1) * bar.timeframe.duration
        rows = read(
            "token_bars_between",
            timeframe=bar.timeframe.value,
            first_open=bar.timestamp,
            last_open=last_open,
            **token_columns(tokens),
        )
        self._bars = {each: bars for each, bars in self._bars.items() if each.timeframe is not bar.timeframe}
        self._read[bar.timeframe] = (tokens, bar.timestamp, last_open)
        for contract, chain, opened_at, *columns in rows:
            each = ExecutionBar(bar.timeframe, opened_at)
            self._bars.setdefault(each, {})[contract, chain] = token_bar(each, columns)
