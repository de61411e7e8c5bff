"""A real month of two thousand coins: which caps can be used, and which buckets they make."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from domain.config.cap_bucket import CapBucketConfig
from domain.regime.daily_tag import DAILY_TAG_SCHEMA, daily_tags
from domain.regime.token_metadata import METADATA_SCHEMA, bar_lookback, token_metadata
from domain.vocabulary.universe import Universe
from domain.vocabulary.window import Window
from resources.candle_files import CandleFiles

CONFIG = CapBucketConfig()
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def may_2021(shared_data) -> pl.DataFrame:
    window = Window(datetime(2021, 5, 1, tzinfo=UTC), datetime(2021, 6, 1, tzinfo=UTC))
    archive = CandleFiles(shared_data)
    return token_metadata(
        archive.market_caps(window.start, window.end),
        pl.DataFrame(schema=METADATA_SCHEMA),
        archive.candles(Universe.LOWCAP, window.start - bar_lookback(CONFIG), window.end),
        window=window,
        as_of=window.end,
        volume_units={terms.source: terms.volume_unit for terms in archive.terms},
        config=CONFIG,
    )


@pytest.mark.real_data
def test_a_real_month_has_caps_that_are_ok_and_caps_that_are_unknown(may_2021):
    coins = may_2021.filter(chain="coingecko").group_by("cap_status").len()
    perpetuals = may_2021.filter(chain="binance_um")["cap_status"].unique().to_list()

    assert dict(coins.rows()) == {"ok": 44438, "zero": 6295}
    assert perpetuals == ["missing"]  # supplies are known, but nothing traded there yet


@pytest.mark.real_data
def test_a_real_day_tags_coins_of_every_size(may_2021):
    midnights = [datetime(2021, 5, 2, tzinfo=UTC) + i * DAY for i in range(14)]
    tags = daily_tags(may_2021, pl.DataFrame(schema=DAILY_TAG_SCHEMA), midnights=midnights, config=CONFIG).tags

    counts = tags.filter(pl.col("timestamp") == midnights[-1]).group_by("bucket").len()
    assert dict(counts.rows()) == {"nano": 1, "micro": 261, "mid": 648, "big": 381, "large": 37, "xl": 91}
