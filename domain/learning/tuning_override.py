"""From where tuned thresholds stand to the overrides the runtime reads.

The runtime asks for the thresholds of a buy rule under the pattern of its state, `pm.uptrend.S1.buy_flag` and
`pm.uptrend.S3.buy_flag`, also before a rebuy, and under the category the buy would have. A rule is one, entered or
added on, and so is the evidence for it: each threshold is written for both. Keys that nobody asked for are why an
earlier system never tuned anything; one test goes from here to a moved gate.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from domain.config.tuning import TuningConfig
from domain.learning.override import OverrideKey, WantedOverride
from domain.learning.trade_fact import ScopeCell
from domain.learning.tuning_cell import TuningCell
from domain.learning.tuning_state import TuningState, home_of, states_by_key
from domain.portfolio.buy_check import GATE_LEVER
from domain.portfolio.gate import Gate
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.plan import buy_check_pattern
from domain.scopes.pattern_key import PatternKey, TuningFamily
from domain.scopes.scope import scope_json
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.uptrend import UptrendState

STATE_OF: Mapping[TuningFamily, UptrendState] = {
    TuningFamily.S1_ENTRY: UptrendState.S1,
    TuningFamily.S3_RETEST: UptrendState.S3,
}
"""State whose buy rule the windows of a family are about."""

BUYS = (ActionCategory.ENTRY, ActionCategory.ADD)
LESSON_TYPE = "tuning"


@dataclass(frozen=True, slots=True)
class TuningOverrides:
    """Overrides of the thresholds that stand elsewhere than configured, and lessons of those that do not any more."""

    wanted: tuple[WantedOverride, ...]
    withdrawn: frozenset[str]


def tuning_overrides(
    states: Iterable[TuningState], *, config: TuningConfig, standing: Iterable[OverrideKey] = ()
) -> TuningOverrides:
    """Make the overrides of tuned thresholds.

    The confidence is 1 - exp(-n / k) of the n episodes behind the last step, which stand as `n_trades`.

    Parameters
    ----------
    states : iterable of TuningState
        After a run, in any order.
    config : TuningConfig
        k, `confidence_episodes`.
    standing : iterable of OverrideKey
        Overrides of the set before, of any lever: a threshold among them that is not wanted now is withdrawn, for it
        would otherwise act until it expires.

    Raises
    ------
    ValueError
        If a threshold has two states.
    """
    by_key = states_by_key(states)
    wanted = []
    for (cell, gate), state in by_key.items():
        # A threshold that is back at 1 says so where a coarser cell says otherwise.
        if state.multiplier != 1.0 or home_of(by_key, cell, gate).multiplier != 1.0:
            wanted += [_override(state, category, config) for category in BUYS]
    wanted.sort(key=lambda each: each.key)
    keys = {each.key for each in wanted}
    gone = (key for key in standing if key.lever is not OverrideLever.PM_STRENGTH and key not in keys)
    return TuningOverrides(tuple(wanted), frozenset(key.lesson_id for key in gone))


def tuned_pattern(family: TuningFamily) -> PatternKey:
    """Pattern under which the thresholds of a family are stored and looked up.

    >>> str(tuned_pattern(TuningFamily.S3_RETEST))
    'pm.uptrend.S3.buy_flag'
    """
    pattern = buy_check_pattern(STATE_OF[family])
    if pattern is None:
        raise ValueError(f"{STATE_OF[family]} has no buy rule to tune")
    return pattern


def tuning_lesson_id(cell: TuningCell, gate: Gate, category: ActionCategory) -> str:
    """Return the hexadecimal SHA-256 of type, family, gate, category, mask and values: the same in every run."""
    parts = (LESSON_TYPE, cell.family, gate, category, str(cell.mask), scope_json(cell.scope))
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _override(state: TuningState, category: ActionCategory, config: TuningConfig) -> WantedOverride:
    cell = state.cell
    return WantedOverride(
        key=OverrideKey(tuning_lesson_id(cell, state.gate, category), GATE_LEVER[state.gate]),
        cell=ScopeCell(
            pattern_key=str(tuned_pattern(cell.family)), action_category=category, mask=cell.mask, values=cell.values
        ),
        multiplier=state.multiplier,
        confidence=-math.expm1(-state.n_evidence / config.confidence_episodes),
        n_trades=state.n_evidence,
        edge=None,
        decay_mult=None,
    )
