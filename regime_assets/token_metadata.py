"""What is known of each low-cap token on each day: market cap, supply, volume, liquidity. The last reading of the day.

Reads the market's source and the low-cap bars. Where the source has a supply but no cap, the cap is supply times the
last close; where it has no volume, that of the last 24 hours of bars. `cap_status` says whether the cap can be used. A
past day whose source has forgotten it keeps what was stored. Fresh within the hour.
"""

from datetime import datetime

import dagster as dg
import polars as pl

from domain.regime.token_metadata import METADATA_SCHEMA, bar_lookback, token_metadata
from domain.vocabulary.timeframe import Timeframe
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.raw_bar import require_one_market
from resources.inline_check import InlineCheck
from resources.live_offer import IncrementalSource

BARS = "regime.lowcap_price_data_ohlc"


def publish(work: Work) -> dg.MaterializeResult:
    config = work.config.regime.cap_bucket
    stored = work.tables.read(work.table, work.window)
    require_one_market(work, stored["source"])
    if not work.midnights:  # a window within a day: its row stands at a midnight before
        return work.replace(stored.select(*METADATA_SCHEMA))
    first = work.midnights[0]
    readings = work.market.market_caps(first, work.usable_end)
    frame = token_metadata(
        readings,
        stored,
        _printed_bars(work, first - bar_lookback(config)),
        window=work.window,
        as_of=work.as_of,
        volume_units={terms.source: terms.volume_unit for terms in work.market.terms},
        config=config,
    )
    told = work.market.report() if isinstance(work.market, IncrementalSource) else {}
    return work.replace(frame, metadata={"readings": readings.height, **_counts(frame), **told})


def _printed_bars(work: Work, start: datetime) -> pl.DataFrame:
    """Hours and days of the low-caps, the source of a roll-up being who printed its day's first part."""
    asked = (start, work.window.end)
    bars = work.tables.query("bars_for_token_metadata", asked)
    printers = work.tables.query("printers_of_roll_ups", asked)
    joined = bars.join(printers, on=["token_contract", "chain", "source", "opened_on"], how="left")
    return joined.with_columns(source=pl.coalesce("printed_by", "source")).drop("opened_on", "printed_by")


def _counts(frame: pl.DataFrame) -> dict[str, dict[str, int]]:
    """Rows by status, and by basis of their cap; those without a cap have no basis."""
    return {
        f"rows_by_{name}": dict(frame[name].drop_nulls().value_counts().sort(name).iter_rows())
        for name in ("cap_status", "market_cap_basis")
    }


SPEC = ChainTable(
    table="regime.token_metadata",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(BARS,),
    shortest=Timeframe.D1,
    checks=(
        InlineCheck(
            "readings_lie_in_their_day",
            "check_readings_lie_in_their_day",
            "A cap read later than its day would be seen too early; an older one would look fresh.",
        ),
        InlineCheck(
            "cap_status_fits_the_cap",
            "check_cap_status_fits_the_cap",
            "A missing, zero or NaN cap that passes for a good one puts its token into a bucket by chance.",
        ),
    ),
)
