import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.config.scores import ScoresConfig
from domain.scores.ae_score import (
    LEVER_FLAGS,
    N_CHANNELS,
    STATES,
    STATUSES,
    ChannelPanel,
    ChannelReading,
    channel_weights,
    compute_ae_for_token,
    score_panel,
)
from domain.vocabulary.driver import CHANNEL_NAMES, ChannelStatus
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.uptrend import EXIT_TRANSITIONS, UptrendFlag, UptrendState

CONFIG = ScoresConfig()
S0, S1, S2, S3, S4 = STATES
WORKED_EXAMPLE = {
    "btc_macro": ChannelReading(S3),
    "alt_meso": ChannelReading(S1, frozenset({UptrendFlag.BUY_SIGNAL})),
    "bucket_meso": ChannelReading(S3, frozenset({UptrendFlag.TRIM_FLAG})),
    "usdtd_macro": ChannelReading(S1),
}


def everywhere(state, dominance_state):
    return {
        name: ChannelReading(dominance_state if name.startswith(("btcd", "usdtd")) else state) for name in CHANNEL_NAMES
    }


def test_the_worked_example_gives_0533_and_06425():
    score = compute_ae_for_token(WORKED_EXAMPLE, timeframe=Timeframe.H1, config=CONFIG)

    assert score.a == pytest.approx(0.533, abs=1e-12)
    assert score.e == pytest.approx(0.6425, abs=1e-12)
    assert score.coverage == 4
    assert score.degraded


def test_the_worked_example_breaks_down_into_its_four_terms():
    score = compute_ae_for_token(WORKED_EXAMPLE, timeframe=Timeframe.H1, config=CONFIG)

    assert score.channel_a == pytest.approx(
        {"btc_macro": 0.03, "alt_meso": 0.1485, "bucket_meso": -0.033, "usdtd_macro": -0.1125}
    )
    assert score.channel_e == pytest.approx(
        {"btc_macro": -0.0075, "alt_meso": -0.0825, "bucket_meso": 0.165, "usdtd_macro": 0.0675}
    )


@pytest.mark.parametrize(
    ("weighting", "a", "e"),
    [("literal", 0.533, 0.6425), ("normalised", 0.5857142857, 0.8701298701), ("execution_only", 0.62375, 0.82625)],
)
def test_each_reading_of_the_weights_is_selectable(weighting, a, e):
    config = ScoresConfig(weighting=weighting)

    score = compute_ae_for_token(WORKED_EXAMPLE, timeframe=Timeframe.H1, config=config)

    assert (score.a, score.e) == (pytest.approx(a), pytest.approx(e))


@pytest.mark.parametrize(
    ("timeframe", "total"), [("1m", 0.225), ("5m", 0.29), ("15m", 0.325), ("1h", 0.385), ("4h", 0.44), ("1d", 0.474)]
)
def test_horizon_products_of_each_execution_timeframe(timeframe, total):
    btc_weights = channel_weights(Timeframe(timeframe), CONFIG)[:3]

    assert btc_weights.sum() == pytest.approx(total)


def test_nothing_present_has_no_score():
    score = compute_ae_for_token({}, timeframe=Timeframe.H1, config=CONFIG)

    assert np.isnan(score.a)
    assert np.isnan(score.e)
    assert score.coverage == 0


def test_all_channels_without_a_clear_state_are_neutral_and_covered():
    score = compute_ae_for_token(everywhere(S4, S4), timeframe=Timeframe.H1, config=CONFIG)

    assert (score.a, score.e, score.coverage, score.degraded) == (0.5, 0.5, 15, False)


def test_everything_bullish_saturates_a_at_one():
    panel = compute_ae_for_token(everywhere(S3, S0), timeframe=Timeframe.H1, config=CONFIG)

    assert panel.a == 1.0
    assert sum(panel.channel_a.values()) == pytest.approx(0.8855)


def test_everything_bearish_saturates_a_at_zero():
    score = compute_ae_for_token(everywhere(S0, S3), timeframe=Timeframe.H1, config=CONFIG)

    assert score.a == 0.0
    assert sum(score.channel_a.values()) == pytest.approx(-0.94325)


@pytest.mark.parametrize("state", STATES)
def test_every_state_adds_its_row_of_the_table(state):
    score = compute_ae_for_token({"btc_macro": ChannelReading(state)}, timeframe=Timeframe.H1, config=CONFIG)

    assert score.a - 0.5 == pytest.approx(CONFIG.state_deltas[state].a * 0.15)
    assert score.e - 0.5 == pytest.approx(CONFIG.state_deltas[state].e * 0.15)


@pytest.mark.parametrize("row", sorted(CONFIG.flag_deltas))
def test_every_flag_adds_its_row_of_the_table(row):
    state, flag = row.split("+")
    reading = ChannelReading(UptrendState(state), frozenset({UptrendFlag(flag)}))

    score = compute_ae_for_token({"btc_macro": reading}, timeframe=Timeframe.H1, config=CONFIG)

    expected = CONFIG.state_deltas[UptrendState(state)].a + CONFIG.flag_deltas[row].a
    assert score.a - 0.5 == pytest.approx(expected * 0.15)


@pytest.mark.parametrize(("transition", "delta"), [("S1->S0", -0.40), ("S2->S0", -0.35), ("S3->S0", -0.50)])
def test_every_fall_to_s0_adds_its_row_of_the_table(transition, delta):
    reading = ChannelReading(S0, transition=transition)

    score = compute_ae_for_token({"btc_macro": reading}, timeframe=Timeframe.H1, config=CONFIG)

    assert score.a - 0.5 == pytest.approx((-0.30 + delta) * 0.15)


def test_a_transition_fades_linearly_over_its_hold():
    config = ScoresConfig(transition_hold_bars=4)
    ages = [0, 1, 2, 3, 4, 9]

    added = [
        compute_ae_for_token(
            {"btc_macro": ChannelReading(S0, transition="S3->S0", transition_age=age)},
            timeframe=Timeframe.H1,
            config=config,
        ).channel_a["btc_macro"]
        for age in ages
    ]

    assert added == pytest.approx([(-0.3 - 0.5 * fade) * 0.15 for fade in (1, 0.75, 0.5, 0.25, 0, 0)])


def test_swapping_btc_and_its_dominance_flips_the_sign():
    up = compute_ae_for_token({"btc_meso": ChannelReading(S1)}, timeframe=Timeframe.H1, config=CONFIG)
    inverted = compute_ae_for_token({"btcd_meso": ChannelReading(S1)}, timeframe=Timeframe.H1, config=CONFIG)

    assert up.a - 0.5 == pytest.approx(0.5 - inverted.a)
    assert up.e - 0.5 == pytest.approx(0.5 - inverted.e)


def test_coverage_below_twelve_is_degraded():
    twelve = dict(list(everywhere(S1, S1).items())[:12])
    eleven = dict(list(twelve.items())[:11])

    assert not compute_ae_for_token(twelve, timeframe=Timeframe.H1, config=CONFIG).degraded
    assert compute_ae_for_token(eleven, timeframe=Timeframe.H1, config=CONFIG).degraded


def test_an_unknown_channel_is_refused():
    with pytest.raises(ValueError, match="eth_macro"):
        compute_ae_for_token({"eth_macro": ChannelReading(S1)}, timeframe=Timeframe.H1, config=CONFIG)


def random_panel(rng, n):
    shape = (n, N_CHANNELS)
    return ChannelPanel(
        status=rng.integers(0, len(STATUSES), shape),
        state=rng.integers(0, len(STATES), shape),
        flags=rng.integers(0, 1 << len(LEVER_FLAGS), shape),
        transition=rng.integers(-1, len(EXIT_TRANSITIONS), shape),
        transition_age=rng.integers(0, 3, shape),
    )


def row_of(panel, i):
    return ChannelPanel(*(getattr(panel, name)[i : i + 1] for name in panel.__dataclass_fields__))


@given(seed=st.integers(0, 10_000), timeframe=st.sampled_from(Timeframe))
def test_scores_stay_within_bounds_and_absent_means_nan(seed, timeframe):
    panel = random_panel(np.random.default_rng(seed), 8)

    scores = score_panel(panel, timeframe, CONFIG)

    present = (panel.status == STATUSES.index(ChannelStatus.OK)).sum(axis=1)
    assert np.array_equal(scores.coverage, present)
    assert np.array_equal(np.isnan(scores.a), present == 0)
    assert np.all((np.nan_to_num(scores.a) >= 0) & (np.nan_to_num(scores.a) <= 1))
    assert np.all((np.nan_to_num(scores.e) >= 0) & (np.nan_to_num(scores.e) <= 1))


@given(seed=st.integers(0, 10_000))
def test_many_evaluations_at_once_equal_single_ones_bit_for_bit(seed):
    panel = random_panel(np.random.default_rng(seed), 5)

    batch = score_panel(panel, Timeframe.H1, CONFIG)
    single = [score_panel(row_of(panel, i), Timeframe.H1, CONFIG) for i in range(5)]

    assert batch.a.tobytes() == np.concatenate([one.a for one in single]).tobytes()
    assert batch.channel_e.tobytes() == np.concatenate([one.channel_e for one in single]).tobytes()
