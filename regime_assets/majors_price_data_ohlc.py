"""Bars of BTC, ETH, SOL, BNB and HYPE: as the venue printed them, rolled up where it did not.

Reads the market's source. Prices in USD, every timeframe from 1m to 1d, closed bars only. A bar that breaks a rule
goes to regime.bar_quarantine with its reason and reaches no roll-up. Fresh within the hour.
"""

import dagster as dg

from domain.vocabulary.universe import Universe
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.raw_bar import publish_bars
from resources.inline_check import InlineCheck


def publish(work: Work) -> dg.MaterializeResult:
    return publish_bars(work, Universe.MAJORS)


SPEC = ChainTable(
    table="regime.majors_price_data_ohlc",
    publish=publish,
    code_version="2",
    description=__doc__,
    checks=(
        InlineCheck(
            "bars_had_closed", "check_majors_bars_had_closed", "A bar that is still forming would be seen too early."
        ),
    ),
)
