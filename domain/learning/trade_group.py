"""Closed trades of one pattern and action category as columns: what is mined, fitted and judged of them reads these.

What belongs here: facts to arrays, exactly. What does not: statistics (`pattern_scope_stat`, `lattice`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from domain.learning.pattern_scope_stat import RR_STEP, rr_steps
from domain.learning.trade_fact import TradeFact
from domain.scopes.bitmask import dimensions_of
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import BIT, ScopeDimension

N_BITS = max(BIT.values()) + 1
NOT_KNOWN = 0
"""Code of a dimension whose value is not known."""

MAX_CODE = np.iinfo(np.uint16).max

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HOUR_US = 3_600_000_000
_ScopeItems = tuple[tuple[ScopeDimension, str], ...]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Int32Array = NDArray[np.int32]
CodeArray = NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class TradeRows:
    """Rows of a group, one a distinct pair of trade and scope, by trade and then codes.

    Attributes
    ----------
    trade : ndarray of int32 of shape (n_rows,)
        Number of the trade, not falling.
    actions : ndarray of int32 of shape (n_rows,)
        Actions the row stands for.
    codes : ndarray of uint16 of shape (n_rows, N_BITS)
        By bit of the registry: code of the value, 0 where it is not known.
    """

    trade: Int32Array
    actions: Int32Array
    codes: CodeArray


def _no_rows() -> TradeRows:
    return TradeRows(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros((0, N_BITS), np.uint16))


@dataclass(frozen=True, slots=True, eq=False)
class TradeGroup:
    """The closed trades of one pattern and category whose rr is known, as columns.

    Attributes
    ----------
    trade_ids : tuple of str
        (n_trades,), by (closed_at, trade_id), as all columns of trades.
    rr : ndarray of float64 of shape (n_trades,)
        Winsorised, R: a whole multiple of `RR_STEP`.
    rr_steps : ndarray of int64 of shape (n_trades,)
        The same in steps.
    closed_us, opened_us : ndarray of int64 of shape (n_trades,)
        Closure and first fill, microseconds since 1970.
    hold_hours, hours_to_s3 : ndarray of float64 of shape (n_trades,)
        Hours; the second NaN where S3 was not reached.
    pnl_usd : ndarray of float64 of shape (n_trades,)
        USD; NaN where it is not known.
    row_trade, row_actions, codes : ndarray
        As in `TradeRows`.
    values : tuple of tuple of str
        values[bit][code - 1]; codes number the sorted values of the trades above.
    n_trades_without_rr : int
        Trades of the group whose rr is unknown; in no column above.
    rows_without_rr : TradeRows
        Their rows, under the same codes; a value that no other trade has is 0.
    """

    pattern_key: str
    action_category: ActionCategory
    trade_ids: tuple[str, ...]
    rr: FloatArray
    rr_steps: IntArray
    closed_us: IntArray
    opened_us: IntArray
    hold_hours: FloatArray
    hours_to_s3: FloatArray
    pnl_usd: FloatArray
    row_trade: Int32Array
    row_actions: Int32Array
    codes: CodeArray
    values: tuple[tuple[str, ...], ...]
    n_trades_without_rr: int
    rows_without_rr: TradeRows = field(default_factory=_no_rows)

    @property
    def n_trades(self) -> int:
        """Trades with a known rr."""
        return len(self.trade_ids)

    def members(self, mask: int, codes: Mapping[int, int] | Sequence[int]) -> NDArray[np.bool_]:
        """Trades with at least one row that has all of some values.

        Parameters
        ----------
        mask : int
            Scope mask; 0 is every trade.
        codes : mapping of bit to code, or sequence
            A code for each bit of the mask, a sequence in the order of the bits.

        Returns
        -------
        ndarray of bool of shape (n_trades,)

        Raises
        ------
        ValueError
            If there is not a code for each bit of the mask and for no other, or one is 0.
        """
        bits = [BIT[dimension] for dimension in dimensions_of(mask)]
        wanted = dict(codes) if isinstance(codes, Mapping) else dict(zip(bits, codes, strict=True))
        if sorted(wanted) != bits or NOT_KNOWN in wanted.values():
            raise ValueError(f"Expected a code above 0 for each of the bits {bits}, was {wanted}")
        has_values = np.ones(self.row_trade.size, np.bool_)
        for bit, code in wanted.items():
            has_values &= self.codes[:, bit] == code
        found = np.zeros(self.n_trades, np.bool_)
        found[self.row_trade[has_values]] = True
        return found


def trade_groups(facts: Iterable[TradeFact], *, as_of_at: datetime, max_abs_rr: float) -> tuple[TradeGroup, ...]:
    """Facts as groups, by pattern and category; the same whatever the order of the facts.

    Parameters
    ----------
    facts : iterable of TradeFact
        One an action of a closed trade.
    as_of_at : datetime
        With an offset; trades closed then or later are left out.
    max_abs_rr : float
        Winsor limit of an outcome, R.

    Returns
    -------
    tuple of TradeGroup
        One a pattern and category with a trade, be its rr known or not.

    Raises
    ------
    ValueError
        If `as_of_at` has no offset, a fact comes twice, or facts of one trade bear different outcomes.
    """
    if as_of_at.utcoffset() is None:
        raise ValueError(f"as_of_at must have an offset, was {as_of_at.isoformat()}")
    groups: defaultdict[tuple[str, ActionCategory], dict[str, list[TradeFact]]] = defaultdict(dict)
    outcomes: dict[str, TradeFact] = {}
    seen: set[tuple[str, str]] = set()
    for fact in facts:
        if fact.closed_at >= as_of_at:
            continue
        _check(fact, outcomes.setdefault(fact.trade_id, fact), seen)
        groups[fact.pattern_key, fact.action_category].setdefault(fact.trade_id, []).append(fact)
    return tuple(_group(*key, groups[key], max_abs_rr) for key in sorted(groups))


def _check(fact: TradeFact, first: TradeFact, seen: set[tuple[str, str]]) -> None:
    if _outcome(fact) != _outcome(first):
        raise ValueError(f"Facts of trade {fact.trade_id} differ in outcome: {_outcome(first)}, {_outcome(fact)}")
    if (fact.trade_id, fact.action_id) in seen:
        raise ValueError(f"Fact {fact.action_id} of trade {fact.trade_id} comes twice")
    seen.add((fact.trade_id, fact.action_id))


def _outcome(fact: TradeFact) -> tuple[datetime, float | None, float | None, float | None, float]:
    return fact.closed_at, fact.rr, fact.pnl_usd, fact.hours_to_s3, fact.hold_hours


def _group(
    pattern_key: str, action_category: ActionCategory, trades: Mapping[str, Sequence[TradeFact]], max_abs_rr: float
) -> TradeGroup:
    ordered = sorted((facts[0].closed_at, trade_id) for trade_id, facts in trades.items())
    by_time = [trades[trade_id] for _, trade_id in ordered]
    known = [(facts, facts[0].rr) for facts in by_time if facts[0].rr is not None]
    unknown = [facts for facts in by_time if facts[0].rr is None]
    rows_of = [facts for facts, _ in known]
    firsts = [facts[0] for facts in rows_of]
    values = _values(rows_of)
    steps = np.array([rr_steps(rr, max_abs_rr) for _, rr in known], np.int64)
    closed_us = np.array([(first.closed_at - _EPOCH) // _MICROSECOND for first in firsts], np.int64)
    hold_hours = np.array([first.hold_hours for first in firsts], np.float64)
    rows = _rows(rows_of, values)
    return TradeGroup(
        pattern_key=pattern_key,
        action_category=action_category,
        trade_ids=tuple(first.trade_id for first in firsts),
        rr=np.asarray(steps * RR_STEP, np.float64),
        rr_steps=steps,
        closed_us=closed_us,
        opened_us=closed_us - np.rint(hold_hours * _HOUR_US).astype(np.int64),
        hold_hours=hold_hours,
        hours_to_s3=np.array([first.hours_to_s3 for first in firsts], np.float64),
        pnl_usd=np.array([first.pnl_usd for first in firsts], np.float64),
        row_trade=rows.trade,
        row_actions=rows.actions,
        codes=rows.codes,
        values=values,
        n_trades_without_rr=len(unknown),
        rows_without_rr=_rows(unknown, values),
    )


def _values(trades: Iterable[Sequence[TradeFact]]) -> tuple[tuple[str, ...], ...]:
    found: list[set[str]] = [set() for _ in range(N_BITS)]
    for dimension, value in chain.from_iterable({fact.scope for facts in trades for fact in facts}):
        found[BIT[dimension]].add(value)
    if max(map(len, found)) > MAX_CODE:
        raise ValueError(f"A dimension must have no more than {MAX_CODE} values, was {max(map(len, found))}")
    return tuple(tuple(sorted(values)) for values in found)


def _rows(trades: Sequence[Sequence[TradeFact]], values: Sequence[Sequence[str]]) -> TradeRows:
    code_of = [{value: code for code, value in enumerate(known, start=1)} for known in values]
    codes_of: dict[_ScopeItems, tuple[int, ...]] = {}
    for scope in {fact.scope for facts in trades for fact in facts}:
        codes = [NOT_KNOWN] * N_BITS
        for dimension, value in scope:
            codes[BIT[dimension]] = code_of[BIT[dimension]].get(value, NOT_KNOWN)
        codes_of[scope] = tuple(codes)
    counted = [
        (number, codes, n)
        for number, facts in enumerate(trades)
        for codes, n in sorted(Counter(codes_of[fact.scope] for fact in facts).items())
    ]
    return TradeRows(
        trade=np.array([number for number, _, _ in counted], np.int32),
        actions=np.array([n for _, _, n in counted], np.int32),
        codes=np.array([codes for _, codes, _ in counted], np.uint16).reshape(-1, N_BITS),
    )
