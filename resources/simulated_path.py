"""Daily bars of the simulated market: regimes, a market factor, and what each instrument makes of it.

Everything is drawn forward from the first day, so a longer span only adds days. What is finer than a day is in
`simulated_bridge`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.vocabulary.universe import Universe
from resources.simulated_instrument import Instrument

FloatArray = npt.NDArray[np.float64]

MARKET, ALTS = 900, 901
"""Numbers of the random streams that instruments share."""

BULL, BEAR, CHOP = 0, 1, 2
_DRIFT = (0.0095, -0.0055, 0.0)  # log return of the market factor a day
_LENGTH = ((70, 130), (60, 110), (20, 45))  # days
# The first phases are set and only their length is drawn. A daily series is warm after 333 days; by then it should be
# about to leave its lowest state, so that 500 days show all four. Most seeds do.
_OPENING = ((BULL, 25, 30), (BEAR, 290, 300), (BULL, 180, 200))
_SWING = 0.35  # log size of the corrections and rallies inside a phase, up and down in turn
_SWING_DAYS = (12, 22)  # long enough to turn hourly averages of 333 bars around
_MARKET_NOISE = 0.009


class Bars(NamedTuple):
    """Arrays of one shape each: prices in USD, volume in whole coins."""

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray


def market_regime(seed: int, n_days: int) -> npt.NDArray[np.int64]:
    """Phase of each day: BULL, BEAR or CHOP.

    Phases last a number of days drawn from `_LENGTH`; after one, each of the other two is equally likely.
    """
    phases: list[int] = []
    for phase, length in _phases(np.random.default_rng([seed, MARKET, 1])):
        phases += [phase] * length
        if len(phases) >= n_days:
            break
    return np.array(phases[:n_days], dtype=np.int64)


def _phases(rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    phase = CHOP
    for phase, shortest, longest in _OPENING:
        yield phase, int(rng.integers(shortest, longest + 1))
    while True:
        phase = (phase + int(rng.integers(1, 3))) % 3
        yield phase, int(rng.integers(_LENGTH[phase][0], _LENGTH[phase][1] + 1))


def daily_bars(seed: int, n_days: int, instruments: list[Instrument]) -> Bars:
    """Bars of every day and instrument, of shape (n_instruments, n_days).

    Log return of BTC = drift of the phase + swing + noise; of another = beta x that + a factor all alts share + its
    own noise - pull to its start price. Noise has Student's t with 4 degrees of freedom. A day opens where the last
    one closed.
    """
    market = np.array(_DRIFT)[market_regime(seed, n_days)] + _swings(seed, n_days)
    market += _MARKET_NOISE * _student(np.random.default_rng([seed, MARKET, 3]), (n_days,))
    alts = 0.006 * _student(np.random.default_rng([seed, ALTS, 3]), (n_days,))
    days = [_instrument_days(seed, market, alts, instrument) for instrument in instruments]
    return Bars(*(np.stack(column) for column in zip(*days, strict=True)))


def _swings(seed: int, n_days: int) -> FloatArray:
    """Alternate legs of equal size and random length: no drift of their own."""
    rng = np.random.default_rng([seed, MARKET, 2])
    drift: list[float] = []
    sign = 1.0
    while len(drift) < n_days:
        length = int(rng.integers(_SWING_DAYS[0], _SWING_DAYS[1] + 1))
        drift += [sign * _SWING / length] * length
        sign = -sign
    return np.array(drift[:n_days])


def _student(rng: np.random.Generator, shape: tuple[int, ...]) -> FloatArray:
    """Student's t with 4 degrees of freedom, of variance 1."""
    return np.asarray(rng.standard_t(4, size=shape) / np.sqrt(2.0))


def _instrument_days(seed: int, market: FloatArray, alts: FloatArray, instrument: Instrument) -> Bars:
    n_days = market.size
    rng = np.random.default_rng([seed, instrument.number, 1])
    draws = _student(rng, (n_days, 4))
    shared = 0.0 if instrument.number == 0 else alts
    shock = instrument.beta * market + shared + instrument.idiosyncratic * draws[:, 0]
    keep = 0.5 ** (1.0 / instrument.reversion_days)
    level = np.empty(n_days + 1)
    level[0] = 0.0
    for day in range(n_days):
        level[day + 1] = keep * level[day] + shock[day]
    price = instrument.start_price_usd * np.exp(level)
    opened, closed = price[:-1], price[1:]
    reach = 0.5 * np.hypot(instrument.idiosyncratic, _MARKET_NOISE * instrument.beta)
    high = np.maximum(opened, closed) * np.exp(reach * np.abs(draws[:, 1]))
    low = np.minimum(opened, closed) * np.exp(-reach * np.abs(draws[:, 2]))
    turnover = instrument.turnover * np.exp(0.4 * np.clip(draws[:, 3], -4, 4)) * (1.0 + 10.0 * np.abs(shock))
    return Bars(opened, high, low, closed, np.floor(turnover * instrument.supply))


def alt_level(bars: Bars, instruments: list[Instrument]) -> FloatArray:
    """Equal-weight index of the alts' opens relative to their start prices; shape of one instrument's bars."""
    relative = [
        bars.open[row] / instrument.start_price_usd
        for row, instrument in enumerate(instruments)
        if instrument.universe is Universe.MAJORS and instrument.number > 0
    ]
    return np.asarray(np.mean(relative, axis=0))
