"""Dominance of BTC and USDT as sampled: percent of the total market cap.

Reads the market's source, every five minutes where it is live. A value outside 0..100 goes to regime.bar_quarantine.
"""

import dagster as dg

from domain.regime.bar_load import load_samples
from regime_assets.chain_asset import ChainTable, Work
from regime_assets.raw_bar import publish_load, require_one_market
from resources.inline_check import InlineCheck


def publish(work: Work) -> dg.MaterializeResult:
    raw = work.market.dominance(work.window.start, work.usable_end)
    stored = work.tables.read(work.table, work.window).drop("run_id", "computed_at", "code_version")
    require_one_market(work, stored["source"])
    load = load_samples(raw, stored.select(*raw.columns, "known_at"), as_of=work.as_of)
    return publish_load(work, load, load.rows)


SPEC = ChainTable(
    table="regime.dominance_sample",
    publish=publish,
    code_version="1",
    description=__doc__,
    checks=(
        InlineCheck(
            "samples_were_taken",
            "check_dominance_samples_were_taken",
            "A sample from the future would be seen too early.",
        ),
    ),
)
