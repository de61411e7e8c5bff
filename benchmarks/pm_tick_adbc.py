"""A tick as a library would do it: Arrow from the database by ADBC, NumPy and Polars in between, Arrow back.

It reads what ours reads, settles and marks every position, matches all overrides, sums the crowding, sizes trims and
buys, and stores orders, fills and positions in one transaction. What it leaves out is what a table has no room for:
gates and why they were shut, the document of each decision, the event log, windows of opportunity, checks of anything.
"""

import hashlib
import json
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from adbc_driver_postgresql import dbapi
from numpy.typing import NDArray

from domain.vocabulary.driver import CHANNEL_NAMES

Array = NDArray[np.float64]

DIMENSIONS = ("curator", "mcap_bucket", "age_bucket", *CHANNEL_NAMES)
WALLET_USD, SPLIT, FEE, SLIPPAGE = 1e12, 0.70, 0.003, 0.005
ADD_FRAC, TRIM_FRAC = 0.15, 0.05
MOST_CONDITIONS = 3

POSITIONS = """
SELECT position_id, token_contract, current_trade_id, total_allocation_pct, quantity, cost_basis_usd, bought_quantity,
    sold_quantity, total_allocation_usd, total_extracted_usd, fees_usd, max_adverse_usd,
    entry_context ->> 'curator' AS curator, entry_context ->> 'age_bucket' AS age_bucket,
    trade_memory -> 'entry' ->> 'pattern_key' AS pattern
FROM pm.lowcap_positions WHERE timeframe = '1h' ORDER BY position_id
"""
BARS = """
SELECT bar.token_contract, bar.open_usd, bar.low_usd, bar.close_usd, state.trim_flag, state.buy_flag,
    tag.bucket AS mcap_bucket
FROM regime.lowcap_price_data_ohlc AS bar
INNER JOIN regime.token_uptrend_state AS state USING (token_contract, chain, timeframe, "timestamp")
INNER JOIN regime.token_ta AS ta USING (token_contract, chain, timeframe, "timestamp")
INNER JOIN regime.token_cap_bucket AS tag ON tag.token_contract = bar.token_contract AND tag.chain = bar.chain
    AND tag."timestamp" = date_trunc('day', bar."timestamp", 'UTC')
WHERE bar.timeframe = '1h' AND bar."timestamp" = '{at}'
"""
SCORES = f"""
SELECT bucket AS mcap_bucket, a, e, {", ".join(CHANNEL_NAMES)} FROM regime.ae_score
WHERE timeframe = '1h' AND "timestamp" = '{{at}}'
"""
OVERRIDES = """
SELECT pattern_key, action_category, scope_values::text AS scope, lever, multiplier, confidence
FROM learning.pm_overrides WHERE set_id = (SELECT set_id FROM learning.live_override_set ORDER BY step_id DESC LIMIT 1)
"""
ORDERS = """
SELECT order_id, position_id, trade_id, side, order_usd, order_quantity FROM pm.pm_order WHERE settled_at IS NULL
"""
SETTLE = """
UPDATE pm.pm_order SET status = 'filled', settled_at = '{at}' WHERE settled_at IS NULL
"""
STORE_FILLS = """
INSERT INTO pm.pm_fill (fill_id, order_id, position_id, trade_id, side, quantity, price_usd, notional_usd, fee_usd,
    filled_at)
SELECT order_id || '.1', order_id, position_id, trade_id, side, quantity, price_usd, notional_usd, fee_usd, '{at}'
FROM new_fill
"""
STORE_POSITIONS = """
UPDATE pm.lowcap_positions AS held SET quantity = now.quantity, cost_basis_usd = now.cost_basis_usd,
    bought_quantity = now.bought_quantity, sold_quantity = now.sold_quantity,
    total_allocation_usd = now.total_allocation_usd, total_extracted_usd = now.total_extracted_usd,
    fees_usd = now.fees_usd, max_adverse_usd = now.max_adverse_usd, last_price_usd = now.last_price_usd,
    last_event_at = '{closed}', last_bar_timestamp = '{at}', revision = revision + 1
FROM new_position AS now WHERE held.position_id = now.position_id
"""
STORE_ORDERS = """
INSERT INTO pm.pm_order (order_id, position_id, trade_id, timeframe, bar_timestamp, decided_at, action_category, side,
    pattern_key, order_usd, order_quantity, decision, status, venue, holder, config_version, code_version)
SELECT order_id, position_id, trade_id, '1h', '{at}', '{closed}', CASE side WHEN 'buy' THEN 'add' ELSE 'trim' END, side,
    'pm.uptrend.S2.buy_flag', order_usd, order_quantity, '{{}}', 'submitted', 'paper', 'peer', 1, '0'
FROM new_order
"""


@dataclass
class Compiled:
    """Overrides as arrays: each condition a dimension and a value's number, -1 where there is none."""

    dimension: NDArray[np.int64]
    code: NDArray[np.int64]
    log_multiplier: Array
    weight: Array
    codes: dict[tuple[str, str], int]


class AdbcTick:
    """Ticks bar after bar of one database."""

    def __init__(self, conninfo: str) -> None:
        self._connection = dbapi.connect(conninfo)
        self._compiled: Compiled | None = None

    def close(self) -> None:
        """End the session."""
        self._connection.close()

    def tick(self, opened: datetime) -> int:
        """Tick a bar; returns how many orders it made."""
        at, closed = opened.isoformat(), (opened + timedelta(hours=1)).isoformat()
        book = self._read(POSITIONS).join(self._read(BARS.format(at=at)), on="token_contract", how="left")
        book = book.join(self._read(SCORES.format(at=at)), on="mcap_bucket", how="left").sort("position_id")
        overrides, waiting = self._read(OVERRIDES), self._read(ORDERS)
        if self._compiled is None:
            self._compiled = _compiled(overrides)
        book, fills = _settled(book, waiting)
        book = _marked(book)
        orders = _ordered(book, self._compiled, at)
        with closing(self._connection.cursor()) as cursor:
            kept = [name for name in book.columns if name in STORE_POSITIONS and name != "token_contract"]
            for name, frame, statement in (
                ("new_fill", fills, STORE_FILLS),
                ("new_position", book.select(kept), STORE_POSITIONS),
                ("new_order", orders, STORE_ORDERS),
            ):
                cursor.adbc_ingest(name, frame, mode="create", temporary=True)
                if name == "new_fill":
                    cursor.execute(SETTLE.format(at=at))
                cursor.execute(statement.format(at=at, closed=closed))
                cursor.execute(f"DROP TABLE {name}")
        self._connection.commit()
        return orders.height

    def _read(self, statement: str) -> pl.DataFrame:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement)
            frame: pl.DataFrame = cursor.fetch_polars()
        return frame


def _settled(book: pl.DataFrame, waiting: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fill every waiting order at the open of the bar."""
    at_open = waiting.join(book.select("position_id", "open_usd"), on="position_id")
    is_buy = pl.col("side") == "buy"
    fills = at_open.with_columns(
        price_usd=pl.col("open_usd") * pl.when(is_buy).then(1 + SLIPPAGE).otherwise(1 - SLIPPAGE)
    ).with_columns(
        quantity=pl.when(is_buy)
        .then(pl.col("order_usd") / (1 + FEE) / pl.col("price_usd"))
        .otherwise(pl.col("order_quantity"))
    )
    fills = fills.with_columns(notional_usd=pl.col("quantity") * pl.col("price_usd"))
    fills = fills.with_columns(fee_usd=FEE * pl.col("notional_usd"))
    names = ("order_id", "position_id", "trade_id", "side", "quantity", "price_usd", "notional_usd", "fee_usd")
    fills = fills.select(names)
    amounts = ("side", pl.col("quantity").alias("filled"), "notional_usd", "fee_usd")
    found = book.join(fills.select("position_id", *amounts), on="position_id", how="left")
    bought = pl.when(pl.col("side") == "buy").then(pl.col("filled")).otherwise(0.0)
    sold = pl.when(pl.col("side") == "sell").then(pl.col("filled")).otherwise(0.0)
    paid = pl.when(pl.col("side") == "buy").then(pl.col("notional_usd")).otherwise(0.0)
    got = pl.when(pl.col("side") == "sell").then(pl.col("notional_usd")).otherwise(0.0)
    fee = pl.col("fee_usd").fill_null(0.0)
    held = found.with_columns(
        quantity=pl.col("quantity") + bought - sold,
        cost_basis_usd=pl.col("cost_basis_usd") * (1 - sold / pl.col("quantity")) + paid + fee * (bought > 0),
        bought_quantity=pl.col("bought_quantity") + bought,
        sold_quantity=pl.col("sold_quantity") + sold,
        total_allocation_usd=pl.col("total_allocation_usd") + paid,
        total_extracted_usd=pl.col("total_extracted_usd") + got,
        fees_usd=pl.col("fees_usd") + fee,
    )
    return held, fills


def _marked(book: pl.DataFrame) -> pl.DataFrame:
    spent = pl.col("total_extracted_usd") - pl.col("total_allocation_usd") - pl.col("fees_usd")
    loss = -(pl.col("quantity") * pl.col("low_usd") + spent)
    return book.with_columns(
        last_price_usd=pl.col("close_usd"), max_adverse_usd=pl.max_horizontal("max_adverse_usd", loss)
    )


def _ordered(book: pl.DataFrame, compiled: Compiled, at: str) -> pl.DataFrame:
    """Trim where the flag is up, else buy where the rule is open, by strength and skew."""
    trims, buys = book.filter(pl.col("trim_flag")), book.filter(pl.col("buy_flag") & ~pl.col("trim_flag"))
    cap = WALLET_USD * buys["total_allocation_pct"].to_numpy() / 100 * SPLIT
    invested = (buys["total_allocation_usd"] - buys["total_extracted_usd"]).to_numpy()
    remaining = np.clip(cap - invested, 0, cap)
    usd = remaining * np.clip(ADD_FRAC * _strength(buys, compiled) * _skew(book, buys), 0, 1)
    ids = ("position_id", pl.col("current_trade_id").alias("trade_id"))
    none = pl.lit(None, dtype=pl.Float64)
    orders = pl.concat(
        [
            buys.select(*ids, side=pl.lit("buy"), order_usd=pl.Series(usd), order_quantity=none),
            trims.select(*ids, side=pl.lit("sell"), order_usd=none, order_quantity=TRIM_FRAC * pl.col("quantity")),
        ]
    )
    names = [hashlib.sha256(f"{each}|{at}".encode()).hexdigest() for each in orders["position_id"]]
    return orders.with_columns(order_id=pl.Series(names, dtype=pl.String))


def _strength(buys: pl.DataFrame, compiled: Compiled) -> Array:
    """Blend, in log space, the overrides whose conditions all hold."""
    known = np.full((len(DIMENSIONS) + 1, buys.height), -1)
    for row, name in enumerate(DIMENSIONS):
        known[row] = [compiled.codes.get((name, value), -1) for value in buys[name]]
    applies = np.ones((len(compiled.weight), buys.height), dtype=bool)
    for place in range(MOST_CONDITIONS):
        applies &= known[compiled.dimension[:, place]] == compiled.code[:, place, None]
    total = compiled.weight @ applies
    blend = (compiled.weight * compiled.log_multiplier) @ applies
    return np.clip(np.exp(np.divide(blend, total, out=np.zeros_like(blend), where=total > 0)), 0.3, 3.0)


def _skew(book: pl.DataFrame, buys: pl.DataFrame) -> Array:
    """Crowding by bucket, and by bucket and pattern: timeframe and chain are the same for all."""
    value = pl.col("quantity") * pl.col("last_price_usd")
    near = book.group_by("mcap_bucket").agg(near=value.sum())
    same = book.group_by("mcap_bucket", "pattern").agg(same=value.sum())
    found = buys.join(near, on="mcap_bucket", how="left").join(same, on=["mcap_bucket", "pattern"], how="left")
    own = found.select(value).to_series().to_numpy()
    others = float(book.select(value.sum()).item()) - own
    crowd = found["near"].to_numpy() - own + 0.5 * (found["same"].fill_null(0.0).to_numpy() - own)
    return 0.33 + (1 - np.clip(crowd / (1.5 * others), 0, 1))


def _compiled(overrides: pl.DataFrame) -> Compiled:
    """Once a set, as ours."""
    of_size = overrides.filter((pl.col("lever") == "pm_strength") & (pl.col("action_category") == "add"))
    of_size = of_size.filter(pl.col("pattern_key").str.starts_with("pm.uptrend.S2"))
    codes: dict[tuple[str, str], int] = {}
    dimension = np.full((of_size.height, MOST_CONDITIONS), len(DIMENSIONS))
    code = np.full((of_size.height, MOST_CONDITIONS), -1)
    depth = np.zeros(of_size.height)
    for row, text in enumerate(of_size["scope"]):
        for place, (name, value) in enumerate(json.loads(text).items()):
            dimension[row, place] = DIMENSIONS.index(name)
            code[row, place] = codes.setdefault((name, value), len(codes))
            depth[row] += 1
    return Compiled(
        dimension=dimension,
        code=code,
        log_multiplier=np.log(of_size["multiplier"].to_numpy()),
        weight=np.sqrt((1 + depth) / 33) * of_size["confidence"].to_numpy(),
        codes=codes,
    )
