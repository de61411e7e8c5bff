"""Windows of opportunity as the runtime stores them, with the positions they are of: what thresholds are learned from.

Some are those of told trades; of others nothing was bought, because a threshold was in the way.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from benchmarks.tuning_world import GATES, reading, window
from domain.learning.episode_fact import EpisodeFact
from domain.portfolio.episode import EpisodeOutcome
from domain.portfolio.gate import Gate
from domain.portfolio.strict_json import canonical_json
from domain.scopes.pattern_key import TuningFamily
from domain.scopes.scope import parse_scope
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.queries import query
from tests.domain.learning.told_trades import ToldTrade
from tests.learned_world import DAY, MIDNIGHT
from tests.stored_rows import insert_rows

HOUR = timedelta(hours=1)
TREND, HALO = (
    next(each for each in GATES if (each.family, each.gate) == (TuningFamily.S1_ENTRY, name))
    for name in (Gate.TREND_STRENGTH, Gate.NEAR_EMA60)
)
POSITION = hashlib.sha256(b"a position").hexdigest()


def bought(told: ToldTrade) -> EpisodeFact:
    """The window a trade was opened in: far from every threshold, a success where the trade made money."""
    trade = told.document.completed_trades[0]
    rr = 0.0 if trade.rr is None else trade.rr
    (entry, *_) = told.action_documents.values()
    named = window(
        told.closure.trade_id,
        [reading(TREND, 0.9), reading(HALO, 0.2)],
        is_success=rr > 0,
        rr=None,
        family=TuningFamily.S1_ENTRY,
        started_at=told.closure.occurred_at - 4 * HOUR,
        hours=2,
        scope=parse_scope({name: entry.scope[name] for name in ("mcap_bucket", "timeframe")}),
    )
    return replace(named, trade_id=told.closure.trade_id)


def left(name: str, day: float, *, strength: float = 0.58, stands: float = 1.0, is_success: bool = True) -> EpisodeFact:
    """A window in nano caps that only the trend strength kept out; `stands` is the multiplier it was read under."""
    return window(
        name,
        [reading(TREND, strength, stands), reading(HALO, 0.2)],
        is_success=is_success,
        rr=None,
        family=TuningFamily.S1_ENTRY,
        started_at=MIDNIGHT + day * DAY,
        hours=3,
        scope=parse_scope({"mcap_bucket": "nano", "timeframe": "1h"}),
    )


def left_each_day(first: int, last: int, n: int = 3, **options: Any) -> list[EpisodeFact]:
    """Some windows of each day that were left; how the last of a day ends shows only on the next."""
    return [
        left(f"left {day} {number}", day + 0.95 * (number + 1) / n, **options)
        for day in range(first, last + 1)
        for number in range(n)
    ]


def known_at(windows: Iterable[EpisodeFact], at: datetime) -> list[EpisodeFact]:
    """Windows as the runtime had them at an instant; an outcome that no bar had shown by then is pending."""
    known = []
    for each in windows:
        if each.started_at + HOUR < at and not each.is_told(at):
            each = replace(each, outcome=EpisodeOutcome.PENDING, outcome_at=None)
            if each.decided_at is not None and each.decided_at + HOUR >= at:
                each = replace(each, decision=None, decided_at=None, gates=(), trade_id=None)
            known.append(each)
        elif each.is_told(at):
            known.append(each)
    return known


def tell_windows(windows: Iterable[EpisodeFact]) -> None:
    """Store windows as the runtime does, all of one position."""
    with connect(DatabaseRole.PM) as session:
        if not session.execute("SELECT 1 FROM pm.lowcap_positions").fetchall():
            insert_rows(session, "pm.lowcap_positions", [_POSITION])
        with session.cursor() as cursor:
            cursor.executemany(query("upsert_episode").encode(), [_row(each) for each in windows])


def _row(each: EpisodeFact) -> dict[str, Any]:
    return {
        **{name: _POSITION[name] for name in ("position_id", "token_contract", "chain", "timeframe")},
        "episode_id": hashlib.sha256(each.episode_id.encode()).hexdigest(),
        "family": each.family.value,
        "started_at": each.started_at,
        "ended_at": each.outcome_at,
        "decision": None if each.decision is None else each.decision.value,
        "decided_at": each.decided_at,
        "gates": canonical_json([gate.to_json() for gate in each.gates]) if each.gates else None,
        "samples": "{}",
        "scope": canonical_json({name.value: value for name, value in each.scope}),
        "trade_id": each.trade_id,
        "outcome": each.outcome.value,
        "outcome_at": each.outcome_at,
        "config_version": 1,
        "code_version": "0",
    }


_POSITION: dict[str, Any] = {
    **{"position_id": POSITION, "token_contract": "So1ana", "chain": "solana", "timeframe": "1h"},
    **{"token_ticker": "SOL1", "status": "watchlist", "total_allocation_pct": 5.0, "entry_context": "{}"},
    **{"approved_by": "ann", "approved_at": MIDNIGHT, "trade_memory": "{}", "updated_at": MIDNIGHT},
    **{"config_version": 1, "code_version": "0"},
}
