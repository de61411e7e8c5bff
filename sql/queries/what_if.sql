-- What buys and trades would have been under other overrides: what is stored of those of a window. Tables of the runtime
-- stand without their schema: a look at a replay puts its schema on the search path instead of the runtime's.

-- name: what_if_replay_settings
-- What the replay that is looked at was asked for.
SELECT settings FROM replay_run;

-- name: what_if_buys
-- Every buy of the trades that decided to buy after %(from_at)s and by %(to_at)s, with the parts of its decision a size is made of, oldest first.
SELECT
    told.order_id, told.trade_id, told.decided_at, told.action_category, told.pattern_key, told.order_usd, told.status,
    told.decided_at > %(from_at)s AND told.decided_at <= %(to_at)s AS is_asked,
    told.decision -> 'sizing' AS sizing,
    told.decision -> 'learning_multipliers' -> 'pm_strength' AS strength,
    told.decision -> 'reasons' -> 'gates' AS gates,
    told.decision -> 'thresholds' AS thresholds,
    told.decision -> 'scope' AS scope,
    told.config_version
FROM pm_order AS told
WHERE told.side = 'buy' AND told.trade_id IN (
    SELECT trade_id FROM pm_order
    WHERE side = 'buy' AND decided_at > %(from_at)s AND decided_at <= %(to_at)s
)
ORDER BY told.decided_at, told.order_id;

-- name: what_if_trades
-- Each of some trades: its token, its first and last fill, the configuration its result is made with, whether it is open and until when it was seen, and its result: what its closure told, or the sums of the position it is open in.
SELECT
    done.trade_id, held.token_contract, held.chain, held.token_ticker, held.timeframe, done.first_fill_at,
    done.last_fill_at, held.current_trade_id IS NOT DISTINCT FROM done.trade_id AS is_open, held.last_event_at,
    coalesce(told.config_version, held.config_version) AS config_version, told.result, held.quantity,
    held.total_allocation_usd AS invested_usd, held.total_extracted_usd AS extracted_usd, held.max_adverse_usd
FROM (
    SELECT trade_id, min(position_id) AS position_id, min(filled_at) AS first_fill_at, max(filled_at) AS last_fill_at
    FROM pm_fill
    WHERE trade_id = ANY (%(trade_ids)s)
    GROUP BY trade_id
) AS done
INNER JOIN lowcap_positions AS held ON held.position_id = done.position_id
LEFT JOIN LATERAL (
    SELECT (content ->> 'config_version')::bigint AS config_version, content #> '{completed_trades,-1}' AS result
    FROM ad_strands
    WHERE kind = 'position_closed' AND ad_strands.trade_id = done.trade_id
    ORDER BY sequence
    LIMIT 1
) AS told ON true
ORDER BY done.first_fill_at, done.trade_id;

-- name: what_if_fills
-- Fills of some trades, in the order they happened.
SELECT trade_id, order_id, fill_id, side, quantity, price_usd, notional_usd, fee_usd, filled_at
FROM pm_fill
WHERE trade_id = ANY (%(trade_ids)s)
ORDER BY filled_at, fill_id;

-- name: what_if_bars
-- Bars some trades were held through: of each its token, and those that opened after one instant and by another.
SELECT wanted.trade_id, bar.timeframe, bar."timestamp", bar.low_usd, bar.close_usd
FROM unnest(
    %(trade_ids)s::text[], %(token_contracts)s::text[], %(chains)s::text[], %(timeframes)s::text[],
    %(afters)s::timestamptz[], %(untils)s::timestamptz[]
) AS wanted (trade_id, token_contract, chain, timeframe, after, until)
INNER JOIN regime.lowcap_price_data_ohlc AS bar
    ON bar.token_contract = wanted.token_contract AND bar.chain = wanted.chain
    AND bar.timeframe = wanted.timeframe AND bar."timestamp" > wanted.after AND bar."timestamp" <= wanted.until
ORDER BY wanted.trade_id, bar."timestamp";
