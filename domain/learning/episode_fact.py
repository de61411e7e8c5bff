"""Windows of opportunity as evidence: rows of `pattern_episode_events` made typed, or refused by name.

What belongs here: what one row says, and since when that was known. What does not: rates (`tuning_rate`) and what
follows from them (`tuning_verdict`).

The unit of evidence is the episode: whatever happened within one window came of one market, and counts once.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.learning.trade_fact import TradeFact
from domain.portfolio.episode import EpisodeDecision, EpisodeOutcome
from domain.portfolio.gate import Gate, GateReading, blocking_gates, reading_from_json
from domain.portfolio.strict_json import StrictJsonError, read_json
from domain.scopes.pattern_key import TuningFamily
from domain.scopes.scope import parse_scope
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe

CONCLUDED = frozenset({EpisodeOutcome.SUCCESS, EpisodeOutcome.FAILURE})
"""Outcomes that say something of a decision; an expired episode is neither."""


class EpisodeRefusal(StrEnum):
    """Why a row is no evidence."""

    MALFORMED = "malformed"
    UNKNOWN_WORD = "unknown_word"
    WRONG_GATES = "wrong_gates"
    WRONG_SCOPE = "wrong_scope"
    INCONSISTENT = "inconsistent"
    RIVAL = "rival"


class EpisodeError(ValueError):
    """A row was refused; `reason` is the kind, the message what was wrong."""

    def __init__(self, reason: EpisodeRefusal, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeFact:
    """One window of opportunity. Instants are opens of bars; what a bar shows is known once it has closed.

    decision, decided_at: None while the window is open and nothing was bought. gates: those of the bar that decided,
    none before. outcome_at: None while it is pending. rr: R of the trade its order belonged to, winsorised; None where
    nothing was bought, the trade is open or its rr is unknown. rr_known_at: closure of that trade.
    """

    episode_id: str
    family: TuningFamily
    timeframe: Timeframe
    started_at: datetime
    decision: EpisodeDecision | None
    decided_at: datetime | None
    gates: tuple[GateReading, ...]
    scope: tuple[tuple[ScopeDimension, str], ...]
    trade_id: str | None
    outcome: EpisodeOutcome
    outcome_at: datetime | None
    rr: float | None = None
    rr_known_at: datetime | None = None

    @property
    def is_acted(self) -> bool:
        """Whether an order was sent in it."""
        return self.decision is EpisodeDecision.ACTED

    @property
    def is_success(self) -> bool:
        """Whether it went well."""
        return self.outcome is EpisodeOutcome.SUCCESS

    @property
    def blocking(self) -> tuple[Gate, ...]:
        """Gates that were shut at the bar that decided; of exactly one it can be said that it kept the buy out."""
        return blocking_gates(self.gates)

    def has_begun(self, as_of_at: datetime) -> bool:
        """Whether its first bar had closed before an instant."""
        return self.started_at + self.timeframe.duration < as_of_at

    def is_told(self, as_of_at: datetime) -> bool:
        """Whether its outcome was known before an instant; before that it was pending, whatever the row says now."""
        return self.outcome_at is not None and self.outcome_at + self.timeframe.duration < as_of_at

    def rr_as_of(self, as_of_at: datetime) -> float | None:
        """Return its rr if the trade had closed before an instant."""
        return self.rr if self.rr_known_at is not None and self.rr_known_at < as_of_at else None


@dataclass(frozen=True, slots=True)
class RefusedEpisode:
    """A row that is no evidence; `episode_id` is None where the row has none."""

    episode_id: str | None
    reason: EpisodeRefusal
    detail: str


@dataclass(frozen=True, slots=True)
class EpisodeIntake:
    """Episodes by id, and every row that was refused; `n_repeated` rows said what another had said."""

    episodes: tuple[EpisodeFact, ...]
    refused: tuple[RefusedEpisode, ...]
    n_repeated: int


def read_episodes(
    rows: Iterable[Mapping[str, Any]], trades: Iterable[TradeFact], *, max_abs_rr: float
) -> EpisodeIntake:
    """Episodes of stored rows, with the outcomes of the trades their orders belonged to.

    Parameters
    ----------
    rows : iterable of mapping
        Columns of `pattern_episode_events`, in any order; JSON as text or read. Others are not looked at.
    trades : iterable of TradeFact
        Facts of closed trades; one of several of a trade is enough.
    max_abs_rr : float
        Winsor limit, R.

    Returns
    -------
    EpisodeIntake
        Every row is an episode, refused or a repetition. Two that say different things under one id are both refused:
        which of them is right cannot be known.

    Raises
    ------
    ValueError
        If facts of one trade bear different rr. No row raises.
    """
    outcomes = _outcomes(trades)
    read: dict[str, EpisodeFact] = {}
    rivals: set[str] = set()
    refused: list[RefusedEpisode] = []
    n_repeated = 0
    for row in rows:
        try:
            episode = episode_fact(row, outcomes, max_abs_rr=max_abs_rr)
        except EpisodeError as error:
            refused.append(RefusedEpisode(_id_of(row), error.reason, str(error)))
            continue
        known = read.setdefault(episode.episode_id, episode)
        if known == episode:
            n_repeated += known is not episode
        else:
            rivals.add(episode.episode_id)
    refused += [RefusedEpisode(each, EpisodeRefusal.RIVAL, "rows say different things of it") for each in rivals]
    return EpisodeIntake(
        episodes=tuple(read[key] for key in sorted(read.keys() - rivals)),
        refused=tuple(sorted(refused, key=lambda each: (each.episode_id or "", each.reason, each.detail))),
        n_repeated=n_repeated,
    )


def episode_fact(
    row: Mapping[str, Any], outcomes: Mapping[str, TradeFact], *, max_abs_rr: float = math.inf
) -> EpisodeFact:
    """Episode of one row; `outcomes` is a fact of each closed trade, by trade.

    Raises
    ------
    EpisodeError
        If anything of it cannot be right.
    """
    decision = _word(row, "decision", EpisodeDecision) if row.get("decision") is not None else None
    trade_id = None if row.get("trade_id") is None else _text(row, "trade_id")
    trade = outcomes.get(trade_id) if trade_id is not None else None
    rr = None if trade is None or trade.rr is None else min(max(trade.rr, -max_abs_rr), max_abs_rr)
    episode = EpisodeFact(
        episode_id=_text(row, "episode_id"),
        family=_word(row, "family", TuningFamily),
        timeframe=_word(row, "timeframe", Timeframe),
        started_at=_instant(row, "started_at"),
        decision=decision,
        decided_at=_instant_or_none(row, "decided_at"),
        gates=_gates(row),
        scope=_scope(row),
        trade_id=trade_id,
        outcome=_word(row, "outcome", EpisodeOutcome),
        outcome_at=_instant_or_none(row, "outcome_at"),
        rr=rr,
        rr_known_at=None if rr is None or trade is None else trade.closed_at,
    )
    _refuse_inconsistent(episode)
    return episode


def _outcomes(trades: Iterable[TradeFact]) -> dict[str, TradeFact]:
    found: dict[str, TradeFact] = {}
    for fact in trades:
        first = found.setdefault(fact.trade_id, fact)
        if (first.rr, first.closed_at) != (fact.rr, fact.closed_at):
            raise ValueError(f"Facts of trade {fact.trade_id} bear different rr or closures: {first.rr}, {fact.rr}")
    return found


def _refuse_inconsistent(episode: EpisodeFact) -> None:
    is_acted, is_pending = episode.is_acted, episode.outcome is EpisodeOutcome.PENDING
    times = [each for each in (episode.started_at, episode.decided_at, episode.outcome_at) if each is not None]
    wrong = {
        "decision and decided_at go together": (episode.decision is None) != (episode.decided_at is None),
        "outcome and outcome_at go together": is_pending != (episode.outcome_at is None),
        "what is not decided has no outcome and no gates": episode.decision is None
        and not (is_pending and not episode.gates),
        "acted is with a trade, skipped without": is_acted != (episode.trade_id is not None),
        "acted is with open gates": is_acted and not (episode.gates and not episode.blocking),
        "it starts, is decided, has an outcome, in this order": times != sorted(times),
    }
    broken = [rule for rule, is_broken in wrong.items() if is_broken]
    if broken:
        raise EpisodeError(EpisodeRefusal.INCONSISTENT, f"{broken[0]}, was {episode.decision}, {episode.outcome}")


def _gates(row: Mapping[str, Any]) -> tuple[GateReading, ...]:
    stored = _json(row, "gates")
    if stored is None:
        return ()
    if not isinstance(stored, list) or not all(isinstance(each, Mapping) for each in stored):
        raise EpisodeError(EpisodeRefusal.WRONG_GATES, f"gates must be a list of objects, was {stored!r:.80}")
    try:
        readings = tuple(reading_from_json(each) for each in stored)
    except (ValueError, TypeError) as error:
        raise EpisodeError(EpisodeRefusal.WRONG_GATES, str(error)[:300]) from None
    if len({reading.name for reading in readings}) != len(readings):
        raise EpisodeError(EpisodeRefusal.WRONG_GATES, "a gate is read twice")
    for reading in readings:
        _refuse_wrong_reading(reading)
    return readings


def _refuse_wrong_reading(reading: GateReading) -> None:
    for number in (reading.value, reading.threshold_base, reading.threshold, reading.margin):
        is_number = isinstance(number, int | float) and not isinstance(number, bool)
        if number is not None and not (is_number and abs(number) < math.inf):
            raise EpisodeError(EpisodeRefusal.WRONG_GATES, f"{reading.name} must be of numbers, was {number!r:.80}")
    if not isinstance(reading.passed, bool) or (
        reading.margin is not None and (reading.margin >= 0) is not reading.passed
    ):
        raise EpisodeError(
            EpisodeRefusal.WRONG_GATES, f"{reading.name} passed {reading.passed!r:.20} by a margin of {reading.margin}"
        )


def _scope(row: Mapping[str, Any]) -> tuple[tuple[ScopeDimension, str], ...]:
    stored = _json(row, "scope")
    if not isinstance(stored, Mapping):
        raise EpisodeError(EpisodeRefusal.WRONG_SCOPE, f"scope must be an object, was {stored!r:.80}")
    try:
        return tuple(parse_scope(stored).items())
    except (ValueError, TypeError) as error:
        raise EpisodeError(EpisodeRefusal.WRONG_SCOPE, str(error)[:300]) from None


def _json(row: Mapping[str, Any], name: str) -> Any:
    stored = row.get(name)
    try:
        return read_json(stored) if isinstance(stored, str | bytes) else stored
    except StrictJsonError as fault:
        raise EpisodeError(EpisodeRefusal.MALFORMED, f"{name} {fault}"[:300]) from None


def _word(row: Mapping[str, Any], name: str, words: type[Any]) -> Any:
    value = row.get(name)
    if not isinstance(value, str) or value not in {each.value for each in words}:
        raise EpisodeError(EpisodeRefusal.UNKNOWN_WORD, f"{name} is none of {words.__name__}, was {value!r:.80}")
    return words(value)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise EpisodeError(EpisodeRefusal.MALFORMED, f"{name} must be a text, was {value!r:.80}")
    return value


def _instant(row: Mapping[str, Any], name: str) -> datetime:
    value = row.get(name)
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise EpisodeError(EpisodeRefusal.MALFORMED, f"{name} must be an instant with an offset, was {value!r:.80}")
    return value


def _instant_or_none(row: Mapping[str, Any], name: str) -> datetime | None:
    return None if row.get(name) is None else _instant(row, name)


def _id_of(row: Mapping[str, Any]) -> str | None:
    value = row.get("episode_id")
    return value if isinstance(value, str) else None
