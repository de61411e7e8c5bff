"""Dominance of the simulated market: shares of a total cap made of the majors, all other coins, and one stablecoin."""

import numpy as np

from resources.simulated_instrument import Instrument
from resources.simulated_path import FloatArray

_OTHERS_USD = 450e9  # cap of the coins that are not simulated, when the alts stand where they started
_STABLE_USD = 80e9  # cap of the stablecoin on the first day
_STABLE_GROWTH = 0.0003  # a day, log: it grows in good times and bad


def dominance_pct(opens: FloatArray, instruments: list[Instrument], days: FloatArray) -> dict[str, FloatArray]:
    """Share of BTC and of the stablecoin in the total cap, in percent.

    Coins that are not simulated move as the alts do on average, and alts move more than BTC: so BTC.d falls in a rise.

    Parameters
    ----------
    opens : ndarray of shape (n_instruments, n_samples)
        Prices of the majors in USD, BTC first.
    instruments : list of Instrument
        The majors.
    days : ndarray of shape (n_samples,)
        Days since the start.

    Returns
    -------
    dict of ndarray of shape (n_samples,)
        "BTC.d" and "USDT.d", each in 0..100.
    """
    start_usd = np.array([instrument.start_price_usd for instrument in instruments])[:, None]
    supply = np.array([instrument.supply for instrument in instruments])[:, None]
    caps = opens * supply
    others = _OTHERS_USD * (opens[1:] / start_usd[1:]).mean(axis=0)
    stable = _STABLE_USD * np.exp(_STABLE_GROWTH * days)
    total = caps.sum(axis=0) + others + stable
    return {"BTC.d": 100.0 * caps[0] / total, "USDT.d": 100.0 * stable / total}
