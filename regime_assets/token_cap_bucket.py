"""Cap bucket of each token on each day: nano, micro, mid, big, large or xl.

Reads the caps of the day before. A cap must pass an edge by 10 % to change the bucket; a tag expires 48 hours after its
cap was read. A token without a usable cap has no tag and is counted by reason. Made each midnight.
"""

import os

import dagster as dg
import polars as pl

from domain.regime.daily_tag import DAY, daily_tags
from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.window import Window
from regime_assets.chain_asset import ChainTable, Work
from resources.inline_check import InlineCheck
from resources.named_grouping import read_grouping

METADATA = "regime.token_metadata"


def publish(work: Work) -> dg.MaterializeResult:
    grouping = read_grouping(os.environ)
    made = daily_tags(
        work.tables.read(METADATA, work.window, DAY),
        work.tables.read(work.table, Window(work.window.start - DAY, work.window.start)),
        midnights=work.midnights,
        config=work.config.regime.cap_bucket,
        grouping=grouping,
    )
    moved = made.tags.filter(
        (pl.col("bucket_since") == pl.col("timestamp")) & (pl.col("timestamp") > work.window.start)
    )
    return work.replace(
        made.tags,
        metadata={
            "members": dict(made.tags.group_by("bucket").len().sort("bucket").iter_rows()),
            "unknown_by_reason": dict(made.unknown.group_by("reason").len().sort("reason").iter_rows()),
            "tokens_that_changed_bucket": moved.height,
            "grouping": grouping.name,
            "tokens_in_no_group": made.ungrouped.height,
        },
    )


SPEC = ChainTable(
    table="regime.token_cap_bucket",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(METADATA,),
    shortest=Timeframe.D1,
    checks=(
        InlineCheck(
            "tags_are_fresh", "check_tags_are_fresh", "A token that stops reporting once kept its tag for ever."
        ),
        InlineCheck(
            "tags_knew_no_future",
            "check_tags_knew_no_future",
            "A tag stands on a cap that was read before its midnight.",
        ),
    ),
)
