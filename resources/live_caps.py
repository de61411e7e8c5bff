"""What live sources know of the size of tokens: CoinGecko by coin, GeckoTerminal by pool.

What belongs here: who is asked for which token, and how the two are one reading. What does not: whether a cap can be
used, and how often anybody is asked.
"""

from collections.abc import Iterable
from datetime import datetime

import polars as pl

from resources import coingecko, geckoterminal
from resources.candle_source import MARKET_CAP_SCHEMA
from resources.coingecko import CAP_SCHEMA, CoinGecko
from resources.geckoterminal import POOL_SCHEMA, GeckoTerminal
from resources.live_config import LiveSymbol
from resources.live_load import LiveCounts
from resources.source_error import SourceError

CAPS = "market caps"
"""What is counted as not had when a service does not answer."""

_TOKEN = ("token_contract", "chain")


def ask_coins(symbols: Iterable[LiveSymbol], gecko: CoinGecko, counts: LiveCounts) -> pl.DataFrame | None:
    """Coins of the symbols that name one: `CAP_SCHEMA`; None, logged and counted, without an answer.

    A coin it does not know, or gives no instant for, is no row and counted.
    """
    asked = {each.coingecko_id for each in symbols if each.coingecko_id is not None}
    if not asked:
        return pl.DataFrame(schema=CAP_SCHEMA)
    counts.asked[coingecko.CAP_SOURCE] += 1
    try:
        found = gecko.market_caps(asked).drop_nulls("updated_at")
    except SourceError as error:
        counts.fail(coingecko.CAP_SOURCE, CAPS, error)
        return None
    counts.failed.update((coingecko.CAP_SOURCE, coin) for coin in asked - set(found["coin_id"]))
    return found


def ask_pools(
    symbols: Iterable[LiveSymbol], terminal: GeckoTerminal, now: datetime, counts: LiveCounts
) -> pl.DataFrame | None:
    """First pools of the symbols that have one: `POOL_SCHEMA`; None, logged and counted, without an answer.

    A pool it does not know is no row and counted.
    """
    asked = {pool for each in symbols if (pool := _first_pool(each)) is not None}
    if not asked:
        return pl.DataFrame(schema=POOL_SCHEMA)
    counts.asked[geckoterminal.CAP_SOURCE] += 1
    try:
        found = terminal.pools(asked, now=now)
    except SourceError as error:
        counts.fail(geckoterminal.CAP_SOURCE, CAPS, error)
        return None
    counts.failed.update((geckoterminal.CAP_SOURCE, pool) for pool in asked - set(found["pool"]))
    return found


def readings(symbols: Iterable[LiveSymbol], coins: pl.DataFrame, pools: pl.DataFrame) -> pl.DataFrame:
    """One reading of each token that CoinGecko or its pool knows.

    A token that CoinGecko knows has its cap, supply, FDV and volume, of its `last_updated`, and beside them the
    liquidity of the token's first pool. Any other token has what its pool says: on a new pool an FDV and no cap.

    Parameters
    ----------
    coins, pools : DataFrame
        `CAP_SCHEMA` and `POOL_SCHEMA`.

    Returns
    -------
    DataFrame
        Columns of `MARKET_CAP_SCHEMA`, sorted by token.
    """
    names = pl.DataFrame(
        [(each.token_contract, each.chain, each.coingecko_id, _first_pool(each)) for each in symbols],
        schema={**dict.fromkeys(_TOKEN, pl.String), "coin_id": pl.String, "pool": pl.String},
        orient="row",
    )
    by_pool = names.join(pools, on="pool")
    liquidity = by_pool.select(*_TOKEN, "liquidity_usd")
    by_coin = names.join(coins, on="coin_id").join(liquidity, on=list(_TOKEN), how="left")
    found = [
        by_coin.with_columns(source=pl.lit(coingecko.CAP_SOURCE)),
        by_pool.join(by_coin, on=list(_TOKEN), how="anti").with_columns(
            source=pl.lit(geckoterminal.CAP_SOURCE), circulating_supply=pl.lit(None, pl.Float64)
        ),
    ]
    return pl.concat(each.rename({"updated_at": "timestamp"}).select(*MARKET_CAP_SCHEMA) for each in found).sort(_TOKEN)


def _first_pool(symbol: LiveSymbol) -> str | None:
    return next((each.symbol for each in symbol.venues if each.venue == "geckoterminal"), None)
