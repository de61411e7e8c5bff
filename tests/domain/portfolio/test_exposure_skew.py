"""Crowding: both ends exactly, the documents' numbers, and the same as summing by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.portfolio import ExposureConfig, MaskWeightConfig
from domain.portfolio.exposure_cell import Candidate, Holding
from domain.portfolio.exposure_skew import SkewBasis, explain_skew, exposure_masks, exposure_skew
from domain.scopes.bitmask import dimensions_of, mask_of
from domain.scopes.mask_weight import mask_weight
from domain.scopes.scope import Scope, scope_values
from domain.vocabulary.scope_dimension import ScopeDimension

D = ScopeDimension
CONFIG = ExposureConfig()
WEIGHTS = MaskWeightConfig()
OF_28 = {each: 1.0 if index < 28 else 0.0 for index, each in enumerate(D)}
BARE = MaskWeightConfig(root_weight=0.0, dimension_weights=OF_28)
MASKS = exposure_masks(CONFIG)
HERE = {D.MCAP_BUCKET: "nano", D.TIMEFRAME: "1h", D.CHAIN: "solana"}
S1, S2 = "pm.uptrend.S1.buy_flag", "pm.uptrend.S2.buy_flag"


def held(scope: Scope, usd: float = 100.0, *, pattern: str = S1, name: str = "other", watched: bool = False) -> Holding:
    return Holding(position_id=name, pattern_key=pattern, scope=scope, exposure_usd=usd, is_watchlist=watched)


def candidate(scope: Scope = HERE, *, pattern: str = S1, name: str = "mine") -> Candidate:
    return Candidate(position_id=name, pattern_key=pattern, scope=scope)


def skew(*book: Holding, of: Candidate | None = None, config: ExposureConfig = CONFIG, weights=WEIGHTS) -> float:
    panel = exposure_skew(book, [of or candidate()], masks=exposure_masks(config), config=config, weights=weights)
    return float(panel.skew[0])


def test_all_of_it_here_is_exactly_the_lower_end():
    assert skew(held(HERE)) == 0.33
    assert skew(held(HERE, 7.0), held({**HERE, D.CURATOR: "ann"}, 1e6, name="b")) == 0.33


def test_nothing_near_is_exactly_the_upper_end():
    assert skew(held({D.MCAP_BUCKET: "mid", D.TIMEFRAME: "1h", D.CHAIN: "solana"})) == 1.33
    assert skew(held({}), held({D.CHAIN: "solana"}, name="b")) == 1.33


def test_an_empty_book_is_neutral_and_the_own_position_leaves_it_empty():
    assert skew() == 1.0
    assert skew(held(HERE, name="mine")) == 1.0
    assert skew(held(HERE, 0.0)) == 1.0
    assert skew(config=ExposureConfig(empty_book_skew=1.33)) == 1.33


@pytest.mark.parametrize(
    ("shared", "pattern", "expected"),
    [(3, S1, 0.33), (3, S2, 0.663), (1, S1, 1.089), (2, S1, 0.748), (0, S1, 1.33)],
)
def test_the_documents_numbers_of_28_dimensions(shared, pattern, expected):
    away = {D.MCAP_BUCKET: "mid", D.TIMEFRAME: "4h", D.CHAIN: "base"}
    scope = {each: (HERE if place < shared else away)[each] for place, each in enumerate(HERE)}

    assert skew(held(scope, pattern=pattern), weights=BARE) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("own_pattern", [S1, S2])
def test_the_own_position_is_left_out(own_pattern):
    others = [held(HERE, 50.0), held(HERE, 20.0, pattern=S2, name="b"), held({D.MCAP_BUCKET: "mid"}, 70.0, name="c")]

    assert skew(*others, held(HERE, 900.0, name="mine", pattern=own_pattern)) == pytest.approx(skew(*others))


def test_the_own_position_is_left_out_when_its_scope_has_changed_since():
    others = [held(HERE, 50.0), held({D.MCAP_BUCKET: "mid"}, 70.0, name="b")]
    moved = held({**HERE, D.MCAP_BUCKET: "mid"}, 900.0, name="mine", pattern=S2)

    assert skew(*others, moved) == pytest.approx(skew(*others))


def test_a_watched_token_counts_as_far_as_configured():
    book = [held(HERE, 100.0), held({D.MCAP_BUCKET: "mid"}, 100.0, name="b", watched=True)]

    assert skew(*book) == 0.33
    assert skew(*book, config=ExposureConfig(watchlist_factor=1.0)) == pytest.approx(0.83)


def test_a_mask_whose_dimension_the_candidate_lacks_counts_on_neither_side():
    without_chain = candidate({D.MCAP_BUCKET: "nano", D.TIMEFRAME: "1h"})

    assert skew(held(HERE), of=without_chain) == 0.33


def test_a_candidate_that_knows_no_mask_is_neutral_and_says_so():
    candidates = [candidate({D.CURATOR: "ann"}), candidate(), candidate(name="other")]
    panel = exposure_skew([held(HERE)], candidates, masks=MASKS, config=CONFIG, weights=WEIGHTS)

    assert panel.skew.tolist() == [1.0, 0.33, 1.0]
    assert [panel.basis(place) for place in range(3)] == [SkewBasis.NO_MASK, SkewBasis.MEASURED, SkewBasis.EMPTY_BOOK]
    assert np.isnan(panel.conc_norm).tolist() == [True, False, True]
    assert panel.others_usd.tolist() == [100.0, 100.0, 0.0]


def test_no_candidates_and_no_masks_are_no_error():
    assert len(exposure_skew([held(HERE)], [], masks=MASKS, config=CONFIG, weights=WEIGHTS).skew) == 0
    nothing = exposure_skew([held(HERE)], [candidate()], masks=(), config=CONFIG, weights=WEIGHTS)
    assert (nothing.skew.tolist(), nothing.basis(0)) == ([1.0], SkewBasis.NO_MASK)


@pytest.mark.parametrize("masks", [(0, 4), (4, 4)])
def test_the_root_and_a_mask_given_twice_are_refused(masks):
    with pytest.raises(ValueError, match="masks with dimensions"):
        exposure_skew([held(HERE)], [candidate()], masks=masks, config=CONFIG, weights=WEIGHTS)


def test_a_book_with_one_position_twice_or_negative_money_is_refused():
    with pytest.raises(ValueError, match="once"):
        skew(held(HERE), held(HERE))
    for wrong in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="exposure_usd"):
            held(HERE, wrong)


def test_further_masks_are_added_to_the_configured_ones_once():
    assert exposure_masks(CONFIG, [mask_of([D.CHAIN]), 0, MASKS[1]]) == (*MASKS, mask_of([D.CHAIN]))


# ---- against sums by hand ----
VALUES = {
    D.MCAP_BUCKET: ["nano", "mid"],
    D.TIMEFRAME: ["1h", "4h"],
    D.CHAIN: ["solana", "base", "bsc"],
    D.CURATOR: list("abcde"),
}
SCOPES = st.fixed_dictionaries({}, optional={each: st.sampled_from(words) for each, words in VALUES.items()})
USD = st.just(0.0) | st.floats(0.01, 1e6)
ROWS = st.tuples(SCOPES, USD, st.sampled_from([S1, S2]), st.booleans())
BOOKS = st.lists(ROWS, max_size=8).map(
    lambda rows: [held(s, usd, pattern=p, name=str(n), watched=w) for n, (s, usd, p, w) in enumerate(rows)]
)
CANDIDATES = st.builds(
    lambda scope, pattern, name: candidate(scope, pattern=pattern, name=str(name)),
    SCOPES,
    st.sampled_from([S1, S2]),
    st.integers(0, 12),
)
ANY_MASKS = st.lists(
    st.sets(st.sampled_from(list(VALUES)), min_size=1).map(mask_of), min_size=1, max_size=8, unique=True
)
HALF = ExposureConfig(watchlist_factor=0.5)


def by_hand(book: list[Holding], of: Candidate, masks: list[int], config: ExposureConfig) -> float:
    """The definition, a position and a mask at a time."""
    near, most, total = 0.0, 0.0, 0.0
    for mask in masks:
        if (wanted := scope_values(of.scope, mask)) is None:
            continue
        weight = mask_weight(mask, WEIGHTS)
        for row in book:
            usd = row.exposure_usd * (config.watchlist_factor if row.is_watchlist else 1.0)
            usd = 0.0 if row.position_id == of.position_id else usd
            is_near = scope_values(row.scope, mask) == wanted
            near += (
                weight
                * usd
                * is_near
                * (config.scope_weight + config.pattern_weight * (row.pattern_key == of.pattern_key))
            )
            most += weight * usd * (config.scope_weight + config.pattern_weight)
            total += usd
    return 1.0 if most == 0 else 1.33 - near / most


@given(BOOKS, st.lists(CANDIDATES, min_size=1, max_size=4), ANY_MASKS)
def test_it_is_the_sum_by_hand(book, candidates, masks):
    panel = exposure_skew(book, candidates, masks=masks, config=HALF, weights=WEIGHTS)

    assert panel.skew.tolist() == pytest.approx([by_hand(book, each, masks, HALF) for each in candidates], abs=1e-6)
    assert ((panel.skew >= 0.33) & (panel.skew <= 1.33)).all()


@given(BOOKS, CANDIDATES, st.randoms(use_true_random=False), st.floats(0.01, 100))
def test_neither_the_order_of_the_book_nor_its_scale_counts(book, of, random, scale):
    shuffled = random.sample(book, len(book))
    larger = [held(r.scope, r.exposure_usd * scale, pattern=r.pattern_key, name=r.position_id) for r in book]
    plain = [held(r.scope, r.exposure_usd, pattern=r.pattern_key, name=r.position_id) for r in book]

    assert skew(*shuffled, of=of) == pytest.approx(skew(*book, of=of), abs=1e-6)
    assert skew(*larger, of=of) == pytest.approx(skew(*plain, of=of), abs=1e-6)


@given(BOOKS.filter(lambda book: any(row.exposure_usd for row in book)), st.floats(1e-3, 1e6))
def test_one_more_position_right_here_never_makes_it_less_crowded(book, usd):
    plain = [held(r.scope, r.exposure_usd, pattern=r.pattern_key, name=r.position_id) for r in book]

    assert skew(*plain, held(HERE, usd)) <= skew(*plain) + 1e-9


@given(BOOKS, CANDIDATES)
def test_the_explanation_adds_up_to_the_skew(book, of):
    panel = exposure_skew(book, [of], masks=MASKS, config=HALF, weights=WEIGHTS)
    said = explain_skew(book, of, masks=MASKS, config=HALF, weights=WEIGHTS)
    near = math.fsum(m.weight * (m.scope_exposure_usd + 0.5 * m.pk_scope_exposure_usd) for m in said)
    most = 1.5 * math.fsum(m.weight for m in said) * panel.others_usd[0]

    assert [m.mask for m in said] == [mask for mask in MASKS if set(dimensions_of(mask)) <= set(of.scope)]
    assert panel.basis(0) is not SkewBasis.MEASURED or panel.conc_norm[0] == pytest.approx(near / most, abs=1e-6)
    assert all(m.pk_scope_exposure_usd <= m.scope_exposure_usd + 1e-9 for m in said)


def test_masks_with_many_cells_and_many_batches_give_the_same():
    rng = np.random.default_rng(5)
    dimensions = list(D)[:12]
    scopes = [{each: str(rng.integers(0, 40)) for each in dimensions} for _ in range(150)]
    book = [
        held(scope, float(usd), name=str(n)) for n, (scope, usd) in enumerate(zip(scopes, rng.random(150), strict=True))
    ]
    candidates = [candidate(scopes[n], name=str(n)) for n in range(0, 150, 40)]
    pairs = [mask_of([one, other]) for one in dimensions for other in dimensions if one < other]
    masks = [*pairs, mask_of(dimensions), mask_of(dimensions[:5]), *(mask_of([each]) for each in dimensions)]

    panel = exposure_skew(book, candidates, masks=masks, config=CONFIG, weights=WEIGHTS)

    assert panel.skew.tolist() == pytest.approx([by_hand(book, each, masks, CONFIG) for each in candidates])
