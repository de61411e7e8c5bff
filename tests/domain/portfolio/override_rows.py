"""Rows of `learning.pm_overrides` for tests, and buys they may apply to."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from domain.config.portfolio import MaskWeightConfig
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.pm_strength import StrengthRequest
from domain.scopes.bitmask import mask_of
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.scope_dimension import ScopeDimension

D = ScopeDimension
NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
S1, S2 = "pm.uptrend.S1.buy_flag", "pm.uptrend.S2.buy_flag"
WEIGHTS = MaskWeightConfig()
HERE = {D.CHAIN: "solana", D.MCAP_BUCKET: "nano", D.TIMEFRAME: "1h"}


def override_row(override_id: int = 1, scope: dict | None = None, **changed) -> dict[str, object]:
    """A row that applies to S1 entries in a scope, for a fortnight; any column may be changed."""
    values = {} if scope is None else scope
    columns = {
        "override_id": override_id,
        "set_id": 7,
        "pattern_key": S1,
        "action_category": "entry",
        "scope_mask": mask_of(values),
        "scope_values": {str(dimension): value for dimension, value in values.items()},
        "lever": "pm_strength",
        "multiplier": 1.2,
        "confidence": 0.5,
        "n_trades": 40,
        "edge_raw": 0.4,
        "decay_mult": 0.9,
        "lesson_id": f"lesson-{override_id}",
        "expires_at": NOW + 14 * DAY,
    }
    return columns | changed


def buy(scope: dict | None = None, *, pattern: str = S1, category: ActionCategory = ActionCategory.ENTRY):
    """A buy that is considered."""
    return StrengthRequest(pattern_key=pattern, category=category, scope=HERE if scope is None else scope)


VALUES = {
    D.CHAIN: ["solana", "base", "bsc"],
    D.MCAP_BUCKET: ["nano", "mid"],
    D.TIMEFRAME: ["1h", "4h"],
    D.CURATOR: list("abcd"),
    D.BTC_MESO: ["S1", "S3"],
}
SCOPES = st.fixed_dictionaries({}, optional={each: st.sampled_from(words) for each, words in VALUES.items()})
CONDITIONS = st.lists(st.sampled_from(list(VALUES)), unique=True, max_size=3).flatmap(
    lambda dimensions: st.fixed_dictionaries({each: st.sampled_from(VALUES[each]) for each in dimensions})
)
ROW_PARTS = st.fixed_dictionaries(
    {
        "scope": CONDITIONS,
        "pattern_key": st.sampled_from([S1, S2]),
        "action_category": st.sampled_from(["entry", "add"]),
        "lever": st.sampled_from([lever.value for lever in OverrideLever]),
        "multiplier": st.floats(0.3, 3.0),
        "confidence": st.floats(0.01, 1.0),
        "expires_at": st.integers(-2, 6).map(lambda days: NOW + days * DAY),
    }
)
ROWS = st.lists(ROW_PARTS, max_size=25).map(
    lambda rows: [override_row(number, **parts) for number, parts in enumerate(rows, start=1)]
)
BUYS = st.lists(
    st.builds(
        lambda scope, pattern, category: buy(scope, pattern=pattern, category=category),
        SCOPES,
        st.sampled_from([S1, S2]),
        st.sampled_from([ActionCategory.ENTRY, ActionCategory.ADD, ActionCategory.TRIM]),
    ),
    min_size=1,
    max_size=8,
)
