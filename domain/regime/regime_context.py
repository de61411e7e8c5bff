"""The regime of one hour as one document: composite phases, the ladder of the cap buckets, multipliers, label.

What belongs here: the document, how it is put together from the phase rows of an hour, and its text. What does not: how
a phase is made, and windows of hours. The console reads this module, so it stands without Polars.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from domain.config.cap_bucket import BucketOrderMultipliers
from domain.regime.bucket_rank import BucketRank, BucketScore, RegimeLabel, rank_buckets
from domain.scores.bucket_multiplier import BucketStanding, MultiplierBasis, bucket_multiplier
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Phase
from domain.vocabulary.timeframe import Timeframe

Row = Mapping[str, Any]
SCHEMA_VERSION: Literal[1] = 1
HOUR = timedelta(hours=1)


class UnrankedReason(StrEnum):
    """Why a bucket has no place in the rank: what its eligibility says, or what is missing beside it."""

    TOO_FEW_MEMBERS = "too_few_members"
    MEDIAN_VOLUME_UNKNOWN = "median_volume_unknown"
    MEDIAN_VOLUME_BELOW_FLOOR = "median_volume_below_floor"
    TELEMETRY_ONLY = "telemetry_only"
    NOT_JUDGED = "not_judged"
    NO_MESO_SCORE = "no_meso_score"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CompositePhase(_Part):
    """Low-cap composite on one horizon; slope, curvature and delta_res are z values against BTC."""

    phase: Phase
    score: float
    slope: float | None
    curvature: float | None
    delta_res: float | None
    confidence: float | None = Field(ge=0, le=1, description="Null when the data coverage is unknown.")
    dwell_remaining_hours: float = Field(ge=0, description="Hours the phase still stands whatever the score.")
    pending_label: Phase | None = Field(description="Phase that waits for the dwell to end.")


class BucketPhase(_Part):
    """A cap bucket on the meso horizon; slope, curvature and delta_res are z values against BTC."""

    phase: Phase
    score: float
    slope: float | None
    confidence: float | None = Field(ge=0, le=1, description="Null when the data coverage is unknown.")
    curvature: float | None
    delta_res: float | None
    pending_label: Phase | None = Field(description="Phase the score is in while this one dwells on.")


class MultiplierPart(_Part):
    """What its bucket does to A and E of a token, and the parts before strength and clamp."""

    multiplier: float = Field(gt=0)
    basis: MultiplierBasis = Field(description="Only `ranked` can differ from 1.")
    rank_adjustment: float | None
    slope_term: float | None


class RegimeContext(_Part):
    """The regime of one hour."""

    schema_version: Literal[1]
    evaluated_at: AwareDatetime = Field(description="Open of the hour evaluated, UTC.")
    known_at: AwareDatetime = Field(description="Its close; the document must not be used before.")
    macro: CompositePhase | None
    meso: CompositePhase | None
    micro: CompositePhase | None
    bucket_phases: dict[CapBucket, BucketPhase] = Field(description="Buckets that have a meso row, xl included.")
    bucket_rank: tuple[CapBucket, ...] = Field(description="Eligible buckets by meso score, best first; never xl.")
    bucket_rank_position: dict[CapBucket, int] = Field(description="Place in the rank, from 1.")
    bucket_population: dict[CapBucket, int] = Field(description="Tagged tokens of the day, buckets not scored too.")
    bucket_skipped: dict[CapBucket, UnrankedReason] = Field(description="Why each other bucket is not ranked.")
    bucket_multipliers: dict[CapBucket, MultiplierPart] = Field(description="Every bucket, under this configuration.")
    regime_label: str = Field(description="macro=..|meso=..|micro=..|bucket_leader=..; Unknown where missing.")
    config_version: int = Field(description="Version of pm.pm_config that made the document.")

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        rank = list(self.bucket_rank)
        scores = [self.bucket_phases[bucket].score for bucket in rank if bucket in self.bucket_phases]
        places = {bucket: place for place, bucket in enumerate(rank, start=1)}
        facts = {
            "evaluated_at is a whole hour in UTC": _is_hour(self.evaluated_at),
            "known_at is an hour later": self.known_at - self.evaluated_at == HOUR,
            "ranked buckets have a phase each, best score first": (
                len(scores) == len(rank) and scores == sorted(scores, reverse=True) and CapBucket.XL not in rank
            ),
            "bucket_rank_position follows bucket_rank": self.bucket_rank_position == places,
            "each bucket is either ranked or skipped": sorted([*rank, *self.bucket_skipped]) == sorted(CapBucket),
            "each bucket has a multiplier": set(self.bucket_multipliers) == set(CapBucket),
            "the label is that of phases and rank": self.regime_label == str(self.label()),
        }
        for fact, holds in facts.items():
            if not holds:
                raise ValueError(f"In a regime context {fact}; in that of {self.evaluated_at} it was not so")
        return self

    def label(self) -> RegimeLabel:
        """Label of the three composite phases and the leader."""
        macro, meso, micro = (None if part is None else part.phase for part in (self.macro, self.meso, self.micro))
        return RegimeLabel(
            macro=macro, meso=meso, micro=micro, bucket_leader=self.bucket_rank[0].value if self.bucket_rank else None
        )

    def to_json(self) -> str:
        """Return the document's text: keys in this order, floats by their shortest exact spelling, no spaces."""
        return compact_json(self.model_dump(mode="json"))


def _is_hour(at: datetime) -> bool:
    return at.utcoffset() == timedelta(0) and at == Timeframe.H1.floor(at)


def compact_json(facts: Mapping[str, Any]) -> str:
    """One spelling of JSON, so that equal facts are equal bytes.

    Raises
    ------
    ValueError
        If a number is not finite.

    >>> compact_json({"score": 0.1, "pending_label": None})
    '{"score":0.1,"pending_label":null}'
    """
    return json.dumps(facts, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def regime_context_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **RegimeContext.model_json_schema()}


def get_regime_context(
    evaluated_at: datetime,
    composite_rows: Iterable[Row],
    bucket_rows: Iterable[Row],
    eligibility_rows: Iterable[Row],
    *,
    config: BucketOrderMultipliers,
    config_version: int,
) -> RegimeContext:
    """Put the document of one hour together.

    Parameters
    ----------
    evaluated_at : datetime
        Open of the hour, UTC.
    composite_rows : iterable of mapping
        Rows of phase_state at `evaluated_at`, at most one a horizon. A missing horizon is null in the document.
    bucket_rows : iterable of mapping
        Rows of phase_state_bucket at `evaluated_at`, at most one a bucket and horizon; those of meso are used. A bucket
        without one has neither phase nor rank.
    eligibility_rows : iterable of mapping
        Rows of bucket_eligibility of the day of `evaluated_at`. A bucket that is not eligible is not ranked, whatever
        its score, and its multiplier is 1; one without a row counts as not eligible.
    config : BucketOrderMultipliers
        What rank and slope do.
    config_version : int
        Version that holds `config`.

    Returns
    -------
    RegimeContext
        Mappings by bucket are in the order of the vocabulary.

    Raises
    ------
    ValueError
        If a row is of another evaluation, comes twice or names an unknown word, or a number is NaN or infinite.
    """
    judged = _keyed(eligibility_rows, "timestamp", Timeframe.D1.floor(evaluated_at), "bucket")
    composite = _keyed(composite_rows, "ts", evaluated_at, "horizon")
    by_horizon = _keyed(bucket_rows, "ts", evaluated_at, "bucket", "horizon")
    meso = {(name,): row for (name, horizon), row in by_horizon.items() if horizon == Horizon.MESO}
    rank = rank_buckets(
        [BucketScore(*key, evaluated_at, row["score"]) for key, row in meso.items() if _is_eligible(judged.get(key))],
        evaluated_at,
    )
    horizons = {
        horizon.value: CompositePhase(**_named(CompositePhase, composite[(horizon,)]))
        for horizon in Horizon
        if (horizon,) in composite
    }
    phases = {bucket: BucketPhase(**_named(BucketPhase, meso[(bucket,)])) for bucket in CapBucket if (bucket,) in meso}
    label = RegimeLabel(
        **{horizon.value: horizons[horizon].phase if horizon in horizons else None for horizon in Horizon},
        bucket_leader=rank.leader,
    )
    return RegimeContext(
        schema_version=SCHEMA_VERSION,
        evaluated_at=evaluated_at,
        known_at=evaluated_at + HOUR,
        macro=horizons.get(Horizon.MACRO),
        meso=horizons.get(Horizon.MESO),
        micro=horizons.get(Horizon.MICRO),
        bucket_phases=phases,
        bucket_rank=tuple(CapBucket(name) for name in rank.order),
        bucket_rank_position={CapBucket(name): place for place, name in enumerate(rank.order, start=1)},
        bucket_population={bucket: judged[(bucket,)]["member_count"] for bucket in CapBucket if (bucket,) in judged},
        bucket_skipped={
            bucket: _unranked_reason(bucket, judged.get((bucket,))) for bucket in CapBucket if bucket not in rank.order
        },
        bucket_multipliers={bucket: _multiplier(bucket, phases, rank, config) for bucket in CapBucket},
        regime_label=str(label),
        config_version=config_version,
    )


def _keyed(rows: Iterable[Row], time: str, at: datetime, *key: str) -> dict[tuple[str, ...], Row]:
    """Rows by key, all of one instant, each key once."""
    keyed: dict[tuple[str, ...], Row] = {}
    for row in rows:
        named = tuple(row[name] for name in key)
        if row[time] != at:
            raise ValueError(f"Expected rows of {at.isoformat()} only, was {row[time].isoformat()} of {named}")
        if named in keyed:
            raise ValueError(f"Expected one row of {named} at {at.isoformat()}, was another")
        keyed[named] = row
    return keyed


def _named(part: type[_Part], row: Row) -> dict[str, Any]:
    return {name: row[name] for name in part.model_fields}


def _is_eligible(judged: Row | None) -> bool:
    return judged is not None and bool(judged["is_eligible"])


def _unranked_reason(bucket: CapBucket, judged: Row | None) -> UnrankedReason:
    if judged is None:
        return UnrankedReason.NOT_JUDGED
    if not judged["is_eligible"]:
        return UnrankedReason(judged["reason"])
    return UnrankedReason.TELEMETRY_ONLY if bucket is CapBucket.XL else UnrankedReason.NO_MESO_SCORE


def _multiplier(
    bucket: CapBucket, phases: Mapping[CapBucket, BucketPhase], rank: BucketRank, config: BucketOrderMultipliers
) -> MultiplierPart:
    place = rank.position(bucket)
    standing = None
    if place is not None:
        phase = phases[bucket]
        standing = BucketStanding(rank_position=place, slope=phase.slope, confidence=phase.confidence)
    found = bucket_multiplier(bucket, standing, config)
    return MultiplierPart(**{name: getattr(found, name) for name in MultiplierPart.model_fields})
