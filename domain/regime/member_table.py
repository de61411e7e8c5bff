"""Members of composites as arrays: their bars by timeframe, and the days on which they count.

What belongs here: the step from frames of named members to the numbered arrays of `return_index`.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from domain.regime.bar_quarantine import PRICE_COLUMNS
from domain.regime.return_index import MemberBars
from domain.vocabulary.timeframe import Timeframe


def member_tables(coded: pl.DataFrame) -> dict[Timeframe, MemberBars]:
    """Bars of each timeframe as arrays, sorted by time and member."""
    tables = {}
    for timeframe in Timeframe:
        rows = coded.filter(timeframe=timeframe.value).sort("timestamp", "member_code")
        if rows.height:
            tables[timeframe] = MemberBars(
                at_us=rows["timestamp"].to_physical().to_numpy(),
                member=rows["member_code"].cast(pl.Int64).to_numpy(),
                ohlc=np.ascontiguousarray(rows.select(PRICE_COLUMNS).to_numpy()),
                volume=rows["volume"].to_numpy(),
                coverage=rows["coverage"].to_numpy(),
            )
    return tables


def eligible_days(
    membership: pl.DataFrame, members: pl.DataFrame, member: Sequence[str], start: datetime, end: datetime
) -> NDArray[np.bool_]:
    """Whether each coded member counts on each UTC day of the window, shape (n_days, n_members)."""
    first, last = start.astimezone(UTC).date(), (end - timedelta(microseconds=1)).astimezone(UTC).date()
    eligible = np.zeros(((last - first).days + 1, members.height), dtype=np.bool_)
    coded = membership.join(members, on=list(member))
    eligible[:, coded.filter(pl.col("day").is_null())["member_code"].to_numpy()] = True
    dated = coded.filter(pl.col("day").is_between(first, last))
    eligible[(dated["day"] - first).dt.total_days().to_numpy(), dated["member_code"].to_numpy()] = True
    return eligible


def of_members(table: MemberBars, eligible: NDArray[np.bool_]) -> tuple[MemberBars, NDArray[np.bool_]]:
    """Keep the members that are eligible on any day, and number them anew in the same order."""
    is_mine = np.asarray(eligible.any(axis=0))
    own = is_mine[table.member]
    number = np.cumsum(is_mine) - 1
    kept = MemberBars(
        table.at_us[own], number[table.member[own]], table.ohlc[own], table.volume[own], table.coverage[own]
    )
    return kept, eligible[:, is_mine]
