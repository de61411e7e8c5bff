"""Who is on the watchlist of a replay, from when on, and what was known of each then: no person, no tomorrow.

A token is admitted at the close of the first bar of the window on which it has a state and a cap tag, on all its
timeframes at once. Its age is known only as far as its bars go back: at least 90 days, or not at all.

It keeps no share of its allocation, and so is sized by the configured timeframe splits, whatever overrides the replay
has. A person's approval keeps the share learned by then (`sql.position`); a replay has none to keep. Its own journal
teaches nothing while it runs, shares learned of live trades are of other trades at other prices, and those learned from
a replay of the window have seen the window: a share is settled once, at admission, and no later day could correct it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import psycopg

from domain.portfolio.lifecycle import PositionStatus, status_by_bars
from domain.portfolio.trade_memory import NO_MEMORY
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from domain.vocabulary.entry_band import band_label, cap_volume_ratio
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.portfolio_row import Provenance, Token
from pm_runtime.replay.settings import ReplaySettings
from sql.json_text import stored_json
from sql.pm_config import VersionedConfig
from sql.position import position_id
from sql.queries import query

CURATOR = "replay"
OLD = timedelta(days=90)
"""Age from which the bars that are stored prove the band of a token's age, whenever it was listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A token on a timeframe: its first bar of the window with a state and a tag, and what the tag knew."""

    token: Token
    timeframe: Timeframe
    opened_at: datetime
    market_cap_usd: float | None
    volume_24h_usd: float | None
    first_bar_at: datetime

    @property
    def closed_at(self) -> datetime:
        """When that bar was known."""
        return self.opened_at + self.timeframe.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A position that is put on the watchlist at an instant."""

    token: Token
    timeframe: Timeframe
    admitted_at: datetime
    status: PositionStatus
    total_allocation_pct: float
    entry_context: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As JSON has it; what the hash of the history holds of it."""
        contract, chain = self.token
        return {
            "token_contract": contract,
            "chain": chain,
            "timeframe": self.timeframe.value,
            "admitted_at": self.admitted_at.isoformat(),
            "status": self.status.value,
            "total_allocation_pct": self.total_allocation_pct,
            "entry_context": self.entry_context,
        }


def read_admissions(
    connection: psycopg.Connection, settings: ReplaySettings, config: VersionedConfig
) -> list[Admission]:
    """Admissions of a window, by instant, then token and timeframe."""
    candidates = _candidates(connection, settings)
    return admissions_of(candidates, _bars_counted(connection, candidates), config)


def admissions_of(
    candidates: Sequence[Candidate], bars_counted: Mapping[tuple[Token, Timeframe], int], config: VersionedConfig
) -> list[Admission]:
    """Return who is admitted when.

    Parameters
    ----------
    candidates : sequence of Candidate
        By token.
    bars_counted : mapping
        Bars of each candidate when its token is admitted; absent where it had none.
    """
    found = [each for group in _by_token(candidates) for each in _admitted(group, bars_counted, config)]
    return sorted(found, key=lambda each: (each.admitted_at, each.token, each.timeframe.minutes))


def admit(connection: psycopg.Connection, admissions: Sequence[Admission], made_by: Provenance) -> None:
    """Put positions on the watchlist; those that are there already stay as they are.

    Parameters
    ----------
    connection : psycopg.Connection
        In a transaction that has the replay's schema first on its search path.
    """
    rows = [
        {
            "position_id": position_id(*each.token, each.timeframe),
            "token_contract": each.token[0],
            "chain": each.token[1],
            "timeframe": each.timeframe.value,
            "book_id": DEFAULT_BOOK_ID,
            "token_ticker": each.token[0],
            "status": each.status.value,
            "total_allocation_pct": each.total_allocation_pct,
            "entry_context": stored_json(each.entry_context),
            "approved_by": CURATOR,
            "approved_at": each.admitted_at,
            "trade_memory": stored_json(NO_MEMORY.to_json()),
            "config_version": made_by.config_version,
            "code_version": made_by.code_version,
        }
        for each in admissions
    ]
    with connection.cursor() as cursor:
        cursor.executemany(query("insert_admitted_position").encode(), rows)


def _candidates(connection: psycopg.Connection, settings: ReplaySettings) -> list[Candidate]:
    named = settings.tokens
    values = {
        "timeframes": [timeframe.value for timeframe in settings.timeframes],
        "lengths": [timeframe.duration for timeframe in settings.timeframes],
        "from_at": settings.from_at,
        "to_at": settings.to_at,
        "contracts": None if named is None else named[0],
        "chains": None if named is None else named[1],
    }
    return [
        Candidate(
            token=(contract, chain),
            timeframe=Timeframe(timeframe),
            opened_at=opened_at,
            market_cap_usd=market_cap_usd,
            volume_24h_usd=volume_24h_usd,
            first_bar_at=first_bar_at,
        )
        for contract, chain, timeframe, opened_at, market_cap_usd, volume_24h_usd, first_bar_at in connection.execute(
            query("replay_candidates").encode(), values
        )
    ]


def _by_token(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    return [list(group) for _, group in groupby(candidates, key=lambda each: each.token)]


def _bars_counted(
    connection: psycopg.Connection, candidates: Sequence[Candidate]
) -> dict[tuple[Token, Timeframe], int]:
    asked = [(each, _admitted_at(group) - each.timeframe.duration) for group in _by_token(candidates) for each in group]
    values = {
        "token_contracts": [each.token[0] for each, _ in asked],
        "chains": [each.token[1] for each, _ in asked],
        "timeframes": [each.timeframe.value for each, _ in asked],
        "last_opens": [last_open for _, last_open in asked],
    }
    found = connection.execute(query("bars_counted_at").encode(), values)
    return {((contract, chain), Timeframe(timeframe)): count for contract, chain, timeframe, count in found}


def _admitted_at(group: Sequence[Candidate]) -> datetime:
    return min(each.closed_at for each in group)


def _admitted(
    group: Sequence[Candidate], counts: Mapping[tuple[Token, Timeframe], int], config: VersionedConfig
) -> list[Admission]:
    """Admissions of one token, as if it had been watched since its series have enough bars."""
    min_bars = config.config.regime.uptrend.min_bars
    bars = {each.timeframe: counts.get((each.token, each.timeframe)) for each in group}
    has_slower = any((count or 0) >= min_bars for timeframe, count in bars.items() if timeframe is not Timeframe.M1)
    first = min(group, key=lambda each: (each.closed_at, each.timeframe.minutes))
    return [
        Admission(
            token=each.token,
            timeframe=each.timeframe,
            admitted_at=first.closed_at,
            status=status_by_bars(
                PositionStatus.DORMANT,
                bars_count=bars[each.timeframe],
                min_bars=min_bars,
                is_superseded=each.timeframe is Timeframe.M1 and has_slower,
            ),
            total_allocation_pct=config.config.portfolio.sizing.default_allocation_pct,
            entry_context=_entry_context(first),
        )
        for each in group
    ]


def _entry_context(first: Candidate) -> dict[str, Any]:
    ratio = cap_volume_ratio(first.market_cap_usd, first.volume_24h_usd)
    is_old = first.closed_at - first.first_bar_at >= OLD
    known = {
        "chain": first.token[1],
        "curator": CURATOR,
        ScopeDimension.VOL_BUCKET.value: band_label(ScopeDimension.VOL_BUCKET, first.volume_24h_usd),
        ScopeDimension.MCAP_VOL_RATIO_BUCKET.value: band_label(ScopeDimension.MCAP_VOL_RATIO_BUCKET, ratio),
        ScopeDimension.AGE_BUCKET.value: band_label(ScopeDimension.AGE_BUCKET, OLD.days) if is_old else None,
    }
    return {name: value for name, value in known.items() if value is not None}
