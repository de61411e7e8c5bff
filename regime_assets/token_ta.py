"""Indicators of the tagged tokens, bar by bar: EMAs, slopes, ATR, ADX, RSI, separations, volume.

Reads the bars of the low-caps (1m, 15m, 1h, 4h) from the first day a token had a tag other than xl; from then on it is
followed for good, so that a day without a tag leaves no hole. Minutes are made of the last days only. Fresh within the
hour.
"""

import dagster as dg
import polars as pl

from regime_assets.chain_asset import ChainTable, Work
from regime_assets.followed_token import BARS, KEY, TAGS, Following
from regime_assets.uptrend_series import SeriesTables
from resources.inline_check import InlineCheck

INDICATORS = "regime.token_ta"
TOKENS = SeriesTables(BARS, INDICATORS, KEY)
CHECK = "check_one_indicator_row_per_followed_bar"


def publish(work: Work) -> dg.MaterializeResult:
    following = Following.of(work)
    bars = following.bars(TOKENS.window_bars(work))
    frame = TOKENS.indicator_rows(work, bars, made_from=following.made_from(work.window.start))
    return following.replace(
        work,
        frame,
        values={CHECK: (following.minutes_from, ",".join(following.timeframes))},
        metadata={
            "tokens_followed": following.tokens.height,
            "tokens_with_bars": bars.select("token_contract", "chain").n_unique(),
            "bars_below_warm_up": frame.filter(pl.col("bars_count") < work.config.regime.uptrend.min_bars).height,
        },
    )


SPEC = ChainTable(
    table=INDICATORS,
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(BARS, TAGS),
    kinds=frozenset({"postgres", "polars", "numba"}),
    checks=(
        InlineCheck(
            "one_row_per_followed_bar",
            CHECK,
            "A tagged token without indicators cannot be traded; one with those of another bar must not be.",
        ),
    ),
)
