"""Labels of SPIRAL scores: bands, hysteresis, skip rule, Chop, dwell, confidence, and the frames they stand in."""

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from domain.config.spiral import SpiralConfig
from domain.regime.spiral_metrics import compute_lens_scores, compute_phase_scores, stream_metrics
from domain.regime.spiral_phase import (
    BANDS,
    HOUR_US,
    PHASE_SCHEMA,
    STREAM_SCHEMA,
    PhaseMemory,
    PhaseReading,
    PhaseStep,
    band_confidence,
    band_phase,
    fold_phases,
    phase_frame,
    phase_step,
)
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Lens, Phase

CONFIG = SpiralConfig()
START = datetime(2025, 1, 1, tzinfo=UTC)
EDGES = list(zip(CONFIG.edges.ascending, BANDS[:-1], BANDS[1:], strict=True))
SCORES = st.floats(-3, 3)
STEEP = (1.0, 1.0, 1.0)
FLAT = (0.34, -0.34, 0.0)
HORIZONS = pytest.mark.parametrize("horizon", Horizon)


def reading(hour: float, score: float, moves: tuple[float, float, float] = STEEP, coverage: float = 1.0):
    return PhaseReading(round(hour * HOUR_US), score, *moves, coverage)


def after(phase: Phase, dwell_hours: float = 0.0) -> PhaseMemory:
    """What an evaluation at hour 0 left."""
    return PhaseMemory(0, phase, round(dwell_hours * HOUR_US))


def step(memory: PhaseMemory | None, read: PhaseReading, config: SpiralConfig = CONFIG) -> PhaseStep:
    return phase_step(memory, read, Horizon.MESO, config)


@pytest.mark.parametrize(("edge", "below", "above"), EDGES)
def test_a_band_holds_its_lower_edge_and_not_its_upper(edge, below, above):
    assert band_phase(edge, None, CONFIG) is above
    assert band_phase(math.nextafter(edge, -9), None, CONFIG) is below


@pytest.mark.parametrize(("edge", "below", "above"), EDGES)
def test_a_label_changes_a_tenth_past_each_edge(edge, below, above):
    assert band_phase(edge + 0.0999, below, CONFIG) is below
    assert band_phase(edge + 0.1001, below, CONFIG) is above
    assert band_phase(edge - 0.0999, above, CONFIG) is above
    assert band_phase(edge - 0.1001, above, CONFIG) is below


@given(label=st.sampled_from(Phase), score=SCORES)
def test_a_band_seen_from_itself_by_the_same_score_is_itself(label, score):
    phase = band_phase(score, label, CONFIG)

    assert band_phase(score, phase, CONFIG) is phase


@given(first=SCORES, last=SCORES, label=st.sampled_from(BANDS))
def test_a_score_that_jumps_ends_where_one_that_glides_does(first, last, label):
    settled = band_phase(first, label, CONFIG)
    glided = settled
    for score in np.linspace(first, last, 200):
        glided = band_phase(float(score), glided, CONFIG)

    assert band_phase(last, settled, CONFIG) is glided


def test_recover_reaches_double_dip_through_dip():
    assert step(after(Phase.RECOVER), reading(1, -1.1)).memory.phase is Phase.DIP
    assert step(after(Phase.GOOD), reading(1, -1.1)).memory.phase is Phase.DOUBLE_DIP
    assert step(after(Phase.RECOVER), reading(1, -2.0)).memory.phase is Phase.OH_SHIT
    unruled = SpiralConfig(has_skip_rule=False)
    assert step(after(Phase.RECOVER), reading(1, -1.1), unruled).memory.phase is Phase.DOUBLE_DIP


def test_the_first_label_is_the_band_with_a_full_dwell():
    assert step(None, reading(0, 0.5)).memory == PhaseMemory(0, Phase.GOOD, 12 * HOUR_US)


def test_a_label_that_is_confirmed_dwells_on_with_less_left():
    assert step(after(Phase.GOOD, 3), reading(2, 0.5)).memory == PhaseMemory(2 * HOUR_US, Phase.GOOD, HOUR_US)
    assert step(after(Phase.GOOD, 3), reading(5, 0.5)).memory.dwell_us == 0


def test_a_label_that_dwells_holds_and_names_what_waits():
    held = step(after(Phase.GOOD, 3), reading(2.5, -2.0))

    assert held.memory == PhaseMemory(round(2.5 * HOUR_US), Phase.GOOD, HOUR_US // 2)
    assert (held.pending, held.confidence) == (Phase.OH_SHIT, pytest.approx(0.875))


def test_a_label_whose_dwell_has_run_out_gives_way():
    switched = step(after(Phase.GOOD, 3), reading(3, -2.0))

    assert switched.memory == PhaseMemory(3 * HOUR_US, Phase.OH_SHIT, 12 * HOUR_US)
    assert switched.pending is None


@pytest.mark.parametrize(("horizon", "hours"), [(Horizon.MICRO, 1), (Horizon.MESO, 12), (Horizon.MACRO, 72)])
@pytest.mark.parametrize("evaluations_an_hour", [1, 4, 12])
def test_a_label_lives_its_dwell_in_real_hours_however_often_it_is_evaluated(horizon, hours, evaluations_an_hour):
    times = [number / evaluations_an_hour for number in range(80 * evaluations_an_hour)]
    steps = fold_phases([reading(at, 1.0 if at == 0 else -2.0) for at in times], None, horizon, CONFIG)

    switched = next(made for made in steps if made.memory.phase is Phase.OH_SHIT)
    assert switched.memory.at_us == hours * HOUR_US


@st.composite
def hourly_readings(draw: st.DrawFn) -> list[PhaseReading]:
    """Two days of scores, some flat, that cross every band."""
    n_hours = draw(st.integers(2, 48))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    width = draw(st.sampled_from([0.3, 1.5]))
    moves = [FLAT if flat else STEEP for flat in rng.random(n_hours) < 0.4]
    return [reading(hour, float(rng.normal(0.0, width)), moves[hour]) for hour in range(n_hours)]


@HORIZONS
@settings(max_examples=60, deadline=None)
@given(hours=hourly_readings(), minutes=st.sets(st.integers(1, 59), max_size=4))
def test_evaluating_between_the_hours_with_the_score_carried_changes_no_row_on_the_hour(horizon, hours, minutes):
    offsets_us = [0, *(minute * HOUR_US // 60 for minute in sorted(minutes))]
    often = [each._replace(at_us=each.at_us + offset) for each in hours for offset in offsets_us]

    sparse, dense = (fold_phases(readings, None, horizon, CONFIG) for readings in (hours, often))

    assert dense[:: len(offsets_us)] == sparse


@HORIZONS
@settings(max_examples=30, deadline=None)
@given(hours=hourly_readings(), cut=st.integers(0, 48))
def test_a_fold_goes_on_from_the_memory_of_its_last_step(horizon, hours, cut):
    head = fold_phases(hours[:cut], None, horizon, CONFIG)
    tail = fold_phases(hours[cut:], head[-1].memory if head else None, horizon, CONFIG)

    assert head + tail == fold_phases(hours, None, horizon, CONFIG)


def test_a_flat_residual_is_chop():
    assert step(None, reading(0, 0.39, FLAT)).memory.phase is Phase.CHOP
    assert step(after(Phase.GOOD), reading(1, -0.39, FLAT)).memory.phase is Phase.CHOP


@pytest.mark.parametrize(
    ("score", "moves"),
    [
        (0.40, FLAT),
        (-0.40, FLAT),
        (0.1, (0.35, 0, 0)),
        (0.1, (0, -0.35, 0)),
        (0.1, (0, 0, 0.35)),
        (0.1, (math.nan,) * 3),
    ],
)
def test_a_residual_that_moves_or_is_unknown_is_not_chop(score, moves):
    assert step(None, reading(0, score, moves)).memory.phase is band_phase(score, None, CONFIG)


def test_chop_can_be_switched_off():
    assert step(None, reading(0, 0.1, FLAT), SpiralConfig(has_chop=False)).memory.phase is Phase.RECOVER


@pytest.mark.parametrize("extreme", [Phase.EUPHORIA, Phase.OH_SHIT])
def test_a_held_extreme_has_no_chop_waiting(extreme):
    assert step(after(extreme, 3), reading(1, 0.0, FLAT)).pending is Phase.RECOVER
    assert step(after(extreme, 1), reading(1, 0.0, FLAT)).memory.phase is Phase.CHOP
    assert step(after(Phase.GOOD, 3), reading(1, 0.0, FLAT)).pending is Phase.CHOP


def test_chop_dwells_too_and_is_left_by_the_plain_bands():
    assert step(after(Phase.CHOP, 3), reading(1, 0.41)).memory.phase is Phase.CHOP
    assert step(after(Phase.CHOP), reading(1, 0.41)).memory.phase is Phase.GOOD


@pytest.mark.parametrize(
    ("phase", "score", "confidence"),
    [
        (Phase.GOOD, 0.8, 1.0),
        (Phase.GOOD, 0.6, 0.5),
        (Phase.RECOVER, 0.25, 0.5),
        (Phase.DIP, -0.55, 1.0),
        (Phase.DOUBLE_DIP, -1.2, 0.5),
        (Phase.EUPHORIA, 1.6, 0.5),
        (Phase.EUPHORIA, 9.0, 1.0),
        (Phase.OH_SHIT, -1.5, 0.25),
        (Phase.CHOP, -0.1, 0.75),
        (Phase.GOOD, 0.4, 0.0),
        (Phase.GOOD, 0.1, 1.0),
        (Phase.EUPHORIA, -2.0, 0.875),
        (Phase.CHOP, -0.5, 0.0),
    ],
)
def test_confidence_is_the_depth_in_the_band_of_the_score(phase, score, confidence):
    assert band_confidence(score, phase, CONFIG) == pytest.approx(confidence)


def test_confidence_is_scaled_by_coverage_and_absent_without_it():
    assert step(None, reading(0, 0.8, coverage=0.5)).confidence == pytest.approx(0.5)
    assert math.isnan(step(None, reading(0, 0.8, coverage=math.nan)).confidence)


def test_a_label_too_old_neither_holds_nor_steers():
    remembered = step(after(Phase.RECOVER, 20), reading(12, -1.1))
    forgotten = step(after(Phase.RECOVER, 20), reading(12.25, -1.1))

    assert (remembered.memory.phase, remembered.pending) == (Phase.RECOVER, Phase.DIP)
    assert forgotten.memory == PhaseMemory(round(12.25 * HOUR_US), Phase.DOUBLE_DIP, 12 * HOUR_US)


def test_an_hour_without_a_score_has_no_label_and_time_goes_on():
    steps = fold_phases([reading(0, 1.0), reading(1, math.nan), reading(2, 1.0)], None, Horizon.MESO, CONFIG)

    assert steps[1] is None
    assert steps[2].memory.dwell_us == 10 * HOUR_US


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_step_without_a_finite_score_is_refused(score):
    with pytest.raises(ValueError, match="finite score"):
        step(None, reading(0, score))


def test_a_reading_not_later_than_the_last_is_refused():
    with pytest.raises(ValueError, match="must be later"):
        step(after(Phase.GOOD), reading(0, 1.0))


def walk_streams(n_hours: int = 500, subjects: tuple[str, ...] = ("micro", "nano")) -> pl.DataFrame:
    """Log indices that wander; BTC and the alt basket are the same for every subject."""
    btc, alt, *paths = np.cumsum(np.random.default_rng(3).normal(0, 0.01, (2 + len(subjects), n_hours)), axis=1)
    timestamp = [START + timedelta(hours=hour) for hour in range(n_hours)]
    rows = [
        {"subject": subject, "timestamp": timestamp, "btc_log_index": btc, "alt_log_index": alt}
        | {"subject_log_index": path, "coverage": np.linspace(0.5, 1.0, n_hours)}
        for subject, path in zip(subjects, paths, strict=True)
    ]
    return pl.concat([pl.DataFrame(row, schema=STREAM_SCHEMA) for row in rows])


def phases(streams: pl.DataFrame, previous: pl.DataFrame | None = None, hour: int = 0) -> pl.DataFrame:
    return phase_frame(streams, previous, start=START + timedelta(hours=hour), config=CONFIG)


def hour_is(first: int, stop: int) -> pl.Expr:
    return pl.col("timestamp").is_between(START + timedelta(hours=first), START + timedelta(hours=stop), closed="left")


STREAMS = walk_streams()
WHOLE = phases(STREAMS)


def test_every_hour_with_enough_history_has_a_row_of_each_horizon():
    counts = WHOLE.group_by("subject", "horizon", maintain_order=True).agg(pl.len(), pl.col("timestamp").min())

    assert dict(WHOLE.schema) == PHASE_SCHEMA
    assert counts["horizon"].to_list() == ["macro", "meso", "micro"] * 2
    assert counts["len"].to_list() == [500 - 83, 500 - 41, 500 - 21] * 2
    assert WHOLE.drop("pending_label").null_count().sum_horizontal().sum() == 0


def test_the_walk_visits_every_phase():
    assert set(WHOLE["phase"]) == {phase.value for phase in Phase}


@HORIZONS
def test_a_row_holds_the_metrics_of_its_own_horizon(horizon):
    row = WHOLE.filter(subject="nano", horizon=horizon.value).row(-1, named=True)
    btc, alt, subject = STREAMS.filter(subject="nano").select("^.*_log_index$").to_numpy().T
    streams = dict(zip(Lens, (btc, alt - btc, subject - btc, subject - alt), strict=True))
    metrics = {lens: stream_metrics(stream, CONFIG.presets[horizon], CONFIG) for lens, stream in streams.items()}
    lens_scores = compute_lens_scores(metrics, CONFIG.lens_weights)

    assert (row["slope"], row["curvature"], row["delta_res"]) == metrics[Lens.PORT_BTC][1:]
    assert {lens: row[lens.value] for lens in Lens} == lens_scores
    assert row["score"] == compute_phase_scores(lens_scores, CONFIG.phase_weights)[horizon]


def test_three_horizons_give_three_different_rows():
    last = WHOLE.filter(hour_is(499, 500), subject="nano")

    assert [last[name].n_unique() for name in ("score", "slope", "curvature", "s_btcusd")] == [3, 3, 3, 3]


def test_confidence_carries_the_coverage_of_its_hour():
    full = phases(STREAMS.with_columns(coverage=pl.lit(1.0)))
    expected = full["confidence"] * WHOLE.join(STREAMS, on=["subject", "timestamp"], how="left")["coverage"]

    assert WHOLE["confidence"].to_list() == pytest.approx(expected.to_list())
    assert WHOLE["confidence"].is_between(0, 1).all()


@pytest.mark.parametrize("cuts", [[250], [84, 85, 300], list(range(200, 230))])
def test_pieces_resumed_from_stored_rows_and_the_look_back_are_the_whole(cuts):
    parts, previous = [], None
    for first, stop in zip([0, *cuts], [*cuts, 500], strict=True):
        window = STREAMS.filter(hour_is(first - CONFIG.lookback_hours, stop))
        parts.append(phases(window, previous, first))
        previous = pl.concat(parts).group_by("subject", "horizon").last()

    key = ["subject", "horizon", "timestamp"]
    assert_frame_equal(pl.concat(parts).sort(key), WHOLE.sort(key), check_exact=True)


@pytest.mark.parametrize("hour", [22, 83, 84, 260, 400])
def test_no_row_changes_when_what_came_later_does(hour):
    later = ~hour_is(0, hour + 1)
    garbled = STREAMS.with_columns(
        pl.when(later).then(pl.col("^.*_log_index$") * -3).otherwise(pl.col("^.*_log_index$"))
    )

    assert_frame_equal(phases(garbled).filter(~later), WHOLE.filter(~later), check_exact=True)


def test_order_of_rows_and_other_subjects_make_no_difference():
    shuffled = STREAMS.sample(fraction=1.0, shuffle=True, seed=5)

    assert_frame_equal(phases(shuffled), WHOLE, check_exact=True)
    assert_frame_equal(phases(STREAMS.filter(subject="nano")), WHOLE.filter(subject="nano"), check_exact=True)


@pytest.mark.parametrize("how", ["no row", "null", "NaN"])
def test_a_gap_leaves_no_row_until_the_history_is_full_again(how):
    value = pl.when(hour_is(200, 201)).then(None if how == "null" else math.nan).otherwise("subject_log_index")
    gappy = STREAMS.filter(~hour_is(200, 201)) if how == "no row" else STREAMS.with_columns(subject_log_index=value)

    rows = phases(gappy).filter(hour_is(200, 500), subject="nano")

    first = rows.group_by("horizon").agg(hour=(pl.col("timestamp").min() - START).dt.total_hours())
    assert dict(first.iter_rows()) == {"macro": 284, "meso": 242, "micro": 222}


def test_after_a_gap_a_label_starts_with_a_full_dwell():
    rows = phases(STREAMS.filter(~hour_is(200, 201))).filter(hour_is(200, 500), subject="nano")

    assert rows.group_by("horizon").first().sort("horizon")["dwell_remaining_hours"].to_list() == [72.0, 12.0, 1.0]


def test_a_subject_never_measured_has_no_rows():
    absent = STREAMS.with_columns(subject_log_index=pl.lit(None, pl.Float64))

    assert phases(absent).height == 0
    assert dict(phases(absent).schema) == PHASE_SCHEMA
    assert phases(STREAMS.clear()).height == 0
    assert phases(STREAMS, hour=600).height == 0


def test_an_unknown_coverage_leaves_the_label_and_no_confidence():
    rows = phases(STREAMS.with_columns(coverage=pl.lit(None, pl.Float64)))

    assert rows["phase"].equals(WHOLE["phase"])
    assert rows["confidence"].null_count() == rows.height


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (pl.col("timestamp").dt.offset_by("15m"), "not a whole hour"),
        (pl.col("timestamp").dt.replace_time_zone(None), "Stream timestamps must be"),
        (pl.lit(math.inf).alias("btc_log_index"), "an infinite index"),
        (pl.lit(1.5).alias("coverage"), "a coverage outside"),
        (pl.lit("nano").alias("subject"), "more than one row an hour"),
    ],
)
def test_streams_that_cannot_be_right_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        phases(STREAMS.with_columns(change))


def test_a_previous_row_that_is_not_before_the_start_is_refused():
    with pytest.raises(ValueError, match="before start"):
        phases(STREAMS, WHOLE.filter(hour_is(300, 301)), 300)


def test_two_previous_rows_of_a_series_are_refused():
    with pytest.raises(ValueError, match="one row a subject and horizon"):
        phases(STREAMS, WHOLE.filter(hour_is(298, 300)), 300)


def test_a_start_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="start must be in UTC"):
        phase_frame(STREAMS, None, start=START.replace(tzinfo=None), config=CONFIG)
