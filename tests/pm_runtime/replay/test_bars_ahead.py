"""Bars are read for many ticks at once, and each tick sees its own."""

from datetime import UTC, datetime
from typing import Any

from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.postgres_market import TOKEN_BAR_COLUMNS
from pm_runtime.replay.bars_ahead import BARS_AT_ONCE, BarsAhead

START = ExecutionBar(Timeframe.H1, datetime(2025, 4, 1, tzinfo=UTC))
WIF, BONK = ("WIF", "solana"), ("BONK", "solana")
VALUES = dict.fromkeys(TOKEN_BAR_COLUMNS, 1.0) | {"status": "ok", "state": "S1", "prev_state": None, "bars_count": 400}


class Table:
    """Rows of a query, made as they are asked for: a bar an hour, its volume the number of the hour."""

    def __init__(self) -> None:
        self.reads: list[dict[str, Any]] = []

    def __call__(self, name: str, **asked: Any) -> list[tuple[Any, ...]]:
        assert name == "token_bars_between"
        self.reads.append(asked)
        return [
            (contract, chain, at, *self._columns(at))
            for contract, chain in zip(asked["token_contracts"], asked["chains"], strict=True)
            for at in self._opens(asked)
        ]

    def _columns(self, at: datetime) -> list[Any]:
        volume = (at - START.timestamp).total_seconds() / 3600
        return [*(VALUES | {"volume": volume}).values(), *([False] * 7)]

    def _opens(self, asked: dict[str, Any]) -> list[datetime]:
        bar, opens = ExecutionBar(Timeframe(asked["timeframe"]), asked["first_open"]), []
        while bar.timestamp <= asked["last_open"]:
            opens.append(bar.timestamp)
            bar = bar.following()
        return opens


def test_each_tick_sees_its_own_bar_and_most_of_them_read_nothing():
    table, ahead, bar, volumes = Table(), BarsAhead(), START, []
    for _ in range(BARS_AT_ONCE + 1):
        found = ahead.at(bar, [WIF, BONK], table)
        volumes.append(found[WIF].volume)
        assert {(each.opened_at, each.closed_at) for each in found.values()} == {(bar.timestamp, bar.closed_at)}
        bar = bar.following()

    assert volumes == [float(hour) for hour in range(BARS_AT_ONCE + 1)]
    assert len(table.reads) == 2


def test_a_token_that_comes_later_is_read_and_one_that_is_not_asked_for_not_shown():
    table, ahead = Table(), BarsAhead()

    assert ahead.at(START, [WIF], table).keys() == {WIF}
    assert ahead.at(START.following(), [WIF, BONK], table).keys() == {WIF, BONK}
    assert ahead.at(START.following(), [BONK], table).keys() == {BONK}
    assert len(table.reads) == 2


def test_timeframes_do_not_forget_each_other():
    table, ahead = Table(), BarsAhead()
    slow = ExecutionBar(Timeframe.H4, START.timestamp)

    ahead.at(START, [WIF], table)
    ahead.at(slow, [WIF], table)

    assert ahead.at(START, [WIF], table)[WIF].closed_at == START.closed_at
    assert ahead.at(slow, [WIF], table)[WIF].closed_at == slow.closed_at
    assert len(table.reads) == 2


def test_a_bar_before_what_was_read_is_read():
    table, ahead = Table(), BarsAhead()
    ahead.at(START.following(), [WIF], table)

    assert ahead.at(START, [WIF], table)[WIF].volume == 0.0
