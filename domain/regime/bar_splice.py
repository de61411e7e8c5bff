"""Whether bars of another source may continue a series: only where both speak of the same bars in the same unit.

What belongs here: the comparison of sources within a series. What does not: prices that move too far by themselves
(`bar_jump`), and which source is asked.

A pool that is replaced by another one, or a contract of a thousand coins by one of one, steps the price by any
factor; below x20 no other rule sees it. So the closes of bars that both sources have are compared first.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from domain.regime.bar_quarantine import BAR_KEY, RAW_SCHEMA, SERIES_KEY, quarantine_frame
from domain.vocabulary.bar_quarantine import QuarantineReason

WANTED = "is_wanted"

Series = tuple[str, ...]
Ratios = Mapping[tuple[str, str], tuple[float, int]]
"""Of two sources: the median ratio of the first's closes to the second's, and the number of bars both have."""


@dataclass(frozen=True, eq=False)
class Spliced:
    """Wanted bars that may be loaded, and wanted bars that may not: columns of `QUARANTINE_SCHEMA`."""

    accepted: pl.DataFrame
    refused: pl.DataFrame


def splice(
    offered: pl.DataFrame,
    known: pl.DataFrame,
    *,
    trust: Sequence[str],
    max_ratio: float,
    anew: Collection[str] = (),
) -> Spliced:
    """Let a source into a series whose bars agree with those of the sources that are in it.

    In a series are the sources of its known bars; of a series without any, the most trusted one offered. Another one
    joins when the median ratio of its closes to those of a source in the series, over the bars both have, is within
    `max_ratio`; a source that joined lets others in. A source without a common bar joins only if it is in `anew`.

    Parameters
    ----------
    offered : DataFrame
        Columns of `RAW_SCHEMA` and `is_wanted`; rows that are not wanted are only there to compare with.
    known : DataFrame
        `BAR_KEY`, close_usd, source: printed bars that are stored.
    trust : sequence of str
        Sources, most trusted first; others come last, by name.
    max_ratio : float
        Largest ratio of two closes of one unit, > 1; symmetric.
    anew : collection of str
        Sources that may continue a series without a bar to compare.

    Returns
    -------
    Spliced
        Every wanted row once, in one of the two. A close that is null, NaN or not positive compares with nothing.

    Raises
    ------
    ValueError
        If `max_ratio` is not above 1.
    """
    if not max_ratio > 1:
        raise ValueError(f"max_ratio must be > 1, was {max_ratio}")
    wanted = offered.filter(WANTED).select(*RAW_SCHEMA)
    rank = {source: place for place, source in reversed(list(enumerate(trust)))}
    of_known = _sources(known)
    ratios = _ratios(offered, known)
    refused = [
        (*series, source, detail)
        for series, sources in _sources(offered).items()
        for source, detail in _refused(
            sorted(sources, key=lambda source: (rank.get(source, len(rank)), source)),
            of_known.get(series, set()),
            ratios.get(series, {}),
            max_ratio,
            anew,
        )
    ]
    key = [*SERIES_KEY, "source"]
    told = pl.DataFrame(refused, schema=[(name, pl.String()) for name in (*key, "detail")], orient="row")
    conflicts = wanted.join(told, on=key).with_columns(reason=pl.lit(QuarantineReason.REVISION_CONFLICT.value))
    return Spliced(wanted.join(told, on=key, how="anti"), quarantine_frame(conflicts, list(RAW_SCHEMA)))


def _sources(bars: pl.DataFrame) -> dict[Series, set[str]]:
    rows = bars.select(*SERIES_KEY, "source").unique().iter_rows()
    found: dict[Series, set[str]] = {}
    for *series, source in rows:
        found.setdefault(tuple(series), set()).add(source)
    return found


def _ratios(offered: pl.DataFrame, known: pl.DataFrame) -> dict[Series, Ratios]:
    """Median ratios of every two sources of a series that have bars in common."""
    columns = [*BAR_KEY, "close_usd", "source"]
    price = pl.col("close_usd")
    said = pl.concat([known.select(columns), offered.select(columns)]).filter(price.is_finite() & (price > 0))
    bars = said.unique([*BAR_KEY, "source"], keep="last", maintain_order=True)
    pairs = (
        bars.join(bars, on=list(BAR_KEY), suffix="_other")
        .filter(pl.col("source") != pl.col("source_other"))
        .group_by(*SERIES_KEY, "source", "source_other")
        .agg(ratio=(price / pl.col("close_usd_other")).log().median().exp(), bars=pl.len())
    )
    found: dict[Series, dict[tuple[str, str], tuple[float, int]]] = {}
    for *series, source, other, ratio, count in pairs.iter_rows():
        found.setdefault(tuple(series), {})[source, other] = (ratio, count)
    return dict(found)


def _refused(
    offered: Sequence[str], known: Collection[str], ratios: Ratios, max_ratio: float, anew: Collection[str]
) -> list[tuple[str, str]]:
    """Name the sources of one series that do not join it, each with the reason in words."""
    joined = set(known) or {offered[0]}
    waiting = [source for source in offered if source not in joined]
    while joining := [source for source in waiting if _agrees(source, joined, ratios, max_ratio, anew)]:
        joined.add(joining[0])
        waiting.remove(joining[0])
    return [(source, _why_not(source, joined, ratios, max_ratio)) for source in waiting]


def _agrees(source: str, joined: Collection[str], ratios: Ratios, max_ratio: float, anew: Collection[str]) -> bool:
    found = _best_compared(source, joined, ratios)
    if found is None:
        return source in anew
    ratio, _ = ratios[source, found]
    return abs(math.log(ratio)) <= math.log(max_ratio)


def _best_compared(source: str, joined: Collection[str], ratios: Ratios) -> str | None:
    """Source in the series with which most bars are common; by name among equals."""
    common = [(ratios[source, other][1], other) for other in sorted(joined) if (source, other) in ratios]
    return max(common, key=lambda each: each[0])[1] if common else None


def _why_not(source: str, joined: Collection[str], ratios: Ratios, max_ratio: float) -> str:
    other = _best_compared(source, joined, ratios)
    if other is None:
        return f"{source} has no bar beside one of {', '.join(sorted(joined))}: nothing says it is the same unit"
    ratio, bars = ratios[source, other]
    return f"close of {source} is {ratio:.6g} times that of {other} over {bars} bars, more than {max_ratio:g} apart"
