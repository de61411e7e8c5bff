"""Who belongs together: a grouping puts the tagged tokens of a day into the buckets of the vocabulary.

The words of the buckets stand in tables, scopes and lessons, and stay; a grouping says what they mean. By cap they mean
what they say. Each of the five regime buckets has a driver, phases, and A and E; xl is counted and shown only.

What belongs here: the port, the grouping by cap, the twin in memory, and what is refused of any of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import polars as pl

from domain.regime.token_cap_bucket import TOKEN
from domain.vocabulary.cap_bucket import CapBucket

BUCKETS = frozenset(bucket.value for bucket in CapBucket)


class GroupingError(ValueError):
    """A grouping answered what cannot be; the message says what."""


class Grouping(Protocol):
    """Puts tokens into groups. The same question has the same answer whenever it is asked."""

    @property
    def name(self) -> str:
        """Short name, which stands with what was made."""
        ...

    def buckets(self, tokens: pl.DataFrame, *, day: date) -> pl.DataFrame:
        """Bucket of each token from the midnight that ends a day.

        Parameters
        ----------
        tokens : DataFrame
            Tokens with a usable cap, a row each: token_contract, chain, market_cap_usd, circulating_supply,
            volume_24h_usd, liquidity_usd as known at the end of the day (null when unknown), and bucket, by cap.
        day : date
            UTC day whose end they are known at. Nothing later may be looked at.

        Returns
        -------
        DataFrame
            token_contract, chain, bucket: at most one row a token, a bucket of `CapBucket`, none for a token that
            belongs nowhere.
        """
        ...


@dataclass(frozen=True)
class CapGrouping:
    """By market cap, as `token_cap_bucket` tags them."""

    name: str = "cap"

    def buckets(self, tokens: pl.DataFrame, *, day: date) -> pl.DataFrame:
        """Keep the bucket by cap."""
        return tokens.select(*TOKEN, "bucket")


@dataclass(frozen=True)
class MemoryGrouping:
    """By a table that is given, contract and chain to bucket; others belong nowhere."""

    of: Mapping[tuple[str, str], CapBucket]
    name: str = "memory"

    def buckets(self, tokens: pl.DataFrame, *, day: date) -> pl.DataFrame:
        """Look every token up."""
        rows = [(*token, self.of[token].value) for token in tokens.select(*TOKEN).iter_rows() if token in self.of]
        return pl.DataFrame(rows, schema=dict.fromkeys((*TOKEN, "bucket"), pl.String), orient="row")


def grouped(tokens: pl.DataFrame, grouping: Grouping, *, day: date) -> pl.DataFrame:
    """Return the tokens that belong somewhere, with the bucket the grouping gives them.

    Parameters
    ----------
    tokens : DataFrame
        As `Grouping.buckets` takes them, and any other column; token_contract and chain are unique.

    Raises
    ------
    GroupingError
        If the answer lacks a column, names a token twice or one that was not asked for, or a bucket that is none.
    """
    asked = ("market_cap_usd", "circulating_supply", "volume_24h_usd", "liquidity_usd", "bucket")
    answer = grouping.buckets(tokens.select(*TOKEN, *asked), day=day)
    missing = [name for name in (*TOKEN, "bucket") if name not in answer.columns]
    if missing:
        raise GroupingError(f"Grouping {grouping.name}: expected {[*TOKEN, 'bucket']}, without {missing}")
    rows = answer.select(*TOKEN, "bucket").cast(pl.String)
    known = set(rows["bucket"].to_list())
    if not known <= BUCKETS:
        raise GroupingError(f"Grouping {grouping.name}: expected {sorted(BUCKETS)}, was also {known - BUCKETS}")
    if rows.select(*TOKEN).is_duplicated().any():
        raise GroupingError(f"Grouping {grouping.name}: a token belongs to one bucket, one was named twice")
    if (strange := rows.join(tokens, on=TOKEN, how="anti")).height:
        raise GroupingError(f"Grouping {grouping.name}: {strange.height} tokens were not asked for: {strange.row(0)}")
    return tokens.drop("bucket").join(rows, on=TOKEN, how="inner").select(tokens.columns)
