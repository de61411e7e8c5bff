"""A (appetite to add) and E (assertiveness to exit) of the regime, from the 15 channels of a token.

Formula, per driver d and horizon h of one execution timeframe x:
    lever = base + strength * sum over (d, h) of (state + flags + fading transition) * W_d * T_h * X_x(h)
clamped to 0..1, where W weighs drivers, T horizons and X the horizons of an execution timeframe.
A channel that is missing, stale or warming up adds nothing and is counted: `coverage` = channels present of 15.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from domain.config.scores import ScoresConfig
from domain.vocabulary.driver import CHANNEL_NAMES, CHANNELS, ChannelStatus
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import EXIT_TRANSITIONS, UptrendFlag, UptrendState

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

STATES: tuple[UptrendState, ...] = tuple(UptrendState)
STATUSES: tuple[ChannelStatus, ...] = tuple(ChannelStatus)
LEVER_FLAGS: tuple[UptrendFlag, ...] = (
    UptrendFlag.BUY_SIGNAL,
    UptrendFlag.BUY_FLAG,
    UptrendFlag.FIRST_DIP_BUY_FLAG,
    UptrendFlag.TRIM_FLAG,
)
"""Flags that can move a lever; bit i of a flag mask is LEVER_FLAGS[i]."""

NO_TRANSITION = -1
N_CHANNELS = len(CHANNELS)


@dataclass(frozen=True)
class ChannelPanel:
    """The channels of n evaluations as arrays of shape (n, 15), columns in channel order.

    status: index into STATUSES. state: index into STATES. flags: bit mask over LEVER_FLAGS.
    transition: index into EXIT_TRANSITIONS, or -1. transition_age: bars of the channel since that transition.
    Where the status is not ok the other four are ignored.
    """

    status: IntArray
    state: IntArray
    flags: IntArray
    transition: IntArray
    transition_age: IntArray


@dataclass(frozen=True)
class AePanel:
    """Scores of n evaluations.

    a, e: shape (n,), in 0..1, NaN where no channel is present. a_raw, e_raw: the same before the clamp.
    coverage: channels present, 0..15. degraded: coverage below the configured minimum.
    channel_a, channel_e: shape (n, 15), weighted contributions, NaN where the channel is not present.
    """

    a: FloatArray
    e: FloatArray
    a_raw: FloatArray
    e_raw: FloatArray
    coverage: IntArray
    degraded: NDArray[np.bool_]
    channel_a: FloatArray
    channel_e: FloatArray


@dataclass(frozen=True)
class ChannelReading:
    """One present channel as a person would state it."""

    state: UptrendState
    flags: frozenset[UptrendFlag] = field(default_factory=frozenset)
    transition: str | None = None
    transition_age: int = 0


@dataclass(frozen=True)
class AeScore:
    """Scores of one token; contributions by channel name, present channels only."""

    a: float
    e: float
    coverage: int
    degraded: bool
    channel_a: Mapping[str, float]
    channel_e: Mapping[str, float]


def channel_weights(timeframe: Timeframe, config: ScoresConfig) -> FloatArray:
    """Weight of each channel for one execution timeframe.

    Returns
    -------
    ndarray of shape (15,)
        Driver weight times horizon weight (by `config.weighting`), times `config.regime_strength`.
    """
    mix = config.execution_multipliers[timeframe]
    literal = {horizon: config.timeframe_weights[horizon] * mix[horizon] for horizon in Horizon}
    if config.weighting == "literal":
        by_horizon = literal
    elif config.weighting == "normalised":
        total = sum(literal.values())
        by_horizon = {horizon: weight / total for horizon, weight in literal.items()}
    else:
        by_horizon = dict(mix)
    weights = [config.driver_weights[role] * by_horizon[horizon] for role, horizon in CHANNELS]
    return np.asarray(weights, dtype=np.float64) * config.regime_strength


def score_panel(channels: ChannelPanel, timeframe: Timeframe, config: ScoresConfig) -> AePanel:
    """Scores of n evaluations at once, for one execution timeframe.

    Parameters
    ----------
    channels : ChannelPanel
        Arrays of shape (n, 15).

    Returns
    -------
    AePanel
        Sums run in channel order, so n evaluations at once equal n single ones bit for bit.
    """
    present = channels.status == STATUSES.index(ChannelStatus.OK)
    weights = channel_weights(timeframe, config)
    channel_a, channel_e = (np.where(present, delta * weights, np.nan) for delta in _channel_deltas(channels, config))
    coverage = present.sum(axis=1)
    a_raw, e_raw = (_summed(channel, config.base, coverage) for channel in (channel_a, channel_e))
    return AePanel(
        a=np.clip(a_raw, 0, 1),
        e=np.clip(e_raw, 0, 1),
        a_raw=a_raw,
        e_raw=e_raw,
        coverage=coverage,
        degraded=coverage < config.min_coverage,
        channel_a=channel_a,
        channel_e=channel_e,
    )


def compute_ae_for_token(
    readings: Mapping[str, ChannelReading], *, timeframe: Timeframe, config: ScoresConfig
) -> AeScore:
    """Regime A and E of one token.

    Parameters
    ----------
    readings : mapping of channel name ("btc_macro", ...) to ChannelReading
        Present channels; one that is not named is missing.

    Raises
    ------
    ValueError
        If a channel name or a transition is unknown.
    """
    unknown = set(readings) - set(CHANNEL_NAMES)
    if unknown:
        raise ValueError(f"Expected channels among {CHANNEL_NAMES}, was {sorted(unknown)}")
    panel = score_panel(_panel_of(readings), timeframe, config)
    present = [name for name in CHANNEL_NAMES if name in readings]
    return AeScore(
        a=float(panel.a[0]),
        e=float(panel.e[0]),
        coverage=int(panel.coverage[0]),
        degraded=bool(panel.degraded[0]),
        channel_a={name: float(panel.channel_a[0, CHANNEL_NAMES.index(name)]) for name in present},
        channel_e={name: float(panel.channel_e[0, CHANNEL_NAMES.index(name)]) for name in present},
    )


def _channel_deltas(channels: ChannelPanel, config: ScoresConfig) -> tuple[FloatArray, FloatArray]:
    """Unweighted deltas to A and E, each of shape (n, 15)."""
    shape = channels.state.shape
    deltas = (np.zeros(shape), np.zeros(shape))
    for lever, delta in enumerate(deltas):
        states = [(config.state_deltas[state].a, config.state_deltas[state].e)[lever] for state in STATES]
        delta += np.asarray(states)[channels.state]
        for row, change in config.flag_deltas.items():
            state, flag = row.split("+")
            bit = 1 << LEVER_FLAGS.index(UptrendFlag(flag))
            hit = (channels.state == STATES.index(UptrendState(state))) & ((channels.flags & bit) != 0)
            delta += np.where(hit, (change.a, change.e)[lever], 0.0)
        fade = np.clip(1 - channels.transition_age / config.transition_hold_bars, 0, 1)
        for index, transition in enumerate(EXIT_TRANSITIONS):
            falls = config.transition_deltas[transition]  # type: ignore[index]
            delta += np.where(channels.transition == index, (falls.a, falls.e)[lever] * fade, 0.0)
    return deltas


def _summed(channel: FloatArray, base: float, coverage: IntArray) -> FloatArray:
    total = np.full(len(channel), base)
    for column in range(N_CHANNELS):
        total += np.nan_to_num(channel[:, column], nan=0.0)
    return np.where(coverage > 0, total, np.nan)


def _panel_of(readings: Mapping[str, ChannelReading]) -> ChannelPanel:
    status = np.full((1, N_CHANNELS), STATUSES.index(ChannelStatus.MISSING), dtype=np.int64)
    state, flags, age = (np.zeros((1, N_CHANNELS), dtype=np.int64) for _ in range(3))
    transition = np.full((1, N_CHANNELS), NO_TRANSITION, dtype=np.int64)
    for name, reading in readings.items():
        column = CHANNEL_NAMES.index(name)
        status[0, column] = STATUSES.index(ChannelStatus.OK)
        state[0, column] = STATES.index(reading.state)
        flags[0, column] = sum(1 << LEVER_FLAGS.index(flag) for flag in reading.flags)
        if reading.transition is not None:
            transition[0, column] = EXIT_TRANSITIONS.index(reading.transition)
            age[0, column] = reading.transition_age
    return ChannelPanel(status, state, flags, transition, age)
