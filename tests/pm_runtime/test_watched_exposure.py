"""What is only watched counts as a neighbour as far as is configured: not at all by default."""

import pytest

from domain.portfolio.lifecycle import PositionStatus
from domain.vocabulary.timeframe import Timeframe
from tests.trade_life import FREE, TradeLife, seen


def counting(life: TradeLife, factor: float) -> None:
    life.world.configure(FREE | {"portfolio": {"exposure": {"watchlist_factor": factor}}})


def skew_of_a_buy(life: TradeLife, token: str = "bought", others: tuple[str, ...] = ()) -> dict:
    """Buy one token while others have a bar and no occasion."""
    life.watch(token)
    life.see({token: seen(life.bar, buyable=True)} | {other: seen(life.bar) for other in others})
    life.tick()
    (order,) = life.orders
    return order.decision["learning_multipliers"]["exposure_skew"]


def test_by_default_the_watchlist_counts_nothing(life):
    life.watch("watched")

    assert skew_of_a_buy(life, others=("watched",))["basis"] == "empty_book"


def test_a_watched_token_counts_with_the_configured_share_of_its_cap(life):
    counting(life, 0.5)
    life.watch("watched", total_allocation_pct=4.0)

    told = skew_of_a_buy(life, others=("watched",))

    assert told["others_usd"] == pytest.approx(0.5 * 20_000 * 0.04 * 0.70)
    assert [mask["scope_exposure_usd"] for mask in told["masks"]] == [pytest.approx(280.0)] * 3
    assert [mask["pk_scope_exposure_usd"] for mask in told["masks"]] == [0.0] * 3
    assert (told["basis"], told["skew"]) == ("measured", pytest.approx(1.33 - 1.0 / 1.5))


def test_what_other_timeframes_watch_counts_too_and_by_the_share_it_keeps(life):
    counting(life, 1.0)
    life.watch("watched", timeframe=Timeframe.H4, entry_context={"timeframe_split": 0.2})

    told = skew_of_a_buy(life)

    assert told["others_usd"] == pytest.approx(20_000 * 0.10 * 0.2)
    assert told["conc_norm"] == 0.0  # its bucket is not known: it is near to nothing


def test_the_bought_position_is_no_neighbour_of_itself(life):
    counting(life, 1.0)

    assert skew_of_a_buy(life)["basis"] == "empty_book"


@pytest.mark.parametrize("status", [PositionStatus.DORMANT, PositionStatus.PAUSED, PositionStatus.ARCHIVED])
def test_what_may_not_be_entered_is_meant_to_take_nothing(life, status):
    counting(life, 1.0)
    life.watch("put-away", timeframe=Timeframe.H4, status=status)

    assert skew_of_a_buy(life)["basis"] == "empty_book"
