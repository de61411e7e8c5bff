"""One market ticked twice, each time in a database of its own: what a what-if says is held against the other run."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.console.ticked_trade import BARS, change, tick, watch_and_learn
from tests.portfolio_rows import HOUR, START
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.postgres_fixtures import PostgresServer, throw_away_database

ALL = ("--from", (START - HOUR).isoformat(), "--to", (START + 100 * HOUR).isoformat())
BOTH_SIDES_OF_A_THRESHOLD = "UPDATE regime.token_uptrend_state SET ts_with_boost = 0.57 WHERE state = 'S1'"
"""Open at 0.54, where override 3 has moved it, and shut at the configured 0.6."""

AMPLE = "UPDATE regime.lowcap_price_data_ohlc SET volume = 1e9"
Worlds = Callable[..., Iterator[PostgresPortfolioWorld]]


@pytest.fixture
def world_with(postgres_server: PostgresServer, database_template: str):
    """Ticks the trade of a whole life, with enough volume to fill every order, after some statements were run."""

    @contextmanager
    def ticked(*statements: str, hours: int = len(BARS)) -> Iterator[PostgresPortfolioWorld]:
        with throw_away_database(postgres_server, database_template):
            world = PostgresPortfolioWorld()
            watch_and_learn(world)
            for statement in (AMPLE, *statements):
                change(statement)
            tick(world, *range(hours))
            yield world

    return ticked


def without_overrides(*numbers: int) -> str:
    """Statement that deletes overrides before they are read."""
    return f"DELETE FROM learning.pm_overrides WHERE override_id IN ({', '.join(str(number) for number in numbers)})"
