"""The cash flow of all fills, carried on from tick to tick: each adds its own, none counts the others' again.

Fills are stored with ticks only, so a sum holds for as long as the newest ticks are those it was made after. Where
others stand there somebody else has ticked, and everything is counted again; so it is when a process starts, after
anything went wrong, and now and then, to see that the sum is right.
"""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from domain.portfolio.fill import Fill
from pm_runtime.cash_flow import NOTHING, brought, exact_sum
from pm_runtime.log_line import fields

logger = logging.getLogger(__name__)

TICKS_KNOWN = 20
"""Newest ticks that are compared. One of a process that ticked at the same time stands among them, even if it was
numbered before and stored after."""

RECOUNT_AFTER = 1_000
"""Ticks after which all fills are counted, whether anything hints at it or not."""

Ticks = tuple[int, ...]
"""Numbers of ticks, the newest first."""


@dataclass(slots=True)
class CashCount:
    """The sum within one transaction; adopted by its memo when the transaction is committed.

    before: sum of the fills that were there, None until somebody asks. written: what this transaction's fills brought.
    """

    memo: "CashMemo"
    before: Decimal | None = None
    ticks: Ticks = ()
    written: Decimal = NOTHING
    has_written: bool = False
    is_known: bool = True
    tick_id: int | None = None

    def add(self, fills: Sequence[Fill], *, are_new: bool) -> None:
        """Count fills as they are stored; where some were there already, only the database knows the sum."""
        self.has_written = self.has_written or bool(fills)
        self.is_known = self.is_known and are_new
        self.written = exact_sum([self.written, *(brought(fill) for fill in fills)])

    def total(self, newest_ticks: Callable[[], Ticks], count_all: Callable[[], Decimal]) -> Decimal:
        """Sum of all fills, this transaction's among them; they are counted where nothing can be carried on."""
        if self.before is None:
            self.ticks = newest_ticks()
            self.before = self.memo.carried(self.ticks) if self.is_known else None
        if self.before is None or not self.is_known:
            self.before = exact_sum([count_all(), -self.written])
            self.memo.compare(self.before, self.ticks)
        return exact_sum([self.before, self.written])


@dataclass(slots=True)
class CashMemo:
    """The sum after this session's last tick, and the newest ticks then."""

    _total: Decimal | None = field(default=None)
    _ticks: Ticks = ()
    _age: int = 0

    @contextlib.contextmanager
    def around(self) -> Iterator[CashCount]:
        """Follow one transaction, which begins and ends within: what it brings counts once it is committed."""
        count, is_committed = CashCount(memo=self), False
        try:
            yield count
            is_committed = True
        finally:
            if not is_committed:
                self.forget()
        if count.tick_id is not None and count.before is not None and count.is_known:
            self._total = exact_sum([count.before, count.written])
            self._ticks = (count.tick_id, *count.ticks)[:TICKS_KNOWN]
            self._age += 1
        elif count.has_written or count.tick_id is not None:
            self.forget()

    def carried(self, ticks: Ticks) -> Decimal | None:
        """Return the sum, if it can be carried on; None where it must be counted."""
        is_due = self._total is None or self._age >= RECOUNT_AFTER
        return None if is_due or ticks != self._ticks else self._total

    def compare(self, counted: Decimal, ticks: Ticks) -> None:
        """Look at what was carried beside what was counted; what was counted goes."""
        if self._total is not None and ticks == self._ticks and counted != self._total:
            logger.error("cash_was_wrong", extra=fields(carried=str(self._total), counted=str(counted)))
        self.forget()

    def forget(self) -> None:
        """Count everything the next time."""
        self._total, self._ticks, self._age = None, (), 0
