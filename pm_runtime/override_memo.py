"""The set of overrides that was compiled last, kept for as long as compiling it again would give the same.

Thousands of rows are read, refused or believed at every tick, and change once a day.
"""

from dataclasses import dataclass, field
from datetime import datetime

from domain.portfolio.override_set import OverrideSet, compile_overrides
from pm_runtime.portfolio_row import RawOverrideSet


@dataclass(frozen=True, slots=True)
class _Kept:
    raw: RawOverrideSet
    compiled: OverrideSet
    first_expiry: datetime | None


@dataclass(slots=True)
class OverrideMemo:
    """Compiles sets, the same rows once: until a row of them changes or one expires."""

    _kept: _Kept | None = field(default=None)

    def compiled(self, raw: RawOverrideSet, at: datetime) -> OverrideSet:
        """Compile a set as of an instant; which rows are refused, and why, is as if it were compiled now."""
        kept = self._kept
        if kept is not None and _still_holds(kept, at) and kept.raw == raw:
            return kept.compiled
        compiled = compile_overrides(raw.rows, at, set_id=raw.set_id)
        self._kept = _Kept(raw, compiled, _first_expiry(raw, at))
        return compiled


def _still_holds(kept: _Kept, at: datetime) -> bool:
    return kept.compiled.compiled_at <= at and (kept.first_expiry is None or at < kept.first_expiry)


def _first_expiry(raw: RawOverrideSet, at: datetime) -> datetime | None:
    """First instant after `at` at which a row expires; what has no such instant is refused at any time."""
    instants = (row.get("expires_at") for row in raw.rows)
    later = (each for each in instants if isinstance(each, datetime) and each.utcoffset() is not None and each > at)
    return min(later, default=None)
