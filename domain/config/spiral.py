"""How SPIRAL measures streams, scores them and names phases. Defaults are the documented presets and tables."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Self

from pydantic import BaseModel, Field, model_validator

from domain.vocabulary.horizon import Horizon


class LensPreset(BaseModel, frozen=True, extra="forbid"):
    """How far one horizon looks, in hourly points (the documents' n, k, d, L), and how long its label stands."""

    ema_span: int = Field(ge=1, le=100, description="n: span of the EMA that smooths the stream, points.")
    slope_points: int = Field(ge=6, le=200, description="k: points of the regression; curvature halves them.")
    delta_points: int = Field(ge=1, le=200, description="d: points over which the change is taken.")
    history_points: int = Field(ge=5, le=500, description="L: end points a feature is standardised over.")
    dwell_hours: int = Field(
        ge=1,
        le=720,
        description="Least life of a label. Whole hours, or labels would depend on how often they are evaluated.",
    )

    @property
    def needed_points(self) -> int:
        """Points without a gap below which a stream has no metrics.

        >>> LensPreset(ema_span=7, slope_points=20, delta_points=24, history_points=60, dwell_hours=72).needed_points
        84
        """
        return self.history_points + max(self.slope_points, self.delta_points)


class LensWeights(BaseModel, frozen=True, extra="forbid"):
    """Weight of each metric (a z-score) in the score of a stream."""

    slope: float = Field(default=0.5, ge=0, le=1, description="Weight of the slope.")
    curv: float = Field(default=0.3, ge=0, le=1, description="Weight of the curvature.")
    delta: float = Field(default=0.2, ge=0, le=1, description="Weight of the change.")
    level: float = Field(
        default=0.1, ge=0, le=1, description="Weight of the level; the four sum to 1.1, as documented."
    )

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        _require_a_weight(self)
        return self


class PhaseWeights(BaseModel, frozen=True, extra="forbid"):
    """Weight of each lens score in the score of one horizon; a stream of weight 0 may be absent."""

    s_btcusd: float = Field(ge=0, le=1, description="Weight of BTC itself.")
    s_rotation: float = Field(ge=0, le=1, description="Weight of the alt basket over BTC.")
    s_port_btc: float = Field(ge=0, le=1, description="Weight of the subject over BTC.")
    s_port_alt: float = Field(ge=0, le=1, description="Weight of the subject over the alt basket.")

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        _require_a_weight(self)
        return self


class PhaseEdges(BaseModel, frozen=True, extra="forbid"):
    """Least score of each phase; below `double_dip` stands Oh-Shit."""

    euphoria: float = Field(default=1.20, description="Least score of Euphoria.")
    good: float = Field(default=0.40, description="Least score of Good.")
    recover: float = Field(default=-0.20, description="Least score of Recover.")
    dip: float = Field(default=-0.90, description="Least score of Dip.")
    double_dip: float = Field(default=-1.30, description="Least score of Double-Dip.")

    @property
    def ascending(self) -> tuple[float, ...]:
        """The five edges, lowest first."""
        return (self.double_dip, self.dip, self.recover, self.good, self.euphoria)

    @model_validator(mode="after")
    def _rises(self) -> Self:
        edges = self.ascending
        if any(lower >= upper for lower, upper in pairwise(edges)):
            raise ValueError(f"Phase edges must rise from double_dip to euphoria, were {edges}")
        return self


def _require_a_weight(weights: BaseModel) -> None:
    given = weights.model_dump()
    if not any(given.values()):
        raise ValueError(f"{type(weights).__name__} must have a weight > 0, was {given}")


def _presets() -> dict[Horizon, LensPreset]:
    rows = {Horizon.MACRO: (7, 20, 24, 60, 72), Horizon.MESO: (5, 12, 6, 30, 12), Horizon.MICRO: (3, 8, 2, 14, 1)}
    return {
        horizon: LensPreset(**dict(zip(LensPreset.model_fields, row, strict=True))) for horizon, row in rows.items()
    }


def _phase_weights() -> dict[Horizon, PhaseWeights]:
    return {
        Horizon.MACRO: PhaseWeights(s_btcusd=0.55, s_rotation=0.35, s_port_btc=0.05, s_port_alt=0.05),
        Horizon.MESO: PhaseWeights(s_btcusd=0.05, s_rotation=0.15, s_port_btc=0.50, s_port_alt=0.30),
        Horizon.MICRO: PhaseWeights(s_btcusd=0.0, s_rotation=0.0, s_port_btc=0.70, s_port_alt=0.30),
    }


class SpiralConfig(BaseModel, frozen=True, extra="forbid"):
    """Rules of the phases of cap buckets and of the composite, all on hourly points."""

    presets: Mapping[Horizon, LensPreset] = Field(default_factory=_presets, description="Reach of each horizon.")
    lens_weights: LensWeights = Field(default=LensWeights(), description="Metrics to lens score.")
    phase_weights: Mapping[Horizon, PhaseWeights] = Field(
        default_factory=_phase_weights, description="Lens scores to phase score, by horizon."
    )
    lookback_hours: int = Field(
        default=168,
        ge=1,
        le=2000,
        description="Past that a row may read: 7 days = 169 points. The smoothing starts anew at its edge for every"
        " row, so that a row is the same whoever computes it, from a long series or from the look-back alone.",
    )
    winsor_frac: float = Field(
        default=0.01, ge=0, lt=0.5, description="Share clipped off each tail of a history before mean and sd; 0 = none."
    )
    z_clamp: float = Field(default=4.0, gt=0, description="Largest absolute z-score.")

    edges: PhaseEdges = Field(default=PhaseEdges(), description="Bands of the score.")
    hysteresis: float = Field(
        default=0.10, ge=0, le=1, description="By how much a score must pass an edge before the label follows it."
    )
    has_skip_rule: bool = Field(default=True, description="Whether Recover to Double-Dip is written as Dip first.")
    memory_hours: int = Field(
        default=12,
        ge=1,
        le=720,
        description="Age at which the last label no longer holds or steers the next. A break of the series silences it"
        " for at least 22 hours, so below that a label never outlives a break.",
    )
    has_chop: bool = Field(default=True, description="Whether a flat residual is labelled Chop.")
    chop_max_abs_z: float = Field(
        default=0.35, gt=0, description="Chop: slope, curvature and change over BTC stay below this, absolute z."
    )
    chop_max_abs_score: float = Field(default=0.40, gt=0, description="Chop: the score stays below this, absolute.")
    open_band_half_width: float = Field(
        default=0.8, gt=0, description="Distance to the edge at which Euphoria and Oh-Shit are fully confident."
    )

    @model_validator(mode="after")
    def _covers_every_horizon(self) -> Self:
        for name, table in (("presets", self.presets), ("phase_weights", self.phase_weights)):
            if set(table) != set(Horizon):
                raise ValueError(f"{name} must name the horizons {list(Horizon)}, named {list(table)}")
        needed = max(preset.needed_points for preset in self.presets.values())
        if needed > self.lookback_hours + 1:
            raise ValueError(f"lookback_hours must be >= {needed - 1} for these presets, was {self.lookback_hours}")
        return self
