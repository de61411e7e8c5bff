"""Positions as a person makes them: a token is put on the watchlist. The console writes them, the runtime trades them.

Not here: who stands on the watchlist and who moves them (`watched_position`); what the runtime writes of a position
(`pm_runtime.portfolio_columns`).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import psycopg

from domain.config.pm_config import RegimeConfig
from domain.portfolio.lifecycle import PositionStatus, status_by_bars
from domain.portfolio.strict_json import check_json
from domain.portfolio.timeframe_split import LearnedSplits, kept_split, parse_learned_splits, split_in_force
from domain.portfolio.trade_memory import NO_MEMORY
from domain.scopes.scope import extract_scope
from domain.scores.intent import IntentMetrics
from domain.vocabulary.driver import DEFAULT_BOOK_ID
from domain.vocabulary.release import __version__
from domain.vocabulary.timeframe import Timeframe
from sql.json_text import stored_json
from sql.pm_config import read_pm_config
from sql.queries import query
from sql.watched_position import WatchedPosition, read_watchlist

SEPARATOR = "|"
LONGEST_NAME = 128


def position_id(token_contract: str, chain: str, timeframe: Timeframe, book_id: str = DEFAULT_BOOK_ID) -> str:
    """Id of the one position of a token, timeframe and book.

    Raises
    ------
    ValueError
        If a name is empty, over 128 long, not printable, has blanks around it, or the sign `|` in it.

    >>> position_id("So1", "solana", Timeframe.H1)[:8]
    '863f5543'
    """
    for what, name in (("contract", token_contract), ("chain", chain), ("book", book_id)):
        _refuse_odd_name(what, name)
        if SEPARATOR in name:
            raise ValueError(f"Expected a {what} without {SEPARATOR!r}, was {name!r}")
    return hashlib.sha256(SEPARATOR.join((token_contract, chain, timeframe.value, book_id)).encode()).hexdigest()


def watch_token(
    connection: psycopg.Connection,
    *,
    token_contract: str,
    chain: str,
    ticker: str,
    timeframes: Sequence[Timeframe],
    author: str,
    total_allocation_pct: float = 10.0,
    curator: str | None = None,
    intent: IntentMetrics | None = None,
    entry_context: Mapping[str, Any] | None = None,
    book_id: str = DEFAULT_BOOK_ID,
    code_version: str = __version__,
) -> list[WatchedPosition]:
    """Put a token on the watchlist, one position a timeframe. Doing it again changes nothing.

    A position is `watchlist` where enough bars are stored, else `dormant`; each tick looks again.

    Parameters
    ----------
    connection : psycopg.Connection
        Of a role that may write the table: console, pm, owner.
    token_contract, chain, ticker : str
        Which token; the ticker is for people.
    timeframes : sequence of Timeframe
        At least one, each among those that have states (`regime.token_state.timeframes`).
    author : str
        Who approves it; not empty.
    total_allocation_pct : float
        Share of the wallet the token may take over all timeframes, percent, above 0 and up to 100.
    curator : str, optional
        Who recommended it.
    intent : IntentMetrics, optional
        What people say about it; None when nothing is known.
    entry_context : mapping, optional
        What else is known now; dimensions of the scope must have values of theirs. Its chain and curator are those
        given here. Each position gets in addition the share of the allocation that is its timeframe's from now on:
        the one learned last, else the configured one.

    Returns
    -------
    list of WatchedPosition
        The positions asked for as they are stored, those that were there already too.

    Raises
    ------
    ValueError
        If anything given cannot be right; nothing is written.
    ConfigError
        If the stored configuration is not valid under this code.
    UnreadableSplitError
        If the shares that were learned last cannot be right; nothing is written.
    """
    ids = {timeframe: position_id(token_contract, chain, timeframe, book_id) for timeframe in timeframes}
    _refuse_odd_name("ticker", ticker)
    if not author.strip():
        raise ValueError("Somebody must approve a token: the author was empty")
    if not 0 < total_allocation_pct <= 100:
        raise ValueError(f"total_allocation_pct must be above 0 and up to 100, was {total_allocation_pct}")
    context = _context(entry_context, chain=chain, curator=curator)
    with connection.transaction():
        versioned = read_pm_config(connection)
        statuses = _statuses(connection, token_contract, chain, timeframes, versioned.config.regime)
        shared = {
            "token_contract": token_contract,
            "chain": chain,
            "book_id": book_id,
            "token_ticker": ticker,
            "total_allocation_pct": total_allocation_pct,
            "intent": None if intent is None else stored_json(asdict(intent)),
            "approved_by": author,
            "trade_memory": stored_json(NO_MEMORY.to_json()),
            "config_version": versioned.version,
            "code_version": code_version,
        }
        learned, sizing = read_learned_splits(connection), versioned.config.portfolio.sizing
        rows = [
            shared
            | {"position_id": ids[timeframe], "timeframe": timeframe.value, "status": statuses[timeframe].value}
            | {"entry_context": stored_json(context | kept_split(split_in_force(timeframe, learned, sizing)))}
            for timeframe in ids
        ]
        with connection.cursor() as cursor:
            cursor.executemany(query("insert_position").encode(), rows)
        return read_watchlist(connection, position_ids=list(ids.values()), book_id=book_id)


def read_learned_splits(connection: psycopg.Connection) -> LearnedSplits | None:
    """Shares by timeframe that were learned last; None where nothing was learned yet.

    Raises
    ------
    UnreadableSplitError
        If they cannot be right.
    """
    row = connection.execute(query("newest_learned_splits").encode()).fetchone()
    return None if row is None or row[1] is None else parse_learned_splits(row[0], row[1])


def _refuse_odd_name(what: str, name: str) -> None:
    if not name or name != name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise ValueError(
            f"Expected a {what} of 1 to {LONGEST_NAME} printable characters without blanks around, was {name[:200]!r}"
        )


def _context(given: Mapping[str, Any] | None, *, chain: str, curator: str | None) -> dict[str, Any]:
    """Return the entry context with chain and curator, refusing what no scope could be made of."""
    context = dict(given or {})
    for name, value in (("chain", chain), ("curator", curator)):
        if value is not None and context.setdefault(name, value) != value:
            raise ValueError(f"entry_context says the {name} is {context[name]!r}, the token's is {value!r}")
    check_json(context)
    extract_scope(entry=context, action={}, regime={})
    return context


def _statuses(
    connection: psycopg.Connection,
    token_contract: str,
    chain: str,
    timeframes: Sequence[Timeframe],
    config: RegimeConfig,
) -> dict[Timeframe, PositionStatus]:
    """Status each new position begins with, by the bars that are stored."""
    with_states = [Timeframe(name) for name in config.token_state.timeframes]
    if not timeframes or not set(timeframes) <= set(with_states):
        known, was = [each.value for each in with_states], [each.value for each in timeframes]
        raise ValueError(f"Expected at least one timeframe, of those that have states, {known}, was {was}")
    min_bars = config.uptrend.min_bars
    values = {"token_contract": token_contract, "chain": chain, "enough": min_bars}
    values["timeframes"] = [timeframe.value for timeframe in with_states]
    found = connection.execute(query("bars_known").encode(), values)
    bars = {Timeframe(name): count for name, count in found}
    has_slower = any(bars[each] >= min_bars for each in with_states if each is not Timeframe.M1)
    return {
        timeframe: status_by_bars(
            PositionStatus.DORMANT,
            bars_count=bars[timeframe],
            min_bars=min_bars,
            is_superseded=timeframe is Timeframe.M1 and has_slower,
        )
        for timeframe in timeframes
    }
