"""What was learned becomes one multiplier a lever: blended, bounded, neutral where nothing applies, and explained."""

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.portfolio import MaskWeightConfig
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.override_set import compile_overrides
from domain.portfolio.pm_strength import (
    Strength,
    StrengthBasis,
    StrengthRequest,
    apply_pattern_strength_overrides,
    log_blend,
    pm_strengths,
)
from domain.scopes.mask_weight import mask_weight
from domain.scopes.pattern_key import PATTERN_KEYS
from domain.scopes.scope import is_match
from domain.scopes.scope_value import WORDS
from domain.vocabulary.action import ActionCategory
from tests.domain.portfolio.override_rows import BUYS, DAY, NOW, ROWS, S1, S2, WEIGHTS, D, buy, override_row

L = OverrideLever
LADDER = [
    override_row(1, multiplier=1.05, confidence=0.7),
    override_row(2, {D.TIMEFRAME: "1h"}, multiplier=1.20, confidence=0.6),
    override_row(3, {D.TIMEFRAME: "1h", D.MCAP_BUCKET: "nano"}, multiplier=0.90, confidence=0.4),
]


def strength(rows, *, of: StrengthRequest | None = None, when=NOW, weights=WEIGHTS, **changed) -> Strength:
    asked = of or buy()
    return apply_pattern_strength_overrides(
        compile_overrides(rows, NOW),
        asked.pattern_key,
        asked.category,
        asked.scope,
        as_of=when,
        weights=weights,
        **changed,
    )


def test_the_documents_ladder_blends_to_its_number_in_log_space():
    weights = [confidence * (dimensions + 1) ** 1.5 for dimensions, confidence in enumerate((0.7, 0.6, 0.4))]

    assert log_blend([1.05, 1.20, 0.90], weights) == pytest.approx(1.0282, abs=5e-5)


def test_weights_are_mask_weight_times_confidence():
    found = strength(LADDER)
    weights = [mask_weight(each.mask, WEIGHTS) * each.confidence for each in found.matched]
    mean = np.average([math.log(each.multiplier) for each in found.matched], weights=weights)

    assert found.basis is StrengthBasis.BLENDED
    assert found.multiplier == pytest.approx(math.exp(mean))
    assert [each.weight_share for each in found.matched] == pytest.approx(np.array(weights) / sum(weights))


def test_every_override_that_applies_is_told_with_its_evidence():
    found = strength([*LADDER, override_row(4, {D.CHAIN: "base"})])
    (root,) = [each for each in found.matched if each.override_id == 1]

    assert sorted(each.override_id for each in found.matched) == [1, 2, 3]
    assert (root.mask, root.values, root.multiplier, root.confidence, root.n_trades) == (0, {}, 1.05, 0.7, 40)
    assert (root.edge_raw, root.decay_mult, root.lesson_id) == (0.4, 0.9, "lesson-1")
    assert root.mask_weight == mask_weight(0, WEIGHTS)


@given(ROWS, BUYS)
def test_the_shares_rebuild_the_multiplier(rows, buys):
    for asked in buys:
        found = strength(rows, of=asked)
        rebuilt = math.exp(math.fsum(each.weight_share * math.log(each.multiplier) for each in found.matched))

        assert found.multiplier == pytest.approx(rebuilt)


@pytest.mark.parametrize("only", [0.3, 0.9, 1.0, 1.15, 3.0])
def test_one_override_is_taken_exactly(only):
    assert strength([override_row(1, multiplier=only)]).multiplier == only


def test_rounding_never_leaves_what_is_blended():
    multipliers = np.linspace(0.3, 3.0, 500).tolist()

    assert [log_blend([each] * 2, [0.3, 0.7]) for each in multipliers] == multipliers


def test_opposite_overrides_of_one_weight_cancel():
    rows = [override_row(1, {D.CHAIN: "solana"}, multiplier=0.5), override_row(2, {D.TIMEFRAME: "1h"}, multiplier=2.0)]

    assert strength(rows).multiplier == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("rows", "of", "changed", "basis"),
    [
        ([], buy(), {}, StrengthBasis.NO_MATCH),
        (LADDER, buy(pattern=S2), {}, StrengthBasis.NO_MATCH),
        (LADDER, buy(category=ActionCategory.ADD), {}, StrengthBasis.NO_MATCH),
        (LADDER[1:], buy({D.CHAIN: "solana"}), {}, StrengthBasis.NO_MATCH),
        (LADDER, buy(), {"lever": L.HALO_MULT}, StrengthBasis.NO_MATCH),
        (LADDER, buy(), {"is_on": False}, StrengthBasis.SWITCHED_OFF),
        (LADDER, buy(), {"when": NOW + 14 * DAY}, StrengthBasis.NO_MATCH),
        (LADDER, buy(category=ActionCategory.TRIM, pattern="pm.uptrend.S2.trim_flag"), {}, StrengthBasis.SELLS),
        (LADDER, buy(category=ActionCategory.EXIT, pattern="pm.uptrend.S0.exit_position"), {}, StrengthBasis.SELLS),
    ],
)
def test_where_nothing_applies_it_is_exactly_neutral_and_says_why(rows, of, changed, basis):
    found = strength(rows, of=of, **changed)

    assert (found.multiplier, found.basis, found.matched) == (1.0, basis, ())


def test_an_override_without_weight_is_shown_but_changes_nothing():
    found = strength([LADDER[0]], weights=MaskWeightConfig(root_weight=0.0))

    assert (found.multiplier, found.basis) == (1.0, StrengthBasis.NO_WEIGHT)
    assert [(each.override_id, each.weight_share) for each in found.matched] == [(1, None)]
    assert strength(LADDER, weights=MaskWeightConfig(root_weight=0.0)).basis is StrengthBasis.BLENDED


def test_an_expired_override_never_applies():
    rows = [override_row(1, multiplier=3.0, expires_at=NOW + DAY), override_row(2, {D.CHAIN: "solana"}, multiplier=1.1)]

    assert strength(rows, when=NOW + DAY - timedelta(microseconds=1)).multiplier > 1.1
    assert strength(rows, when=NOW + DAY).multiplier == 1.1


def test_each_threshold_blends_alone_by_the_same_rule():
    levers = [L.TS_MIN_MULT, L.HALO_MULT, L.DX_MIN_MULT]
    rows = [
        override_row(
            3 * place + number,
            row["scope_values"],
            scope_mask=row["scope_mask"],
            lever=lever.value,
            multiplier=row["multiplier"],
            confidence=row["confidence"],
        )
        for place, lever in enumerate(levers)
        for number, row in enumerate(LADDER, start=1)
    ]

    expected = strength(LADDER).multiplier
    assert [strength(rows, lever=lever).multiplier for lever in levers] == [expected] * 3
    assert strength(rows).basis is StrengthBasis.NO_MATCH


def test_an_unknown_pattern_raises_instead_of_being_neutral():
    with pytest.raises(ValueError, match="Expected a pattern key"):
        strength(LADDER, of=buy(pattern="uptrend.S1.entry"))


def test_a_blend_of_nothing_is_neutral():
    assert log_blend([], []) == 1.0
    assert log_blend([2.0], [0.0]) == 1.0


@given(st.lists(st.tuples(st.floats(0.3, 3.0), st.floats(0.001, 1)), min_size=1, max_size=8), st.floats(0.01, 100))
def test_a_blend_lies_within_what_is_blended_and_knows_no_scale(pairs, scale):
    multipliers, weights = (list(part) for part in zip(*pairs, strict=True))
    blend = log_blend(multipliers, weights)

    assert min(multipliers) <= blend <= max(multipliers)
    assert log_blend(multipliers, [scale * weight for weight in weights]) == pytest.approx(blend)
    assert log_blend([1 / each for each in multipliers], weights) == pytest.approx(min(max(1 / blend, 0.3), 3.0))


# ---- against the definition, an override and a buy at a time ----
def by_hand(overrides, asked: StrengthRequest, lever: OverrideLever) -> float:
    total = mean = 0.0
    shadowed = {each.override_id for each in overrides.refused}
    for each in overrides.overrides:
        same = (each.pattern_key, each.category, each.lever) == (asked.pattern_key, asked.category, lever)
        if same and each.override_id not in shadowed and is_match(asked.scope, each.mask, each.values):
            weight = mask_weight(each.mask, WEIGHTS) * each.confidence
            total += weight
            mean += weight * math.log(each.multiplier)
    return math.exp(mean / total) if total else 1.0


@given(ROWS, BUYS)
def test_it_is_the_definition(rows, buys):
    overrides = compile_overrides(rows, NOW)
    panel = pm_strengths(overrides, buys, as_of=NOW, weights=WEIGHTS)

    for lever in L:
        assert panel.multiplier[lever].tolist() == pytest.approx([by_hand(overrides, of, lever) for of in buys])
        assert ((panel.multiplier[lever] >= 0.3) & (panel.multiplier[lever] <= 3.0)).all()


@given(ROWS, BUYS, st.integers(0, 6))
def test_many_at_once_are_each_alone_bit_for_bit(rows, buys, days):
    overrides, when = compile_overrides(rows, NOW), NOW + days * DAY
    panel = pm_strengths(overrides, buys, as_of=when, weights=WEIGHTS)

    for place, asked in enumerate(buys):
        for lever in L:
            alone = apply_pattern_strength_overrides(
                overrides, asked.pattern_key, asked.category, asked.scope, as_of=when, weights=WEIGHTS, lever=lever
            )
            assert panel.strength(place, lever) == alone


# ---- many ----
PATTERNS = [str(key) for key in PATTERN_KEYS if key.flag.value.endswith("buy_flag") or key.flag.value.startswith("re")]


def many(n_overrides: int, n_buys: int, rng: np.random.Generator):
    """Overrides of up to three dimensions on scopes of all 28, and buys on the same patterns."""
    dimensions = list(D)[:28]
    words = {each: sorted(WORDS.get(each, [f"name-{n}" for n in range(12)])) for each in dimensions}

    def scope() -> dict:
        return {each: str(rng.choice(words[each])) for each in dimensions}

    rows = []
    for number in range(n_overrides):
        of = scope()
        chosen = {dimensions[each]: of[dimensions[each]] for each in rng.choice(28, rng.integers(0, 4), replace=False)}
        rows.append(
            override_row(
                number,
                chosen,
                pattern_key=str(rng.choice(PATTERNS)),
                action_category=str(rng.choice(["entry", "add"])),
                multiplier=float(rng.uniform(0.3, 3)),
                confidence=float(rng.uniform(0.05, 1)),
            )
        )
    categories = [ActionCategory.ENTRY, ActionCategory.ADD]
    buys = [
        buy(scope(), pattern=str(rng.choice(PATTERNS)), category=categories[rng.integers(0, 2)]) for _ in range(n_buys)
    ]
    return rows, buys


def test_many_overrides_and_positions_are_matched_at_once():
    rows, buys = many(2_000, 400, np.random.default_rng(8))
    overrides = compile_overrides(rows, NOW)
    panel = pm_strengths(overrides, buys, as_of=NOW, weights=WEIGHTS)

    some = [0, 17, 399]
    lever = L.PM_STRENGTH
    assert panel.multiplier[lever][some].tolist() == pytest.approx([by_hand(overrides, buys[n], lever) for n in some])


def test_one_pattern_with_every_override_and_position_gives_the_same_in_batches():
    rng = np.random.default_rng(9)
    rows, buys = many(3_000, 1_000, rng)
    rows = [row | {"pattern_key": S1, "action_category": "entry"} for row in rows]
    buys = [buy(each.scope) for each in buys]
    overrides = compile_overrides(rows, NOW)

    panel = pm_strengths(overrides, buys, as_of=NOW, weights=WEIGHTS)

    some = [0, 500, 999]
    alone = [pm_strengths(overrides, [buys[n]], as_of=NOW, weights=WEIGHTS).multiplier[L.PM_STRENGTH][0] for n in some]
    assert panel.multiplier[L.PM_STRENGTH][some].tolist() == alone
