"""How driver states become A and E. Every table of the lever is a field here; the defaults are the document's."""

from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from domain.vocabulary.driver import DriverRole
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import EXIT_TRANSITIONS, UptrendState


class LeverDelta(BaseModel, frozen=True, extra="forbid"):
    """What one fact adds to A and to E before weighting."""

    a: float = Field(ge=-1, le=1, description="Added to A, before weighting.")
    e: float = Field(ge=-1, le=1, description="Added to E, before weighting.")


FLAG_ROWS: tuple[str, ...] = (
    "S1+buy_signal",
    "S2+buy_flag",
    "S3+buy_flag",
    "S3+first_dip_buy_flag",
    "S2+trim_flag",
    "S3+trim_flag",
)
FlagRow = Literal[
    "S1+buy_signal", "S2+buy_flag", "S3+buy_flag", "S3+first_dip_buy_flag", "S2+trim_flag", "S3+trim_flag"
]
ExitTransition = Literal["S1->S0", "S2->S0", "S3->S0"]
Weighting = Literal["literal", "normalised", "execution_only"]


def _state_deltas() -> dict[UptrendState, LeverDelta]:
    return {
        UptrendState.S0: LeverDelta(a=-0.30, e=0.30),
        UptrendState.S1: LeverDelta(a=0.25, e=-0.15),
        UptrendState.S2: LeverDelta(a=0.10, e=0.05),
        UptrendState.S3: LeverDelta(a=0.20, e=-0.05),
        UptrendState.S4: LeverDelta(a=0.0, e=0.0),
    }


def _flag_deltas() -> dict[FlagRow, LeverDelta]:
    return {
        "S1+buy_signal": LeverDelta(a=0.20, e=-0.10),
        "S2+buy_flag": LeverDelta(a=0.0, e=0.0),
        "S3+buy_flag": LeverDelta(a=0.0, e=0.0),
        "S3+first_dip_buy_flag": LeverDelta(a=0.15, e=-0.10),
        "S2+trim_flag": LeverDelta(a=-0.20, e=0.25),
        "S3+trim_flag": LeverDelta(a=-0.25, e=0.30),
    }


def _transition_deltas() -> dict[ExitTransition, LeverDelta]:
    return {
        "S1->S0": LeverDelta(a=-0.40, e=0.40),
        "S2->S0": LeverDelta(a=-0.35, e=0.35),
        "S3->S0": LeverDelta(a=-0.50, e=0.50),
    }


def _driver_weights() -> dict[DriverRole, float]:
    return {
        DriverRole.BTC: 1.0,
        DriverRole.ALT: 1.5,
        DriverRole.BUCKET: 3.0,
        DriverRole.BTCD: -1.0,
        DriverRole.USDTD: -3.0,
    }


def _timeframe_weights() -> dict[Horizon, float]:
    return {Horizon.MACRO: 0.50, Horizon.MESO: 0.40, Horizon.MICRO: 0.10}


def _execution_multipliers() -> dict[Timeframe, dict[Horizon, float]]:
    rows = {
        Timeframe.M1: (0.05, 0.35, 0.60),
        Timeframe.M5: (0.10, 0.50, 0.40),
        Timeframe.M15: (0.15, 0.55, 0.30),
        Timeframe.H1: (0.30, 0.55, 0.15),
        Timeframe.H4: (0.55, 0.40, 0.05),
        Timeframe.D1: (0.80, 0.18, 0.02),
    }
    return {timeframe: dict(zip(Horizon, row, strict=True)) for timeframe, row in rows.items()}


def _channel_ttl_minutes() -> dict[Horizon, int]:
    return {Horizon.MACRO: 2 * 1440, Horizon.MESO: 3 * 60, Horizon.MICRO: 15}


class ScoresConfig(BaseModel, frozen=True, extra="forbid"):
    """Tables of the regime A/E score."""

    base: float = Field(default=0.5, ge=0, le=1, description="A and E before any channel speaks.")
    state_deltas: dict[UptrendState, LeverDelta] = Field(
        default_factory=_state_deltas, description="Delta of a state, held as long as the state."
    )
    flag_deltas: dict[FlagRow, LeverDelta] = Field(
        default_factory=_flag_deltas, description="Delta of a flag in a state, held as long as the flag."
    )
    transition_deltas: dict[ExitTransition, LeverDelta] = Field(
        default_factory=_transition_deltas, description="Delta of a fall to S0, fading over transition_hold_bars."
    )
    transition_hold_bars: int = Field(
        default=1, ge=1, le=50, description="Bars of the channel's own timeframe over which a transition fades out."
    )
    driver_weights: dict[DriverRole, float] = Field(
        default_factory=_driver_weights, description="Weight of each driver; negative means inverted."
    )
    timeframe_weights: dict[Horizon, float] = Field(
        default_factory=_timeframe_weights, description="Weight of each horizon."
    )
    execution_multipliers: dict[Timeframe, dict[Horizon, float]] = Field(
        default_factory=_execution_multipliers, description="Horizon mix of each execution timeframe; rows sum to 1."
    )
    weighting: Weighting = Field(
        default="literal",
        description="literal: driver x timeframe x execution; normalised: that product over its row sum; "
        "execution_only: driver x execution.",
    )
    regime_strength: float = Field(default=1.0, ge=0, le=2, description="Scales every channel alike; 0 is neutral.")
    min_coverage: int = Field(default=12, ge=0, le=15, description="Channels below which a score is degraded.")
    channel_ttl_minutes: dict[Horizon, int] = Field(
        default_factory=_channel_ttl_minutes,
        description="A channel whose last bar closed longer ago than this is stale and excluded.",
    )
    execution_timeframes: tuple[Timeframe, ...] = Field(
        default=(Timeframe.M1, Timeframe.M15, Timeframe.H1, Timeframe.H4),
        min_length=1,
        description="Timeframes positions are traded on; one score per bucket and each of these.",
    )

    @model_validator(mode="after")
    def _tables_are_complete(self) -> Self:
        complete: dict[str, tuple[set[Any], set[Any]]] = {
            "state_deltas": (set(self.state_deltas), set(UptrendState)),
            "flag_deltas": (set(self.flag_deltas), set(FLAG_ROWS)),
            "transition_deltas": (set(self.transition_deltas), set(EXIT_TRANSITIONS)),
            "driver_weights": (set(self.driver_weights), set(DriverRole)),
            "timeframe_weights": (set(self.timeframe_weights), set(Horizon)),
            "channel_ttl_minutes": (set(self.channel_ttl_minutes), set(Horizon)),
            "execution_multipliers": (set(self.execution_multipliers), set(Timeframe)),
        }
        for table, (given, wanted) in complete.items():
            if given != wanted:
                raise ValueError(f"{table} must have exactly the rows {sorted(str(row) for row in wanted)}")
        for timeframe, row in self.execution_multipliers.items():
            if set(row) != set(Horizon) or abs(sum(row.values()) - 1) > 1e-9:
                raise ValueError(f"execution_multipliers[{timeframe}] must give every horizon and sum to 1, was {row}")
        return self
