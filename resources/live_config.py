"""What a live market consists of: symbols, the venues each is traded at, how far back, and where the services are.

What belongs here: the declaration. What does not: reading it from a file or the environment, and asking anybody.
"""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, Field, PositiveFloat, PositiveInt, SecretStr, model_validator

from domain.vocabulary.timeframe import Timeframe
from domain.vocabulary.universe import MAJORS
from resources import binance, coingecko, geckoterminal, hyperliquid

VenueName = Literal["hyperliquid", "binance_usd_m", "binance_spot", "geckoterminal"]
Name = Annotated[str, Field(min_length=1)]
MAJORS_CHAIN = "majors"
"""Chain of every major: a symbol has one series, whichever venue printed it."""


class VenueSymbol(BaseModel, frozen=True, extra="forbid"):
    """What one venue calls a symbol."""

    venue: VenueName
    symbol: Name = Field(description='As the venue writes it; for geckoterminal "network/pool address".')
    coins: PositiveFloat = Field(
        default=1.0, description="Coins of which the venue's price is: 1000 for kPEPE or 1000PEPEUSDT."
    )
    listed_at: AwareDatetime | None = Field(
        default=None, description="The venue is asked for nothing before; an earlier bar comes from the next venue."
    )
    opens_anew: bool = Field(
        default=False,
        description="Whether it may continue a series without a bar to compare: a pool that opened as another closed.",
    )

    @model_validator(mode="after")
    def _names_a_pool(self) -> "VenueSymbol":
        network, _, pool = self.symbol.partition("/")
        if self.venue == "geckoterminal" and not (network and pool):
            raise ValueError(f'a geckoterminal symbol must be "network/pool address", was {self.symbol!r}')
        return self

    @property
    def source(self) -> str:
        """Value of the candles' `source` column: another pool, contract or unit is another source.

        >>> VenueSymbol(venue="hyperliquid", symbol="kPEPE", coins=1000).source
        'hyperliquid:kPEPE/1000'
        """
        unit = "" if self.coins == 1.0 else f"/{self.coins:g}"
        return f"{self.venue}:{self.symbol}{unit}"


class LiveSymbol(BaseModel, frozen=True, extra="forbid"):
    """One token and its venues; the first is trusted most."""

    token_contract: Name
    chain: Name
    venues: tuple[VenueSymbol, ...] = Field(min_length=1)
    coingecko_id: Name | None = Field(
        default=None, description="What CoinGecko calls it; without one, caps are those of its first pool."
    )


def _majors() -> tuple[LiveSymbol, ...]:
    """Perpetuals of Hyperliquid, then those of Binance: both are perpetuals, and HYPE has no spot pair at Binance."""
    return tuple(
        LiveSymbol(
            token_contract=symbol,
            chain=MAJORS_CHAIN,
            venues=(
                VenueSymbol(venue="hyperliquid", symbol=symbol),
                VenueSymbol(venue="binance_usd_m", symbol=f"{symbol}USDT"),
            ),
        )
        for symbol in MAJORS
    )


class LiveConfig(BaseModel, frozen=True, extra="forbid"):
    """A live market. Without low-caps it has majors and dominance only."""

    majors: tuple[LiveSymbol, ...] = Field(default_factory=_majors)
    lowcaps: tuple[LiveSymbol, ...] = ()
    depth_days: dict[Timeframe, PositiveInt] = Field(
        default={Timeframe.M1: 3, Timeframe.H1: 60, Timeframe.D1: 400},
        min_length=1,
        description="Native timeframes and days each is asked for: micro needs 333 minutes, meso hours, macro days. "
        "Hyperliquid keeps 3.5 days of minutes.",
    )
    recheck_hours: float = Field(
        default=0.5,
        gt=0,
        le=48,
        description="How long after its close a bar that did not come is asked for again every minute; whole days ask "
        "for all that is missing each time they are made.",
    )
    max_splice_ratio: float = Field(
        default=1.25,
        gt=1,
        le=5,
        description="Largest ratio of the closes of two sources of one series; units differ by x5 and more, pools of "
        "one token by a few percent.",
    )
    minute_budget_s: float = Field(
        default=8.0,
        gt=0,
        le=30,
        description="Seconds after which a load of the last minutes asks no further series; they come first in the "
        "next. A sensor has a minute for four such loads and the chain.",
    )
    dominance_minutes: PositiveInt = Field(
        default=6,
        le=15,
        description="Fewest minutes between two questions for dominance; a Demo key has 10,000 a month.",
    )
    cap_minutes: PositiveInt = Field(
        default=120, le=1440, description="Fewest minutes between two questions for market caps."
    )
    coingecko_demo_key: SecretStr | None = Field(default=None, description="Without it some 5 calls a minute.")
    hyperliquid_url: Name = hyperliquid.URL
    binance_usd_m_url: Name = binance.USD_M_URL
    binance_spot_url: Name = binance.SPOT_URL
    geckoterminal_url: Name = geckoterminal.URL
    coingecko_url: Name = coingecko.URL

    @model_validator(mode="after")
    def _has_each_symbol_once(self) -> "LiveConfig":
        if stray := [each.token_contract for each in self.majors if each.token_contract not in MAJORS]:
            raise ValueError(f"majors must be among {MAJORS}, was {stray}")
        if stray := sorted({each.chain for each in self.majors} - {MAJORS_CHAIN}):
            raise ValueError(f"the chain of a major must be {MAJORS_CHAIN!r}, was {stray}")
        if stray := [each.token_contract for each in self.lowcaps if each.token_contract in MAJORS]:
            raise ValueError(f"lowcaps must not be majors, was {stray}")
        keys = [(each.token_contract, each.chain) for each in self.symbols]
        if len(set(keys)) < len(keys):
            raise ValueError(f"each token must be listed once, was {sorted(keys)}")
        return self

    @property
    def symbols(self) -> tuple[LiveSymbol, ...]:
        """Majors and low-caps."""
        return self.majors + self.lowcaps
