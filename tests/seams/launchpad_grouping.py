"""A stranger's grouping: tokens by the launchpad they came from. Uses public names only.

    LOWCAP_GROUPING=launchpad_grouping:open_launchpads LAUNCHPADS=/data/launchpads.csv

The file holds token_contract,chain,launchpad. The buckets keep their names: a launchpad is given one of them here.
"""

import os
from datetime import date
from pathlib import Path

import polars as pl

from domain.vocabulary.cap_bucket import CapBucket

BUCKET_OF = {"pump": CapBucket.NANO, "bonk": CapBucket.MICRO, "moonshot": CapBucket.MID, "four": CapBucket.BIG}
"""Of a fifth one, LARGE; tokens of none belong nowhere."""


class LaunchpadGrouping:
    """By launchpad, which a token never changes."""

    name = "launchpad"

    def __init__(self, file: Path) -> None:
        words = {name: bucket.value for name, bucket in BUCKET_OF.items()}
        listed = pl.read_csv(file, schema_overrides=dict.fromkeys(("token_contract", "chain", "launchpad"), pl.String))
        self._listed = listed.select(
            "token_contract",
            "chain",
            bucket=pl.col("launchpad").replace_strict(words, default=CapBucket.LARGE.value, return_dtype=pl.String),
        )

    def buckets(self, tokens: pl.DataFrame, *, day: date) -> pl.DataFrame:
        return tokens.select("token_contract", "chain").join(self._listed, on=["token_contract", "chain"])


def open_launchpads() -> LaunchpadGrouping:
    """What LOWCAP_GROUPING names."""
    return LaunchpadGrouping(Path(os.environ["LAUNCHPADS"]))
