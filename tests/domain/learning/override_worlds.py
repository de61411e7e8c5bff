"""Lessons, overrides and the trades that speak of them, for tests."""

from datetime import UTC, datetime, timedelta

from domain.config.override import OverrideConfig
from domain.learning.edge_decay import DecayState
from domain.learning.override import LessonEvidence, OverrideKey, WantedOverride
from domain.learning.override_evidence import EvidenceVerdict, GuardrailVerdict
from domain.learning.trade_fact import ScopeCell, TradeFact, trade_facts
from domain.portfolio.override_row import OverrideLever
from domain.vocabulary.action import ActionCategory
from tests.domain.learning.closed_trades import action, outcome

DAY = timedelta(days=1)
T0 = datetime(2025, 6, 1, tzinfo=UTC)
S1, S2 = "pm.uptrend.S1.buy_flag", "pm.uptrend.S2.buy_flag"
CONFIG = OverrideConfig()
MICRO = ScopeCell(S1, ActionCategory.ENTRY, 4, ("micro",))


def lesson(lesson_id: str = "l1", edge: float = 0.4, **changed) -> LessonEvidence:
    """A lesson of 40 trades that makes an override; any field may be changed."""
    fields = {
        "cell": MICRO,
        "n_trades": 40,
        "edge_raw": 2 * edge,
        "edge_used": edge,
        "support_score": 0.96,
        "reliability_score": 0.5,
        "decay_mult": 1.0,
        "decay_state": DecayState.STABLE,
        "half_life_hours": None,
    }
    return LessonEvidence(lesson_id=lesson_id, **(fields | changed))


def key(lesson_id: str = "l1") -> OverrideKey:
    return OverrideKey(lesson_id, OverrideLever.PM_STRENGTH)


def override(lesson_id: str = "l1", multiplier: float = 1.2, cell: ScopeCell = MICRO, **changed) -> WantedOverride:
    """An override of size for S1 entries in micro caps."""
    fields = {"key": key(lesson_id), "confidence": 0.5, "n_trades": 40, "edge": 0.4, "decay_mult": 1.0}
    return WantedOverride(multiplier=multiplier, cell=cell, **(fields | changed))


def verdict(said: EvidenceVerdict) -> GuardrailVerdict:
    return GuardrailVerdict(
        verdict=said, n_trades=12, n_others=40, n_without_rr=0, difference_r=-0.5, lower_r=-0.8, upper_r=-0.2
    )


def entered(trade_id: str, rr: float | None, day: float, *, bucket: str = "micro", **changed) -> tuple[TradeFact, ...]:
    """Facts of a trade entered so many days after T0 and held for 12 hours; the entry may be of another kind."""
    at = T0 + day * DAY
    closed_at = changed.pop("closed_at", at + timedelta(hours=12))
    entry = action(trade_id, scope={"mcap_bucket": bucket, "timeframe": "1h"}, action_ts=at, **changed)
    return trade_facts(outcome(trade_id, rr, opened_at=at, closed_at=closed_at), [entry])
