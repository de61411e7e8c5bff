-- The watchlist and the switch, as a person writes them and the runtime reads them. Tables of the runtime stand without
-- their schema: a replay puts one of its own before them on the search path.

-- name: bars_known
-- How many bars each timeframe of a token has, counted up to %(enough)s.
SELECT wanted.timeframe, (
    SELECT count(*) FROM (
        SELECT 1 FROM regime.lowcap_price_data_ohlc AS bar
        WHERE bar.token_contract = %(token_contract)s AND bar.chain = %(chain)s AND bar.timeframe = wanted.timeframe
        LIMIT %(enough)s
    ) AS known
)
FROM unnest(%(timeframes)s::text[]) AS wanted (timeframe);

-- name: insert_position
-- Put a token on the watchlist for a timeframe; a row that is there stays as it is.
INSERT INTO lowcap_positions (
    position_id, token_contract, chain, timeframe, book_id, token_ticker, status, total_allocation_pct, entry_context,
    intent, approved_by, approved_at, trade_memory, updated_at, config_version, code_version
) VALUES (
    %(position_id)s, %(token_contract)s, %(chain)s, %(timeframe)s, %(book_id)s, %(token_ticker)s, %(status)s,
    %(total_allocation_pct)s, %(entry_context)s, %(intent)s, %(approved_by)s, now(), %(trade_memory)s, now(),
    %(config_version)s, %(code_version)s
) ON CONFLICT DO NOTHING;

-- name: newest_learned_splits
-- Shares of an allocation by timeframe that were learned last, and the day they are as of; no row, or NULL, where none were.
SELECT "timestamp", config_data -> 'splits'
FROM learning_configs
WHERE module_id = 'decision_maker'
ORDER BY "timestamp" DESC
LIMIT 1;

-- name: watched_positions
-- The watchlist: every position of a book, or those with some ids where ids are given; each with what a person did to its status last.
SELECT
    held.position_id, held.token_contract, held.chain, held.timeframe, held.token_ticker, held.status,
    held.total_allocation_pct, held.approved_by, held.approved_at, held.quantity, held.current_trade_id IS NOT NULL,
    held.revision, newest.became, newest.author, newest.reason, newest.changed_at
FROM lowcap_positions AS held
LEFT JOIN LATERAL (
    SELECT change.became, change.author, change.reason, change.changed_at
    FROM position_status_change AS change
    WHERE change.position_id = held.position_id
    ORDER BY change.change_id DESC
    LIMIT 1
) AS newest ON true
WHERE held.book_id = %(book_id)s
    AND (%(position_ids)s::text[] IS NULL OR held.position_id = ANY (%(position_ids)s));

-- name: set_position_status
-- Change the status of a position if it is as it was read.
UPDATE lowcap_positions SET status = %(status)s, revision = revision + 1, updated_at = now()
WHERE position_id = %(position_id)s AND revision = %(revision)s;

-- name: insert_status_change
-- Say who changed the status of a position by hand, and why.
INSERT INTO position_status_change (position_id, was, became, author, reason)
VALUES (%(position_id)s, %(was)s, %(status)s, %(author)s, %(reason)s);

-- name: trading_switch
-- Of each scope, the newest row that sets the mode and the newest that sets whether overrides apply, oldest first.
SELECT scope, mode, overrides_on, author, reason, set_at
FROM trading_switch
WHERE switch_id IN (
    SELECT unnest(ARRAY[
        max(switch_id) FILTER (WHERE mode IS NOT NULL), max(switch_id) FILTER (WHERE overrides_on IS NOT NULL)
    ])
    FROM trading_switch
    GROUP BY scope
)
ORDER BY switch_id;

-- name: trading_switch_history
-- Every change of the switch, newest first, at most %(limit)s.
SELECT scope, mode, overrides_on, author, reason, set_at FROM trading_switch ORDER BY switch_id DESC LIMIT %(limit)s;

-- name: insert_trading_switch
-- Set the switch in a scope.
INSERT INTO trading_switch (scope, mode, overrides_on, author, reason)
VALUES (%(scope)s, %(mode)s, %(overrides_on)s, %(author)s, %(reason)s)
RETURNING scope, mode, overrides_on, author, reason, set_at;
