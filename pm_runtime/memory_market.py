"""What the assets published, in memory: the twin of `pm_runtime.postgres_market`."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.cap_bucket import CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.portfolio_row import ChannelStates, RawOverrideSet, Token

CONTEXT_KNOWN_AFTER = timedelta(hours=1)
CONTEXT_TOO_OLD_AFTER = timedelta(hours=3)
"""Since the open of the hour that was evaluated."""


@dataclass
class MemoryMarket:
    """Published rows that several sessions share."""

    bars: dict[tuple[Token, ExecutionBar], TokenBar] = field(default_factory=dict)
    tags: dict[tuple[Token, datetime], tuple[CapBucket, datetime]] = field(default_factory=dict)
    """By token and midnight: the bucket, and when the tag expires."""
    contexts: dict[datetime, Mapping[str, Any]] = field(default_factory=dict)
    """By the open of the hour evaluated."""
    channels: dict[tuple[CapBucket, Timeframe, datetime], ChannelStates] = field(default_factory=dict)
    """By bucket, execution timeframe and open of the bar."""
    overrides: RawOverrideSet = field(default_factory=lambda: RawOverrideSet(set_id=None, rows=()))

    def copied(self) -> "MemoryMarket":
        """Return the same rows in tables of their own."""
        return MemoryMarket(
            bars=dict(self.bars),
            tags=dict(self.tags),
            contexts=dict(self.contexts),
            channels=dict(self.channels),
            overrides=self.overrides,
        )


class MemoryMarketSnapshot:
    """What was published at one instant."""

    def __init__(self, market: MemoryMarket) -> None:
        self._market = market.copied()

    def token_bars(self, bar: ExecutionBar, tokens: Collection[Token]) -> dict[Token, TokenBar]:
        """Return the bar of each token that has one."""
        bars = self._market.bars
        return {token: bars[token, bar] for token in tokens if (token, bar) in bars}

    def cap_buckets(self, at: datetime, tokens: Collection[Token]) -> dict[Token, CapBucket]:
        """Return the tags that hold at an instant."""
        midnight = Timeframe.D1.floor(at)
        found = {token: self._market.tags.get((token, midnight)) for token in tokens}
        return {token: tag[0] for token, tag in found.items() if tag is not None and at < tag[1]}

    def regime_context(self, at: datetime) -> dict[str, Any] | None:
        """Return the regime as it was known at an instant."""
        hours = [
            hour for hour in self._market.contexts if at - CONTEXT_TOO_OLD_AFTER < hour <= at - CONTEXT_KNOWN_AFTER
        ]
        return dict(self._market.contexts[max(hours)]) if hours else None

    def channel_states(self, bar: ExecutionBar, buckets: Collection[CapBucket]) -> dict[CapBucket, ChannelStates]:
        """Return what stands behind each bucket's newest score at or before the bar."""
        newest: dict[CapBucket, ChannelStates] = {}
        for (bucket, timeframe, opened_at), states in sorted(
            self._market.channels.items(), key=lambda each: each[0][2]
        ):
            if bucket in buckets and timeframe is bar.timeframe and opened_at <= bar.timestamp:
                newest[bucket] = states
        return newest

    def live_overrides(self) -> RawOverrideSet:
        """Return the live set as it is stored."""
        return self._market.overrides
