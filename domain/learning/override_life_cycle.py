"""The life of an override: proposed, then watched, then live, until it expires or is revoked.

An override once outlived its lesson for ever: what was wanted was written, and nothing was ever taken back. Here every
override ends by itself unless its lesson keeps being found, and each day's set is a fold over the one before: the
overrides that stood, the ones that are wanted, and what their own trades said.

    not there      and wanted                                   -> proposed
    proposed       at a later as-of, still wanted               -> shadow
    shadow         after `shadow_hours`, still wanted           -> live
    any of these   contradicted by the trades since proposal    -> revoked
                   lesson retired, expiry reached, or reversed  -> expired

One that is not wanted for now neither acts sooner nor ends sooner: it stays as it is until its expiry.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.config.override import OverrideConfig
from domain.learning.override import OverrideKey, WantedOverride
from domain.learning.override_evidence import EvidenceVerdict, GuardrailVerdict
from domain.learning.override_record import (
    STANDING_STATES,
    OverrideRecord,
    OverrideState,
    OverrideStep,
    StepReason,
)

MAX_UNCHANGED = 1e-9
"""Multipliers nearer than this are the same."""


@dataclass(frozen=True, slots=True)
class MultiplierChange:
    """An override whose multiplier moved; ratios."""

    key: OverrideKey
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class LifeCycleDiff:
    """What a set has that the one before had not, the other way round, and what moved; each by key."""

    added: tuple[OverrideKey, ...]
    changed: tuple[MultiplierChange, ...]
    retired: tuple[tuple[OverrideKey, StepReason], ...]


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """The next set, the steps that led to it, and what is needed for the one after.

    records: by key; only proposed, shadow and live ones. steps: by key, then as taken. revoked_at: of the overrides
    that may not be proposed again yet, when they were revoked. cooling: those of them that are wanted.
    """

    records: tuple[OverrideRecord, ...]
    steps: tuple[OverrideStep, ...]
    diff: LifeCycleDiff
    revoked_at: Mapping[OverrideKey, datetime]
    cooling: tuple[OverrideKey, ...]

    @property
    def live(self) -> tuple[OverrideRecord, ...]:
        """Overrides that act."""
        return tuple(record for record in self.records if record.state is OverrideState.LIVE)


def advance(
    previous: Sequence[OverrideRecord],
    wanted: Sequence[WantedOverride],
    evidence: Mapping[OverrideKey, GuardrailVerdict],
    *,
    as_of_at: datetime,
    retired: Collection[str],
    revoked_at: Mapping[OverrideKey, datetime],
    config: OverrideConfig,
) -> LifeCycle:
    """Take every override one step further, as of an instant.

    Taken again at the same instant on its own result it changes nothing.

    Parameters
    ----------
    previous : sequence of OverrideRecord
        The set before, whole.
    wanted : sequence of WantedOverride
        Overrides that lessons make now, at most as many as a set holds.
    evidence : mapping of OverrideKey to GuardrailVerdict
        Of the trades since each was proposed; one without an entry is not contradicted.
    as_of_at : datetime
        With an offset; not before any record's state or any revocation.
    retired : collection of str
        Ids of the lessons that are retired; their overrides end now.
    revoked_at : mapping of OverrideKey to datetime
        Latest revocation of each override, from the result or the steps before.
    config : OverrideConfig
        Watch, expiry, cool-down, caps.

    Raises
    ------
    ValueError
        If the instant has no offset or lies before a record's or a revocation; if an override comes twice, has ended
        already, is wanted though its lesson is retired, or has another cell than before; if more are wanted than a set
        holds.
    """
    turn = _Turn(evidence, as_of_at, frozenset(retired), config)
    _refuse_twice((each.key for each in wanted), "wanted")
    _refuse_twice((record.key for record in previous), "previous")
    now = {each.key: each for each in wanted}
    before = {record.key: record for record in previous}
    _refuse_impossible(before, now, revoked_at, turn)
    cooldown = timedelta(days=config.revoke_cooldown_days)
    revocations = {key: at for key, at in revoked_at.items() if as_of_at == at or as_of_at < at + cooldown}
    records: dict[OverrideKey, OverrideRecord] = {}
    steps: list[OverrideStep] = []
    for key in sorted(before.keys() | now.keys()):
        taken, record = turn.of(before.get(key), now.get(key), may_begin=key not in revocations)
        steps.extend(taken)
        if any(step.to_state is OverrideState.REVOKED for step in taken):
            revocations[key] = as_of_at
        if record is not None:
            records[key] = record
    for key in _displaced(records.values(), now, config):
        steps.append(turn.step(records.pop(key), OverrideState.EXPIRED, StepReason.DISPLACED, as_of_at))
    return LifeCycle(
        records=tuple(records[key] for key in sorted(records)),
        steps=tuple(sorted(steps, key=lambda step: step.key)),
        diff=_diff(before, records, steps),
        revoked_at=revocations,
        cooling=tuple(key for key in sorted(now) if key not in records),
    )


@dataclass(frozen=True, slots=True)
class _Turn:
    """One advance: what is the same for every override."""

    evidence: Mapping[OverrideKey, GuardrailVerdict]
    at: datetime
    retired: frozenset[str]
    config: OverrideConfig

    def of(
        self, record: OverrideRecord | None, wanted: WantedOverride | None, *, may_begin: bool
    ) -> tuple[list[OverrideStep], OverrideRecord | None]:
        """Return the steps one override takes, and where it then stands; None where it is in no set."""
        steps: list[OverrideStep] = []
        if record is not None:
            ending = self._ending(record, wanted)
            if ending is None:
                return self._onwards(record, wanted)
            steps.append(self.step(record, *ending))
            may_begin = may_begin and ending[0] is OverrideState.EXPIRED
        if wanted is None or not may_begin:
            return steps, None
        begun = OverrideRecord(
            override=wanted,
            state=OverrideState.PROPOSED,
            since=self.at,
            proposed_at=self.at,
            live_at=None,
            expires_at=self._expiry,
        )
        said = OverrideStep(
            key=begun.key,
            from_state=None,
            to_state=OverrideState.PROPOSED,
            at=self.at,
            reason=StepReason.WANTED,
            override=wanted,
            evidence=None,
        )
        return [*steps, said], begun

    def step(self, record: OverrideRecord, to: OverrideState, reason: StepReason, at: datetime) -> OverrideStep:
        return OverrideStep(
            key=record.key,
            from_state=record.state,
            to_state=to,
            at=at,
            reason=reason,
            override=record.override,
            evidence=self.evidence.get(record.key),
        )

    @property
    def _expiry(self) -> datetime:
        return self.at + timedelta(days=self.config.expiry_days)

    def _ending(
        self, record: OverrideRecord, wanted: WantedOverride | None
    ) -> tuple[OverrideState, StepReason, datetime] | None:
        verdict = self.evidence.get(record.key)
        if verdict is not None and verdict.verdict is EvidenceVerdict.CONTRADICTS:
            return OverrideState.REVOKED, StepReason.CONTRADICTED, self.at
        if record.key.lesson_id in self.retired:
            return OverrideState.EXPIRED, StepReason.LESSON_RETIRED, min(self.at, record.expires_at)
        if record.expires_at <= self.at:
            return OverrideState.EXPIRED, StepReason.LAPSED, record.expires_at
        if wanted is not None and wanted.direction != record.override.direction:
            return OverrideState.EXPIRED, StepReason.REVERSED, self.at
        return None

    def _onwards(
        self, record: OverrideRecord, wanted: WantedOverride | None
    ) -> tuple[list[OverrideStep], OverrideRecord]:
        if wanted is None:
            return [], record
        renewed = replace(record, override=wanted, expires_at=self._expiry)
        watched_from = record.since + timedelta(hours=self.config.shadow_hours)
        if record.state is OverrideState.PROPOSED and record.since < self.at:
            to, reason, live_at = OverrideState.SHADOW, StepReason.WATCHED, None
        elif record.state is OverrideState.SHADOW and record.since < self.at and watched_from <= self.at:
            to, reason, live_at = OverrideState.LIVE, StepReason.STOOD_WATCH, self.at
        else:
            return [], renewed
        stepped = self.step(renewed, to, reason, self.at)
        return [stepped], replace(renewed, state=to, since=self.at, live_at=live_at)


def _displaced(
    records: Iterable[OverrideRecord], wanted: Mapping[OverrideKey, WantedOverride], config: OverrideConfig
) -> list[OverrideKey]:
    """Pick those a set has no room for: of the ones not wanted now, those whose lesson was found longest ago."""
    given = list(records)
    staying = sorted(
        (record for record in given if record.key not in wanted),
        key=lambda record: (-record.expires_at.timestamp(), record.key),
    )
    of_pattern = Counter(record.override.cell.pattern_key for record in given if record.key in wanted)
    total = len(given) - len(staying)
    displaced = []
    for record in staying:
        pattern = record.override.cell.pattern_key
        if total >= config.max_rows or of_pattern[pattern] >= config.max_rows_per_pattern:
            displaced.append(record.key)
        else:
            total += 1
            of_pattern[pattern] += 1
    return displaced


def _diff(
    before: Mapping[OverrideKey, OverrideRecord],
    after: Mapping[OverrideKey, OverrideRecord],
    steps: Iterable[OverrideStep],
) -> LifeCycleDiff:
    both = sorted(before.keys() & after.keys())
    moves = [MultiplierChange(key, before[key].override.multiplier, after[key].override.multiplier) for key in both]
    return LifeCycleDiff(
        added=tuple(sorted(step.key for step in steps if step.from_state is None)),
        changed=tuple(move for move in moves if abs(move.after - move.before) > MAX_UNCHANGED),
        retired=tuple(sorted((step.key, step.reason) for step in steps if step.to_state not in STANDING_STATES)),
    )


def _refuse_twice(keys: Iterable[OverrideKey], name: str) -> None:
    twice = sorted(key.lesson_id for key, n in Counter(keys).items() if n > 1)
    if twice:
        raise ValueError(f"An override comes once, twice in {name} were {twice}")


def _refuse_impossible(
    before: Mapping[OverrideKey, OverrideRecord],
    wanted: Mapping[OverrideKey, WantedOverride],
    revoked_at: Mapping[OverrideKey, datetime],
    turn: _Turn,
) -> None:
    if turn.at.utcoffset() is None:
        raise ValueError(f"as_of_at must have an offset, was {turn.at.isoformat()}")
    if any(at > turn.at for at in revoked_at.values()):
        raise ValueError(f"As of {turn.at.isoformat()} no later revocation is known, was {max(revoked_at.values())}")
    if len(wanted) > turn.config.max_rows:
        raise ValueError(f"A set holds {turn.config.max_rows} overrides, wanted were {len(wanted)}")
    for key in wanted:
        if key.lesson_id in turn.retired:
            raise ValueError(f"Lesson {key.lesson_id} is retired, and its override wanted")
    for key, record in before.items():
        if record.state not in STANDING_STATES or record.since > turn.at:
            raise ValueError(
                f"Override of lesson {key.lesson_id} must stand since {turn.at.isoformat()} or earlier,"
                f" was {record.state} since {record.since.isoformat()}"
            )
        if key in wanted and wanted[key].cell != record.override.cell:
            raise ValueError(
                f"Lesson {key.lesson_id} must keep its cell {record.override.cell}, had {wanted[key].cell}"
            )
