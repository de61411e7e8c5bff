from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from domain.config.bar import BarConfig
from domain.regime.bar_load import load_bars
from domain.regime.bar_quarantine import RAW_SCHEMA
from domain.regime.bar_replay import printed, replayed
from domain.vocabulary.window import Window

AT = datetime(2025, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = Window(AT, AT + 24 * HOUR)


def bars(closes: dict[int, float], source: str = "venue", token: str = "a") -> pl.DataFrame:
    rows = [(token, "x", "1h", AT + hour * HOUR, *[close] * 4, 1.0, source) for hour, close in closes.items()]
    return pl.DataFrame(rows, schema=RAW_SCHEMA, orient="row")


def test_roll_ups_were_not_printed():
    assert printed(pl.concat([bars({0: 1.0}), bars({1: 1.0}, "rollup:1m")]))["source"].to_list() == ["venue"]


def test_a_known_bar_comes_once_and_gives_way_to_the_one_that_is_offered():
    stored, refused = bars({0: 1.0, 1: 1.0}), bars({1: 50.0, 2: 50.0, 3: 50.0})
    told_again = pl.concat([refused, bars({2: 60.0})])

    found = replayed(stored, told_again, bars({0: 1.1, 3: 1.2}))

    assert_frame_equal(found, bars({1: 1.0, 2: 60.0}), check_row_order=False)


LOAD = {"window": DAY, "config": BarConfig(unit_step_min_tokens=2)}
UTC_US = pl.Datetime("us", "UTC")
NO_STORED = pl.DataFrame(schema={**RAW_SCHEMA, "coverage": pl.Float64, "partial": pl.Boolean, "known_at": UTC_US})
NO_CLOSE = pl.DataFrame(
    schema={name: RAW_SCHEMA[name] for name in ("token_contract", "chain", "timeframe", "timestamp", "close_usd")}
)


def feed(seed: int) -> pl.DataFrame:
    """Three tokens over a day: jumps, a step of unit that fades, and bars that come late."""
    rng = np.random.default_rng(seed)
    frames = []
    for token in "abc":
        close = 10 * np.exp(np.cumsum(rng.normal(0, 0.4, 24)))
        close[rng.random(24) < 0.08] *= 40
        first, last = sorted(rng.integers(0, 24, 2))
        close[first:last] *= np.linspace(9, 4, last - first)
        frames.append(bars(dict(enumerate(close.tolist())), token=token))
    return pl.concat(frames)


def contradicted(seed: int) -> pl.DataFrame:
    """A feed of which every third hour comes twice, one of the two rows in another unit."""
    rows = feed(seed)
    prices = [pl.col(name) * 7.0 for name in ("open_usd", "high_usd", "low_usd", "close_usd")]
    return pl.concat([rows, rows.sample(fraction=0.35, seed=seed).with_columns(prices)])


@pytest.mark.parametrize("rows", [*map(feed, range(12)), *map(contradicted, range(12))])
def test_a_load_in_pieces_gives_what_one_load_of_all_gives(rows):
    whole = load_bars(rows, NO_STORED, NO_CLOSE, as_of=DAY.end, **LOAD)

    stored, refused = NO_STORED, rows.clear()
    for hour in range(0, 24, 3):
        start, end = AT + hour * HOUR, AT + (hour + 3) * HOUR
        piece = rows.filter(pl.col("timestamp").is_between(start, end, closed="left"))
        raw = pl.concat([piece, replayed(stored, refused, piece)])
        load = load_bars(raw, stored, NO_CLOSE, as_of=end, **LOAD)
        stored = load.rows
        jumps = load.quarantined.filter(pl.col("reason").is_in(["unit_step", "price_jump"]))
        refused = pl.concat([refused, jumps.select(*RAW_SCHEMA)]).unique(maintain_order=True)

    assert 0 < whole.quarantined.height < rows.height
    assert_frame_equal(stored.drop("known_at"), whole.rows.drop("known_at"))
    assert refused.height == whole.quarantined.filter(pl.col("reason") != "revision_conflict").height
