-- A replay: the runtime's tables once more in a schema of its own, what is known of the tokens in its window, and what
-- its report is made of. Its session has that schema first on the search path, so bare names of tables are its own.

-- name: copied_schema_statements
-- Statements, in order, that make schema %(schema)s with the tables %(tables)s (qualified names) once more, empty, with everything that refers to one another. Nothing in it refers to a table outside.
WITH copied AS (
    SELECT class.oid, class.relname::text AS name, space.nspname::text AS home
    FROM pg_class AS class
    INNER JOIN pg_namespace AS space ON space.oid = class.relnamespace
    WHERE class.relkind = 'r' AND space.nspname || '.' || class.relname = ANY(%(tables)s::text[])
),
reference AS (
    SELECT
        rule.conname::text AS name, own.name AS from_table, other.name AS to_table,
        (SELECT string_agg(quote_ident(att.attname), ', ' ORDER BY place.number)
         FROM unnest(rule.conkey) WITH ORDINALITY AS place (attnum, number)
         INNER JOIN pg_attribute AS att ON att.attrelid = rule.conrelid AND att.attnum = place.attnum) AS from_columns,
        (SELECT string_agg(quote_ident(att.attname), ', ' ORDER BY place.number)
         FROM unnest(rule.confkey) WITH ORDINALITY AS place (attnum, number)
         INNER JOIN pg_attribute AS att ON att.attrelid = rule.confrelid AND att.attnum = place.attnum) AS to_columns
    FROM pg_constraint AS rule
    INNER JOIN copied AS own ON own.oid = rule.conrelid
    INNER JOIN copied AS other ON other.oid = rule.confrelid
    WHERE rule.contype = 'f'
),
statement AS (
    SELECT 1 AS step, '' AS part, format('CREATE SCHEMA %%I', %(schema)s::text) AS words
    UNION ALL
    SELECT 2, name, format(
        'CREATE TABLE %%I.%%I (LIKE %%I.%%I INCLUDING ALL)', %(schema)s::text, name, home, name
    )
    FROM copied
    UNION ALL
    SELECT 3, name, format(
        'ALTER TABLE %%I.%%I ADD CONSTRAINT %%I FOREIGN KEY (%%s) REFERENCES %%I.%%I (%%s)',
        %(schema)s::text, from_table, name, from_columns, %(schema)s::text, to_table, to_columns
    )
    FROM reference
    UNION ALL
    SELECT 4, guard.tgname, replace(
        pg_get_triggerdef(guard.oid), format(' ON %%I.%%I ', copied.home, copied.name),
        format(' ON %%I.%%I ', %(schema)s::text, copied.name)
    )
    FROM pg_trigger AS guard
    INNER JOIN copied ON copied.oid = guard.tgrelid
    WHERE NOT guard.tgisinternal
)
SELECT words FROM statement ORDER BY step, part;

-- name: replayed_tables
-- Qualified names of the tables a replay has of its own: the runtime's, and those of the overrides it reads.
SELECT space.nspname || '.' || class.relname
FROM pg_class AS class
INNER JOIN pg_namespace AS space ON space.oid = class.relnamespace
WHERE class.relkind = 'r' AND (
    space.nspname = 'pm' AND class.relname NOT IN (
        'pm_config', 'bar_release', 'position_status_change', 'pm_alarm', 'notification'
    )
    OR space.nspname = 'learning' AND class.relname IN ('override_set', 'pm_overrides', 'live_override_set')
);

-- name: replay_schema_statements
-- Statements, in order, that make the copied tables of schema %(schema)s a replay: its own row, and who may read and write.
WITH statement AS (
    SELECT 5 AS step, '' AS part, format(
        'CREATE TABLE %%I.replay_run (is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), '
        'settings json NOT NULL, config_version bigint NOT NULL, code_version text NOT NULL, data_hash text NOT NULL, '
        'made_at timestamptz NOT NULL DEFAULT clock_timestamp(), report json, reported_at timestamptz)',
        %(schema)s::text
    ) AS words
    UNION ALL
    SELECT 6, said.part, format('COMMENT ON %%s IS %%L', format(said.target, %(schema)s::text), said.words)
    FROM (VALUES
        ('1', 'SCHEMA %%I', 'A replay of the runtime: what it would have done in a past window. Nobody else writes it; may be dropped.'),
        ('2', 'TABLE %%I.replay_run', 'What the rows of this schema were made from, one row, and the report on them.'),
        ('3', 'COLUMN %%I.replay_run.settings', 'Window, timeframes, universe and overrides that were asked for.'),
        ('4', 'COLUMN %%I.replay_run.config_version', 'Version of pm.pm_config, of all of its ticks.'),
        ('5', 'COLUMN %%I.replay_run.code_version', 'Version of the code, of all of its ticks.'),
        ('6', 'COLUMN %%I.replay_run.data_hash', 'SHA-256 over every row of history it may read, in order.'),
        ('7', 'COLUMN %%I.replay_run.made_at', 'When it was begun.'),
        ('8', 'COLUMN %%I.replay_run.report', 'What came of it; NULL until the last tick is made.'),
        ('9', 'COLUMN %%I.replay_run.reported_at', 'When the report was written.')
    ) AS said (part, target, words)
    UNION ALL
    SELECT 7, part, format(words, %(schema)s::text)
    FROM (VALUES
        ('1', 'GRANT USAGE ON SCHEMA %%I TO lowcap_regime, lowcap_learning, lowcap_pm, lowcap_console'),
        ('2', 'GRANT SELECT ON ALL TABLES IN SCHEMA %%I TO lowcap_regime, lowcap_learning, lowcap_pm, lowcap_console'),
        ('3', 'GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %%I TO lowcap_pm')
    ) AS granted (part, words)
)
SELECT words FROM statement ORDER BY step, part;

-- name: drop_replay_schema_statement
-- Statement that removes schema %(schema)s, if it is there.
SELECT format('DROP SCHEMA IF EXISTS %%I CASCADE', %(schema)s::text);

-- name: replay_schema_exists
-- Whether there is a schema %(schema)s, and whether it holds a replay.
SELECT count(*) > 0, coalesce(bool_or(to_regclass(format('%%I.replay_run', nspname)) IS NOT NULL), false)
FROM pg_namespace WHERE nspname = %(schema)s;

-- name: search_replay_schema
-- Look for bare names in schema %(schema)s until the transaction ends; a table of the runtime or of learning that it lacks is an error, never theirs.
SELECT set_config('search_path', quote_ident(%(schema)s) || ', regime, public', true);

-- name: try_replay_lock
-- Be the only session that writes schema %(schema)s, until it ends.
SELECT pg_try_advisory_lock(hashtext('lowcap.replay'), hashtext(%(schema)s));

-- name: hurry_replay_session
-- A replay can be made again: its commits need not wait for the disk.
SELECT set_config('synchronous_commit', 'off', false);

-- name: lift_statement_timeout
-- Let the statements of this transaction take as long as they need.
SELECT set_config('statement_timeout', '0', true);

-- name: insert_replay_run
-- Say what the replay is made from.
INSERT INTO replay_run (settings, config_version, code_version, data_hash)
VALUES (%(settings)s, %(config_version)s, %(code_version)s, %(data_hash)s);

-- name: replay_run
-- What the replay is made from.
SELECT settings::text, config_version, code_version, data_hash FROM replay_run;

-- name: store_replay_report
-- Keep the report.
UPDATE replay_run SET report = %(report)s, reported_at = clock_timestamp();

-- name: insert_replay_switch
-- Allow everything throughout, in the words of the runtime's own first row: a person's halts are not replayed.
INSERT INTO trading_switch (mode, overrides_on, author, reason, set_at)
VALUES ('ACTIVE', true, 'migration', 'defaults', %(from_at)s);

-- name: known_override_set
-- Whether the schema it is asked of has a set of overrides %(set_id)s.
SELECT count(*) > 0 FROM {learned}.override_set WHERE set_id = %(set_id)s;

-- name: copy_named_override_set
-- Take over one set.
INSERT INTO override_set OVERRIDING SYSTEM VALUE SELECT * FROM {learned}.override_set WHERE set_id = %(set_id)s;

-- name: make_override_set_live
-- Let one set be live from the start.
INSERT INTO live_override_set (set_id, author, reason, set_at)
VALUES (%(set_id)s, 'replay', 'named for the replay', %(from_at)s);

-- name: copy_live_override_sets
-- Take over the sets that were live at some time up to %(to_at)s.
INSERT INTO override_set OVERRIDING SYSTEM VALUE
SELECT * FROM {learned}.override_set
WHERE set_id IN (SELECT set_id FROM {learned}.live_override_set WHERE set_at <= %(to_at)s);

-- name: copy_live_override_steps
-- Take over which set was live when, up to %(to_at)s.
INSERT INTO live_override_set OVERRIDING SYSTEM VALUE
SELECT * FROM {learned}.live_override_set WHERE set_at <= %(to_at)s;

-- name: copy_overrides_of_sets
-- Take over the overrides of the sets that were taken over.
INSERT INTO pm_overrides OVERRIDING SYSTEM VALUE
SELECT * FROM {learned}.pm_overrides WHERE set_id IN (SELECT set_id FROM override_set);

-- name: override_steps
-- When which set became live, oldest first.
SELECT set_at FROM live_override_set ORDER BY step_id;

-- name: live_overrides_at
-- As live_overrides, of the set that was live at an instant.
SELECT
    live.set_id, rule.override_id, rule.pattern_key, rule.action_category, rule.scope_mask, rule.scope_values::text,
    rule.lever, rule.multiplier, rule.confidence, rule.n_trades, rule.edge_raw, rule.decay_mult, rule.lesson_id,
    rule.expires_at
FROM (SELECT set_id FROM live_override_set WHERE set_at <= %(at)s ORDER BY step_id DESC LIMIT 1) AS live
LEFT JOIN pm_overrides AS rule ON rule.set_id = live.set_id AND rule.state = 'live'
WHERE live.set_id IS NOT NULL
ORDER BY rule.override_id;

-- name: replay_candidates
-- Of each token and timeframe, the first bar in the window that has a state and a tag, with what the tag knew, and the first bar ever stored of the token.
SELECT seen.token_contract, seen.chain, seen.timeframe, seen.opened_at, seen.market_cap_usd, seen.volume_24h_usd, (
    SELECT min(oldest."timestamp")
    FROM unnest('{1m,5m,15m,1h,4h,1d}'::text[]) AS each_length (timeframe)
    CROSS JOIN LATERAL (
        SELECT bar."timestamp" FROM regime.lowcap_price_data_ohlc AS bar
        WHERE bar.token_contract = seen.token_contract AND bar.chain = seen.chain
            AND bar.timeframe = each_length.timeframe
        ORDER BY bar."timestamp"
        LIMIT 1
    ) AS oldest
)
FROM (
    SELECT DISTINCT ON (state.token_contract, state.chain, state.timeframe)
        state.token_contract, state.chain, state.timeframe, state."timestamp" AS opened_at, tag.market_cap_usd,
        tag.volume_24h_usd
    FROM unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS wanted (timeframe, length)
    INNER JOIN regime.token_uptrend_state AS state
        ON state.timeframe = wanted.timeframe AND state."timestamp" > %(from_at)s - wanted.length
        AND state."timestamp" <= %(to_at)s - wanted.length
    INNER JOIN regime.token_cap_bucket AS tag
        ON tag.token_contract = state.token_contract AND tag.chain = state.chain
        AND tag."timestamp" = date_trunc('day', state."timestamp", 'UTC')
        AND tag.valid_from <= state."timestamp" AND tag.valid_to > state."timestamp"
    WHERE %(contracts)s::text[] IS NULL OR EXISTS (
        SELECT FROM unnest(%(contracts)s::text[], %(chains)s::text[]) AS named (token_contract, chain)
        WHERE named.token_contract = state.token_contract AND named.chain IN ('', state.chain)
    )
    ORDER BY state.token_contract, state.chain, state.timeframe, state."timestamp"
) AS seen
ORDER BY seen.token_contract, seen.chain, seen.timeframe;

-- name: bars_counted_at
-- Length of the series of each token and timeframe, by its newest indicators at an instant of its own.
SELECT wanted.token_contract, wanted.chain, wanted.timeframe, newest.bars_count
FROM unnest(
    %(token_contracts)s::text[], %(chains)s::text[], %(timeframes)s::text[], %(last_opens)s::timestamptz[]
) AS wanted (token_contract, chain, timeframe, last_open)
CROSS JOIN LATERAL (
    SELECT ta.bars_count FROM regime.token_ta AS ta
    WHERE ta.token_contract = wanted.token_contract AND ta.chain = wanted.chain AND ta.timeframe = wanted.timeframe
        AND ta."timestamp" <= wanted.last_open
    ORDER BY ta."timestamp" DESC
    LIMIT 1
) AS newest;

-- name: insert_admitted_position
-- Put a token on the watchlist of the replay at an instant; a row that is there stays as it is.
INSERT INTO lowcap_positions (
    position_id, token_contract, chain, timeframe, book_id, token_ticker, status, total_allocation_pct, entry_context,
    intent, approved_by, approved_at, trade_memory, updated_at, config_version, code_version
) VALUES (
    %(position_id)s, %(token_contract)s, %(chain)s, %(timeframe)s, %(book_id)s, %(token_ticker)s, %(status)s,
    %(total_allocation_pct)s, %(entry_context)s, NULL, %(approved_by)s, %(approved_at)s, %(trade_memory)s, now(),
    %(config_version)s, %(code_version)s
) ON CONFLICT DO NOTHING;

-- name: ticked_bars
-- Bars that have their tick.
SELECT timeframe, bar_timestamp FROM pm_tick;

-- name: token_bars_between
-- As token_bars_at, for the bars that open in a window: behind the token the open of its bar.
SELECT
    wanted.token_contract, wanted.chain, bar."timestamp", bar.open_usd, bar.high_usd, bar.low_usd, bar.close_usd,
    bar.volume,
    state.status, state.state, state.prev_state, state.transition, state.bootstrapped, state.s3_start_at, state.ts,
    state.ts_with_boost, state.sr_boost, state.ox, state.dx, state.edx, ta.ema60, ta.ema144, ta.ema333, ta.ema60_slope,
    ta.ema144_slope, ta.ema250_slope, ta.ema333_slope, ta.atr, ta.bars_count, state.buy_signal, state.buy_flag,
    state.first_dip_buy_flag, state.trim_flag, state.emergency_exit, state.reclaimed_ema333, state.exit_position
FROM unnest(%(token_contracts)s::text[], %(chains)s::text[]) AS wanted (token_contract, chain)
INNER JOIN regime.lowcap_price_data_ohlc AS bar
    ON bar.token_contract = wanted.token_contract AND bar.chain = wanted.chain
    AND bar.timeframe = %(timeframe)s AND bar."timestamp" >= %(first_open)s AND bar."timestamp" <= %(last_open)s
INNER JOIN regime.token_uptrend_state AS state
    ON state.token_contract = wanted.token_contract AND state.chain = wanted.chain
    AND state.timeframe = %(timeframe)s AND state."timestamp" = bar."timestamp"
LEFT JOIN regime.token_ta AS ta
    ON ta.token_contract = wanted.token_contract AND ta.chain = wanted.chain
    AND ta.timeframe = %(timeframe)s AND ta."timestamp" = bar."timestamp";

-- name: copy_replayed_token_bars
-- Bars, states and indicators of some tokens that close in a window, as ticks read them, for a hash: in byte order of their keys.
COPY (
    SELECT
        bar.token_contract, bar.chain, bar.timeframe, bar."timestamp", bar.open_usd, bar.high_usd, bar.low_usd,
        bar.close_usd, bar.volume, state.status, state.state, state.prev_state, state.transition, state.bootstrapped,
        state.s3_start_at, state.ts, state.ts_with_boost, state.sr_boost, state.ox, state.dx, state.edx, ta.ema60,
        ta.ema144, ta.ema333, ta.ema60_slope, ta.ema144_slope, ta.ema250_slope, ta.ema333_slope, ta.atr, ta.bars_count,
        state.buy_signal, state.buy_flag, state.first_dip_buy_flag, state.trim_flag, state.emergency_exit,
        state.reclaimed_ema333, state.exit_position
    FROM unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS wanted (timeframe, length)
    INNER JOIN regime.lowcap_price_data_ohlc AS bar
        ON bar.timeframe = wanted.timeframe AND bar."timestamp" > %(from_at)s::timestamptz - wanted.length
        AND bar."timestamp" <= %(to_at)s::timestamptz - wanted.length
    INNER JOIN unnest(%(token_contracts)s::text[], %(chains)s::text[]) AS named (token_contract, chain)
        ON named.token_contract = bar.token_contract AND named.chain = bar.chain
    INNER JOIN regime.token_uptrend_state AS state
        ON state.token_contract = bar.token_contract AND state.chain = bar.chain AND state.timeframe = bar.timeframe
        AND state."timestamp" = bar."timestamp"
    LEFT JOIN regime.token_ta AS ta
        ON ta.token_contract = bar.token_contract AND ta.chain = bar.chain AND ta.timeframe = bar.timeframe
        AND ta."timestamp" = bar."timestamp"
    ORDER BY bar.token_contract COLLATE "C", bar.chain COLLATE "C", bar.timeframe COLLATE "C", bar."timestamp"
) TO STDOUT (FORMAT binary);

-- name: copy_replayed_tags
-- Tags of some tokens on the days of a window, for a hash.
COPY (
    SELECT
        tag.token_contract, tag.chain, tag."timestamp", tag.bucket, tag.market_cap_usd, tag.volume_24h_usd,
        tag.valid_from, tag.valid_to
    FROM unnest(%(token_contracts)s::text[], %(chains)s::text[]) AS named (token_contract, chain)
    INNER JOIN regime.token_cap_bucket AS tag
        ON tag.token_contract = named.token_contract AND tag.chain = named.chain
        AND tag."timestamp" > %(from_at)s::timestamptz - interval '2 days' AND tag."timestamp" < %(to_at)s
    ORDER BY tag.token_contract COLLATE "C", tag.chain COLLATE "C", tag."timestamp"
) TO STDOUT (FORMAT binary);

-- name: copy_replayed_scores
-- Scores of the timeframes in a window, and the last ones before it, for a hash.
COPY (
    SELECT
        score.bucket, score.timeframe, score."timestamp", score.a, score.e, score.a_raw, score.e_raw, score.coverage,
        score.degraded, score.config_version, score.code_version, score.btc_macro,
        score.btc_meso, score.btc_micro, score.alt_macro, score.alt_meso, score.alt_micro, score.bucket_macro,
        score.bucket_meso, score.bucket_micro, score.btcd_macro, score.btcd_meso, score.btcd_micro, score.usdtd_macro,
        score.usdtd_meso, score.usdtd_micro
    FROM unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS wanted (timeframe, length)
    CROSS JOIN unnest(%(buckets)s::text[]) AS named (bucket)
    CROSS JOIN LATERAL (
        SELECT coalesce(max(older."timestamp"), %(from_at)s::timestamptz - wanted.length) AS opened_at
        FROM regime.ae_score AS older
        WHERE older.bucket = named.bucket AND older.book_id = %(book_id)s AND older.timeframe = wanted.timeframe
            AND older."timestamp" <= %(from_at)s::timestamptz - wanted.length
    ) AS first
    INNER JOIN regime.ae_score AS score
        ON score.bucket = named.bucket AND score.book_id = %(book_id)s AND score.timeframe = wanted.timeframe
        AND score."timestamp" >= first.opened_at AND score."timestamp" <= %(to_at)s::timestamptz - wanted.length
    ORDER BY score.bucket COLLATE "C", score.timeframe COLLATE "C", score."timestamp"
) TO STDOUT (FORMAT binary);

-- name: copy_replayed_contexts
-- Regime documents that are known at some instant of a window, for a hash.
COPY (
    SELECT told."timestamp", told.context::text
    FROM regime.regime_context AS told
    WHERE told."timestamp" > %(from_at)s::timestamptz - interval '3 hours'
        AND told."timestamp" <= %(to_at)s::timestamptz - interval '1 hour'
    ORDER BY told."timestamp"
) TO STDOUT (FORMAT binary);

-- name: columns_of_replay
-- Columns of each table of schema %(schema)s, in order.
SELECT class.relname, att.attname
FROM pg_class AS class
INNER JOIN pg_namespace AS space ON space.oid = class.relnamespace
INNER JOIN pg_attribute AS att ON att.attrelid = class.oid AND att.attnum > 0 AND NOT att.attisdropped
WHERE space.nspname = %(schema)s AND class.relkind = 'r'
ORDER BY class.relname, att.attnum;

-- name: replayed_ticks
-- Ticks by timeframe and mode.
SELECT timeframe, mode, count(*), sum(positions) FROM pm_tick GROUP BY timeframe, mode ORDER BY timeframe, mode;

-- name: replayed_orders
-- Orders by category and what became of them.
SELECT action_category, status, count(*) FROM pm_order GROUP BY action_category, status ORDER BY action_category, status;

-- name: replayed_fills
-- Every fill, in the order they happened.
SELECT
    fill_id, side, quantity, price_usd, notional_usd, fee_usd, filled_at, order_id, position_id, trade_id
FROM pm_fill
ORDER BY filled_at, fill_id;

-- name: replayed_closures
-- What is told of each closed trade, in the order they ended.
SELECT trade_id, timeframe, occurred_at, content FROM ad_strands
WHERE kind = 'position_closed'
ORDER BY occurred_at, trade_id;

-- name: replayed_positions
-- Where each position stands at the end.
SELECT position_id, status, current_trade_id, quantity, last_price_usd FROM lowcap_positions ORDER BY position_id;

-- name: replayed_episodes
-- Windows of opportunity by family, decision and outcome.
SELECT family, coalesce(decision, 'open'), outcome, count(*)
FROM pattern_episode_events
GROUP BY family, coalesce(decision, 'open'), outcome
ORDER BY family, coalesce(decision, 'open'), outcome;

-- name: replayed_marks
-- Close of every bar a trade was seen at, from its first fill on: to its last one, or to the end where it is open.
SELECT held.position_id, bar."timestamp" + wanted.length, bar.close_usd
FROM (
    SELECT
        fill.position_id, min(fill.filled_at) AS first_at,
        CASE WHEN bool_or(fill.trade_id = whose.current_trade_id) THEN %(to_at)s ELSE max(fill.filled_at) END AS last_at
    FROM pm_fill AS fill
    INNER JOIN lowcap_positions AS whose ON whose.position_id = fill.position_id
    GROUP BY fill.position_id, fill.trade_id
) AS held
INNER JOIN lowcap_positions AS row ON row.position_id = held.position_id
INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS wanted (timeframe, length)
    ON wanted.timeframe = row.timeframe
INNER JOIN regime.lowcap_price_data_ohlc AS bar
    ON bar.token_contract = row.token_contract AND bar.chain = row.chain AND bar.timeframe = row.timeframe
    AND bar."timestamp" >= held.first_at AND bar."timestamp" <= held.last_at - wanted.length
INNER JOIN regime.token_uptrend_state AS state
    ON state.token_contract = bar.token_contract AND state.chain = bar.chain AND state.timeframe = bar.timeframe
    AND state."timestamp" = bar."timestamp"
ORDER BY bar."timestamp" + wanted.length, held.position_id;
