"""Fixtures of the portfolio's two worlds: every claim is asked of each implementation."""

from collections.abc import Callable, Iterator

import pytest

from pm_runtime.ports import RuntimeStore
from tests.portfolio_worlds import MemoryPortfolioWorld, PortfolioWorld, PostgresPortfolioWorld

OpenStore = Callable[..., RuntimeStore]


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def portfolio_world(request: pytest.FixtureRequest) -> Iterator[PortfolioWorld]:
    if request.param == "memory":
        memory = MemoryPortfolioWorld()
        memory.empty()
        yield memory
        return
    request.getfixturevalue("module_database")
    world = PostgresPortfolioWorld()
    world.empty()
    yield world


@pytest.fixture
def open_portfolio(portfolio_world: PortfolioWorld) -> Iterator[OpenStore]:
    """Opens a session by the name of its holder; all of them are closed at the end."""
    opened: list[RuntimeStore] = []

    def open_named(holder: str = "a:1:start", **book: str) -> RuntimeStore:
        opened.append(portfolio_world.store(holder, **book))
        return opened[-1]

    yield open_named
    for session in opened:
        session.close()


@pytest.fixture
def portfolio_store(open_portfolio: OpenStore) -> RuntimeStore:
    return open_portfolio()
