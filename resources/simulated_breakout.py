"""Tokens of the simulated market that break out again and again: now it runs, now it fails, by the edges they carry.

What belongs here: who these tokens are, and their hourly bars. What does not: which edges there are
(`domain.learning.planted_edge`), and which days of them a window shows (`simulated_market`).

A breakout: the price falls below its averages, rests, lifts off, hovers, and then runs and falls back, or fails at
once. Which of the two decides chance alone, and the edges move that chance.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from domain.learning.planted_edge import run_chance
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import Universe
from resources.simulated_instrument import LOWCAP_SUPPLY, Instrument
from resources.simulated_path import Bars, FloatArray

CURATORS = ("orca", "finch", "moth", "lynx", "heron", "adder", "ibis", "vole")
INTENTS = ("listing", "narrative", "momentum", "community", "utility", "revival")
CHAINS = ("sui", "solana", "base", "bsc", "ethereum", "tron")

HOURS = 24
WARM_UP_DAYS = 40
"""Days from the listing to the birth of the edges: hourly averages of 333 bars need them three times over."""

_FIRST_NUMBER = 5_000
_LEG_LAYER, _BAR_LAYER = 18, 6
_CAPS: tuple[tuple[CapBucket, float], ...] = (
    (CapBucket.MICRO, 2e6),
    (CapBucket.MID, 16e6),
    (CapBucket.BIG, 160e6),
)
_VOLUME_USD = 4e6  # a day, of each: thin ones would cost more to trade, and that would be an edge nobody planted
# Legs of a breakout: log size and hours, each drawn within a fifth of what stands here.
_TROUGH, _SLIP = 0.30, 0.04
_FALL_H, _SLIP_H, _REST_H, _LIFT_H, _HOVER_H, _RUN_H, _TOP_H, _FADE_H, _FAIL_H = 60, 20, 12, 24, 36, 40, 4, 40, 20
_LIFT, _RUN, _HOVER_AMPLITUDE, _HOVER_PERIOD_H, _HOVER_DRIFT = 0.06, 0.55, 0.03, 18.0, 0.0005
_NOISE, _NOISE_KEPT, _WICK = 0.008, 0.97, 0.010


@dataclass(frozen=True)
class BreakoutToken:
    """An instrument, and what people say of it."""

    instrument: Instrument
    curator: str
    intent: str

    @property
    def attributes(self) -> dict[ScopeDimension, str]:
        """Values of the scopes an edge can be planted in."""
        return {
            ScopeDimension.CURATOR: self.curator,
            ScopeDimension.INTENT: self.intent,
            ScopeDimension.CHAIN: self.instrument.chain,
        }


def breakout_tokens(count: int, seed: int) -> list[BreakoutToken]:
    """`count` tokens; curators, intents and chains cross each other evenly, so that none stands for another."""
    return [_token(index, seed) for index in range(count)]


def breakout_bars(seed: int, n_hours: int, tokens: list[BreakoutToken]) -> Bars:
    """Hourly bars from the listing on, of shape (n_tokens, n_hours).

    Drawn forward from the first hour and token by token: more hours only add some, other tokens change nothing.
    """
    drawn = [_token_bars(seed, n_hours, token) for token in tokens]
    return Bars(*(np.stack(column) for column in zip(*drawn, strict=True)))


def _token(index: int, seed: int) -> BreakoutToken:
    curator, row = index % len(CURATORS), index // len(CURATORS)
    intent = row % len(INTENTS)
    chain = (curator + intent + 2 * (row // len(INTENTS))) % len(CHAINS)
    tier, cap_usd = _CAPS[(curator + 2 * intent + row) % len(_CAPS)]
    rng = np.random.default_rng([seed, _FIRST_NUMBER + index, 0])
    instrument = Instrument(
        number=_FIRST_NUMBER + index,
        token_contract=f"simulated-{CURATORS[curator]}-{tier.value}-{index + 1:03d}",
        chain=CHAINS[chain],
        universe=Universe.LOWCAP,
        start_price_usd=cap_usd * float(rng.uniform(0.8, 1.2)) / LOWCAP_SUPPLY,
        supply=LOWCAP_SUPPLY,
        beta=0.0,
        idiosyncratic=_NOISE,
        reversion_days=np.inf,
        turnover=_VOLUME_USD / cap_usd,
    )
    return BreakoutToken(instrument, CURATORS[curator], INTENTS[intent])


def _token_bars(seed: int, n_hours: int, token: BreakoutToken) -> Bars:
    instrument = token.instrument
    legs = _Legs(np.random.default_rng([seed, instrument.number, _LEG_LAYER]))
    while legs.hours < n_hours:
        legs.breakout(token.attributes)
    draws = np.random.default_rng([seed, instrument.number, _BAR_LAYER]).standard_normal((n_hours, 4))
    level = np.concatenate(legs.parts)[:n_hours] + _noise(draws[:, 0])
    price = instrument.start_price_usd * np.exp(np.concatenate([[level[0]], level]))
    opened, closed = price[:-1], price[1:]
    high = np.maximum(opened, closed) * np.exp(_WICK * np.abs(draws[:, 1]))
    low = np.minimum(opened, closed) * np.exp(-_WICK * np.abs(draws[:, 2]))
    volume = instrument.turnover / HOURS * instrument.supply * np.exp(0.4 * np.clip(draws[:, 3], -4, 4))
    return Bars(opened, high, low, closed, np.floor(volume))


def _noise(draws: FloatArray) -> FloatArray:
    """Random walk that is pulled back to 0."""
    level = np.empty(draws.size)
    last = 0.0
    for hour, draw in enumerate((_NOISE * draws).tolist()):
        last = _NOISE_KEPT * last + draw
        level[hour] = last
    return level


class _Legs:
    """The path of one token without its noise, in logs of its start price, leg by leg."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._at = 0.0
        self.parts: list[FloatArray] = []
        self.hours = 0

    def breakout(self, attributes: dict[ScopeDimension, str]) -> None:
        """Fall, rest, lift, hover; then run and fade, or fail."""
        is_run = self._rng.random() < run_chance(attributes, self.hours / HOURS - WARM_UP_DAYS)
        trough = -_TROUGH * self._about()
        if self._at > trough + 2 * _SLIP:
            self._leg(trough, _FALL_H)
        else:
            self._leg(self._at - _SLIP * self._about(), _SLIP_H)
        self._leg(self._at - 0.01, _REST_H)
        self._leg(self._at + _LIFT * self._about(), _LIFT_H)
        self._hover()
        if is_run:
            self._leg(self._at + _RUN * self._about(), _RUN_H)
            self._leg(self._at - 0.03, _TOP_H)
            self._leg(-0.6 * _TROUGH * self._about(), _FADE_H)
        else:
            self._leg(self._at - _LIFT * self._about(), _FAIL_H)

    def _hover(self) -> None:
        hours = np.arange(1, round(_HOVER_H * self._about()) + 1)
        swing = -_HOVER_AMPLITUDE * np.sin(2 * np.pi * hours / _HOVER_PERIOD_H)
        self._add(self._at + _HOVER_DRIFT * hours + swing)
        self._at += _HOVER_DRIFT * hours.size

    def _leg(self, to: float, about_hours: int) -> None:
        hours = round(about_hours * self._about())
        self._add(self._at + (to - self._at) * np.arange(1, hours + 1) / hours)
        self._at = to

    def _add(self, part: FloatArray) -> None:
        self.parts.append(part)
        self.hours += part.size

    def _about(self) -> float:
        return float(self._rng.uniform(0.8, 1.2))


@dataclass(frozen=True)
class BreakoutListing:
    """Tokens that are listed on one day of a market, and their hourly bars from then on.

    Attributes
    ----------
    tokens : list of BreakoutToken
        In the order of the rows.
    listed_day : int
        Number of the first day that has bars.
    bars : Bars of shape (n_tokens, hours since the listing)
        Whole days.
    """

    tokens: list[BreakoutToken]
    listed_day: int
    bars: Bars

    @classmethod
    def of(cls, seed: int, count: int, *, listed_day: int, n_days: int) -> Self:
        """Draw a market's breakouts up to its last day; none when that comes before the listing."""
        n_hours = max(n_days - listed_day, 0) * HOURS
        tokens = breakout_tokens(count, seed) if n_hours else []
        empty = np.empty((0, n_hours))
        return cls(tokens, listed_day, breakout_bars(seed, n_hours, tokens) if tokens else Bars(*[empty] * 5))

    @property
    def instruments(self) -> list[Instrument]:
        """Instruments in the order of the rows."""
        return [token.instrument for token in self.tokens]

    def hours(self, day: int) -> Bars:
        """Bars of the hours of a day, of shape (n_tokens, 24); of no token before the listing."""
        first = (day - self.listed_day) * HOURS
        if first < 0 or not self.tokens:
            return Bars(*[np.empty((0, HOURS))] * 5)
        return Bars(*(values[:, first : first + HOURS] for values in self.bars))

    def whole(self, day: int) -> Bars:
        """Bar of a day, of shape (n_tokens, 1)."""
        opened, high, low, closed, volume = self.hours(day)
        return Bars(
            opened[:, :1],
            high.max(axis=1, keepdims=True),
            low.min(axis=1, keepdims=True),
            closed[:, -1:],
            volume.sum(axis=1, keepdims=True),
        )

    def watchlist(self) -> list[dict[str, str]]:
        """Tokens, and what is known after their first day: columns of a file of `lowcap watch`."""
        bars = self.whole(self.listed_day)
        opens, volumes = bars.open[:, 0].tolist(), bars.volume[:, 0].tolist()
        return [
            {
                "token_contract": token.instrument.token_contract,
                "chain": token.instrument.chain,
                "ticker": token.instrument.token_contract.removeprefix("simulated-").upper(),
                "curator": token.curator,
                "timeframes": Timeframe.H1.value,
                "intent": token.intent,
                "market_cap_usd": f"{opened * token.instrument.supply:.0f}",
                "volume_usd": f"{opened * volume:.0f}",
            }
            for token, opened, volume in zip(self.tokens, opens, volumes, strict=True)
        ]
