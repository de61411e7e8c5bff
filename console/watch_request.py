"""A token as a person names it, in options or in a row of a file: read, measured, refused before anything is stored.

What was measured at approval is kept twice, as the number and as the band scopes are made of.
"""

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from console.session import RefusedError
from domain.config.pm_config import PmConfig
from domain.scores.intent import INTENT_CHANNELS, IntentMetrics
from domain.vocabulary.entry_band import band_label, cap_volume_ratio
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe
from sql.position import position_id, watch_token
from sql.watched_position import WatchedPosition, read_watchlist

NAMES = ("token_contract", "chain", "ticker")
MEASURED = ("age_days", "volume_usd", "market_cap_usd", "mapping_confidence")
COLUMNS = (*NAMES, "curator", "timeframes", "allocation_pct", *INTENT_CHANNELS, *MEASURED, "intent")
"""Columns of a file; the first three are mandatory, an empty cell says that nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRequest:
    """A token to watch, with what is known of it. `timeframes` is empty where nothing was said."""

    token_contract: str
    chain: str
    ticker: str
    curator: str | None
    timeframes: tuple[Timeframe, ...]
    allocation_pct: float | None
    intent: IntentMetrics | None
    entry_context: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Positions of a request as they are stored, and the ids of those that were there before."""

    positions: tuple[WatchedPosition, ...]
    were_there: frozenset[str]


def read_request(cells: Mapping[str, str]) -> WatchRequest:
    """Read a request from texts by column; a column that is absent or empty says that nothing is known.

    Raises
    ------
    RefusedError
        If a mandatory cell is empty, or a text is no number, or a value is out of its bounds.

    >>> read_request({"token_contract": "So1", "chain": "solana", "ticker": "S", "age_days": "2"}).entry_context
    {'age_days': 2.0, 'age_bucket': '1-3d'}
    """
    given = {name: text.strip() for name, text in cells.items() if text and text.strip()}
    lacking = [name for name in NAMES if name not in given]
    if lacking:
        raise RefusedError(f"{', '.join(lacking)}: nothing was given")
    return WatchRequest(
        token_contract=given["token_contract"],
        chain=given["chain"],
        ticker=given["ticker"],
        curator=given.get("curator"),
        timeframes=tuple(_timeframe(word) for word in given.get("timeframes", "").split()),
        allocation_pct=_number(given, "allocation_pct"),
        intent=_intent({channel: given[channel] for channel in INTENT_CHANNELS if channel in given}),
        entry_context=_entry_context(given),
    )


def read_intent(assignments: Sequence[str] | None) -> dict[str, str]:
    """Texts of `channel=score` by channel. Raises `RefusedError` if a channel is unknown or given twice."""
    scores: dict[str, str] = {}
    for assignment in assignments or ():
        channel, equals, score = assignment.partition("=")
        if not equals or channel not in INTENT_CHANNELS:
            near = difflib.get_close_matches(channel, INTENT_CHANNELS, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise RefusedError(f"Expected CHANNEL=SCORE of {', '.join(INTENT_CHANNELS)}, was {assignment!r}{meant}")
        if channel in scores:
            raise RefusedError(f"Intent {channel} was given twice")
        scores[channel] = score
    return scores


def wanted_timeframes(request: WatchRequest, config: PmConfig) -> tuple[Timeframe, ...]:
    """Timeframes of a request: those named, or all that have states."""
    return request.timeframes or tuple(Timeframe(name) for name in config.regime.token_state.timeframes)


def store_request(connection: psycopg.Connection, request: WatchRequest, *, author: str, config: PmConfig) -> Watched:
    """Put a token on the watchlist; what is there already stays as it is.

    Raises
    ------
    RefusedError
        If anything of it cannot be right; nothing is written.
    """
    timeframes = wanted_timeframes(request, config)
    allocation_pct = request.allocation_pct
    if allocation_pct is None:
        allocation_pct = config.portfolio.sizing.default_allocation_pct
    try:
        ids = [position_id(request.token_contract, request.chain, timeframe) for timeframe in timeframes]
        before = read_watchlist(connection, position_ids=ids)
        positions = watch_token(
            connection,
            token_contract=request.token_contract,
            chain=request.chain,
            ticker=request.ticker,
            timeframes=timeframes,
            author=author,
            total_allocation_pct=allocation_pct,
            curator=request.curator,
            intent=request.intent,
            entry_context=request.entry_context,
        )
    except ValueError as error:
        raise RefusedError(str(error)) from None
    return Watched(positions=tuple(positions), were_there=frozenset(row.position_id for row in before))


def _timeframe(word: str) -> Timeframe:
    known = [timeframe.value for timeframe in Timeframe]
    if word not in known:
        raise RefusedError(f"timeframes: expected some of {', '.join(known)}, with blanks between, was {word!r}")
    return Timeframe(word)


def _intent(scores: Mapping[str, str]) -> IntentMetrics | None:
    """Scores of intent; where some are given the others are 0, nobody having said it. None where none is given."""
    if not scores:
        return None
    values = {channel: _number(scores, channel) or 0.0 for channel in INTENT_CHANNELS}
    try:
        return IntentMetrics(**values)
    except ValueError as error:
        raise RefusedError(str(error)) from None


def _entry_context(given: Mapping[str, str]) -> dict[str, Any]:
    """Return what was measured, and the bands it falls into."""
    numbers = {name: _number(given, name) for name in MEASURED}
    try:
        ratio = cap_volume_ratio(numbers["market_cap_usd"], numbers["volume_usd"])
        bands = {
            dimension.value: band_label(dimension, value)
            for dimension, value in (
                (ScopeDimension.AGE_BUCKET, numbers["age_days"]),
                (ScopeDimension.VOL_BUCKET, numbers["volume_usd"]),
                (ScopeDimension.MCAP_VOL_RATIO_BUCKET, ratio),
                (ScopeDimension.MAPPING_CONFIDENCE, numbers["mapping_confidence"]),
            )
        }
    except ValueError as error:
        raise RefusedError(str(error)) from None
    confidence = numbers.pop("mapping_confidence")
    if confidence is not None and confidence > 1:
        raise RefusedError(f"mapping_confidence must be within 0..1, was {confidence:g}")
    context = numbers | bands | {"intent": given.get("intent")}
    return {name: value for name, value in context.items() if value is not None}


def _number(given: Mapping[str, str], name: str) -> float | None:
    """Finite number of a text; None where nothing was given."""
    if name not in given:
        return None
    try:
        value = float(given[name])
    except ValueError:
        raise RefusedError(f"{name}: expected a number, was {given[name]!r}") from None
    if not math.isfinite(value):
        raise RefusedError(f"{name}: expected a finite number, was {given[name]!r}")
    return value
