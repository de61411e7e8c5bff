"""The uptrend state machine alone: which state a bar leaves an instrument in, from its price and six EMAs.

No score, flag or level belongs here. `next_state` is the one place that knows the arrows; the full step
(`uptrend_step`) and the state-only fold below both call it.

Arrows (strict inequalities: a price equal to EMA333 keeps the state)::

    none, S4 -- bearish order --> S0        none, S4 -- bullish order --> S3 (bootstrapped)      else S4
    S0 -- fast band and price above EMA60 --> S1
    S1 -- bearish order --> S0              S1 -- price > EMA333 --> S2
    S2 -- bearish order --> S0              S2 -- price < EMA333 --> S1      S2 -- bullish order --> S3
    S3 -- every EMA below EMA333 --> S0

Where two arrows of a row hold at once the one written first wins, so an exit is never hidden by a flip.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from domain.regime.uptrend_bar import EmaStack, StackColumns
from domain.vocabulary.uptrend import TransitionReason, UptrendState

NO_STATE = -1
S0, S1, S2, S3, S4 = 0, 1, 2, 3, 4
STATES = (UptrendState.S0, UptrendState.S1, UptrendState.S2, UptrendState.S3, UptrendState.S4)
"""State of each code: `STATES[code]`."""

REASON: dict[tuple[int, int], TransitionReason] = {
    (NO_STATE, S0): TransitionReason.BOOTSTRAP_S0_ORDER,
    (NO_STATE, S3): TransitionReason.BOOTSTRAP_S3_ORDER,
    (S4, S0): TransitionReason.BOOTSTRAP_S0_ORDER,
    (S4, S3): TransitionReason.BOOTSTRAP_S3_ORDER,
    (S0, S1): TransitionReason.FAST_BAND_ABOVE_EMA60,
    (S1, S0): TransitionReason.S1_TO_S0_BEARISH_ORDER,
    (S1, S2): TransitionReason.PRICE_ABOVE_EMA333,
    (S2, S0): TransitionReason.S2_TO_S0_BEARISH_ORDER,
    (S2, S1): TransitionReason.PRICE_BELOW_EMA333,
    (S2, S3): TransitionReason.BULLISH_ORDER,
    (S3, S0): TransitionReason.ALL_EMAS_BELOW_333,
}
"""Why, of every arrow: a state leaves for another by one reason only. A pair that is not here is no arrow."""


@njit(cache=True, error_model="numpy")
def is_fast_band_above_ema60(stack: EmaStack) -> bool:
    """Whether EMA20 and EMA30 both stand above EMA60; False on NaN."""
    return (stack.ema20 > stack.ema60) & (stack.ema30 > stack.ema60)


@njit(cache=True, error_model="numpy")
def is_bullish_order(stack: EmaStack) -> bool:
    """Whether the EMAs stand fast above slow, all the way down to EMA333 (S3 order); False on NaN."""
    slow_field = (stack.ema60 > stack.ema144) & (stack.ema144 > stack.ema250) & (stack.ema250 > stack.ema333)
    return slow_field & is_fast_band_above_ema60(stack)


@njit(cache=True, error_model="numpy")
def is_bearish_order(stack: EmaStack) -> bool:
    """Whether the EMAs stand slow above fast, the mirror of the bullish order (S0 order); False on NaN."""
    slow_field = (stack.ema60 < stack.ema144) & (stack.ema144 < stack.ema250) & (stack.ema250 < stack.ema333)
    return slow_field & (stack.ema20 < stack.ema60) & (stack.ema30 < stack.ema60)


@njit(cache=True, error_model="numpy")
def is_all_below_ema333(stack: EmaStack) -> bool:
    """Whether each of the five faster EMAs stands below EMA333; False on NaN."""
    slow = stack.ema333
    fast = (stack.ema20 < slow) & (stack.ema30 < slow) & (stack.ema60 < slow)
    return fast & (stack.ema144 < slow) & (stack.ema250 < slow)


@njit(cache=True, error_model="numpy")
def next_state(state: int, stack: EmaStack) -> int:
    """State after a warm bar.

    Parameters
    ----------
    state : int
        Code of the state before the bar, or `NO_STATE`.
    stack : EmaStack
        The bar. A NaN compares as False, hence keeps the state; whether the bar is warm is the caller's to judge.

    Returns
    -------
    int
        Code of the new state; `REASON` says why it differs from the old one.
    """
    if state == S3:
        return S0 if is_all_below_ema333(stack) else S3
    if state == S0:
        return S1 if (stack.price > stack.ema60) & is_fast_band_above_ema60(stack) else S0
    if is_bearish_order(stack):
        return S0
    if state == S1:
        return S2 if stack.price > stack.ema333 else S1
    if state == S2 and stack.price < stack.ema333:
        return S1
    if is_bullish_order(stack):
        return S3
    return S2 if state == S2 else S4


@njit(cache=True, error_model="numpy", nogil=True)
def fold_states(
    columns: StackColumns, offsets: NDArray[np.int64], initial: NDArray[np.int8], min_bars: int, out: NDArray[np.int8]
) -> None:
    """State of every bar of many series, without scores or flags; linear in bars. Releases the GIL.

    Parameters
    ----------
    columns : StackColumns
        Series one after the other, each oldest bar first.
    offsets : ndarray of shape (n_series + 1,)
        Series `s` occupies rows `offsets[s]` to `offsets[s + 1]`.
    initial : ndarray of shape (n_series,)
        State code before each series' first row, or `NO_STATE`.
    min_bars : int
        Bars since the last gap below which the state is S4.
    out : ndarray of shape (n_bars,)
        Receives the state codes.
    """
    for series in range(initial.size):
        state = int(initial[series])
        first, stop = offsets[series], offsets[series + 1]
        # Slices per series: an index that starts at 0 needs no wrap-around check, which is a quarter of the time.
        price, ema20, ema30 = columns.price[first:stop], columns.ema20[first:stop], columns.ema30[first:stop]
        ema60, ema144 = columns.ema60[first:stop], columns.ema144[first:stop]
        ema250, ema333 = columns.ema250[first:stop], columns.ema333[first:stop]
        bars_count, states = columns.bars_count[first:stop], out[first:stop]
        for i in range(states.size):
            if bars_count[i] < min_bars:
                state = S4
            else:
                stack = EmaStack(price[i], ema20[i], ema30[i], ema60[i], ema144[i], ema250[i], ema333[i])
                state = next_state(state, stack)
            states[i] = state
