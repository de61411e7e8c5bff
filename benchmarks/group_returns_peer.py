"""The mean clipped log return of each group at each time, as Polars, DuckDB and pandas compute it.

The definition is ours: a close is fresh for one missing bar; a member silent but fresh counts with a return of 0. Its
silent row is made from the hole in its series, under the group it has that day. Each gives a (n_times, n_groups) table
of means, NaN where no member traded. Nothing but what the library is good at: windows, joins, group-bys.
"""

import importlib.util
import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from benchmarks.workloads import Ticks

CLIP = math.log(3.0)
N_GROUPS = 6
DAY_S = 86_400


def is_installed(package: str) -> bool:
    """Whether a peer can run."""
    return importlib.util.find_spec(package) is not None


@dataclass
class Long:
    """The ticks as a long Polars frame, and who is in which group on which day."""

    ticks: Ticks
    rows: pl.DataFrame
    members: pl.DataFrame

    @classmethod
    def of(cls, ticks: Ticks) -> "Long":
        """Make the frames, untimed: the peers start from the form they like."""
        n_days, n_tokens = ticks.day_bucket.shape
        first_day = int(ticks.ts[0]) // DAY_S
        members = pl.DataFrame(
            {
                "day": np.repeat(np.arange(first_day, first_day + n_days), n_tokens),
                "token": np.tile(np.arange(n_tokens, dtype=np.int32), n_days),
                "group": ticks.day_bucket.reshape(-1),
            }
        )
        rows = {"ts": ticks.ts, "token": ticks.token, "close": ticks.close, "group": ticks.bucket}
        return cls(ticks, pl.DataFrame(rows), members)

    def table(self, means: pl.DataFrame) -> np.ndarray:
        """Lay (ts, group, mean) rows out as a table."""
        out = np.full((np.unique(self.ticks.ts).size, N_GROUPS), np.nan)
        out[(means["ts"].to_numpy() - self.ticks.ts[0]) // self.ticks.step_s, means["group"].to_numpy()] = means[
            "mean"
        ].to_numpy()
        return out


def polars_returns(long: Long) -> pl.DataFrame:
    """Windows over tokens, then a group-by, on the streaming engine."""
    step, end = long.ticks.step_s, int(long.ticks.ts[-1])
    rows = long.rows.lazy().with_columns(
        before=pl.col("close").shift(1).over("token"),
        since=(pl.col("ts") - pl.col("ts").shift(1).over("token")),
        until=(pl.col("ts").shift(-1).over("token") - pl.col("ts")).fill_null(2 * step),
    )
    move = (pl.col("close") / pl.col("before")).log().clip(-CLIP, CLIP)
    traded = rows.filter(pl.col("since") <= 2 * step).group_by("ts", "group").agg(total=move.sum(), traded=pl.len())
    silent = (
        rows.filter((pl.col("until") > step) & (pl.col("ts") < end))
        .select("token", ts=pl.col("ts") + step, day=(pl.col("ts") + step) // DAY_S)
        .join(long.members.lazy(), on=["day", "token"])
        .group_by("ts", "group")
        .agg(silent=pl.len())
    )
    mean = pl.col("total") / (pl.col("traded") + pl.col("silent").fill_null(0))
    joined = traded.join(silent, on=["ts", "group"], how="left").select("ts", "group", mean=mean)
    return joined.collect(engine="streaming")


DUCKDB = """
WITH spaced AS (
    SELECT ts, token, close, "group", lag(close) OVER series AS before, ts - lag(ts) OVER series AS since,
           coalesce(lead(ts) OVER series - ts, 2 * $step) AS until
    FROM rows WINDOW series AS (PARTITION BY token ORDER BY ts)
), traded AS (
    SELECT ts, "group", sum(greatest(least(ln(close / before), $clip), -$clip)) AS total, count(*) AS traded
    FROM spaced WHERE since <= 2 * $step GROUP BY ts, "group"
), silent AS (
    SELECT spaced.ts + $step AS ts, members."group", count(*) AS silent
    FROM spaced JOIN members ON members.token = spaced.token AND members.day = (spaced.ts + $step) // 86400
    WHERE until > $step AND ts < $end GROUP BY ALL
)
SELECT ts, "group", total / (traded + coalesce(silent, 0)) AS mean FROM traded LEFT JOIN silent USING (ts, "group")
"""


class DuckDB:
    """A database in memory that holds the rows already: it starts from its own storage, as Polars does."""

    def __init__(self, long: Long) -> None:
        import duckdb

        self.connection = duckdb.connect()
        ticks, frames = long.ticks, {"rows": long.rows, "members": long.members}
        for name, frame in frames.items():
            columns = {column: frame[column].to_numpy() for column in frame.columns}
            self.connection.register("given", columns)
            self.connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            self.connection.unregister("given")
        self.values = {"step": ticks.step_s, "clip": CLIP, "end": int(ticks.ts[-1])}

    def returns(self) -> pl.DataFrame:
        """One statement."""
        return pl.DataFrame(self.connection.execute(DUCKDB, self.values).fetchnumpy())


class Pandas:
    """A pandas frame sorted by token and time beforehand, so that a shift is a shift."""

    def __init__(self, long: Long) -> None:
        import pandas as pd

        self.step, self.end = long.ticks.step_s, int(long.ticks.ts[-1])
        by_token = long.rows.sort("token", "ts", maintain_order=True)
        self.rows = pd.DataFrame({name: by_token[name].to_numpy() for name in by_token.columns})
        self.members = pd.DataFrame({name: long.members[name].to_numpy() for name in long.members.columns})

    def returns(self) -> pl.DataFrame:
        """Shifts, masks, group-bys."""
        rows, step = self.rows, self.step
        same, next_same = (rows["token"] == rows["token"].shift(by) for by in (1, -1))
        since = (rows["ts"] - rows["ts"].shift(1)).where(same)
        until = (rows["ts"].shift(-1) - rows["ts"]).where(next_same, 2 * step)
        move = np.log(rows["close"] / rows["close"].shift(1)).clip(-CLIP, CLIP)
        fresh = rows[["ts", "group"]].assign(move=move)[since <= 2 * step]
        traded = fresh.groupby(["ts", "group"], sort=False)["move"].agg(["sum", "count"])
        silent = rows.loc[(until > step) & (rows["ts"] < self.end), ["ts", "token"]].assign(ts=lambda f: f["ts"] + step)
        silent = silent.assign(day=silent["ts"] // DAY_S).merge(self.members, on=["day", "token"])
        counts = silent.groupby(["ts", "group"], sort=False).size()
        used = traded["count"].add(counts.reindex(traded.index, fill_value=0))
        mean = (traded["sum"] / used).reset_index(name="mean")
        return pl.DataFrame({name: mean[name].to_numpy() for name in ("ts", "group", "mean")})
