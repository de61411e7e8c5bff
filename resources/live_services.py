"""The services of a live market, joined from its configuration; nobody is asked yet.

What belongs here: base URLs, rates, limits, the key. What does not: what is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import SecretStr

from resources import binance, coingecko, geckoterminal, hyperliquid
from resources.coingecko import CoinGecko
from resources.geckoterminal import GeckoTerminal
from resources.http_client import CallLimits, HttpClient
from resources.live_config import LiveConfig, VenueName
from resources.rate_limit import RateLimit, Stopwatch
from resources.venue_bar import CandleVenue


@dataclass(frozen=True)
class LiveServices:
    """Everybody a live market asks.

    Attributes
    ----------
    venues : mapping of VenueName to CandleVenue
        In order of trust.
    hurried : mapping of VenueName to CandleVenue
        The same venues and rates with the limits of `hurried_limits`.
    coingecko, geckoterminal
        Who is asked for figures, hurried too: a figure that is not had is asked for again a minute later.
    """

    venues: Mapping[VenueName, CandleVenue]
    hurried: Mapping[VenueName, CandleVenue]
    coingecko: CoinGecko
    geckoterminal: GeckoTerminal
    stopwatch: Stopwatch


def hurried_limits(limits: CallLimits) -> CallLimits:
    """Limits of a call that must not hold up a minute: two tries within five seconds.

    >>> hurried_limits(CallLimits(attempt_timeout_s=0.5)).attempt_timeout_s
    0.5
    """
    return replace(
        limits,
        attempts=min(limits.attempts, 2),
        attempt_timeout_s=min(limits.attempt_timeout_s, 5.0),
        budget_s=min(limits.budget_s, 5.0),
    )


def open_services(
    config: LiveConfig, *, stopwatch: Stopwatch | None = None, limits: CallLimits | None = None
) -> LiveServices:
    """Make the clients of a configuration.

    Raises
    ------
    ValueError
        If a base URL holds a user, a password or a query, or a key is no header value; the message repeats neither.
    """
    time, usual = stopwatch or Stopwatch(), limits or CallLimits()

    def client(
        url: str, per_minute: int, limits: CallLimits, secrets: Mapping[str, SecretStr] | None = None
    ) -> HttpClient:
        return HttpClient(url, RateLimit(per_minute, time), secrets or {}, limits)

    clients: dict[VenueName, HttpClient] = {
        "hyperliquid": client(config.hyperliquid_url, hyperliquid.WEIGHT_PER_MINUTE, usual),
        "binance_usd_m": client(config.binance_usd_m_url, binance.USD_M_WEIGHT_PER_MINUTE, usual),
        "binance_spot": client(config.binance_spot_url, binance.SPOT_WEIGHT_PER_MINUTE, usual),
        "geckoterminal": client(
            config.geckoterminal_url, geckoterminal.BAR_CALLS_PER_MINUTE, limits or geckoterminal.PATIENT
        ),
    }
    key, hurried = config.coingecko_demo_key, hurried_limits(usual)
    per_minute = coingecko.DEMO_CALLS_PER_MINUTE if key else coingecko.KEYLESS_CALLS_PER_MINUTE
    return LiveServices(
        venues=_venues(clients),
        hurried=_venues({name: replace(each, limits=hurried_limits(each.limits)) for name, each in clients.items()}),
        coingecko=CoinGecko(client(config.coingecko_url, per_minute, hurried, coingecko.demo_key_header(key))),
        geckoterminal=GeckoTerminal(client(config.geckoterminal_url, geckoterminal.POOL_CALLS_PER_MINUTE, hurried)),
        stopwatch=time,
    )


def _venues(clients: Mapping[VenueName, HttpClient]) -> dict[VenueName, CandleVenue]:
    return {
        "hyperliquid": hyperliquid.Hyperliquid(clients["hyperliquid"]),
        "binance_usd_m": binance.Binance(clients["binance_usd_m"], binance.USD_M),
        "binance_spot": binance.Binance(clients["binance_spot"], binance.SPOT),
        "geckoterminal": geckoterminal.GeckoTerminal(clients["geckoterminal"]),
    }
