"""The three regime horizons, and the timeframe each one reads."""

from enum import StrEnum

from domain.vocabulary.timeframe import Timeframe


class Horizon(StrEnum):
    """How far a regime channel looks, slowest first."""

    MACRO = "macro"
    MESO = "meso"
    MICRO = "micro"

    @property
    def timeframe(self) -> Timeframe:
        """Timeframe of the driver states that this horizon reads."""
        return HORIZON_TIMEFRAME[self]


HORIZON_TIMEFRAME: dict[Horizon, Timeframe] = {
    Horizon.MACRO: Timeframe.D1,
    Horizon.MESO: Timeframe.H1,
    Horizon.MICRO: Timeframe.M1,
}

REGIME_TIMEFRAMES: tuple[Timeframe, ...] = tuple(horizon.timeframe for horizon in Horizon)
