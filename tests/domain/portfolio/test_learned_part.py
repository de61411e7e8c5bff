"""Strength and skew, part by part: together they are what the blend and the neighbourhood gave."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.portfolio import ExposureConfig, MaskWeightConfig
from domain.portfolio.exposure_cell import Candidate, Holding
from domain.portfolio.exposure_skew import explain_skew, exposure_masks, exposure_skew
from domain.portfolio.learned_part import skew_changes, strength_factors
from domain.portfolio.pm_strength import log_blend
from domain.vocabulary.scope_dimension import ScopeDimension

D = ScopeDimension
CONFIG, WEIGHTS = ExposureConfig(), MaskWeightConfig()
PATTERN = "pm.uptrend.S1.buy_flag"
OVERRIDES = st.lists(st.tuples(st.floats(0.3, 3.0), st.floats(0.01, 1.0)), min_size=1, max_size=6)


@given(OVERRIDES)
def test_the_product_of_all_factors_is_the_blend(overrides):
    multipliers, weights = [list(each) for each in zip(*overrides, strict=True)]
    shares = [weight / math.fsum(weights) for weight in weights]

    assert math.prod(strength_factors(multipliers, shares)) == pytest.approx(log_blend(multipliers, weights), rel=1e-12)


def test_overrides_of_no_weight_change_nothing():
    assert strength_factors([2.0, 0.5], [None, None]) == (1.0, 1.0)


SCOPES = st.fixed_dictionaries(
    {},
    optional={
        D.MCAP_BUCKET: st.sampled_from(["nano", "mid"]),
        D.TIMEFRAME: st.sampled_from(["1h", "4h"]),
        D.CHAIN: st.sampled_from(["base", "solana"]),
    },
)
PATTERNS = st.sampled_from([PATTERN, "pm.uptrend.S2.buy_flag"])
HELD = st.lists(st.tuples(SCOPES, PATTERNS, st.floats(1, 1e5)), min_size=1, max_size=5)


@given(HELD, SCOPES)
def test_the_highest_skew_and_all_changes_are_the_skew_that_was_measured(held, scope):
    book = [
        Holding(position_id=f"{number}", pattern_key=pattern, scope=where, exposure_usd=usd)
        for number, (where, pattern, usd) in enumerate(held)
    ]
    candidate = Candidate(position_id="c", pattern_key=PATTERN, scope=scope)
    asked = {"masks": exposure_masks(CONFIG), "config": CONFIG, "weights": WEIGHTS}
    panel, crowding = exposure_skew(book, [candidate], **asked), explain_skew(book, candidate, **asked)
    columns = (
        [getattr(each, name) for each in crowding] for name in ("weight", "scope_exposure_usd", "pk_scope_exposure_usd")
    )
    changes = skew_changes(*columns, others_usd=float(panel.others_usd[0]), config=CONFIG)

    assert len(changes) == len(crowding)
    assert all(change <= 0 for change in changes)
    if changes:
        assert CONFIG.exposure_skew_max + math.fsum(changes) == pytest.approx(float(panel.skew[0]), rel=1e-12)
    else:
        assert panel.has_no_mask[0]


def test_an_empty_book_is_not_measured():
    assert skew_changes([0.3], [0.0], [0.0], others_usd=0.0, config=CONFIG) == ()
