"""The one configuration: every section, its defaults, and how overrides from outside are refused or accepted."""

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, Field, ValidationError

from domain.config.alarm import AlarmConfig
from domain.config.bar import BarConfig
from domain.config.cap_bucket import CapBucketConfig
from domain.config.driver_bar import DriverBarConfig
from domain.config.indicator import IndicatorConfig
from domain.config.learning import LearningConfig
from domain.config.paper_venue import PaperVenueConfig
from domain.config.plan import PlanConfig
from domain.config.portfolio import PortfolioConfig
from domain.config.regime_event import RegimeEventConfig
from domain.config.retention import RetentionConfig
from domain.config.runtime import RuntimeConfig
from domain.config.scores import ScoresConfig
from domain.config.spiral import SpiralConfig
from domain.config.token_state import TokenStateConfig
from domain.config.uptrend import UptrendConfig


class RegimeConfig(BaseModel, frozen=True, extra="forbid"):
    """From candles to driver states, buckets and phases."""

    bar: BarConfig = Field(default_factory=BarConfig)
    driver_bar: DriverBarConfig = Field(default_factory=DriverBarConfig)
    indicator: IndicatorConfig = Field(default_factory=IndicatorConfig)
    uptrend: UptrendConfig = Field(default_factory=UptrendConfig)
    token_state: TokenStateConfig = Field(default_factory=TokenStateConfig)
    cap_bucket: CapBucketConfig = Field(default_factory=CapBucketConfig)
    spiral: SpiralConfig = Field(default_factory=SpiralConfig)
    event: RegimeEventConfig = Field(default_factory=RegimeEventConfig)


class PmConfig(BaseModel, frozen=True, extra="forbid"):
    """Everything that can be changed while the system runs."""

    regime: RegimeConfig = Field(default_factory=RegimeConfig)
    scores: ScoresConfig = Field(default_factory=ScoresConfig)
    runtime: RuntimeConfig = Field(default_factory=RuntimeConfig)
    portfolio: PortfolioConfig = Field(default_factory=PortfolioConfig)
    plan: PlanConfig = Field(default_factory=PlanConfig)
    paper_venue: PaperVenueConfig = Field(default_factory=PaperVenueConfig)
    learning: LearningConfig = Field(default_factory=LearningConfig)
    retention: RetentionConfig = Field(default_factory=RetentionConfig)
    alarms: AlarmConfig = Field(default_factory=AlarmConfig)


class ConfigError(ValueError):
    """A configuration was refused; the message names each offending key and what to do."""


def effective_config(overrides: Mapping[str, Any]) -> PmConfig:
    """Defaults with `overrides` laid over them, key by key.

    Parameters
    ----------
    overrides : mapping
        Nested as the configuration; a table row may be overridden alone.

    Raises
    ------
    ConfigError
        If a key is unknown (with the nearest known key) or a value out of bounds.

    >>> effective_config({"scores": {"min_coverage": 10}}).scores.min_coverage
    10
    >>> effective_config({"scores": {"min_coverag": 10}})
    Traceback (most recent call last):
    domain.config.pm_config.ConfigError: scores.min_coverag: unknown key; did you mean 'min_coverage'?
    """
    merged = _laid_over(PmConfig().model_dump(mode="json"), overrides)
    try:
        return PmConfig.model_validate(merged)
    except ValidationError as error:
        raise ConfigError("; ".join(_explained(error))) from None


def overrides_hash(overrides: Mapping[str, Any]) -> str:
    """Hash of what was overridden, independent of key order and white space.

    >>> overrides_hash({})[:8]
    '44136fa3'
    """
    return hashlib.sha256(json.dumps(overrides, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _laid_over(base: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in overrides.items():
        below = merged.get(key)
        merged[key] = _laid_over(below, value) if isinstance(below, dict) and isinstance(value, Mapping) else value
    return merged


def _explained(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        path = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            yield f"{path}: unknown key{_suggestion(problem['loc'])}"
        else:
            yield f"{path}: {problem['msg']}, was {problem['input']!r}"


def _suggestion(location: tuple[int | str, ...]) -> str:
    model: type[BaseModel] | None = PmConfig
    for part in location[:-1]:
        model = _section(model, str(part)) if model else None
    if model is None:
        return ""
    near = difflib.get_close_matches(str(location[-1]), list(model.model_fields), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f"; known keys: {', '.join(model.model_fields)}"


def _section(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    field = model.model_fields.get(name)
    if field is None:
        return None
    for candidate in (field.annotation, *get_args(field.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
