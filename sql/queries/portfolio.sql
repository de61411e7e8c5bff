-- Positions, orders, fills, strands, episodes and overrides, as a tick reads and writes them, and the market a tick
-- sees. Tables of the runtime and of learning stand without their schema: a replay puts one of its own before theirs
-- on the search path. A read of many is one statement; writes are sent as a batch. Everything comes in a fixed order.

-- name: positions_of_timeframe
-- All positions of a timeframe, whatever their status.
SELECT
    position_id, token_contract, chain, timeframe, book_id, token_ticker, status, total_allocation_pct, entry_context,
    intent, approved_by, approved_at, current_trade_id, trade_memory, last_bar_timestamp, revision,
    quantity, cost_basis_usd, bought_quantity, sold_quantity, total_allocation_usd, total_extracted_usd, fees_usd,
    realised_pnl_usd, max_adverse_usd, last_price_usd, first_fill_at, last_fill_at, last_event_at
FROM lowcap_positions
WHERE timeframe = %(timeframe)s AND book_id = %(book_id)s
ORDER BY position_id;

-- name: held_positions
-- Positions of all timeframes that hold something, but for those of the timeframe %(besides)s.
SELECT
    position_id, token_contract, chain, timeframe, book_id, token_ticker, status, total_allocation_pct, entry_context,
    intent, approved_by, approved_at, current_trade_id, trade_memory, last_bar_timestamp, revision,
    quantity, cost_basis_usd, bought_quantity, sold_quantity, total_allocation_usd, total_extracted_usd, fees_usd,
    realised_pnl_usd, max_adverse_usd, last_price_usd, first_fill_at, last_fill_at, last_event_at
FROM lowcap_positions
WHERE quantity > 0 AND book_id = %(book_id)s AND timeframe IS DISTINCT FROM %(besides)s::text
ORDER BY position_id;

-- name: positions_on_watchlist
-- Positions of all timeframes that may be entered and hold nothing, but for those of the timeframe %(besides)s.
SELECT
    position_id, token_contract, chain, timeframe, book_id, token_ticker, status, total_allocation_pct, entry_context,
    intent, approved_by, approved_at, current_trade_id, trade_memory, last_bar_timestamp, revision,
    quantity, cost_basis_usd, bought_quantity, sold_quantity, total_allocation_usd, total_extracted_usd, fees_usd,
    realised_pnl_usd, max_adverse_usd, last_price_usd, first_fill_at, last_fill_at, last_event_at
FROM lowcap_positions
WHERE status = 'watchlist' AND quantity = 0 AND book_id = %(book_id)s AND timeframe IS DISTINCT FROM %(besides)s::text
ORDER BY position_id;

-- name: update_position
-- Store where a position stands, if nobody has written it since it was read. What was approved is not touched, nor is the memory of its trade where none is given.
UPDATE lowcap_positions SET
    status = %(status)s, current_trade_id = %(current_trade_id)s,
    trade_memory = coalesce(%(trade_memory)s::json, trade_memory),
    last_bar_timestamp = %(last_bar_timestamp)s, quantity = %(quantity)s, cost_basis_usd = %(cost_basis_usd)s,
    bought_quantity = %(bought_quantity)s, sold_quantity = %(sold_quantity)s,
    total_allocation_usd = %(total_allocation_usd)s, total_extracted_usd = %(total_extracted_usd)s,
    fees_usd = %(fees_usd)s, realised_pnl_usd = %(realised_pnl_usd)s, max_adverse_usd = %(max_adverse_usd)s,
    last_price_usd = %(last_price_usd)s, first_fill_at = %(first_fill_at)s, last_fill_at = %(last_fill_at)s,
    last_event_at = %(last_event_at)s, revision = revision + 1, updated_at = now(),
    config_version = %(config_version)s, code_version = %(code_version)s
WHERE position_id = %(position_id)s AND revision = %(revision)s;

-- name: position_revisions
-- Revision of each of some positions.
SELECT position_id, revision FROM lowcap_positions WHERE position_id = ANY (%(position_ids)s);

-- name: open_orders
-- Orders of a timeframe that something can still happen to, oldest first.
SELECT
    told.order_id, told.position_id, told.trade_id, told.timeframe, told.bar_timestamp, told.decided_at,
    told.action_category, told.side, told.pattern_key, told.order_usd, told.order_quantity, told.decision, told.status,
    told.status_reason, told.venue, told.settled_at
FROM pm_order AS told
INNER JOIN lowcap_positions AS held ON held.position_id = told.position_id
WHERE told.settled_at IS NULL AND told.timeframe = %(timeframe)s AND held.book_id = %(book_id)s
ORDER BY told.bar_timestamp, told.order_id;

-- name: insert_order
-- Store an order; its position must have none for that bar.
INSERT INTO pm_order (
    order_id, position_id, trade_id, timeframe, bar_timestamp, decided_at, action_category, side, pattern_key,
    order_usd, order_quantity, decision, status, status_reason, venue, settled_at, holder, config_version, code_version
) VALUES (
    %(order_id)s, %(position_id)s, %(trade_id)s, %(timeframe)s, %(bar_timestamp)s, %(decided_at)s,
    %(action_category)s, %(side)s, %(pattern_key)s, %(order_usd)s, %(order_quantity)s, %(decision)s, %(status)s,
    %(status_reason)s, %(venue)s, %(settled_at)s, %(holder)s, %(config_version)s, %(code_version)s
);

-- name: mark_orders_submitted
-- Note that venues took these orders; one that has gone further stays where it is.
UPDATE pm_order SET status = 'submitted' WHERE order_id = ANY (%(order_ids)s) AND status = 'planned';

-- name: settle_order
-- Store the end of an open order.
UPDATE pm_order SET status = %(status)s, status_reason = %(status_reason)s, settled_at = %(settled_at)s
WHERE order_id = %(order_id)s AND settled_at IS NULL;

-- name: fills_of_trades
-- Fills of some trades, in the order they happened.
SELECT
    fill_id, side, quantity, price_usd, notional_usd, fee_usd, filled_at, order_id, position_id, trade_id
FROM pm_fill
WHERE trade_id = ANY (%(trade_ids)s)
ORDER BY filled_at, fill_id;

-- name: fills_by_id
-- Fills with these ids.
SELECT
    fill_id, side, quantity, price_usd, notional_usd, fee_usd, filled_at, order_id, position_id, trade_id
FROM pm_fill
WHERE fill_id = ANY (%(fill_ids)s);

-- name: insert_fill
-- Store a fill; one that is known changes nothing.
INSERT INTO pm_fill (
    fill_id, side, quantity, price_usd, notional_usd, fee_usd, filled_at, order_id, position_id, trade_id
) VALUES (
    %(fill_id)s, %(side)s, %(quantity)s, %(price_usd)s, %(notional_usd)s, %(fee_usd)s, %(filled_at)s, %(order_id)s,
    %(position_id)s, %(trade_id)s
) ON CONFLICT (fill_id) DO NOTHING;

-- name: cash_flow
-- Money all fills of a book brought less what they took, fees included, USD, exactly: a sum of doubles depends on their order, a sum of decimals does not.
SELECT coalesce(sum(
    CASE done.side WHEN 'sell' THEN done.notional_usd::numeric ELSE -done.notional_usd::numeric END
    - done.fee_usd::numeric
), 0)
FROM pm_fill AS done
INNER JOIN lowcap_positions AS held ON held.position_id = done.position_id
WHERE held.book_id = %(book_id)s;

-- name: newest_ticks
-- Numbers of the newest ticks, %(most)s at most: fills are stored with ticks only.
SELECT tick_id FROM pm_tick ORDER BY tick_id DESC LIMIT %(most)s;

-- name: promised
-- Money that open buys of a book, of all timeframes, may still spend, USD.
SELECT coalesce(sum(told.order_usd::numeric), 0)::double precision
FROM pm_order AS told
INNER JOIN lowcap_positions AS held ON held.position_id = told.position_id
WHERE told.settled_at IS NULL AND told.side = 'buy' AND held.book_id = %(book_id)s;

-- name: strands_of_trades
-- Strands of a kind of some trades, in the order they were stored.
SELECT
    strand_id, kind, schema_version, position_id, trade_id, token_contract, chain, timeframe, occurred_at, content
FROM ad_strands
WHERE trade_id = ANY (%(trade_ids)s) AND kind = %(kind)s
ORDER BY sequence;

-- name: insert_strand
-- Store a strand; one that is known changes nothing.
INSERT INTO ad_strands (
    strand_id, kind, schema_version, position_id, trade_id, token_contract, chain, timeframe, occurred_at, content
) VALUES (
    %(strand_id)s, %(kind)s, %(schema_version)s, %(position_id)s, %(trade_id)s, %(token_contract)s, %(chain)s,
    %(timeframe)s, %(occurred_at)s, %(content)s
) ON CONFLICT (strand_id) DO NOTHING;

-- name: insert_dead_letter
-- Keep a strand that breaks its schema; one that is known changes nothing.
INSERT INTO strand_dead_letter (dead_letter_id, kind, pointer, reason, payload)
VALUES (%(dead_letter_id)s, %(kind)s, %(pointer)s, %(reason)s, %(payload)s)
ON CONFLICT (dead_letter_id) DO NOTHING;

-- name: pending_episodes
-- Episodes of a timeframe whose outcome is not known, oldest first.
SELECT
    episode.episode_id, episode.position_id, episode.token_contract, episode.chain, episode.timeframe, episode.family,
    episode.started_at, episode.ended_at, episode.decision, episode.decided_at, episode.gates, episode.samples,
    episode.scope, episode.trade_id, episode.outcome, episode.outcome_at
FROM pattern_episode_events AS episode
INNER JOIN lowcap_positions AS held ON held.position_id = episode.position_id
WHERE episode.outcome = 'pending' AND episode.timeframe = %(timeframe)s AND held.book_id = %(book_id)s
ORDER BY episode.started_at, episode.episode_id;

-- name: upsert_episode
-- Store an episode as it stands; one whose outcome is known is not changed any more.
INSERT INTO pattern_episode_events AS known (
    episode_id, position_id, token_contract, chain, timeframe, family, started_at, ended_at, decision, decided_at,
    gates, samples, scope, trade_id, outcome, outcome_at, updated_at, config_version, code_version
) VALUES (
    %(episode_id)s, %(position_id)s, %(token_contract)s, %(chain)s, %(timeframe)s, %(family)s, %(started_at)s,
    %(ended_at)s, %(decision)s, %(decided_at)s, %(gates)s, %(samples)s, %(scope)s, %(trade_id)s, %(outcome)s,
    %(outcome_at)s, now(), %(config_version)s, %(code_version)s
) ON CONFLICT (episode_id) DO UPDATE SET
    ended_at = excluded.ended_at, decision = excluded.decision, decided_at = excluded.decided_at,
    gates = excluded.gates, samples = excluded.samples, scope = excluded.scope, trade_id = excluded.trade_id,
    outcome = excluded.outcome, outcome_at = excluded.outcome_at, updated_at = excluded.updated_at,
    config_version = excluded.config_version, code_version = excluded.code_version
WHERE known.outcome = 'pending';

-- name: live_overrides
-- Overrides of the live set, each with the number of the set; scopes as text, for a key given twice is seen only there. One row without an override where the set is empty, none where no set is live.
SELECT
    live.set_id, rule.override_id, rule.pattern_key, rule.action_category, rule.scope_mask, rule.scope_values::text,
    rule.lever, rule.multiplier, rule.confidence, rule.n_trades, rule.edge_raw, rule.decay_mult, rule.lesson_id,
    rule.expires_at
FROM (SELECT set_id FROM live_override_set ORDER BY step_id DESC LIMIT 1) AS live
LEFT JOIN pm_overrides AS rule ON rule.set_id = live.set_id AND rule.state = 'live'
WHERE live.set_id IS NOT NULL
ORDER BY rule.override_id;

-- name: token_bars_at
-- Bar, state and indicators of some tokens at exactly one bar; a token without bar or state is not there.
SELECT
    wanted.token_contract, wanted.chain, bar.open_usd, bar.high_usd, bar.low_usd, bar.close_usd, bar.volume,
    state.status, state.state, state.prev_state, state.transition, state.bootstrapped, state.s3_start_at, state.ts,
    state.ts_with_boost, state.sr_boost, state.ox, state.dx, state.edx, ta.ema60, ta.ema144, ta.ema333, ta.ema60_slope,
    ta.ema144_slope, ta.ema250_slope, ta.ema333_slope, ta.atr, ta.bars_count, state.buy_signal, state.buy_flag,
    state.first_dip_buy_flag, state.trim_flag, state.emergency_exit, state.reclaimed_ema333, state.exit_position
FROM unnest(%(token_contracts)s::text[], %(chains)s::text[]) AS wanted (token_contract, chain)
INNER JOIN regime.lowcap_price_data_ohlc AS bar
    ON bar.token_contract = wanted.token_contract AND bar.chain = wanted.chain
    AND bar.timeframe = %(timeframe)s AND bar."timestamp" = %(bar_timestamp)s
INNER JOIN regime.token_uptrend_state AS state
    ON state.token_contract = wanted.token_contract AND state.chain = wanted.chain
    AND state.timeframe = %(timeframe)s AND state."timestamp" = %(bar_timestamp)s
LEFT JOIN regime.token_ta AS ta
    ON ta.token_contract = wanted.token_contract AND ta.chain = wanted.chain
    AND ta.timeframe = %(timeframe)s AND ta."timestamp" = %(bar_timestamp)s;

-- name: cap_buckets_at
-- Tags of some tokens that hold at an instant.
SELECT tag.token_contract, tag.chain, tag.bucket
FROM unnest(%(token_contracts)s::text[], %(chains)s::text[]) AS wanted (token_contract, chain)
INNER JOIN regime.token_cap_bucket AS tag
    ON tag.token_contract = wanted.token_contract AND tag.chain = wanted.chain
    AND tag."timestamp" = date_trunc('day', %(at)s::timestamptz, 'UTC')
    AND tag.valid_from <= %(at)s AND tag.valid_to > %(at)s;

-- name: regime_context_at
-- The document as it was known at an instant; NULL when the newest evaluation then was too old.
SELECT regime.get_regime_context(%(at)s);

-- name: newest_channel_states
-- State of every channel behind each bucket's newest score of a timeframe at or before a bar.
SELECT
    newest.bucket, newest."timestamp", newest.a_raw, newest.e_raw,
    newest.btc_macro, newest.btc_meso, newest.btc_micro, newest.alt_macro, newest.alt_meso, newest.alt_micro,
    newest.bucket_macro, newest.bucket_meso, newest.bucket_micro, newest.btcd_macro, newest.btcd_meso,
    newest.btcd_micro, newest.usdtd_macro, newest.usdtd_meso, newest.usdtd_micro
FROM unnest(%(buckets)s::text[]) AS wanted (bucket)
CROSS JOIN LATERAL (
    SELECT * FROM regime.ae_score
    WHERE bucket = wanted.bucket AND book_id = %(book_id)s AND timeframe = %(timeframe)s
        AND "timestamp" <= %(bar_timestamp)s
    ORDER BY "timestamp" DESC
    LIMIT 1
) AS newest;
