"""Phase of each subject and horizon from its SPIRAL scores: bands, hysteresis, skip rule, Chop, dwell.

One step moves one label by one score; the fold repeats it. All a row leaves to the next is in `PhaseMemory`, which a
stored row holds, so a series goes on from its last row. A row at t reads points up to and including t: where a point
is a bar's close labelled by its open, the row is known when that bar has closed.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.config.spiral import SpiralConfig
from domain.regime.spiral_metrics import (
    FloatArray,
    compute_lens_scores,
    compute_phase_scores,
    stream_metric_history,
)
from domain.vocabulary.horizon import Horizon
from domain.vocabulary.phase import Lens, Phase

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_US = 3_600_000_000
TIMESTAMP = pl.Datetime("us", "UTC")
BANDS = (Phase.OH_SHIT, Phase.DOUBLE_DIP, Phase.DIP, Phase.RECOVER, Phase.GOOD, Phase.EUPHORIA)
EXTREMES = frozenset({Phase.EUPHORIA, Phase.OH_SHIT})
LOG_INDICES = ("btc_log_index", "alt_log_index", "subject_log_index")

STREAM_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "subject": pl.String,
    "timestamp": TIMESTAMP,
    **dict.fromkeys(LOG_INDICES, pl.Float64),
    "coverage": pl.Float64,
}
PHASE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "subject": pl.String,
    "horizon": pl.String,
    "timestamp": TIMESTAMP,
    "phase": pl.String,
    **dict.fromkeys(("score", "slope", "curvature", "delta_res", "confidence"), pl.Float64),
    "dwell_remaining_hours": pl.Float64,
    "pending_label": pl.String,
    **dict.fromkeys((lens.value for lens in Lens), pl.Float64),
}
MEMORY_COLUMNS = ("subject", "horizon", "timestamp", "phase", "dwell_remaining_hours")
"""Columns of `previous`."""


class PhaseReading(NamedTuple):
    """What one evaluation sees. at_us : microseconds of the Unix epoch. coverage : 0..1. The rest: z-scale.

    slope, curv and delta are those of the subject over BTC.
    """

    at_us: int
    score: float
    slope: float
    curv: float
    delta: float
    coverage: float


class PhaseMemory(NamedTuple):
    """All that one labelled evaluation leaves to the next; `dwell_us` is how long the label still stands."""

    at_us: int
    phase: Phase
    dwell_us: int


class PhaseStep(NamedTuple):
    """Label of one evaluation, how sure it is, and the label that waits for the dwell to end."""

    memory: PhaseMemory
    confidence: float
    pending: Phase | None


def band_phase(score: float, label: Phase | None, config: SpiralConfig) -> Phase:
    """Phase whose band holds a score, seen from the band of the current label.

    Bands are half-open, [edge, next edge). From a label, every edge above its band is raised by the hysteresis and
    every edge below lowered, so a score that jumps ends where one that glides there would. Chop and no label have no
    band and see the plain edges.

    >>> band_phase(0.35, None, SpiralConfig()).value, band_phase(0.35, Phase.GOOD, SpiralConfig()).value
    ('Recover', 'Good')
    """
    edges = config.edges.ascending
    if label in BANDS:
        band = BANDS.index(label)
        shift = config.hysteresis
        edges = tuple(edge - shift if number < band else edge + shift for number, edge in enumerate(edges))
    return BANDS[bisect_right(edges, score)]


def band_confidence(score: float, phase: Phase, config: SpiralConfig) -> float:
    """Confidence in a score, 0..1, before coverage: how deep it lies in the band it is in.

    Distance to the nearest edge over half the band's width. Euphoria and Oh-Shit have one edge and a fixed half width;
    the band of Chop is that of its score limit. A label that dwells on while its score is elsewhere keeps the
    confidence of the score: rank and multiplier stand on the score, and `pending` says that the label does not.

    >>> round(band_confidence(0.8, Phase.GOOD, SpiralConfig()), 6), band_confidence(0.4, Phase.GOOD, SpiralConfig())
    (1.0, 0.0)
    """
    edges = config.edges.ascending
    band = Phase.CHOP if phase is Phase.CHOP else band_phase(score, None, config)
    if band is Phase.CHOP:
        half_width = config.chop_max_abs_score
        distance = half_width - abs(score)
    elif band is Phase.EUPHORIA:
        distance, half_width = score - edges[-1], config.open_band_half_width
    elif band is Phase.OH_SHIT:
        distance, half_width = edges[0] - score, config.open_band_half_width
    else:
        low, high = edges[BANDS.index(band) - 1], edges[BANDS.index(band)]
        distance, half_width = min(score - low, high - score), (high - low) / 2
    return min(max(distance / half_width, 0.0), 1.0)


def is_flat(reading: PhaseReading, config: SpiralConfig) -> bool:
    """Whether the residual goes nowhere: slope, curvature, change and score all within the Chop limits."""
    limit = config.chop_max_abs_z
    moves = (reading.slope, reading.curv, reading.delta)
    return all(abs(z) < limit for z in moves) and abs(reading.score) < config.chop_max_abs_score


def phase_step(memory: PhaseMemory | None, reading: PhaseReading, horizon: Horizon, config: SpiralConfig) -> PhaseStep:
    """Label of one evaluation.

    Order: band with hysteresis, skip rule, Chop, dwell. The dwell first runs down by the time since the last
    evaluation, then holds the label if any is left. An extreme that is held never has Chop waiting.

    Parameters
    ----------
    memory : PhaseMemory or None
        What the evaluation before left; older than `config.memory_hours` it counts as none.
    reading : PhaseReading
        Finite score; a NaN metric is not flat, a NaN coverage gives a NaN confidence.
    horizon : Horizon
        Whose dwell to use.
    config : SpiralConfig
        Rules.

    Returns
    -------
    PhaseStep

    Raises
    ------
    ValueError
        If the score is not finite or the reading is not later than the memory.
    """
    if not np.isfinite(reading.score):
        raise ValueError(f"A phase needs a finite score, was {reading.score}")
    elapsed_us = 0 if memory is None else reading.at_us - memory.at_us
    if memory is not None and elapsed_us <= 0:
        raise ValueError(f"A reading must be later than what it follows, was {reading.at_us} after {memory.at_us}")
    if elapsed_us > config.memory_hours * HOUR_US:
        memory = None
    label = memory.phase if memory else None
    dwell_us = max(0, memory.dwell_us - elapsed_us) if memory else 0
    wanted = _wanted(reading, label, dwell_us > 0, config)
    is_held = label is not None and wanted is not label and dwell_us > 0
    phase = label if label is not None and is_held else wanted
    if phase is not label:
        dwell_us = config.presets[horizon].dwell_hours * HOUR_US
    confidence = band_confidence(reading.score, phase, config) * reading.coverage
    return PhaseStep(PhaseMemory(reading.at_us, phase, dwell_us), confidence, wanted if is_held else None)


def _wanted(reading: PhaseReading, label: Phase | None, is_dwelling: bool, config: SpiralConfig) -> Phase:
    if config.has_chop and is_flat(reading, config) and not (is_dwelling and label in EXTREMES):
        return Phase.CHOP
    phase = band_phase(reading.score, label, config)
    if config.has_skip_rule and label is Phase.RECOVER and phase is Phase.DOUBLE_DIP:
        return Phase.DIP
    return phase


def fold_phases(
    readings: Iterable[PhaseReading],
    memory: PhaseMemory | None,
    horizon: Horizon,
    config: SpiralConfig,
) -> list[PhaseStep | None]:
    """Labels of a series of evaluations in order of time, from what the one before left.

    When scores change only at whole hours, evaluating at any instants in between, with the score carried, gives the
    same label, dwell and pending label at the whole hours as evaluating there alone, provided the fold starts on one.

    Returns
    -------
    list
        One entry a reading; None, and nothing remembered of it, where the score is NaN.
    """
    steps: list[PhaseStep | None] = []
    for reading in readings:
        if np.isnan(reading.score):
            steps.append(None)
            continue
        step = phase_step(memory, reading, horizon, config)
        memory = step.memory
        steps.append(step)
    return steps


def phase_frame(
    streams: pl.DataFrame, previous: pl.DataFrame | None, *, start: datetime, config: SpiralConfig
) -> pl.DataFrame:
    """Phase rows of every subject and horizon from `start` on.

    Parameters
    ----------
    streams : DataFrame
        `STREAM_SCHEMA`, in any order: natural logs of the indices of BTC, of the alt basket and of the subject at
        whole hours, and the subject's coverage 0..1. An hour without a row, or with a null or NaN index, is a gap:
        scores come back when enough hours have followed it. With the `config.lookback_hours` before `start` the rows
        are bit for bit those of the whole history; earlier hours are not read.
    previous : DataFrame or None
        Last phase row of each subject and horizon before `start`: `MEMORY_COLUMNS`, other columns ignored. None, or
        one not in it, starts from nothing.
    start : datetime
        First hour to make a row for, UTC.
    config : SpiralConfig
        Rules.

    Returns
    -------
    DataFrame
        `PHASE_SCHEMA`, sorted by subject, horizon (macro, meso, micro) and timestamp. An hour without a score has no
        row; a null confidence means that the coverage is unknown. slope, curvature, delta_res: z of the subject over
        BTC in that horizon.

    Raises
    ------
    ValueError
        If a timestamp is not a whole hour in UTC, a subject has two rows an hour, an index is infinite, a coverage
        lies outside 0..1, or `previous` has two rows for a series or one not before `start`.
    """
    if start.utcoffset() != timedelta(0):
        raise ValueError(f"start must be in UTC, was {start!r}")
    read = _checked(streams).filter(pl.col("timestamp") >= start - timedelta(hours=config.lookback_hours))
    memories = _memories(previous, start)
    frames = [pl.DataFrame(schema=PHASE_SCHEMA)]
    for (subject,), hours in read.partition_by("subject", as_dict=True, maintain_order=True).items():
        at_us, columns = _hourly_grid(hours)
        first = min(int(np.searchsorted(at_us, _epoch_us(start))), at_us.size)
        for horizon in Horizon:
            rows = _horizon_rows(at_us, columns, first, memories.get((subject, horizon.value)), horizon, config)
            named = rows.with_columns(subject=pl.lit(subject), horizon=pl.lit(horizon.value))
            frames.append(named.select(pl.col(name).cast(dtype) for name, dtype in PHASE_SCHEMA.items()))
    return pl.concat(frames).with_columns(pl.col(pl.Float64).fill_nan(None))


def _checked(streams: pl.DataFrame) -> pl.DataFrame:
    if streams.schema["timestamp"] != TIMESTAMP:
        raise ValueError(f"Stream timestamps must be {TIMESTAMP}, were {streams.schema['timestamp']}")
    typed = streams.select(pl.col(name).cast(dtype) for name, dtype in STREAM_SCHEMA.items())
    ordered = typed.sort("subject", "timestamp")
    refusals = {
        "a timestamp that is not a whole hour": pl.col("timestamp") != pl.col("timestamp").dt.truncate("1h"),
        "more than one row an hour": pl.struct("subject", "timestamp").is_duplicated(),
        "an infinite index": pl.any_horizontal(pl.col(LOG_INDICES).is_infinite()),
        "a coverage outside 0..1": ~pl.col("coverage").fill_nan(None).is_between(0, 1),
    }
    for what, is_refused in refusals.items():
        bad = ordered.filter(is_refused)
        if bad.height:
            raise ValueError(f"Streams must not have {what}; {bad.height} rows do, the first {bad.row(0)}")
    return ordered


def _memories(previous: pl.DataFrame | None, start: datetime) -> Mapping[tuple[str, str], PhaseMemory]:
    if previous is None:
        return {}
    rows = previous.select(MEMORY_COLUMNS)
    memories = {
        (subject, horizon): PhaseMemory(_epoch_us(at), Phase(phase), round(dwell_hours * HOUR_US))
        for subject, horizon, at, phase, dwell_hours in rows.iter_rows()
    }
    if len(memories) < rows.height or any(memory.at_us >= _epoch_us(start) for memory in memories.values()):
        raise ValueError("previous must hold one row a subject and horizon, before start, did not")
    return memories


def _epoch_us(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def _hourly_grid(hours: pl.DataFrame) -> tuple[NDArray[np.int64], FloatArray]:
    """Every hour of one subject from its first row to its last, and LOG_INDICES and coverage there, NaN in gaps."""
    known_us = hours["timestamp"].to_physical().to_numpy()
    at_us = np.arange(known_us[0], known_us[-1] + 1, HOUR_US, dtype=np.int64)
    columns = np.full((len(LOG_INDICES) + 1, at_us.size), np.nan)
    columns[:, (known_us - known_us[0]) // HOUR_US] = hours.select(*LOG_INDICES, "coverage").to_numpy().T
    return at_us, columns


def _horizon_rows(
    at_us: NDArray[np.int64],
    columns: FloatArray,
    first: int,
    memory: PhaseMemory | None,
    horizon: Horizon,
    config: SpiralConfig,
) -> pl.DataFrame:
    """Rows of one subject and horizon from hour number `first` on, without the two names."""
    btc, alt, subject, coverage = columns
    streams = dict(zip(Lens, (btc, alt - btc, subject - btc, subject - alt), strict=True))
    preset = config.presets[horizon]
    metrics = {lens: stream_metric_history(stream, preset, config, first=first) for lens, stream in streams.items()}
    lens_scores = compute_lens_scores(metrics, config.lens_weights)
    score = compute_phase_scores(lens_scores, config.phase_weights)[horizon]
    residual = metrics[Lens.PORT_BTC]
    seen = (at_us[first:], score, residual.slope, residual.curv, residual.delta, coverage[first:])
    readings = map(PhaseReading._make, zip(*(column.tolist() for column in seen), strict=True))
    steps = fold_phases(readings, memory, horizon, config)
    is_scored = np.array([step is not None for step in steps], dtype=np.bool_)
    made = [step for step in steps if step is not None]
    measured = {"score": score, "slope": residual.slope, "curvature": residual.curv, "delta_res": residual.delta}
    measured |= {lens.value: value for lens, value in lens_scores.items()}
    return pl.DataFrame(
        {
            "timestamp": pl.Series(at_us[first:][is_scored]).cast(TIMESTAMP),
            "phase": [step.memory.phase.value for step in made],
            "confidence": [step.confidence for step in made],
            "dwell_remaining_hours": [step.memory.dwell_us / HOUR_US for step in made],
            "pending_label": [step.pending.value if step.pending else None for step in made],
            **{name: values[is_scored] for name, values in measured.items()},
        }
    )
