"""What a day makes of the set of overrides before it: from lessons, thresholds and trades to the next set.

What belongs here: what is wanted where sizes and thresholds share one set, and what a set's hash is made of. What does
not: what one lesson makes (`override`), who speaks for a factor (`factor_speaker`), each step (`override_life_cycle`).
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.config.learning import LearningConfig
from domain.config.override import OverrideConfig
from domain.learning.override import LessonEvidence, OverrideKey, WantedOverride, WantedOverrides, wanted_overrides
from domain.learning.override_evidence import guardrail_verdicts
from domain.learning.override_life_cycle import LifeCycle, advance
from domain.learning.override_record import OverrideRecord
from domain.learning.trade_fact import TradeFact
from domain.learning.tuning_override import tuning_overrides
from domain.learning.tuning_state import TuningState
from domain.portfolio.strict_json import canonical_json


@dataclass(frozen=True, slots=True)
class OverrideDay:
    """What lessons make of sizes, the set that follows with the steps to it, and the hash of what it follows from."""

    sizes: WantedOverrides
    cycle: LifeCycle
    input_hash: str


def override_day(
    previous: Sequence[OverrideRecord],
    lessons: Sequence[LessonEvidence],
    states: Iterable[TuningState],
    facts: Sequence[TradeFact],
    *,
    as_of_at: datetime,
    retired: Collection[str],
    is_judged: bool,
    revoked_at: Mapping[OverrideKey, datetime],
    config: LearningConfig,
    max_abs_rr: float,
) -> OverrideDay:
    """Take a set one day further.

    Parameters
    ----------
    previous : sequence of OverrideRecord
        The set before, whole.
    lessons : sequence of LessonEvidence
        Active lessons of sizes that the day found again, one a factor.
    states : iterable of TuningState
        Where thresholds stand after the day.
    facts : sequence of TradeFact
        Those of trades closed at `as_of_at` or later are not known yet.
    as_of_at : datetime
        With an offset.
    retired : collection of str
        Ids of the lessons that are retired.
    is_judged : bool
        Whether thresholds were judged on the day; on another none is taken back.
    revoked_at : mapping of OverrideKey to datetime
        Latest revocation of each override.
    config : LearningConfig
        Caps, gain, life; confidence of thresholds.
    max_abs_rr : float
        Winsor limit of an outcome, R.

    Raises
    ------
    ValueError
        As `wanted_overrides`, `tuning_overrides`, `guardrail_verdicts` and `advance` do.
    """
    tuned = tuning_overrides(states, config=config.tuning, standing=[record.key for record in previous])
    thresholds = kept_thresholds(tuned.wanted, config.override)
    sizes = wanted_overrides(lessons, _with_room_for(thresholds, config.override))
    verdicts = guardrail_verdicts(
        [(record.override, record.proposed_at) for record in previous if record.override.edge is not None],
        facts,
        as_of_at=as_of_at,
        max_abs_rr=max_abs_rr,
        config=config.override.guardrail,
    )
    cycle = advance(
        previous,
        [*sizes.overrides, *thresholds],
        verdicts,
        as_of_at=as_of_at,
        retired=frozenset(retired) | (tuned.withdrawn if is_judged else frozenset()),
        revoked_at=revoked_at,
        config=config.override,
    )
    return OverrideDay(sizes, cycle, set_hash(previous, cycle))


def kept_thresholds(wanted: Iterable[WantedOverride], config: OverrideConfig) -> list[WantedOverride]:
    """Thresholds that find room in a set of `max_rows`: those of most episodes, of equal ones those of the lesser key.

    They come before sizes. Of 0 rows, which is how a person switches learning off, none is left.
    """
    return sorted(wanted, key=lambda each: (-each.n_trades, each.key))[: config.max_rows]


def set_hash(previous: Iterable[OverrideRecord], cycle: LifeCycle) -> str:
    """Hexadecimal SHA-256 of the set before and of what it became: the same input as of an instant is the same set.

    Who made it and when is not in it, nor the evidence of a step.
    """
    text = canonical_json(
        {
            "before": [_words(record) for record in previous],
            "after": [_words(record) for record in cycle.records],
            "steps": [[step.key.lesson_id, step.key.lever.value, step.to_state.value] for step in cycle.steps],
        }
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _with_room_for(thresholds: Sequence[WantedOverride], config: OverrideConfig) -> OverrideConfig:
    """Caps of the sizes, so that tuned thresholds fit into the set beside them."""
    return config.model_copy(update={"max_rows": config.max_rows - len(thresholds)})


def _words(record: OverrideRecord) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in record.row().items()}
