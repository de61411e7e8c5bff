"""Loading raw rows into their table: the wiring that the raw tables share."""

from dataclasses import replace

import dagster as dg
import polars as pl

from domain.config.bar import BarConfig
from domain.regime.bar_jump import with_step_under_way
from domain.regime.bar_load import ROLLED_UP, Load, load_bars
from domain.regime.bar_quarantine import BAR_KEY
from domain.regime.bar_replay import printed, replayed
from domain.vocabulary.universe import Universe
from regime_assets.chain_asset import Work
from resources.live_offer import IncrementalSource, Offered
from resources.simulated_market import SOURCE as SIMULATED

QUARANTINE = "regime.bar_quarantine"
ONE_CHAIN = "majors"
"""Chain under which the majors are validated: a symbol has one series, whichever venue printed it."""
LAST_ROWS = 10
"""Rows of a series before a window that an incremental source sees: the venues' own bars among roll-ups."""


def publish_bars(work: Work, universe: Universe) -> dg.MaterializeResult:
    """Load a window of one universe: validate, roll up, merge with what is stored."""
    start = work.window.start
    stored = _stored(work.tables.read(work.table, work.window), universe)
    previous = _stored(work.tables.read_last(work.table, start, columns=["close_usd", "source"]), universe)
    require_one_market(work, pl.concat([stored["source"], previous["source"]]))
    offered = _offered(work, universe, stored)
    load = load_bars(
        pl.concat([offered.bars, _replayed(work, stored, offered.bars)]),
        stored.drop("run_id", "computed_at", "code_version"),
        with_step_under_way(previous.select(*BAR_KEY, "close_usd"), _jumps(work), work.config.regime.bar),
        window=work.window,
        as_of=work.as_of,
        config=_with_trust(work),
        released=work.tables.query("released_bars", ())["quarantine_id"].to_list(),
    )
    told = replace(
        load,
        quarantined=pl.concat([load.quarantined, offered.refused]),
        received=offered.bars.height + offered.refused.height,
    )
    is_major = universe is Universe.MAJORS
    rows = load.rows.rename({"token_contract": "symbol"}).drop("chain") if is_major else load.rows
    return publish_load(work, told, rows)


def require_one_market(work: Work, sources: pl.Series) -> None:
    """Refuse to lay a real market over a simulated one, or the other way round.

    Raises
    ------
    ValueError
        If the stored rows are of the other kind; the message says how to keep them apart.
    """
    stored = set(sources.filter(~sources.str.starts_with(ROLLED_UP)).to_list())
    offered = {terms.source for terms in work.market.terms}
    if (SIMULATED in stored and SIMULATED not in offered) or (SIMULATED in offered and stored - {SIMULATED}):
        raise ValueError(
            f"{work.table} holds rows of {sorted(stored)}, and this market is {work.market.description()!r}. "
            "Simulated and real candles do not share a database: name another one by DATABASE_URL, "
            "or another folder for the embedded one by LOWCAP_POSTGRES_ROOT."
        )


def publish_load(work: Work, load: Load, rows: pl.DataFrame) -> dg.MaterializeResult:
    """Store the rows of a load, and what it refused, in one transaction."""
    day = pl.coalesce(pl.col("timestamp").dt.truncate("1d"), pl.lit(work.window.start)).cast(pl.Datetime("us", "UTC"))
    refused = load.quarantined.with_columns(
        table_name=pl.lit(work.table.split(".")[1]), loaded_for=day, known_at=pl.lit(work.as_of)
    )
    reasons = {str(reason): count for reason, count in refused.group_by("reason").len().sort("reason").iter_rows()}
    return work.replace(
        rows,
        append={QUARANTINE: refused},
        metadata={
            "rows_received": load.received,
            "rows_quarantined": refused.height,
            "quarantined_by_reason": reasons,
            "duplicates": load.duplicates,
            "forming_bars_left_out": load.forming,
            **(work.market.report() if isinstance(work.market, IncrementalSource) else {}),
        },
    )


def _offered(work: Work, universe: Universe, stored: pl.DataFrame) -> Offered:
    """Ask the source for the window; one that is asked only for what is missing is told what is not."""
    source = work.market
    if isinstance(source, IncrementalSource):
        columns = ["close_usd", "source"]
        last = work.tables.read_last(work.table, work.window.start, rows=LAST_ROWS, columns=columns)
        known = pl.concat([frame.select(*BAR_KEY, *columns) for frame in (_stored(last, universe), stored)])
        offered = source.missing_candles(universe, work.window, printed(known))
    else:
        offered = Offered(source.candles(universe, work.window.start, work.usable_end))
    if universe is Universe.MAJORS:
        return replace(offered, bars=offered.bars.with_columns(chain=pl.lit(ONE_CHAIN)))
    return offered


def _replayed(work: Work, stored: pl.DataFrame, bars: pl.DataFrame) -> pl.DataFrame:
    """Known bars beside which the few of an incremental source are judged; none where the source gave all it has."""
    if not isinstance(work.market, IncrementalSource):
        return bars.clear()
    table, window = work.table.split(".")[1], work.window
    return replayed(stored, work.tables.query("jumps_refused_between", (table, window.start, window.end)), bars)


def _jumps(work: Work) -> pl.DataFrame:
    """Bars of this table refused as unit steps or price jumps before the window."""
    table = work.table.split(".")[1]
    return work.tables.query("jumps_refused_before", (table, work.window.start))


def _with_trust(work: Work) -> BarConfig:
    """Rules for bars, with the source's own order of trust after the configured one."""
    config = work.config.regime.bar
    trusted = (*config.source_priority, *(terms.source for terms in work.market.terms))
    return config.model_copy(update={"source_priority": tuple(dict.fromkeys(trusted))})


def _stored(frame: pl.DataFrame, universe: Universe) -> pl.DataFrame:
    """Give stored rows the names that bars are validated by."""
    if universe is Universe.LOWCAP:
        return frame
    return frame.rename({"symbol": "token_contract"}).with_columns(chain=pl.lit(ONE_CHAIN))
