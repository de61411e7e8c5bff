"""What a load of raw rows makes of a stored window: validated, rolled up, and merged with what was known before.

What belongs here: the order of those steps. What does not: each step itself, and reading or writing.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from domain.config.bar import BarConfig
from domain.regime.bar import ValidatedBars, validate_bars
from domain.regime.bar_quarantine import BAR_KEY, QUARANTINE_SCHEMA, RAW_SCHEMA, SERIES_KEY, quarantine_frame
from domain.regime.bar_revision import ROW, far_revisions, merge_revisions
from domain.regime.dominance_sample import COARSEST_CARRIED
from domain.regime.rollup import bar_length, roll_up
from domain.vocabulary.bar_quarantine import QuarantineReason
from domain.vocabulary.window import Window

ROLLED_UP = "rollup:"
"""Prefix of the source of a bar that no venue printed."""

OUTDONE = (QuarantineReason.REVISION_CONFLICT, QuarantineReason.UNIT_STEP, QuarantineReason.PRICE_JUMP)
"""Reasons of rows that are sound by themselves."""

SAMPLE_KEY = ("metric", "timeframe", "timestamp")


@dataclass(frozen=True, eq=False)
class Load:
    """What to store after a load.

    Attributes
    ----------
    rows : DataFrame
        All rows of the window, those of earlier loads included, with known_at.
    quarantined : DataFrame
        Rows refused by this load, and rows it supersedes: columns of `QUARANTINE_SCHEMA`.
    received, duplicates, forming : int
        Rows received; of those, repeats and bars not closed yet.
    """

    rows: pl.DataFrame
    quarantined: pl.DataFrame
    received: int
    duplicates: int
    forming: int


def load_bars(
    raw: pl.DataFrame,
    stored: pl.DataFrame,
    previous_close: pl.DataFrame,
    *,
    window: Window,
    as_of: datetime,
    config: BarConfig,
    released: Collection[str] = (),
) -> Load:
    """Lay a load of raw bars over a stored window.

    A venue may have forgotten what it once printed, so stored venue bars stay; roll-ups are made anew from venue bars,
    old and new, so late minutes complete them. Rows too far from the stored bar to correct it are refused, and the bars
    after them are judged by what is stored.

    Parameters
    ----------
    raw : DataFrame
        Rows as a source gave them.
    stored : DataFrame
        Columns of a rolled-up bar plus known_at: the window as it stands; may be empty.
    previous_close : DataFrame
        Last stored close of each series before the window.
    released : collection of str
        Ids of quarantined bars that a person found to be right.

    Returns
    -------
    Load
        Only bars that open inside the window and have closed by `as_of`.
    """
    printed = stored.filter(~pl.col("source").str.starts_with(ROLLED_UP)).select(*RAW_SCHEMA)
    validated, far = _validated(raw, printed, previous_close, as_of=as_of, config=config, released=released)
    kept = printed.join(validated.accepted, on=list(BAR_KEY), how="anti")
    bars = roll_up(pl.concat([kept, validated.accepted]), key=SERIES_KEY[:2], as_of=as_of)
    inside = bars.filter(pl.col("timestamp").is_between(window.start, window.end, closed="left"))
    merged = merge_revisions(stored, inside, known_at=as_of)
    return Load(
        rows=merged.rows_to_store,
        quarantined=pl.concat([validated.quarantined, far, merged.superseded]),
        received=raw.height,
        duplicates=validated.duplicates,
        forming=validated.forming,
    )


def _validated(
    raw: pl.DataFrame,
    printed: pl.DataFrame,
    previous_close: pl.DataFrame,
    *,
    as_of: datetime,
    config: BarConfig,
    released: Collection[str],
) -> tuple[ValidatedBars, pl.DataFrame]:
    """Validate a load without the rows that are far from the printed bars they speak of; also give those rows.

    One pass is enough where none is far, as in nearly every load. What the other rows were judged by may be far, so
    they are judged anew, with the printed bars in its place, until nothing far is left.
    """
    rows, refused, certain, standing = raw, pl.DataFrame(schema=QUARANTINE_SCHEMA), frozenset(released), 0
    while True:
        validated = validate_bars(rows, previous_close, as_of=as_of, config=config, released=certain)
        outdone = validated.quarantined.filter(pl.col("reason").is_in(OUTDONE)).select(*RAW_SCHEMA)
        ratio = config.unit_step_min_ratio
        far = far_revisions(validated.accepted, outdone, printed, min_ratio=ratio, released=released)
        if far.refused.is_empty() and far.certain <= certain:
            repeated = raw.height + standing - rows.height - refused.height
            return replace(validated, duplicates=validated.duplicates + repeated), refused
        typed = rows.with_columns(pl.col(name).cast(dtype) for name, dtype in RAW_SCHEMA.items())
        rest = typed.join(far.refused, on=list(ROW), how="anti", maintain_order="left")
        rows = pl.concat([rest, far.standing], how="diagonal")
        refused, certain = pl.concat([refused, far.refused]), certain | far.certain
        standing += far.standing.height


def load_samples(raw: pl.DataFrame, stored: pl.DataFrame, *, as_of: datetime) -> Load:
    """Lay a load of dominance samples over a stored window.

    A sample taken at least every 15 minutes is known at its instant; a rarer one stands for its whole interval and is
    known at the interval's end. Values outside (0, 100) are refused.
    """
    length = bar_length()
    instant = length <= COARSEST_CARRIED.duration
    known = raw.filter(pl.col("timestamp") + pl.when(instant).then(pl.duration()).otherwise(length) <= as_of)
    in_range = pl.col("value_pct").is_between(0, 100, closed="none") & pl.col("value_pct").is_not_nan()
    good = known.filter(in_range.fill_null(value=False))
    refused = known.filter(~in_range.fill_null(value=False)).with_columns(
        token_contract=pl.col("metric"),
        reason=pl.lit(QuarantineReason.OUT_OF_RANGE.value),
        detail=pl.format("{} percent is not between 0 and 100", pl.col("value_pct")),
    )
    fresh = good.sort("timestamp", "value_pct").unique(SAMPLE_KEY, keep="last", maintain_order=True)
    merged = merge_revisions(stored, fresh, known_at=as_of, key_columns=SAMPLE_KEY, value_columns=("value_pct",))
    return Load(
        rows=merged.rows_to_store,
        quarantined=pl.concat([quarantine_frame(refused, raw.columns), merged.superseded]),
        received=raw.height,
        duplicates=good.height - fresh.height,
        forming=raw.height - known.height,
    )
