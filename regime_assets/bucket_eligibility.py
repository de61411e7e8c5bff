"""Whether each cap bucket is fit to be scored on a day: members, their median volume, and why not.

Reads the tags of the day. Below 8 members, or below the configured volume, a bucket is skipped: it has no phase, no
rank and no part in the composite. xl is counted and shown but never eligible. Made each midnight.
"""

import dagster as dg
import polars as pl

from domain.regime.bucket_eligibility import group_eligibility
from domain.vocabulary.timeframe import Timeframe
from regime_assets.chain_asset import ChainTable, Work
from resources.inline_check import InlineCheck

TAGS = "regime.token_cap_bucket"


def publish(work: Work) -> dg.MaterializeResult:
    rows = group_eligibility(
        work.tables.read(TAGS, work.window), midnights=work.midnights, config=work.config.regime.cap_bucket
    )
    skipped = rows.filter(~pl.col("is_eligible")).group_by("bucket", "reason").len().sort("bucket", "reason")
    return work.replace(
        rows,
        metadata={
            "eligible_days": dict(rows.group_by("bucket").agg(pl.col("is_eligible").sum()).sort("bucket").iter_rows()),
            "skipped_days_by_reason": {f"{bucket} {reason}": days for bucket, reason, days in skipped.iter_rows()},
        },
    )


SPEC = ChainTable(
    table="regime.bucket_eligibility",
    publish=publish,
    code_version="1",
    description=__doc__,
    reads=(TAGS,),
    shortest=Timeframe.D1,
    checks=(
        InlineCheck(
            "members_are_those_tagged",
            "check_members_are_those_tagged",
            "A bucket is counted by the tags of the day, all of them and no other.",
        ),
    ),
)
