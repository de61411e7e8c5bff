"""The trades of a window as `what_if` reads them: buys, fills and bars from their rows, or why one cannot be read."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from console.explained_action import config_of
from console.stored_fill import fill_of
from console.stored_rows import rows_of
from domain.config.pm_config import PmConfig
from domain.portfolio.gate import GateReading, reading_from_json
from domain.portfolio.mark import Mark
from domain.portfolio.override_row import OverrideLever
from domain.portfolio.what_if import StoredBuy, StoredTrade, TradeFill
from domain.portfolio.what_if_lever import AppliedOverride
from domain.scopes.pattern_key import PatternKey, parse_pattern_key
from domain.scopes.scope import Scope, parse_scope
from domain.vocabulary.action import ActionCategory
from domain.vocabulary.timeframe import Timeframe

LONGEST_PROBLEM = 200
Row = Mapping[str, Any]


class UnreadableCaseError(ValueError):
    """A trade cannot be worked out again; the message is the reason, the same for all that lack the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldBuy:
    """A buy, with what was learned about its size and its thresholds, as its decision tells it.

    applied, multiplier, basis: of its size. tuned: overrides behind each threshold that was moved. is_asked: whether it
    was decided in the window.
    """

    row: Row
    pattern: PatternKey
    scope: Scope
    buy: StoredBuy
    config: PmConfig
    is_asked: bool
    multiplier: float
    basis: str
    applied: tuple[AppliedOverride, ...]
    tuned: Mapping[OverrideLever, tuple[AppliedOverride, ...]]
    gates: tuple[GateReading, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A trade with buys of the window, `n_asked` of them.

    row: None before its first fill; so is config, that its result is made with. problem: why it cannot be read; buys
    and trade are not there then.
    """

    trade_id: str
    row: Row | None
    n_asked: int
    config: PmConfig | None = None
    buys: tuple[ToldBuy, ...] = ()
    trade: StoredTrade | None = None
    problem: str | None = None


def read_cases(connection: psycopg.Connection, from_at: datetime, to_at: datetime) -> list[Case]:
    """Read every trade that has a buy decided after the first instant and by the second, by its first buy."""
    bought = defaultdict(list)
    for row in rows_of(connection, "what_if_buys", from_at=from_at, to_at=to_at):
        bought[row["trade_id"]].append(row)
    trades = {row["trade_id"]: row for row in rows_of(connection, "what_if_trades", trade_ids=list(bought))}
    fills, bars = defaultdict(list), defaultdict(list)
    for row in rows_of(connection, "what_if_fills", trade_ids=list(bought)):
        fills[row["trade_id"]].append(row)
    for row in rows_of(connection, "what_if_bars", **_held_through(list(trades.values()))):
        bars[row["trade_id"]].append(row)
    configs = _Configs(connection)
    return [
        _case(trade_id, rows, trades.get(trade_id), fills[trade_id], bars[trade_id], configs)
        for trade_id, rows in bought.items()
    ]


class _Configs:
    """Versions of the configuration, each read once."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._known: dict[int | None, PmConfig | None] = {}

    def of(self, version: int | None) -> PmConfig:
        if version not in self._known:
            self._known[version] = config_of(self._connection, version)
        config = self._known[version]
        if config is None:
            raise UnreadableCaseError("the configuration of then cannot be read")
        return config


def _case(
    trade_id: str, rows: Sequence[Row], trade: Row | None, fills: Sequence[Row], bars: Sequence[Row], configs: _Configs
) -> Case:
    n_asked = sum(row["is_asked"] for row in rows)
    try:
        buys = tuple(_told_buy(row, configs) for row in rows)
        config = None if trade is None else configs.of(trade["config_version"])
        stored = StoredTrade(
            trade_id=trade_id,
            buys=tuple(each.buy for each in buys),
            fills=tuple(TradeFill(order_id=row["order_id"], fill=fill_of(row)) for row in fills),
            marks=tuple(_mark(row) for row in bars),
        )
    except UnreadableCaseError as error:
        return Case(trade_id=trade_id, row=trade, n_asked=n_asked, problem=str(error))
    except (KeyError, TypeError, ValueError) as error:  # rows of a restored dump or of a hand
        problem = f"what is stored of it cannot be read: {type(error).__name__} {error}"[:LONGEST_PROBLEM]
        return Case(trade_id=trade_id, row=trade, n_asked=n_asked, problem=problem)
    return Case(trade_id=trade_id, row=trade, n_asked=n_asked, config=config, buys=buys, trade=stored)


def _told_buy(row: Row, configs: _Configs) -> ToldBuy:
    config, strength = configs.of(row["config_version"]), row["strength"]
    if not isinstance(strength, dict) or not isinstance(row["gates"], list):
        raise UnreadableCaseError("a decision does not tell its strength or its gates")
    tuned = {OverrideLever(each["strength"]["lever"]): each["strength"] for each in row["thresholds"] or ()}
    return ToldBuy(
        row=row,
        pattern=parse_pattern_key(row["pattern_key"]),
        scope=parse_scope(row["scope"]),
        buy=_stored_buy(row, config),
        config=config,
        is_asked=row["is_asked"],
        multiplier=float(strength["multiplier"]),
        basis=strength["basis"],
        applied=_applied(strength),
        tuned={lever: _applied(each) for lever, each in tuned.items()},
        gates=tuple(reading_from_json(gate) for gate in row["gates"]),
    )


def _stored_buy(row: Row, config: PmConfig) -> StoredBuy:
    steps = {step["name"]: step for step in row["sizing"] or ()}
    missing = {"timeframe_split", "size_frac", "pm_strength", "exposure_skew"} - set(steps)
    if missing or row["order_usd"] is None:
        raise UnreadableCaseError(f"a decision does not tell its {', '.join(sorted(missing)) or 'order'}")
    cash = steps.get("cash")
    return StoredBuy(
        order_id=row["order_id"],
        category=ActionCategory(row["action_category"]),
        decided_at=row["decided_at"],
        cap_usd=float(steps["timeframe_split"]["amount"]),
        size_frac=float(steps["size_frac"]["factor"]),
        pm_strength=float(steps["pm_strength"]["factor"]),
        exposure_skew=float(steps["exposure_skew"]["factor"]),
        cash_usd=float(cash["amount"]) if cash is not None and cash["factor"] < 1 else None,
        order_usd=row["order_usd"],
        sizing=config.portfolio.sizing,
    )


def _applied(strength: Row) -> tuple[AppliedOverride, ...]:
    return tuple(
        AppliedOverride(
            lesson_id=each["lesson_id"],
            lever=OverrideLever(strength["lever"]),
            multiplier=float(each["multiplier"]),
            confidence=float(each["confidence"]),
            mask_weight=float(each["mask_weight"]),
        )
        for each in strength["matched"]
    )


def _mark(row: Row) -> Mark:
    opened_at = row["timestamp"]
    closed_at = opened_at + Timeframe(row["timeframe"]).duration
    return Mark(opened_at=opened_at, closed_at=closed_at, low_usd=row["low_usd"], close_usd=row["close_usd"])


def _held_through(trades: Sequence[Row]) -> dict[str, list[Any]]:
    """Of each trade the bars that closed after its first fill, up to its last one or to the last that was seen."""
    lengths = [Timeframe(row["timeframe"]).duration for row in trades]
    ends = [
        max(row["last_fill_at"], row["last_event_at"] or row["last_fill_at"]) if row["is_open"] else row["last_fill_at"]
        for row in trades
    ]
    firsts = [row["first_fill_at"] for row in trades]
    return {
        "trade_ids": [row["trade_id"] for row in trades],
        "token_contracts": [row["token_contract"] for row in trades],
        "chains": [row["chain"] for row in trades],
        "timeframes": [row["timeframe"] for row in trades],
        "afters": [at - length for at, length in zip(firsts, lengths, strict=True)],
        "untils": [at - length for at, length in zip(ends, lengths, strict=True)],
    }
