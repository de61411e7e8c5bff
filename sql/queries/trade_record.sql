-- Trades, actions and orders as a person looks at them. Tables of the runtime stand without their schema: a look at a
-- replay puts its schema on the search path instead of the runtime's.

-- name: schemas_of_replays
-- Schemas that hold a replay.
SELECT nspname FROM pg_namespace
WHERE starts_with(nspname, 'replay_') AND to_regclass(quote_ident(nspname) || '.replay_run') IS NOT NULL
ORDER BY nspname;

-- name: set_search_path
-- Look for tables along %(search_path)s until the transaction ends.
SELECT set_config('search_path', %(search_path)s, true);

-- name: names_of_positions
-- Names that positions have in the dimensions people name, each once.
SELECT DISTINCT given.name, given.value
FROM lowcap_positions AS held
CROSS JOIN LATERAL (VALUES
    ('chain', held.chain), ('curator', held.entry_context ->> 'curator'), ('intent', held.entry_context ->> 'intent')
) AS given (name, value)
WHERE given.value IS NOT NULL;

-- name: open_trades
-- Positions in a trade, with the sums of it, the longest held first.
SELECT
    position_id, token_contract, chain, timeframe, token_ticker, status, current_trade_id AS trade_id, trade_memory,
    config_version, quantity, cost_basis_usd, bought_quantity, sold_quantity, total_allocation_usd,
    total_extracted_usd, fees_usd, realised_pnl_usd, max_adverse_usd, last_price_usd, first_fill_at, last_fill_at,
    last_event_at
FROM lowcap_positions
WHERE current_trade_id IS NOT NULL
ORDER BY first_fill_at, position_id;

-- name: closed_trades
-- Documents of closed positions, newest first, at most %(most)s.
SELECT
    told.strand_id, told.position_id, told.trade_id, told.token_contract, told.chain, told.timeframe, told.content,
    held.token_ticker
FROM ad_strands AS told
LEFT JOIN lowcap_positions AS held ON held.position_id = told.position_id
WHERE told.kind = 'position_closed'
ORDER BY told.occurred_at DESC, told.sequence DESC
LIMIT %(most)s;

-- name: ids_that_begin
-- What has an id that begins with some digits: orders, strands and trades, at most %(most)s.
SELECT kind, id FROM (
    SELECT 'order' AS kind, order_id AS id FROM pm_order WHERE starts_with(order_id, %(prefix)s)
    UNION
    SELECT kind, strand_id FROM ad_strands WHERE starts_with(strand_id, %(prefix)s)
    UNION
    SELECT 'trade', trade_id FROM pm_order WHERE starts_with(trade_id, %(prefix)s)
    UNION
    SELECT 'trade', trade_id FROM ad_strands WHERE starts_with(trade_id, %(prefix)s)
) AS found
ORDER BY kind, id
LIMIT %(most)s;

-- name: orders_told
-- Orders by id, or those of trades, each with its token, oldest first.
SELECT
    told.order_id, told.position_id, told.trade_id, told.timeframe, told.bar_timestamp, told.decided_at,
    told.action_category, told.side, told.pattern_key, told.order_usd, told.order_quantity, told.decision, told.status,
    told.status_reason, told.venue, told.settled_at, told.holder, held.token_contract, held.chain, held.token_ticker,
    held.book_id
FROM pm_order AS told
INNER JOIN lowcap_positions AS held ON held.position_id = told.position_id
WHERE told.order_id = ANY (%(order_ids)s) OR told.trade_id = ANY (%(trade_ids)s)
ORDER BY told.bar_timestamp, told.order_id;

-- name: strands_told
-- Strands by id or those of trades, in the order they were stored.
SELECT strand_id, kind, trade_id, content
FROM ad_strands
WHERE strand_id = ANY (%(strand_ids)s) OR trade_id = ANY (%(trade_ids)s)
ORDER BY sequence;

-- name: fills_told
-- Fills of orders or of trades, in the order they happened.
SELECT fill_id, order_id, side, quantity, price_usd, notional_usd, fee_usd, filled_at
FROM pm_fill
WHERE order_id = ANY (%(order_ids)s) OR trade_id = ANY (%(trade_ids)s)
ORDER BY filled_at, fill_id;

-- name: position_of_trade
-- The position a trade is open in.
SELECT position_id, token_contract, chain, timeframe, token_ticker, status, last_event_at, trade_memory, config_version
FROM lowcap_positions
WHERE current_trade_id = %(trade_id)s;

-- name: bars_held_through
-- Bars of a token that closed after %(after)s and by %(until)s, oldest first.
SELECT "timestamp", low_usd, close_usd
FROM regime.lowcap_price_data_ohlc
WHERE token_contract = %(token_contract)s AND chain = %(chain)s AND timeframe = %(timeframe)s
    AND "timestamp" > %(after)s AND "timestamp" <= %(until)s
ORDER BY "timestamp";

-- name: score_behind
-- A stored score with what each channel added to it.
SELECT a_raw, e_raw, channel_status, channel_a, channel_e, channel_signal, config_version
FROM regime.ae_score
WHERE bucket = %(bucket)s AND book_id = %(book_id)s AND timeframe = %(timeframe)s AND "timestamp" = %(timestamp)s;
