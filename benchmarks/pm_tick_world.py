"""A book that is busy at every bar, in a database of its own: the workload of benchmark G.

Every position is held, in S2. Of ten bars one raises its trim flag and, four bars later, one opens its buy rule: so a
tenth trims, a tenth buys and a fifth is settled at every tick. Positions and overrides have scopes of the same making.
"""

import json
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg

from benchmarks.workloads import SEED
from domain.scopes.bitmask import mask_of
from domain.vocabulary.cap_bucket import REGIME_BUCKETS
from domain.vocabulary.driver import CHANNEL_NAMES
from domain.vocabulary.execution_bar import ExecutionBar
from domain.vocabulary.scope_dimension import ScopeDimension
from domain.vocabulary.timeframe import Timeframe
from pm_runtime.postgres_store import open_postgres_store
from pm_runtime.tick import run_tick
from sql.database import connect
from sql.database_role import DatabaseRole
from sql.position import position_id

START = datetime(2025, 6, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
CURATORS = [f"curator-{number}" for number in range(20)]
AGES = ["<1d", "1-3d", "3-7d", "7-14d", "14-30d", "30-90d", "90d+"]
PATTERNS = ["pm.uptrend.S1.buy_flag", "pm.uptrend.S2.buy_flag", "pm.uptrend.S2.rebuy_flag", "pm.uptrend.S3.buy_flag"]
BUCKETS = [bucket.value for bucket in REGIME_BUCKETS]
CONFIG = {"paper_venue": {"wallet_usd": 1e12, "max_volume_frac": 1.0}}


@dataclass(frozen=True)
class Book:
    """Names and scopes of the positions, seeded."""

    tokens: list[str]
    curators: list[str]
    buckets: list[str]
    ages: list[str]


def make_book(positions: int) -> Book:
    """Scopes drawn with a skew: a few curators and buckets have most of the tokens."""
    rng = np.random.default_rng([SEED, positions, 7])
    weight = 1 / np.arange(1, len(CURATORS) + 1)
    return Book(
        tokens=[f"token-{number:05}" for number in range(positions)],
        curators=rng.choice(CURATORS, positions, p=weight / weight.sum()).tolist(),
        buckets=rng.choice(BUCKETS, positions, p=[0.3, 0.3, 0.2, 0.1, 0.1]).tolist(),
        ages=rng.choice(AGES, positions).tolist(),
    )


def bar_at(number: int) -> ExecutionBar:
    """Bar of the benchmark by its number; 0 is the one all is bought on."""
    return ExecutionBar(Timeframe.H1, START + number * HOUR)


def build(book: Book, *, bars: int, overrides: int) -> None:
    """Publish the bars, put the book on the watchlist, buy all of it, make the overrides live."""
    with connect(DatabaseRole.OWNER) as connection:
        connection.execute(
            "INSERT INTO pm.pm_config (config, config_hash, author, reason) VALUES (%s, '', 'benchmark', 'benchmark')",
            [json.dumps(CONFIG)],
        )
        _copy_positions(connection, book)
        _copy_tags(connection, book)
        for name in ("BARS", "TA", "STATES"):
            connection.execute(globals()[name].encode(), {"start": START, "tokens": len(book.tokens), "bars": bars + 2})
        _copy_scores(connection, bars + 2)
        _copy_overrides(connection, overrides)
    with closing(open_postgres_store("benchmark:1:build")) as store:
        store._connection.execute(b"SET idle_in_transaction_session_timeout = 0")  # all is settled in one tick
        for number in range(2):
            run_tick(store, bar_at(number))
    with connect(DatabaseRole.OWNER, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def _copy_positions(connection: psycopg.Connection, book: Book) -> None:
    columns = (
        "position_id, token_contract, chain, timeframe, token_ticker, status, total_allocation_pct, entry_context,"
        " approved_by, approved_at, trade_memory, updated_at, config_version, code_version"
    )
    with connection.cursor().copy(f"COPY pm.lowcap_positions ({columns}) FROM STDIN".encode()) as copy:
        for token, curator, age in zip(book.tokens, book.curators, book.ages, strict=True):
            context = json.dumps({"curator": curator, "age_bucket": age})
            named = position_id(token, "solana", Timeframe.H1)
            copy.write_row(
                (named, token, "solana", "1h", "T", "watchlist", 0.001, context, "b", START, "{}", START, 1, "0")
            )


def _copy_tags(connection: psycopg.Connection, book: Book) -> None:
    columns = (
        'token_contract, chain, "timestamp", bucket, market_cap_usd, updated_at, bucket_since, valid_from, valid_to,'
        " computed_at, config_version, run_id, code_version"
    )
    day = timedelta(days=1)
    with connection.cursor().copy(f"COPY regime.token_cap_bucket ({columns}) FROM STDIN".encode()) as copy:
        for token, bucket in zip(book.tokens, book.buckets, strict=True):
            for at in (START, START + day, START + 2 * day):
                copy.write_row((token, "solana", at, bucket, 1e6, at, at, at, at + day, at, 1, "b", "0"))


def _copy_scores(connection: psycopg.Connection, bars: int) -> None:
    channels = ", ".join(CHANNEL_NAMES)
    columns = (
        'bucket, timeframe, "timestamp", a, e, a_raw, e_raw, coverage, degraded, channel_status, channel_a, channel_e,'
        f" channel_signal, channel_timestamp, computed_at, config_version, run_id, code_version, {channels}"
    )
    n = len(CHANNEL_NAMES)
    with connection.cursor().copy(f"COPY regime.ae_score ({columns}) FROM STDIN".encode()) as copy:
        for number in range(bars):
            at = bar_at(number).timestamp
            for bucket in BUCKETS:
                lists = (["ok"] * n, [0.0] * n, [0.0] * n, ["S1"] * n, [at] * n)
                row = (bucket, "1h", at, 0.6, 0.4, 0.6, 0.4, 15, False, *lists, at, 1, "b", "0")
                copy.write_row((*row, *(f"S{(number + place) % 4}" for place in range(n))))


def _copy_overrides(connection: psycopg.Connection, rows: int) -> None:
    """Store a set of ten times the rows the judge may make; some cells come twice, of which one counts."""
    rng = np.random.default_rng([SEED, rows, 8])
    set_id = 1
    connection.execute(
        "INSERT INTO learning.override_set (set_id, made_at, as_of, input_hash, row_count, run_id, code_version,"
        " config_version) OVERRIDING SYSTEM VALUE VALUES (1, now(), now(), '', 0, 'b', '0', 1)"
    )
    columns = (
        "set_id, pattern_key, action_category, scope_mask, scope_values, lever, multiplier, confidence, n_trades,"
        " edge_raw, decay_mult, lesson_id, expires_at"
    )
    with connection.cursor().copy(f"COPY learning.pm_overrides ({columns}) FROM STDIN".encode()) as copy:
        for number in range(rows):
            values = _conditions(rng)
            lever = "pm_strength" if number % 10 else ("ts_min_mult", "halo_mult", "dx_min_mult")[number // 10 % 3]
            target = (rng.choice(PATTERNS), ("entry", "add", "add")[number % 3])
            numbers = (float(np.exp(rng.normal(0, 0.2)).clip(0.4, 2.5)), float(rng.uniform(0.2, 1)), 40, 0.4, 0.9)
            copy.write_row(
                (
                    *(set_id, *target, mask_of([ScopeDimension(key) for key in values]), json.dumps(values), lever),
                    *(*numbers, f"lesson-{number}", START + timedelta(days=99)),
                )
            )
    connection.execute("INSERT INTO learning.live_override_set (set_id, author, reason) VALUES (1, 'b', 'b')")


def _conditions(rng: np.random.Generator) -> dict[str, str]:
    """Zero to three conditions on values that positions have."""
    known = {
        "curator": CURATORS,
        "mcap_bucket": BUCKETS,
        "age_bucket": AGES,
        **{name: ["S0", "S1", "S2", "S3"] for name in CHANNEL_NAMES},
    }
    depth = rng.choice(4, p=[0.01, 0.12, 0.32, 0.55])
    names = rng.choice(list(known), depth, replace=False)
    return {str(name): str(rng.choice(known[name])) for name in names}


SERIES = """
SELECT 'token-' || lpad(n::text, 5, '0'), 'solana', '1h', %(start)s::timestamptz + b * interval '1 hour', {columns}
FROM generate_series(0, %(tokens)s - 1) AS n, generate_series(0, %(bars)s - 1) AS b
CROSS JOIN LATERAL (SELECT (n + b) %% 10 AS phase, 1 + n %% 7 + 0.01 * (b %% 5) AS price) AS at_bar
"""
BARS = """
INSERT INTO regime.lowcap_price_data_ohlc (token_contract, chain, timeframe, "timestamp", open_usd, high_usd, low_usd,
    close_usd, volume, source, coverage, partial, known_at, run_id, computed_at, code_version)
""" + SERIES.format(columns="price, price, price, price, 1e12, 'b', 1, false, now(), 'b', now(), '0'")
TA = """
INSERT INTO regime.token_ta (token_contract, chain, timeframe, "timestamp", bars_count, warm, latest_price, ema20,
    ema30, ema50, ema60, ema144, ema250, ema333, ema60_slope, ema144_slope, ema250_slope, ema333_slope, sep_fast,
    sep_mid, atr, carry, config_version, run_id, computed_at, code_version)
""" + SERIES.format(
    columns="999, true, price, 1, 1, 1, price, price / 2, 1,"
    " CASE WHEN phase = 4 OR b = 0 THEN price ELSE price / 4 END, 0.01, 0.01, 0.01, 0.01, 0, 0, price / 20, '{{0}}',"
    " 1, 'b', now(), '0'"
)
STATES = """
INSERT INTO regime.token_uptrend_state (token_contract, chain, timeframe, "timestamp", status, state, prev_state,
    bootstrapped, price, buy_signal, buy_flag, first_dip_buy_flag, trim_flag, emergency_exit, reclaimed_ema333,
    exit_position, ts, ts_with_boost, sr_boost, ox, gate_mask, config_version, run_id, computed_at, code_version)
""" + SERIES.format(
    columns="'ok', 'S2', 'S2', false, price, false, phase = 4, false, phase = 0 AND b > 1, false, false, false, 0.9,"
    " 0.95, 0.05, 0.9, 0, 1, 'b', now(), '0'"
)
