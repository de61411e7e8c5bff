"""The instruments of the simulated market: five majors, and low-caps of every size over three chains.

Prices and supplies are of a plausible order of magnitude and belong to nothing that exists.
"""

from dataclasses import dataclass

import numpy as np

from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.universe import Universe

MAJOR_CHAIN = "simulated"
LOWCAP_CHAINS: tuple[str, ...] = ("solana", "base", "bsc")
LOWCAP_SUPPLY = 1e9

# symbol: price at the start in USD, coins, beta to BTC
_MAJORS: dict[str, tuple[float, float, float]] = {
    "BTC": (60_000.0, 19.7e6, 1.0),
    "ETH": (3_000.0, 120e6, 1.4),
    "SOL": (150.0, 480e6, 1.6),
    "BNB": (550.0, 145e6, 1.3),
    "HYPE": (20.0, 330e6, 1.7),
}
# Caps a tier's tokens are pulled to, in USD, and the half-life of the pull, in days: well inside the tier, and strong
# where it is narrow, so that a market move leaves most of them in it.
_TIER: dict[CapBucket, tuple[float, float, float]] = {
    CapBucket.NANO: (20e3, 55e3, 20.0),
    CapBucket.MICRO: (300e3, 2.5e6, 20.0),
    CapBucket.MID: (10e6, 28e6, 20.0),
    CapBucket.BIG: (95e6, 260e6, 20.0),
    CapBucket.LARGE: (680e6, 720e6, 4.0),
}


@dataclass(frozen=True)
class Instrument:
    """One simulated instrument.

    Attributes
    ----------
    number : int
        Names its random streams; an instrument keeps it whatever else is simulated.
    token_contract, chain : str
        As in the candles.
    universe : Universe
        Majors or low-caps.
    start_price_usd, supply : float
        Price before the first day, and coins.
    beta : float
        Move for a move of 1 of the market factor.
    idiosyncratic : float
        Standard deviation of its own daily log return.
    reversion_days : float
        Half-life of its pull back to the start price; infinite when there is none.
    turnover : float
        Share of its cap traded on a quiet day.
    """

    number: int
    token_contract: str
    chain: str
    universe: Universe
    start_price_usd: float
    supply: float
    beta: float
    idiosyncratic: float
    reversion_days: float
    turnover: float


def majors() -> list[Instrument]:
    """BTC and four alts, in the order of `MAJORS`."""
    return [
        Instrument(number, symbol, MAJOR_CHAIN, Universe.MAJORS, price, supply, beta, idiosyncratic, np.inf, 0.03)
        for number, (symbol, (price, supply, beta)) in enumerate(_MAJORS.items())
        for idiosyncratic in [0.0 if symbol == "BTC" else 0.010]
    ]


def lowcaps(count: int, seed: int) -> list[Instrument]:
    """`count` tokens, one tier after the other, so that every tier has the same number give or take one."""
    return [_lowcap(index, seed) for index in range(count)]


def _lowcap(index: int, seed: int) -> Instrument:
    number = 1_000 + index
    tier = REGIME_BUCKETS[index % len(REGIME_BUCKETS)]
    rng = np.random.default_rng([seed, number, 0])
    low, high, reversion_days = _TIER[tier]
    cap_usd = float(np.exp(rng.uniform(np.log(low), np.log(high))))
    return Instrument(
        number=number,
        token_contract=f"simulated-{tier.value}-{index // len(REGIME_BUCKETS) + 1:02d}",
        chain=LOWCAP_CHAINS[index // len(REGIME_BUCKETS) % len(LOWCAP_CHAINS)],
        universe=Universe.LOWCAP,
        start_price_usd=cap_usd / LOWCAP_SUPPLY,
        supply=LOWCAP_SUPPLY,
        beta=float(rng.uniform(0.8, 1.4)),
        idiosyncratic=float(rng.uniform(0.02, 0.045)),
        reversion_days=reversion_days,
        turnover=float(rng.uniform(0.05, 0.3)),
    )
