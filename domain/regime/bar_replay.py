"""Bars that are known already, laid beside the few an incremental load brings.

A bar is judged by the ones before it. A load of the last minute alone would be judged by the close before its window,
hours ago; so the bars of the window that are stored, and those refused for a jump or a step, are judged once more.
What belongs here: which of them. What does not: the judging.
"""

import polars as pl

from domain.regime.bar_load import ROLLED_UP
from domain.regime.bar_quarantine import BAR_KEY, RAW_SCHEMA


def printed(stored: pl.DataFrame) -> pl.DataFrame:
    """Rows a venue printed; those rolled up here are left out."""
    return stored.filter(~pl.col("source").str.starts_with(ROLLED_UP))


def replayed(stored: pl.DataFrame, refused: pl.DataFrame, offered: pl.DataFrame) -> pl.DataFrame:
    """Known rows of a window that a load does not bring anew.

    Parameters
    ----------
    stored : DataFrame
        Columns of `RAW_SCHEMA` and any others: the window as it stands.
    refused : DataFrame
        Columns of `RAW_SCHEMA` and any others: bars of the window refused for what came before them, the last one
        last.
    offered : DataFrame
        Columns of `RAW_SCHEMA`: what the source gave.

    Returns
    -------
    DataFrame
        Columns of `RAW_SCHEMA`. Each bar comes once: as stored, else as it was refused last.
    """
    kept = printed(stored).select(*RAW_SCHEMA)
    last_told = refused.select(*RAW_SCHEMA).unique(BAR_KEY, keep="last", maintain_order=True)
    known = pl.concat([kept, last_told.join(kept, on=list(BAR_KEY), how="anti")])
    return known.join(offered, on=list(BAR_KEY), how="anti")
