"""A small world from candle to override: a trade of the runtime's own on known rows, beside told trades that teach."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import psycopg

from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.driver import ALT, BTC, CHANNELS, DOMINANCE_DRIVERS, DRIVERS
from domain.vocabulary.horizon import REGIME_TIMEFRAMES
from domain.vocabulary.timeframe import Timeframe
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.learned_schema import learned_schema_of, make_learned_schema
from sql.replay_schema import ReplayRun, make_replay_schema
from tests.chain_runs import configure
from tests.console.ticked_trade import BARS, tick, watch_and_learn
from tests.learned_world import FEW, FIRST, run_learning, season, tell_trades
from tests.portfolio_rows import HOUR, START, TOKEN, position_row
from tests.portfolio_worlds import PostgresPortfolioWorld
from tests.stored_rows import PROVENANCE, insert_rows, stored_state

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LAST_DAY = (START.date() - FIRST).days
"""Day of the trade, counted as `tests.learned_world` counts days."""
HELD = ("lowcap_positions", "pm_order", "pm_fill", "ad_strands")
LEARNED = (
    *("pattern_trade_events", "pattern_scope_stats", "learning_run", "lesson_hypothesis", "learning_lessons"),
    *("override_set", "pm_overrides", "override_step"),
)
BASKET = ("SOL", "ETH", "BNB")
MEMBERS = ("Aaa", "Bbb", "Ccc")
QUIET = "Ccc"
"""Token that traded an hour before the trade, and not since."""
RUN = "0d9f2c1e-6a55-4f0e-9d55-1f8a4f6f2b10"
MADE = PROVENANCE | {"run_id": RUN, "computed_at": START}
UNCONFIGURED = {name: value for name, value in MADE.items() if name != "config_version"}
RAW = UNCONFIGURED | {"coverage": 1.0, "partial": False, "volume": 10.0}
EMAS = ("ema20", "ema30", "ema50", "ema60", "ema144", "ema250", "ema333", "sep_fast", "sep_mid")


def make_lineage_world() -> PostgresPortfolioWorld:
    """Tick the trade, tell the others, learn two days: the one before the trade and its own."""
    world = PostgresPortfolioWorld()
    watch_and_learn(world)
    tick(world, *range(len(BARS)))
    make_regime()
    number_on()
    configure(FEW)
    tell_trades(season(10, edge=0.8, first=LAST_DAY - 10))
    run_learning(LAST_DAY - 10, LAST_DAY)
    tune()
    return world


def tune() -> None:
    """Where the threshold stands that override 3 moves, what was judged of it, and a window that was left."""
    cell = {"family": "pm.s1_entry", "scope_mask": 4, "scope_values": '{"mcap_bucket":"nano"}'}
    cell |= MADE | {"scope_values_hash": "ab" * 8, "gate": "trend_strength", "timestamp": START, "as_of": START + DAY}
    state = cell | {"multiplier": 0.9, "since": START + DAY, "fed_at": START + DAY, "n_evidence": 40}
    verdict = cell | {"verdict": "loosened", "step_from": 0.95, "step_to": 0.9, "evidence": "{}"}
    row = position_row()
    window = {"episode_id": "cd" * 32, "position_id": row.position_id, "family": "pm.s1_entry", "timeframe": "1h"}
    window |= {"token_contract": TOKEN[0], "chain": TOKEN[1], "started_at": START - 9 * HOUR, "gates": "[]"}
    window |= {"decision": "skipped", "decided_at": START - 8 * HOUR, "outcome": "success", "samples": "{}"}
    window |= {"outcome_at": START - HOUR, "updated_at": START, "config_version": 1, "code_version": "0.0.0"}
    with connect(DatabaseRole.OWNER) as connection:
        insert_rows(connection, "learning.tuning_state", [state])
        insert_rows(connection, "learning.tuning_verdict", [verdict])
        insert_rows(connection, "pm.pattern_episode_events", [window | {"scope": '{"mcap_bucket":"nano"}'}])


def copy_to_replay(name: str) -> None:
    """Let the trades be of a replay too, that was asked to apply what it taught."""
    run = ReplayRun(settings={"overrides": f"learned:{name}"}, config_version=1, code_version="0.0.0", data_hash="")
    with connect(DatabaseRole.OWNER, autocommit=True) as owner:
        make_replay_schema(owner, f"replay_{name}", run, overrides="off", from_at=START, to_at=START + HOUR)
        _copy(owner, "pm", HELD, f"replay_{name}")


def copy_to_learned(name: str, *, multiplier: float) -> None:
    """Let what was learned be of a replay too; there all overrides have one multiplier."""
    learned = learned_schema_of(name)
    with connect(DatabaseRole.OWNER, autocommit=True) as owner:
        make_learned_schema(owner, learned)
        _copy(owner, "learning", LEARNED, learned)
        owner.execute(f"UPDATE {learned}.pm_overrides SET multiplier = {multiplier}".encode())


def _copy(owner: psycopg.Connection, schema: str, tables: Iterable[str], target: str) -> None:
    for table in tables:
        owner.execute(f"INSERT INTO {target}.{table} OVERRIDING SYSTEM VALUE TABLE {schema}.{table}".encode())


def number_on() -> None:
    """Let learning number its sets and overrides after those the trade was given."""
    with connect(DatabaseRole.OWNER) as connection:
        for table, column in (("learning.pm_overrides", "override_id"), ("learning.override_set", "set_id")):
            connection.execute("SELECT setval(pg_get_serial_sequence(%s, %s), 100)", [table, column])


def make_regime() -> None:
    """Bars, indicators and states of every driver behind each hour of the trade, and the candles they are made of."""
    hours = [START + hour * HOUR for hour in range(len(BARS))]
    store("regime.majors_price_data_ohlc", [*majors(hours)])
    store("regime.lowcap_price_data_ohlc", [*members(hours)])
    store("regime.token_cap_bucket", [_tag(token) for token in MEMBERS])
    store("regime.bucket_eligibility", [_eligible(bucket.value) for bucket in REGIME_BUCKETS])
    samples = [START - 10 * MINUTE + 5 * MINUTE * n for n in range(65)]
    store("regime.dominance_sample", [_sample(metric, at) for metric in DOMINANCE_DRIVERS for at in samples])
    opens = sorted({(timeframe, opened_at(timeframe, hour)) for timeframe in REGIME_TIMEFRAMES for hour in hours})
    series = [(driver, timeframe, at) for driver in DRIVERS for timeframe, at in opens]
    store("regime.regime_price_data_ohlc", [driver_bar(*each) for each in series])
    store("regime.regime_driver_ta", [_indicators(*each) for each in series])
    states = [stored_state(driver, frame.value, at) | MADE for driver, frame, at in series]
    store("regime.regime_driver_state", states)
    refused = {"table_name": "majors_price_data_ohlc", "token_contract": BTC, "chain": "majors", "timeframe": "1m"}
    refused |= {
        "reason": "price_jump",
        "detail": "x 40\x1b[31m",
        "payload": "{}",
        "known_at": START,
        "loaded_for": START,
    }
    store("regime.bar_quarantine", [UNCONFIGURED | refused | {"quarantine_id": "ab" * 32, "timestamp": START}])
    with connect(DatabaseRole.OWNER) as connection:
        for hour in hours:
            seen = [opened_at(horizon.timeframe, hour) for _, horizon in CHANNELS]
            connection.execute('UPDATE regime.ae_score SET channel_timestamp = %s WHERE "timestamp" = %s', [seen, hour])


def opened_at(timeframe: Timeframe, hour: datetime) -> datetime:
    """Open of the last bar that has closed when an hour ends."""
    return timeframe.floor(hour + HOUR) - timeframe.duration


def majors(hours: list[datetime]) -> Iterator[dict[str, Any]]:
    """BTC by the minute, its hours rolled up from them; the basket by the hour and the minute; all by the day."""
    first, last = hours[0] - HOUR, hours[-1] + HOUR
    for minute in range(int((last - first) / MINUTE)):
        yield major(BTC, "1m", first + minute * MINUTE)
    for at in (hours[0] - HOUR, *hours):
        yield major(BTC, "1h", at) | {"source": "rollup:1m"}
    for symbol in BASKET:
        for hour in (hours[0] - HOUR, *hours):
            yield major(symbol, "1h", hour)
            yield from (major(symbol, "1m", hour + number * MINUTE) for number in (58, 59))
    for symbol in (BTC, *BASKET):
        yield from (major(symbol, "1d", START - number * DAY) for number in (2, 1))


def major(symbol: str, timeframe: str, at: datetime) -> dict[str, Any]:
    return (
        RAW
        | prices(100.0)
        | {"symbol": symbol, "timeframe": timeframe, "timestamp": at, "source": "venue", "known_at": at}
    )


def members(hours: list[datetime]) -> Iterator[dict[str, Any]]:
    """Hours of the nano caps; one of them falls silent as the trade begins."""
    for token in (*MEMBERS, TOKEN[0]):
        own = [START - HOUR] if token in (QUIET, TOKEN[0]) else [START - HOUR, *hours]
        for at in own:
            named = {"token_contract": token, "chain": TOKEN[1], "timeframe": "1h", "timestamp": at}
            yield RAW | prices(2.0) | named | {"source": "pool", "known_at": at}


def driver_bar(driver: str, timeframe: Timeframe, at: datetime) -> dict[str, Any]:
    """A bar of a driver that says how many components it has."""
    count = {BTC: 1, ALT: len(BASKET), "nano": len(MEMBERS) + 1}.get(driver, 1)
    source = "composite" if driver not in (BTC, *DOMINANCE_DRIVERS) else "venue"
    named = {"driver": driver, "timeframe": timeframe.value, "timestamp": at, "source": source, "volume": 1.0}
    return MADE | prices(50.0) | named | {"component_count": count, "coverage": 1.0, "partial": False, "carried": False}


def prices(level: float) -> dict[str, float]:
    return {"open_usd": level, "high_usd": level * 1.1, "low_usd": level * 0.9, "close_usd": level}


def store(table: str, rows: list[dict[str, Any]]) -> None:
    with connect(DatabaseRole.REGIME) as connection:
        insert_rows(connection, table, rows)


def _indicators(driver: str, timeframe: Timeframe, at: datetime) -> dict[str, Any]:
    named = {"driver": driver, "timeframe": timeframe.value, "timestamp": at, "bars_count": 999, "warm": True}
    return MADE | dict.fromkeys(EMAS, 1.0) | named | {"latest_price": 50.0, "carry": [0.0, float("nan")]}


def _tag(token: str) -> dict[str, Any]:
    day = dict.fromkeys(("timestamp", "updated_at", "bucket_since", "valid_from"), START)
    named = {"token_contract": token, "chain": TOKEN[1], "bucket": "nano", "market_cap_usd": 5e4}
    return MADE | day | named | {"valid_to": START + DAY}


def _eligible(bucket: str) -> dict[str, Any]:
    return MADE | {"bucket": bucket, "timestamp": START, "member_count": 20, "is_eligible": True, "reason": None}


def _sample(metric: str, at: datetime) -> dict[str, Any]:
    return UNCONFIGURED | {
        **{"metric": metric, "timeframe": "5m", "timestamp": at, "value_pct": 50.0, "source": "coingecko"},
        "known_at": at,
    }
