"""Windows of opportunity: when each began and ended, what was decided in it by which gates, and what came of it.

    pm.s1_entry    begins on S0->S1, ends on the first bar outside S1
                   success: S3 reached, or a trim flag in S2 above the price of the bar that decided   failure: S0 first
    pm.s3_retest   begins on a bar of S3 with EMA333 <= close <= EMA144, ends on the first bar outside that zone
                   success: a trim flag above the price of the bar that decided                        failure: S0 first

The zone begins an S3 window, not the engine's flag: a buy that a gate prevented has no flag, and it is such windows
that say whether the gate was right. A bootstrapped S3 may not buy and has none. While an S3 window that was skipped has
no outcome, a return to the zone is the same window: one outcome is told once.

The first buy in a window makes it acted. A window without one was skipped at the bar that came nearest to a buy: the
one with the most gates open, of those the smallest sum of shortfalls, of those the earliest. The outcome is read from
the bars alone, by one rule for acted and skipped: the two differ in what was decided, not in how it is judged.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from domain.config.plan import EpisodeConfig
from domain.portfolio.episode_sample import EpisodeSample, NearestBar, kept_samples, nearer, nearest_of, sample_of
from domain.portfolio.gate import GateReading
from domain.portfolio.plan import Decision, RuleReading
from domain.portfolio.token_bar import TokenBar
from domain.scopes.pattern_key import TuningFamily
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.uptrend import StateStatus, UptrendFlag, UptrendState


class EpisodeDecision(StrEnum):
    """Whether an order was sent in the window."""

    ACTED = "acted"
    SKIPPED = "skipped"


class EpisodeOutcome(StrEnum):
    """What came of the window; `expired` is neither success nor failure."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One window of one position. Instants are opens of bars.

    nearest: the bar that decided, or would if the window ended now. decision: None while the window is open and nothing
    was bought. trade_id: of the order, None when skipped. last_bar_at: newest bar it has seen; none is seen twice.
    """

    family: TuningFamily
    started_at: datetime
    last_bar_at: datetime
    nearest: NearestBar
    samples: tuple[EpisodeSample, ...]
    ended_at: datetime | None = None
    decision: EpisodeDecision | None = None
    trade_id: str | None = None
    outcome: EpisodeOutcome = EpisodeOutcome.PENDING
    outcome_at: datetime | None = None

    @property
    def is_pending(self) -> bool:
        """Whether its outcome is still to come."""
        return self.outcome is EpisodeOutcome.PENDING

    @property
    def decided_at(self) -> datetime | None:
        """Bar that decided; None before it is decided."""
        return None if self.decision is None else self.nearest.at

    @property
    def gates(self) -> tuple[GateReading, ...] | None:
        """Gates at the bar that decided; None before it is decided."""
        return None if self.decision is None else self.nearest.gates


def episode_id(position_id: str, family: TuningFamily, started_at: datetime) -> str:
    """Return the id of a window: 64 hexadecimal digits, the same whoever asks."""
    return hashlib.sha256(f"{position_id}|{family.value}|{started_at.isoformat()}".encode()).hexdigest()


def step_episodes(
    pending: Sequence[Episode],
    bar: TokenBar,
    decision: Decision,
    *,
    trade_id: str | None,
    config: EpisodeConfig,
    may_begin: bool = True,
) -> tuple[Episode, ...]:
    """Windows of one position that a bar begins or changes.

    Parameters
    ----------
    pending : sequence of Episode
        Windows of the position without an outcome; at most one of each family. Others are left alone.
    bar : TokenBar
        Closed bar. One that a window has seen already changes nothing, so a bar may be told twice.
    decision : Decision
        What was decided on it.
    trade_id : str or None
        Trade of the order that was sent on this bar; None when none was, for example because its size was 0.
    config : EpisodeConfig
        Ages and sample counts.
    may_begin : bool
        Whether a new window may begin: not for a position that is not allowed to buy at all.

    Returns
    -------
    tuple of Episode
        New and changed windows, at most one of each family that has an outcome and one that has not.
    """
    changed: list[Episode] = []
    alive = set()
    for episode in pending:
        if not episode.is_pending:
            continue
        moved = _moved(episode, bar, decision, trade_id, config)
        if moved.is_pending:
            alive.add(moved.family)
        if moved != episode:
            changed.append(moved)
    if may_begin and bar.status is StateStatus.OK:
        changed += [_begun(family, bar, decision, trade_id) for family in _beginning(bar) if family not in alive]
    return tuple(changed)


def expire_episode(episode: Episode, at: datetime, config: EpisodeConfig) -> Episode:
    """Episode of a token that has no more bars: expired once it is too old, else unchanged."""
    if not episode.is_pending or at - episode.started_at < timedelta(days=config.max_age_days):
        return episode
    return _concluded(episode, EpisodeOutcome.EXPIRED, at)


def _beginning(bar: TokenBar) -> list[TuningFamily]:
    found = []
    if bar.state is UptrendState.S1 and bar.prev_state is UptrendState.S0:
        found.append(TuningFamily.S1_ENTRY)
    if is_in_retest_zone(bar) and not bar.bootstrapped:
        found.append(TuningFamily.S3_RETEST)
    return found


def is_in_retest_zone(bar: TokenBar) -> bool | None:
    """Whether a bar of S3 closed between EMA333 and EMA144, edges included; None where an EMA is missing."""
    if bar.state is not UptrendState.S3:
        return False
    if bar.ema333 is None or bar.ema144 is None:
        return None
    return bar.ema333 <= bar.close_usd <= bar.ema144


def _begun(family: TuningFamily, bar: TokenBar, decision: Decision, trade_id: str | None) -> Episode:
    rule = decision.buy_rule
    nearest = nearest_of(bar, rule.gates if rule else ())
    episode = Episode(
        family=family,
        started_at=bar.opened_at,
        last_bar_at=bar.opened_at,
        nearest=nearest,
        samples=(sample_of(bar, nearest),),
    )
    return _acted(episode, bar, _bought_on(decision, trade_id), trade_id)


def _moved(episode: Episode, bar: TokenBar, decision: Decision, trade_id: str | None, config: EpisodeConfig) -> Episode:
    if bar.opened_at <= episode.last_bar_at:
        return episode
    moved = replace(episode, last_bar_at=bar.opened_at)
    is_inside = _is_inside(episode, bar)
    if is_inside is False and moved.ended_at is None:
        moved = _ended(moved, bar.opened_at)
    elif is_inside and (moved.ended_at is None or moved.decision is EpisodeDecision.SKIPPED):
        moved = _seen(moved, bar, decision, trade_id, config)
    outcome = _outcome(moved, bar, config)
    return moved if outcome is EpisodeOutcome.PENDING else _concluded(moved, outcome, bar.opened_at)


def _is_inside(episode: Episode, bar: TokenBar) -> bool | None:
    """Whether a bar belongs to the window; None where it cannot be said, which neither continues nor ends it."""
    if _is_broken(episode, bar):
        return False
    if episode.family is TuningFamily.S3_RETEST:
        return is_in_retest_zone(bar)
    return (
        bar.state is UptrendState.S1 and episode.ended_at is None
    )  # S1 is entered from S0 once; a flip back from S2 is no entry


def _seen(episode: Episode, bar: TokenBar, decision: Decision, trade_id: str | None, config: EpisodeConfig) -> Episode:
    """Window with one more bar of it; one that had ended goes on, one that was acted in has its decision."""
    rule = decision.buy_rule
    here = nearest_of(bar, rule.gates if rule else ())
    seen = replace(episode, samples=kept_samples(episode.samples, sample_of(bar, here), config.max_samples))
    if seen.decision is EpisodeDecision.ACTED:
        return seen
    going_on = replace(seen, ended_at=None, decision=None, nearest=nearer(seen.nearest, here))
    return _acted(going_on, bar, _bought_on(decision, trade_id), trade_id)


def _bought_on(decision: Decision, trade_id: str | None) -> RuleReading | None:
    """Return the rule an order to buy was sent on; None where none was."""
    action = decision.action
    if trade_id is None or action is None or action.category not in (ActionCategory.ENTRY, ActionCategory.ADD):
        return None
    return action


def _acted(episode: Episode, bar: TokenBar, bought: RuleReading | None, trade_id: str | None) -> Episode:
    if bought is None:
        return episode
    nearest = nearest_of(bar, bought.gates)
    return replace(episode, decision=EpisodeDecision.ACTED, nearest=nearest, trade_id=trade_id)


def _ended(episode: Episode, at: datetime) -> Episode:
    return replace(episode, ended_at=at, decision=episode.decision or EpisodeDecision.SKIPPED)


def _concluded(episode: Episode, outcome: EpisodeOutcome, at: datetime) -> Episode:
    ended = episode if episode.ended_at else _ended(episode, at)
    return replace(ended, outcome=outcome, outcome_at=at)


def _outcome(episode: Episode, bar: TokenBar, config: EpisodeConfig) -> EpisodeOutcome:
    if _is_broken(episode, bar):
        return EpisodeOutcome.FAILURE
    if bar.state is UptrendState.S4 or bar.opened_at - episode.started_at >= timedelta(days=config.max_age_days):
        return EpisodeOutcome.EXPIRED  # a series that restarted hides what happened in between
    if episode.decision is None or bar.opened_at <= episode.nearest.at:
        return EpisodeOutcome.PENDING
    is_trim = UptrendFlag.TRIM_FLAG in bar.flags and bar.close_usd > episode.nearest.close_usd
    is_reached = bar.state is UptrendState.S3 if episode.family is TuningFamily.S1_ENTRY else False
    return EpisodeOutcome.SUCCESS if is_trim or is_reached else EpisodeOutcome.PENDING


def _is_broken(episode: Episode, bar: TokenBar) -> bool:
    """Whether the trend went back to S0, on this bar or on one that was not ticked."""
    if UptrendState.S0 in (bar.state, bar.prev_state):
        return True
    if episode.family is TuningFamily.S1_ENTRY:
        return False
    if bar.state is UptrendState.S3:
        return bar.s3_start_at is not None and bar.s3_start_at > episode.started_at
    return bar.state is not UptrendState.S4
