"""Parts that the documents of the event log share: instants, scopes, the states of the fifteen channels.

A document may hold more than its schema names: what a newer or foreign writer added is kept as it came.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from domain.scopes.bitmask import FULL_MASK
from domain.scopes.pattern_key import parse_pattern_key
from domain.scopes.scope import parse_scope, scope_mask
from domain.scopes.scope_value import canonical_value
from domain.vocabulary.lever_mode import LeverMode
from domain.vocabulary.scope_dimension import BIT, ScopeDimension
from domain.vocabulary.uptrend import UptrendState


def _to_utc(at: datetime) -> datetime:
    return at.astimezone(UTC)


def _known_pattern(text: str) -> str:
    return str(parse_pattern_key(text))


def _canonical_scope(scope: dict[ScopeDimension, str]) -> dict[ScopeDimension, str]:
    if all(canonical_value(dimension, value) == value for dimension, value in scope.items()):
        return {dimension: scope[dimension] for dimension in BIT if dimension in scope} if len(scope) > 1 else scope
    canonical = parse_scope({dimension.value: value for dimension, value in scope.items()})
    if canonical != scope:
        raise ValueError(f"expected canonical values of known dimensions, like {canonical}"[:300])
    return canonical


def _no_look_alike(version: object) -> object:
    if type(version) is not int:
        raise ValueError("expected a whole number; true and 1.0 only look like 1")
    return version


Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""With an offset; one spelling, so that equal instants are equal bytes."""

SchemaVersion = Annotated[Literal[1], BeforeValidator(_no_look_alike)]
Name = Annotated[str, Field(min_length=1, max_length=300)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Pattern = Annotated[str, AfterValidator(_known_pattern)]
Lever = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0)]
Ratio = Annotated[float, Field(gt=0)]
Mask = Annotated[int, Field(ge=0, le=FULL_MASK)]
ScopeValues = Annotated[dict[ScopeDimension, str], AfterValidator(_canonical_scope)]


class Part(BaseModel):
    """A piece of a document. Numbers are finite; keys that are not named are kept."""

    model_config = ConfigDict(
        frozen=True, extra="allow", allow_inf_nan=False, ser_json_inf_nan="constants", from_attributes=True
    )


class Scoped(Part):
    """What carries a scope: known dimensions only, and the mask of exactly those."""

    scope: ScopeValues = Field(description="Known dimensions with their canonical values.")
    scope_mask: Mask = Field(description="Bits of the dimensions in `scope`.")

    @model_validator(mode="after")
    def _mask_is_of_the_scope(self) -> Self:
        if self.scope_mask != scope_mask(self.scope):
            raise ValueError(f"scope_mask must be {scope_mask(self.scope)}, was {self.scope_mask}")
        return self


class RegimeStates(Part):
    """State of each of the fifteen channels; null where the channel had none. Every key must be there."""

    btc_macro: UptrendState | None
    btc_meso: UptrendState | None
    btc_micro: UptrendState | None
    alt_macro: UptrendState | None
    alt_meso: UptrendState | None
    alt_micro: UptrendState | None
    bucket_macro: UptrendState | None
    bucket_meso: UptrendState | None
    bucket_micro: UptrendState | None
    btcd_macro: UptrendState | None
    btcd_meso: UptrendState | None
    btcd_micro: UptrendState | None
    usdtd_macro: UptrendState | None
    usdtd_meso: UptrendState | None
    usdtd_micro: UptrendState | None


class Levers(Part):
    """A and E with their words; null where the tick had no score."""

    a_value: Lever | None
    e_value: Lever | None
    A_mode: LeverMode | None
    E_mode: LeverMode | None

    @model_validator(mode="after")
    def _a_lever_has_its_word(self) -> Self:
        if (self.a_value is None) != (self.A_mode is None) or (self.e_value is None) != (self.E_mode is None):
            raise ValueError("a lever and its mode must both be there or both be null")
        return self
