"""A few hours in which a tick has everything to do at once, known to the assets beforehand.

On the third bar one token is filled, one trims, one falls and is sold, one closes its trade, one enters.
"""

from collections.abc import Iterator, Sequence

from domain.portfolio.token_bar import TokenBar
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from tests.portfolio_rows import START, TOKEN, position_row
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.trade_life import BUCKET, EXIT, TRIM, seen

LIVES: dict[str, Sequence[tuple[object, ...]]] = {
    "closes": [("S1", 2.0, "buy"), ("S0", 1.9, EXIT), ("S0", 1.8), ("S0", 1.8), ("S1", 1.9, "buy")],
    "enters": [("S0", 2.0), ("S0", 2.0), ("S1", 2.0, "begin"), ("S1", 2.0), ("S2", 2.2, "buy")],
    "filled": [("S0", 2.0), ("S1", 2.0, "begin"), ("S1", 2.1), ("S2", 2.2, "buy"), ("S2", 2.2)],
    "falls": [("S1", 2.0, "buy"), ("S1", 2.0), ("S0", 1.9, EXIT), ("S0", 1.9), ("S0", 1.9)],
    "trims": [("S1", 2.0, "buy"), ("S2", 2.5), ("S2", 3.0, TRIM), ("S2", 3.0), ("S3", 3.0, "buy")],
}
"""What each token's bars are, hour by hour."""
BUSY_BARS = [ExecutionBar(Timeframe.H1, START + hour * Timeframe.H1.duration) for hour in range(5)]


def publish_busy_hours(world: PostgresPortfolioWorld) -> None:
    """Put the tokens on the watchlist and publish all their bars."""
    world.add(*(position_row(token, intent=None) for token in LIVES))
    for token in LIVES:
        world.tag((token, TOKEN[1]), START, BUCKET)
    for hour, bar in enumerate(BUSY_BARS):
        world.publish_score(BUCKET, bar)
        for token, each in _bars(bar, hour):
            world.publish_bar((token, TOKEN[1]), bar, each)


def _bars(bar: ExecutionBar, hour: int) -> Iterator[tuple[str, TokenBar]]:
    for token, life in LIVES.items():
        state, price, *what = life[hour]
        flags = [flag for flag in what if flag in (EXIT, TRIM)]
        begins = {"prev_state": "S0"} if "begin" in what else {}
        yield token, seen(bar, state, price, *flags, buyable={"buy", "begin"} & set(what) != set(), **begins)
