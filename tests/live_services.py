"""The four services of a live market on one loopback port, with bars made from their times."""

from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.vocabulary.timeframe import Timeframe
from resources.live_config import LiveConfig, LiveSymbol, VenueSymbol
from resources.live_market import LiveMarket, open_live_market
from tests.loopback_api import QUICK, Asked, LoopbackApi, MovedTime, Reply, serving

NOW = datetime(2025, 7, 1, tzinfo=UTC)
HYPERLIQUID, BINANCE, GECKOTERMINAL, COINGECKO = "/info", "/fapi/v1/klines", "/networks", "/global"
POOLS, COINS = "/networks/eth/pools/multi", "/coins/markets"
PEPE = VenueSymbol(venue="geckoterminal", symbol="eth/0xpepe")
LISTED = LiveSymbol(token_contract="PEPE", chain="eth", venues=(PEPE,), coingecko_id="pepe")
KPEPE = VenueSymbol(venue="hyperliquid", symbol="kPEPE", coins=1000)


def seconds(at: datetime) -> int:
    return int(at.timestamp())


def price(at_s: int) -> float:
    """The minutes since 1970, so that no two bars are equal."""
    return at_s / 60


def opens_between(first_s: int, last_s: int, timeframe: Timeframe) -> list[int]:
    """Opens in [first, last], with the forming bar of NOW."""
    step = timeframe.minutes * 60
    return list(range(-(-first_s // step) * step, min(last_s, seconds(NOW)) + 1, step))


def hyperliquid(asked: Asked) -> Reply:
    wanted = asked.body["req"]
    frame = Timeframe(wanted["interval"])
    opens = opens_between(wanted["startTime"] // 1000, wanted["endTime"] // 1000, frame)
    return Reply([{"t": 1000 * at, "n": 3, "v": "2.0", **dict.fromkeys("ohlc", str(price(at)))} for at in opens])


def binance(asked: Asked) -> Reply:
    query = asked.query
    opens = opens_between(int(query["startTime"]) // 1000, int(query["endTime"]) // 1000, Timeframe(query["interval"]))
    return Reply([[1000 * at, *[str(price(at))] * 4, "2.0"] for at in opens[: int(query["limit"])]])


def geckoterminal(asked: Asked) -> Reply:
    unit = {"minute": "m", "hour": "h", "day": "d"}[asked.path.rpartition("/")[2]]
    before, limit = int(asked.query["before_timestamp"]), int(asked.query["limit"])
    frame = Timeframe(asked.query["aggregate"] + unit)
    opens = opens_between(before - limit * frame.minutes * 60, before - 1, frame)[-limit:]
    rows = [[at, *[price(at)] * 4, 500.0] for at in reversed(opens)]
    return Reply({"data": {"attributes": {"ohlcv_list": rows}}})


def coingecko(asked: Asked) -> Reply:
    at = seconds(NOW - timedelta(minutes=2))
    return Reply({"data": {"market_cap_percentage": {"btc": 60.0, "usdt": 5.0}, "updated_at": at}})


def pools(asked: Asked) -> Reply:
    """Pools as recorded, less what nobody reads: numbers are texts, and a new pool has no cap."""
    attributes = {
        "fdv_usd": "20565.77",
        "market_cap_usd": None,
        "reserve_in_usd": "4000.5",
        "volume_usd": {"h24": "77"},
    }
    addresses = asked.path.rpartition("/")[2].split(",")
    return Reply(
        {"data": [{"attributes": {"address": each.upper().replace("0X", "0x"), **attributes}} for each in addresses]}
    )


def coins(asked: Asked) -> Reply:
    """Coins as recorded, less what nobody reads; one nobody knows is left out."""
    at = (NOW - timedelta(minutes=3)).isoformat().replace("+00:00", "Z")
    values = {"market_cap": 4e9, "circulating_supply": 420e12, "fully_diluted_valuation": 5e9, "total_volume": 0}
    known = [each for each in asked.query["ids"].split(",") if each != "unknown"]
    return Reply([{"id": each, "symbol": each[:3], **values, "last_updated": at} for each in known])


class LiveServices:
    """Answers of the four; `broken` replaces those of some."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[Asked], Reply]] = {
            HYPERLIQUID: hyperliquid,
            BINANCE: binance,
            POOLS: pools,
            GECKOTERMINAL: geckoterminal,
            COINGECKO: coingecko,
            COINS: coins,
        }

    def __call__(self, asked: Asked) -> Reply:
        return next(answer for start, answer in self.answers.items() if asked.path.startswith(start))(asked)

    def broken(self, service: str, reply: Reply) -> None:
        self.answers[service] = lambda asked: reply


def major(symbol: str) -> LiveSymbol:
    """One with both venues."""
    venues = (
        VenueSymbol(venue="hyperliquid", symbol=symbol),
        VenueSymbol(venue="binance_usd_m", symbol=f"{symbol}USDT"),
    )
    return LiveSymbol(token_contract=symbol, chain="majors", venues=venues)


def market_of(api: LoopbackApi, time: MovedTime | None = None, **changed: Any) -> LiveMarket:
    """BTC, ETH and PEPE; hours of 240 days, which is more than Hyperliquid keeps, and quarters of an hour of 2."""
    settings: dict[str, Any] = {
        "majors": (major("BTC"), major("ETH")),
        "lowcaps": (LiveSymbol(token_contract="PEPE", chain="eth", venues=(PEPE,)),),
        "depth_days": {Timeframe.H1: 240, Timeframe.M15: 2},
    }
    services = ("hyperliquid", "binance_usd_m", "binance_spot", "geckoterminal", "coingecko")
    urls = {f"{service}_url": api.url for service in services}
    config = LiveConfig(**(settings | urls | changed))
    return open_live_market(config, lambda: NOW, stopwatch=(time or MovedTime()).stopwatch, limits=QUICK)


@contextmanager
def live_services():
    """Services and the port they answer on."""
    services = LiveServices()
    with serving(services) as api:
        yield services, api
