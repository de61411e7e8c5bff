"""Dominance and market caps from CoinGecko: `/global` and `/coins/markets`, current values only.

A figure is of its `updated_at`, which is up to some ten minutes old: two samples of one figure are one. History of
dominance is not to be had here; what was not sampled is missing. Limits: CoinGecko API documentation, "Rate limits".
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from pydantic import SecretStr

from domain.vocabulary.timeframe import Timeframe
from resources.candle_source import DOMINANCE_SCHEMA
from resources.http_client import Answer, HttpClient
from resources.source_error import SourceUnavailableError
from resources.venue_bar import instant, list_of, number, unexpected

URL = "https://api.coingecko.com/api/v3"
KEYLESS_CALLS_PER_MINUTE = 5
"""What an address without a key gets in practice."""
DEMO_CALLS_PER_MINUTE = 30
DEMO_KEY_HEADER = "x-cg-demo-api-key"
SOURCE = "coingecko_global"
CAP_SOURCE = "coingecko_markets"
PAGE_LIMIT = 250
SAMPLED_EVERY = Timeframe.M5
_SHARES = {"BTC.d": "btc", "USDT.d": "usdt"}
_FUTURE_TOLERANCE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)

CAP_SCHEMA: dict[str, pl.DataType] = {
    "coin_id": pl.String(),
    **{name: pl.Float64() for name in ("market_cap_usd", "circulating_supply", "fdv_usd", "volume_24h_usd")},
    "updated_at": pl.Datetime("us", "UTC"),
}
_CAP_FIELDS = ("market_cap", "circulating_supply", "fully_diluted_valuation", "total_volume")


def demo_key_header(key: SecretStr | None) -> Mapping[str, SecretStr]:
    """Headers of a Demo key; none without one."""
    return {} if key is None else {DEMO_KEY_HEADER: key}


@dataclass(frozen=True)
class CoinGecko:
    """What CoinGecko says of the whole market and of its coins.

    Attributes
    ----------
    max_age : timedelta
        Oldest figure taken for a current one.
    """

    client: HttpClient
    max_age: timedelta = timedelta(minutes=30)
    page_limit: int = PAGE_LIMIT

    def dominance(self, now: datetime) -> pl.DataFrame:
        """Sample the shares of BTC and USDT in the total market cap.

        Returns
        -------
        DataFrame
            Columns of `DOMINANCE_SCHEMA`, one row a metric, timestamp = updated_at. A share the answer lacks is no row.

        Raises
        ------
        SourceUnavailableError
            If the figure is older than `max_age`: an old one is not handed on as if it were current.
        SourceError
            If there is no answer, it has another shape, or it is from the future.
        """
        answer = self.client.get("/global")
        figures = _mapping(answer, answer.body, "data")
        at = instant(figures.get("updated_at"), _SECOND, answer)
        if at - now > _FUTURE_TOLERANCE:
            raise unexpected(answer, f"an updated_at not after {now.isoformat()}, was {at.isoformat()}")
        if now - at > self.max_age:
            raise SourceUnavailableError(
                f"{answer.url}: updated_at is {at.isoformat()}, older than {self.max_age} at {now.isoformat()}",
                url=answer.url,
                status=200,
            )
        shares = _mapping(answer, figures, "market_cap_percentage")
        rows = [
            (metric, at, SAMPLED_EVERY.value, _share(answer, shares[coin]), SOURCE)
            for metric, coin in _SHARES.items()
            if coin in shares
        ]
        return pl.DataFrame(rows, schema=DOMINANCE_SCHEMA, orient="row")

    def market_caps(self, coin_ids: Collection[str]) -> pl.DataFrame:
        """Read the size of the coins named, `page_limit` of them a call.

        Returns
        -------
        DataFrame
            Columns of `CAP_SCHEMA`, one row a coin, sorted by coin_id; of a coin it does not know, none. Values are as
            received: a cap of 0 is 0. What is no number is null, and so is an `updated_at` that is no instant.

        Raises
        ------
        SourceError
            If there is no answer, or it has another shape.
        """
        ids = sorted(set(coin_ids))
        rows = []
        for first in range(0, len(ids), self.page_limit):
            params: dict[str, str | int] = {
                "vs_currency": "usd",
                "ids": ",".join(ids[first : first + self.page_limit]),
                "per_page": self.page_limit,
                "page": 1,
            }
            answer = self.client.get("/coins/markets", params)
            rows += [_cap(coin, answer) for coin in list_of(answer, answer.body, "a list of coins")]
        found = pl.DataFrame(rows, schema=CAP_SCHEMA, orient="row").sort("coin_id", "updated_at", nulls_last=False)
        return found.unique("coin_id", keep="last", maintain_order=True)


def _share(answer: Answer, value: object) -> float:
    share = number(value)
    if share is None:
        raise unexpected(answer, f"a percentage, was {repr(value)[:80]}")
    return share


def _mapping(answer: Answer, node: Any, name: str) -> dict[str, Any]:
    found = node.get(name) if isinstance(node, dict) else None
    if not isinstance(found, dict):
        raise unexpected(answer, f"an object {name!r}, was {repr(found)[:80]}")
    return found


def _cap(coin: object, answer: Answer) -> tuple[str | float | datetime | None, ...]:
    if not isinstance(coin, dict) or not isinstance(coin.get("id"), str):
        raise unexpected(answer, f"coins with an id, was {repr(coin)[:80]}")
    return coin["id"], *(number(coin.get(name)) for name in _CAP_FIELDS), _updated_at(coin.get("last_updated"))


def _updated_at(text: object) -> datetime | None:
    """ISO instant with an offset; None for anything else, as a cap without an age is not trusted downstream."""
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
