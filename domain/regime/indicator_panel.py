"""Indicators of many series on arrays: a batch over bars, then one bar at a time in O(1), bit for bit the same.

What belongs here: NumPy in, NumPy out, all series on the same bars. What does not: frames, gaps, ragged series
(`indicator`), the arithmetic (`indicator_kernel`).
"""

from typing import Self

import numpy as np

from domain.regime.indicator_kernel import (
    CLOSE_RING,
    CORE_COLUMNS,
    EMA_LEVEL,
    LANES,
    LEVEL_ROWS,
    PANEL_COLUMNS,
    RING,
    SPANS,
    FloatArray,
    batch_tiles,
    step_tiles,
)


def pack_tiles(panel: FloatArray) -> FloatArray:
    """Lay a panel out as the kernel reads it, `LANES` series side by side.

    Parameters
    ----------
    panel : ndarray of shape (n_bars, n_series)
        Any values; a short last tile repeats the last series.

    Returns
    -------
    ndarray of shape (n_tiles, n_bars, LANES)
    """
    n_bars, n_series = panel.shape
    n_tiles = -(-n_series // LANES)
    padded = np.pad(panel, ((0, 0), (0, n_tiles * LANES - n_series)), mode="edge")
    return np.ascontiguousarray(padded.reshape(n_bars, n_tiles, LANES).transpose(1, 0, 2))


def unpack_tiles(results: FloatArray, n_series: int) -> FloatArray:
    """Results of `IndicatorState.batch`, (n_tiles, n_bars, n_columns, LANES), as (n_columns, n_bars, n_series)."""
    n_tiles, n_bars, n_columns, lanes = results.shape
    flat = results.transpose(2, 1, 0, 3).reshape(n_columns, n_bars, n_tiles * lanes)
    return np.ascontiguousarray(flat[:, :, :n_series])


class IndicatorState:
    """What the indicators of `n_series` series need between bars; `batch` and `step` move it on.

    Attributes
    ----------
    columns : tuple of str
        Names of the result columns: `PANEL_COLUMNS`, or `CORE_COLUMNS` alone when `is_full` is false.
    n_series : int
        Series held.
    """

    def __init__(self, first_close: FloatArray, *, is_full: bool = True) -> None:
        self.columns = PANEL_COLUMNS if is_full else CORE_COLUMNS
        self.n_series = first_close.size
        self._is_full = is_full
        n_tiles = -(-self.n_series // LANES)
        seed = pack_tiles(first_close[np.newaxis, :])
        closes, level = np.empty((n_tiles, 2 * CLOSE_RING, LANES)), np.zeros((n_tiles, LEVEL_ROWS, LANES))
        closes[:] = seed
        level[:, EMA_LEVEL : EMA_LEVEL + len(SPANS)] = seed
        self._rows = np.zeros((n_tiles, 2 * RING if is_full else 1, len(self.columns), LANES))
        self._flat = closes.reshape(-1), level.reshape(-1), self._rows.reshape(-1)
        self._slot = 0

    def copy(self) -> Self:
        """Return an independent state that stands at the same bar."""
        twin = object.__new__(type(self))
        twin.columns, twin.n_series = self.columns, self.n_series
        twin._is_full, twin._slot = self._is_full, self._slot
        closes, level, _ = self._flat
        twin._rows = self._rows.copy()
        twin._flat = closes.copy(), level.copy(), twin._rows.reshape(-1)
        return twin

    def batch(self, high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray, out: FloatArray) -> None:
        """Run all bars of a panel and keep every row.

        Parameters
        ----------
        high, low, close, volume : ndarray of shape (n_tiles, n_bars, LANES), contiguous, without NaN
            As `pack_tiles` makes them. `volume` is not read by the core columns.
        out : ndarray of shape (n_tiles, n_bars, len(columns), LANES), contiguous
            Receives the results; NaN where a column is not defined yet.
        """
        n_bars = high.shape[1]
        closes, level, rows = self._flat
        batch_tiles(
            high.reshape(-1),
            low.reshape(-1),
            close.reshape(-1),
            volume.reshape(-1),
            closes,
            level,
            rows,
            out.reshape(-1),
            self.n_series,
            n_bars,
            self._slot,
            self._is_full,
        )
        self._slot = (self._slot + n_bars) % RING

    def step(self, high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray) -> FloatArray:
        """Run one bar of every series.

        Parameters
        ----------
        high, low, close, volume : ndarray of shape (n_series,), contiguous, without NaN
            The bar; `volume` is not read by the core columns.

        Returns
        -------
        ndarray of shape (n_tiles, len(columns), LANES)
            View of the results, overwritten later; the lanes beyond n_series mean nothing.
        """
        slot = self._slot
        closes, level, rows = self._flat
        step_tiles(high, low, close, volume, closes, level, rows, self.n_series, slot, self._is_full)
        self._slot = (slot + 1) % RING
        return self._rows[:, RING + slot if self._is_full else 0]


def indicator_panel(high: FloatArray, low: FloatArray, close: FloatArray, volume: FloatArray) -> FloatArray:
    """All indicator columns of a panel of series that start at its first bar.

    Parameters
    ----------
    high, low, close, volume : ndarray of shape (n_bars, n_series), without NaN
        Prices > 0 in any unit, volume >= 0.

    Returns
    -------
    ndarray of shape (len(PANEL_COLUMNS), n_bars, n_series)
        NaN where a column is not defined yet. Formulas and warm-up: docs/decisions/0003-indicator-conventions.md.
    """
    state = IndicatorState(close[0])
    closes = pack_tiles(close)
    out = np.empty((*closes.shape[:2], len(state.columns), LANES))
    state.batch(pack_tiles(high), pack_tiles(low), closes, pack_tiles(volume), out)
    return unpack_tiles(out, close.shape[1])
