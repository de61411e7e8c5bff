"""The registry of dimensions only grows: stored masks mean for ever what they meant."""

from domain.vocabulary.driver import CHANNEL_NAMES
from domain.vocabulary.scope_dimension import BIT, MAX_BIT, RETIRED_BITS, ScopeContext, ScopeDimension, context_of

ORDER_OF_BITS: tuple[str, ...] = (
    "curator",
    "chain",
    "mcap_bucket",
    "vol_bucket",
    "age_bucket",
    "intent",
    "mcap_vol_ratio_bucket",
    "market_family",
    "timeframe",
    "A_mode",
    "E_mode",
    "bucket_leader",
    "bucket_rank_position",
    "btc_macro",
    "btc_meso",
    "btc_micro",
    "alt_macro",
    "alt_meso",
    "alt_micro",
    "bucket_macro",
    "bucket_meso",
    "bucket_micro",
    "btcd_macro",
    "btcd_meso",
    "btcd_micro",
    "usdtd_macro",
    "usdtd_meso",
    "usdtd_micro",
    "macro_phase",
    "meso_phase",
    "micro_phase",
    "mapping_confidence",
)
"""Written down once more: a dimension is added at the end, and nothing before it changes."""


def test_every_bit_is_the_one_masks_were_stored_with():
    assert {dimension.value: bit for dimension, bit in BIT.items()} == {
        name: bit for bit, name in enumerate(ORDER_OF_BITS)
    }


def test_no_bit_is_given_twice_or_again_and_all_fit():
    assert len(set(BIT.values())) == len(BIT) == len(ScopeDimension)
    assert not set(BIT.values()) & RETIRED_BITS
    assert 0 <= min(BIT.values()) <= max(BIT.values()) <= MAX_BIT


def test_the_fifteen_states_are_the_channels_in_their_order():
    assert ORDER_OF_BITS[13:28] == CHANNEL_NAMES


def test_each_dimension_has_one_context():
    by_context = {context: [each for each in ScopeDimension if context_of(each) is context] for context in ScopeContext}

    assert [len(by_context[context]) for context in ScopeContext] == [8, 4, 20]
    assert context_of(ScopeDimension.TIMEFRAME) is ScopeContext.ACTION
    assert context_of(ScopeDimension.BUCKET_LEADER) is ScopeContext.REGIME
