from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.portfolio.override_set import compile_overrides
from pm_runtime.override_memo import OverrideMemo
from pm_runtime.portfolio_row import RawOverrideSet
from tests.domain.portfolio.override_rows import NOW, override_row

MINUTE = timedelta(minutes=1)
ROWS = [
    override_row(1, expires_at=NOW + 5 * MINUTE, confidence=0.9),
    override_row(2, expires_at=NOW + 9 * MINUTE, confidence=0.5),
    override_row(3, multiplier=50.0, expires_at=NOW + 7 * MINUTE),
    override_row(4, {"chain": "solana"}, expires_at="never"),
]


@st.composite
def asked(draw):
    """Sets and instants in any order; the same rows are new objects each time, as a database gives them."""
    rows = [dict(row) for row in draw(st.lists(st.sampled_from(ROWS), max_size=3))]
    return RawOverrideSet(set_id=draw(st.integers(1, 2)), rows=tuple(rows)), NOW + draw(st.integers(0, 12)) * MINUTE


@given(st.lists(asked(), min_size=1, max_size=12))
def test_what_is_kept_is_what_would_be_compiled(questions):
    memo = OverrideMemo()

    for raw, at in questions:
        kept, fresh = memo.compiled(raw, at), compile_overrides(raw.rows, at, set_id=raw.set_id)
        assert (kept.set_id, kept.overrides, kept.refused) == (fresh.set_id, fresh.overrides, fresh.refused)
        assert kept.arrays.live_from.tolist() == fresh.arrays.live_from.tolist()
        assert kept.compiled_at <= at


def test_the_same_rows_are_compiled_once_until_one_of_them_expires():
    memo = OverrideMemo()
    raw = RawOverrideSet(set_id=1, rows=tuple(ROWS))
    first = memo.compiled(raw, NOW)

    assert memo.compiled(RawOverrideSet(set_id=1, rows=tuple(dict(row) for row in ROWS)), NOW + 4 * MINUTE) is first
    assert memo.compiled(raw, NOW + 5 * MINUTE) is not first
