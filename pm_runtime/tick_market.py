"""What a tick has read of the market and of the rules, at one instant; everything it decides follows from this.

Nothing here is later than the close of the tick's bar, whoever runs the tick and whenever.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from domain.config.pm_config import PmConfig
from domain.portfolio.override_set import OverrideSet
from domain.portfolio.token_bar import TokenBar
from domain.portfolio.trading_switch import EffectiveSwitch, effective_switch
from domain.scopes.scope import Scope
from domain.scores.score_reading import ScoreReading
from domain.vocabulary.cap_bucket import REGIME_BUCKETS, CapBucket
from domain.vocabulary.execution_bar import ExecutionBar
from pm_runtime.override_memo import OverrideMemo
from pm_runtime.portfolio_row import ChannelStates, PositionRow, Provenance, Token
from pm_runtime.ports import Snapshot
from sql.trading_switch import SwitchRow, UnreadableSwitchError

_MEMO = OverrideMemo()


@dataclass(frozen=True, slots=True, kw_only=True)
class TickMarket:
    """One tick's view.

    switch_problem: why the switch cannot be read, None where it can. buckets: of every token that has a tag. context:
    None when the newest one was too old.
    """

    bar: ExecutionBar
    config: PmConfig
    made_by: Provenance
    switch: Sequence[SwitchRow]
    switch_problem: str | None
    readings: Mapping[CapBucket, ScoreReading]
    channels: Mapping[CapBucket, ChannelStates]
    context: Mapping[str, Any] | None
    bars: Mapping[Token, TokenBar]
    buckets: Mapping[Token, CapBucket]
    overrides: OverrideSet

    @property
    def at(self) -> datetime:
        """Close of the bar: the instant that stands for now."""
        return self.bar.closed_at

    def allowed(self, scope: Scope) -> EffectiveSwitch:
        """Say what the switch allows in a scope; exits only where it cannot be read."""
        found = effective_switch(self.switch, scope)
        return found if self.switch_problem is None else replace(found, said=f"{found.mode}: {self.switch_problem}")


def read_market(
    snapshot: Snapshot,
    bar: ExecutionBar,
    *,
    config: PmConfig,
    made_by: Provenance,
    readings: Sequence[ScoreReading],
    positions: Sequence[PositionRow],
    elsewhere: Sequence[PositionRow],
) -> TickMarket:
    """Read everything the positions of a bar are decided on; of what counts in other timeframes, the buckets."""
    tokens = {row.token for row in positions}
    switch, problem = _switch(snapshot)
    return TickMarket(
        bar=bar,
        config=config,
        made_by=made_by,
        switch=switch,
        switch_problem=problem,
        readings={reading.bucket: reading for reading in readings},
        channels=snapshot.channel_states(bar, REGIME_BUCKETS),
        context=snapshot.regime_context(bar.closed_at),
        bars=snapshot.token_bars(bar, tokens),
        buckets=_buckets(snapshot, bar, tokens | {row.token for row in elsewhere}),
        overrides=_MEMO.compiled(snapshot.live_overrides(), bar.closed_at),
    )


def _switch(snapshot: Snapshot) -> tuple[Sequence[SwitchRow], str | None]:
    """Rows of the switch; none where they cannot be read, and why, which halts everything but exits."""
    try:
        return snapshot.read_switch(), None
    except UnreadableSwitchError as error:
        return (), str(error)


def _buckets(snapshot: Snapshot, bar: ExecutionBar, tokens: Collection[Token]) -> Mapping[Token, CapBucket]:
    return snapshot.cap_buckets(bar.timestamp, tokens)
