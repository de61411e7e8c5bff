"""An episode as it is stored, and read back: stepping through the database equals stepping in memory.

`samples` holds the bars of the window and the bar that came nearest to a buy, for the columns of the decision stay
empty until there is one.
"""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from domain.portfolio.episode import Episode, EpisodeDecision, EpisodeOutcome
from domain.portfolio.episode_sample import EpisodeSample, NearestBar
from domain.portfolio.gate import reading_from_json
from domain.scopes.pattern_key import TuningFamily

EPISODE_COLUMNS = (
    "family",
    "started_at",
    "ended_at",
    "decision",
    "decided_at",
    "gates",
    "samples",
    "trade_id",
    "outcome",
    "outcome_at",
)
"""Columns an episode fills. Its position, its scope and who wrote it are the writer's."""

_SAMPLE_NAMES = tuple(field.name for field in fields(EpisodeSample))
_SAMPLE_KEYS = set(_SAMPLE_NAMES)


def episode_columns(episode: Episode) -> dict[str, Any]:
    """Values of `EPISODE_COLUMNS`: instants as datetime, `gates` and `samples` as JSON."""
    gates = episode.gates
    return {
        "family": episode.family.value,
        "started_at": episode.started_at,
        "ended_at": episode.ended_at,
        "decision": None if episode.decision is None else episode.decision.value,
        "decided_at": episode.decided_at,
        "gates": None if gates is None else [gate.to_json() for gate in gates],
        "samples": {
            "bars": [_sample_to_json(sample) for sample in episode.samples],
            "nearest": _nearest_to_json(episode.nearest),
            "last_bar_at": episode.last_bar_at.isoformat(),
        },
        "trade_id": episode.trade_id,
        "outcome": episode.outcome.value,
        "outcome_at": episode.outcome_at,
    }


def episode_from_columns(row: Mapping[str, Any]) -> Episode:
    """Episode of a stored row; further columns are ignored.

    Raises
    ------
    ValueError
        If a word or the shape of `samples` is not what this code writes.
    """
    samples = row["samples"]
    if set(samples) != {"bars", "nearest", "last_bar_at"}:
        raise ValueError(f"Expected bars, nearest and last_bar_at in the samples of an episode, was {sorted(samples)}")
    return Episode(
        family=TuningFamily(row["family"]),
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        decision=None if row["decision"] is None else EpisodeDecision(row["decision"]),
        last_bar_at=datetime.fromisoformat(samples["last_bar_at"]),
        nearest=_nearest_from_json(samples["nearest"]),
        samples=tuple(_sample_from_json(sample) for sample in samples["bars"]),
        trade_id=row["trade_id"],
        outcome=EpisodeOutcome(row["outcome"]),
        outcome_at=row["outcome_at"],
    )


def _nearest_to_json(nearest: NearestBar) -> dict[str, Any]:
    return {
        "at": nearest.at.isoformat(),
        "close_usd": nearest.close_usd,
        "gates": [gate.to_json() for gate in nearest.gates],
    }


def _nearest_from_json(stored: Mapping[str, Any]) -> NearestBar:
    return NearestBar(
        at=datetime.fromisoformat(stored["at"]),
        close_usd=stored["close_usd"],
        gates=tuple(reading_from_json(gate) for gate in stored["gates"]),
    )


def _sample_to_json(sample: EpisodeSample) -> dict[str, Any]:
    return {name: getattr(sample, name) for name in _SAMPLE_NAMES} | {"at": sample.at.isoformat()}


def _sample_from_json(stored: Mapping[str, Any]) -> EpisodeSample:
    if set(stored) != _SAMPLE_KEYS:
        raise ValueError(f"Expected the keys {sorted(_SAMPLE_KEYS)} of a sample, was {sorted(stored)}")
    return EpisodeSample(**{**stored, "at": datetime.fromisoformat(stored["at"])})
