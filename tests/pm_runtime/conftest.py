"""Fixtures of the runtime's tests."""

from collections.abc import Iterator

import pytest

from tests.portfolio_worlds import PortfolioWorld
from tests.trade_life import FREE, TradeLife


@pytest.fixture
def life(portfolio_world: PortfolioWorld) -> Iterator[TradeLife]:
    """Hourly bars, everything allowed, a venue without costs."""
    portfolio_world.configure(FREE)
    life = TradeLife(portfolio_world).allow()
    yield life
    life.close()
