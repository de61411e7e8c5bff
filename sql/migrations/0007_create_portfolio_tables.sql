-- Why: positions, orders, fills and the event log of the runtime, its switch, and the overrides it reads. Additive.

CREATE TABLE pm.trading_switch (
    switch_id bigint GENERATED ALWAYS AS IDENTITY,
    scope text NOT NULL DEFAULT '{}',
    mode text CHECK (mode IN ('ACTIVE', 'REDUCE_ONLY', 'HALTED')),
    overrides_on boolean,
    author text NOT NULL CHECK (author <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT trading_switch_sets_something CHECK (mode IS NOT NULL OR overrides_on IS NOT NULL),
    CONSTRAINT trading_switch_scope_is_an_object CHECK (json_typeof(scope::json) = 'object'),
    PRIMARY KEY (switch_id)
);
CREATE INDEX trading_switch_scope ON pm.trading_switch (scope, switch_id DESC);
COMMENT ON TABLE pm.trading_switch IS 'What the runtime may do, everywhere or in a scope. Append-only: the newest row of a scope counts.';
COMMENT ON COLUMN pm.trading_switch.switch_id IS 'Order of the changes.';
COMMENT ON COLUMN pm.trading_switch.scope IS 'Dimensions and values it applies to, canonical JSON; {} is everywhere.';
COMMENT ON COLUMN pm.trading_switch.mode IS 'ACTIVE, REDUCE_ONLY (exits and trims only) or HALTED (exits only); NULL leaves it as it was.';
COMMENT ON COLUMN pm.trading_switch.overrides_on IS 'Whether learned overrides apply; NULL leaves it as it was.';
COMMENT ON COLUMN pm.trading_switch.author IS 'Who set it.';
COMMENT ON COLUMN pm.trading_switch.reason IS 'Why.';
COMMENT ON COLUMN pm.trading_switch.set_at IS 'When; the next tick obeys.';

CREATE TABLE pm.lowcap_positions (
    position_id text NOT NULL CHECK (position_id ~ '^[0-9a-f]{64}$'),
    token_contract text NOT NULL,
    chain text NOT NULL,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    book_id text NOT NULL DEFAULT 'onchain_crypto',
    token_ticker text NOT NULL,
    status text NOT NULL CHECK (status IN ('dormant', 'watchlist', 'active', 'paused', 'archived')),
    total_allocation_pct double precision NOT NULL CHECK (total_allocation_pct > 0 AND total_allocation_pct <= 100),
    entry_context json NOT NULL,
    intent json,
    approved_by text NOT NULL CHECK (approved_by <> ''),
    approved_at timestamptz NOT NULL,
    current_trade_id text,
    quantity double precision NOT NULL DEFAULT 0 CHECK (quantity >= 0),
    cost_basis_usd double precision NOT NULL DEFAULT 0,
    bought_quantity double precision NOT NULL DEFAULT 0,
    sold_quantity double precision NOT NULL DEFAULT 0,
    total_allocation_usd double precision NOT NULL DEFAULT 0,
    total_extracted_usd double precision NOT NULL DEFAULT 0,
    fees_usd double precision NOT NULL DEFAULT 0,
    realised_pnl_usd double precision NOT NULL DEFAULT 0,
    max_adverse_usd double precision NOT NULL DEFAULT 0,
    last_price_usd double precision,
    first_fill_at timestamptz,
    last_fill_at timestamptz,
    last_event_at timestamptz,
    trade_memory json NOT NULL,
    last_bar_timestamp timestamptz,
    revision bigint NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL,
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    code_version text NOT NULL,
    CONSTRAINT lowcap_positions_one_a_timeframe UNIQUE (token_contract, chain, timeframe, book_id),
    CONSTRAINT lowcap_positions_hold_within_a_trade CHECK (quantity = 0 OR current_trade_id IS NOT NULL),
    PRIMARY KEY (position_id)
);
CREATE INDEX lowcap_positions_timeframe ON pm.lowcap_positions (timeframe, status);
COMMENT ON TABLE pm.lowcap_positions IS 'One row a token and timeframe it is traded on: where it stands in its life, and the sums of its open trade.';
COMMENT ON COLUMN pm.lowcap_positions.position_id IS 'Hash of token, chain, timeframe and book.';
COMMENT ON COLUMN pm.lowcap_positions.token_contract IS 'Contract address, or the symbol where the venue lists no contract.';
COMMENT ON COLUMN pm.lowcap_positions.chain IS 'Chain or venue the contract lives on.';
COMMENT ON COLUMN pm.lowcap_positions.timeframe IS 'Execution timeframe.';
COMMENT ON COLUMN pm.lowcap_positions.book_id IS 'Asset class.';
COMMENT ON COLUMN pm.lowcap_positions.token_ticker IS 'Symbol for people.';
COMMENT ON COLUMN pm.lowcap_positions.status IS 'dormant (too few bars), watchlist, active (in a trade), paused or archived by hand.';
COMMENT ON COLUMN pm.lowcap_positions.total_allocation_pct IS 'Share of the wallet its token may take over all timeframes, percent.';
COMMENT ON COLUMN pm.lowcap_positions.entry_context IS 'What was known when the token was approved: curator, intent, age and volume bands.';
COMMENT ON COLUMN pm.lowcap_positions.intent IS 'Five scores of what people say, 0..1; NULL when nothing is known.';
COMMENT ON COLUMN pm.lowcap_positions.approved_by IS 'Who put it on the watchlist.';
COMMENT ON COLUMN pm.lowcap_positions.approved_at IS 'When.';
COMMENT ON COLUMN pm.lowcap_positions.current_trade_id IS 'Open trade; NULL when none.';
COMMENT ON COLUMN pm.lowcap_positions.quantity IS 'Tokens held.';
COMMENT ON COLUMN pm.lowcap_positions.cost_basis_usd IS 'What the held quantity cost, fees of buying included.';
COMMENT ON COLUMN pm.lowcap_positions.bought_quantity IS 'Tokens bought in this trade.';
COMMENT ON COLUMN pm.lowcap_positions.sold_quantity IS 'Tokens sold in this trade.';
COMMENT ON COLUMN pm.lowcap_positions.total_allocation_usd IS 'Paid for buys of this trade, without fees.';
COMMENT ON COLUMN pm.lowcap_positions.total_extracted_usd IS 'Received for sales of this trade, without fees.';
COMMENT ON COLUMN pm.lowcap_positions.fees_usd IS 'Fees of this trade.';
COMMENT ON COLUMN pm.lowcap_positions.realised_pnl_usd IS 'Proceeds of sales less fees and cost of what was sold.';
COMMENT ON COLUMN pm.lowcap_positions.max_adverse_usd IS 'Deepest total loss this trade was ever in, >= 0.';
COMMENT ON COLUMN pm.lowcap_positions.last_price_usd IS 'Price of the last fill or bar; NULL before the first.';
COMMENT ON COLUMN pm.lowcap_positions.first_fill_at IS 'First fill of this trade.';
COMMENT ON COLUMN pm.lowcap_positions.last_fill_at IS 'Last fill of this trade.';
COMMENT ON COLUMN pm.lowcap_positions.last_event_at IS 'Last fill or bar of this trade.';
COMMENT ON COLUMN pm.lowcap_positions.trade_memory IS 'What the gates of the next tick need of this trade: buys by state, last trim, one-shot flags.';
COMMENT ON COLUMN pm.lowcap_positions.last_bar_timestamp IS 'Open of the last bar that changed it.';
COMMENT ON COLUMN pm.lowcap_positions.revision IS 'Counts the writes; a write that expects another one is refused.';
COMMENT ON COLUMN pm.lowcap_positions.updated_at IS 'When it was written.';
COMMENT ON COLUMN pm.lowcap_positions.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN pm.lowcap_positions.code_version IS 'Version of the code that made the row.';

CREATE VIEW pm.lowcap_positions_with_drivers AS
SELECT token_contract, chain, timeframe, book_id, token_ticker, status, quantity, last_price_usd, last_bar_timestamp
FROM pm.lowcap_positions
UNION ALL
SELECT 'regime_' || lower(replace(driver, '.', '_')), 'regime', timeframe, book_id, driver, 'regime_driver', 0, price, "timestamp"
FROM (
    SELECT DISTINCT ON (driver, book_id, timeframe) driver, book_id, timeframe, price, "timestamp"
    FROM regime.regime_driver_state
    ORDER BY driver, book_id, timeframe, "timestamp" DESC
) AS newest;
COMMENT ON VIEW pm.lowcap_positions_with_drivers IS 'Positions and regime drivers in one list, as the documents keep them; drivers never trade.';

CREATE TABLE pm.pm_order (
    order_id text NOT NULL CHECK (order_id ~ '^[0-9a-f]{64}$'),
    position_id text NOT NULL REFERENCES pm.lowcap_positions (position_id),
    trade_id text NOT NULL,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    bar_timestamp timestamptz NOT NULL,
    decided_at timestamptz NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add', 'trim', 'exit')),
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    pattern_key text NOT NULL,
    order_usd double precision CHECK (order_usd > 0 AND order_usd < 'Infinity'),
    order_quantity double precision CHECK (order_quantity > 0 AND order_quantity < 'Infinity'),
    decision json NOT NULL,
    status text NOT NULL CHECK (status IN ('planned', 'submitted', 'filled', 'rejected', 'expired')),
    status_reason text,
    venue text NOT NULL,
    settled_at timestamptz,
    holder text NOT NULL,
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    code_version text NOT NULL,
    CONSTRAINT pm_order_one_action_a_bar UNIQUE (position_id, bar_timestamp),
    CONSTRAINT pm_order_buys_usd_and_sells_tokens CHECK ((side = 'buy') = (order_usd IS NOT NULL) AND (side = 'sell') = (order_quantity IS NOT NULL)),
    CONSTRAINT pm_order_says_when_it_settled CHECK ((status = 'planned' OR status = 'submitted') = (settled_at IS NULL)),
    PRIMARY KEY (order_id)
);
CREATE INDEX pm_order_open ON pm.pm_order (timeframe) WHERE settled_at IS NULL;
COMMENT ON TABLE pm.pm_order IS 'What a tick decided to do, written before any venue is asked, and what became of it.';
COMMENT ON COLUMN pm.pm_order.order_id IS 'Hash of position, bar and action: the venue knows the order by it, so asking twice does nothing.';
COMMENT ON COLUMN pm.pm_order.position_id IS 'Position it is for.';
COMMENT ON COLUMN pm.pm_order.trade_id IS 'Trade it belongs to.';
COMMENT ON COLUMN pm.pm_order.timeframe IS 'Execution timeframe.';
COMMENT ON COLUMN pm.pm_order.bar_timestamp IS 'Open of the closed bar it was decided on.';
COMMENT ON COLUMN pm.pm_order.decided_at IS 'Close of that bar.';
COMMENT ON COLUMN pm.pm_order.action_category IS 'entry, add, trim or exit.';
COMMENT ON COLUMN pm.pm_order.side IS 'buy or sell.';
COMMENT ON COLUMN pm.pm_order.pattern_key IS 'pm.uptrend.<state>.<flag>.';
COMMENT ON COLUMN pm.pm_order.order_usd IS 'USD to spend; of a buy.';
COMMENT ON COLUMN pm.pm_order.order_quantity IS 'Tokens to sell; of a sale.';
COMMENT ON COLUMN pm.pm_order.decision IS 'Everything the decision saw, with every step from 0.5 to the size.';
COMMENT ON COLUMN pm.pm_order.status IS 'planned, submitted, filled (wholly or in part), rejected or expired.';
COMMENT ON COLUMN pm.pm_order.status_reason IS 'Why it was rejected, cut or expired.';
COMMENT ON COLUMN pm.pm_order.venue IS 'Where it was sent.';
COMMENT ON COLUMN pm.pm_order.settled_at IS 'When nothing more can happen to it.';
COMMENT ON COLUMN pm.pm_order.holder IS 'Process that decided.';
COMMENT ON COLUMN pm.pm_order.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN pm.pm_order.code_version IS 'Version of the code that made the row.';

CREATE TABLE pm.pm_fill (
    fill_id text NOT NULL,
    order_id text NOT NULL REFERENCES pm.pm_order (order_id),
    position_id text NOT NULL REFERENCES pm.lowcap_positions (position_id),
    trade_id text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    quantity double precision NOT NULL CHECK (quantity > 0 AND quantity < 'Infinity'),
    price_usd double precision NOT NULL CHECK (price_usd > 0 AND price_usd < 'Infinity'),
    notional_usd double precision NOT NULL CHECK (notional_usd > 0 AND notional_usd < 'Infinity'),
    fee_usd double precision NOT NULL CHECK (fee_usd >= 0 AND fee_usd < 'Infinity'),
    filled_at timestamptz NOT NULL,
    PRIMARY KEY (fill_id)
);
CREATE INDEX pm_fill_trade ON pm.pm_fill (trade_id);
COMMENT ON TABLE pm.pm_fill IS 'Executions as the venue confirmed them. Append-only: positions, R/R and ROI are folds over these rows.';
COMMENT ON COLUMN pm.pm_fill.fill_id IS 'Made by whoever made the order.';
COMMENT ON COLUMN pm.pm_fill.order_id IS 'Order it executes.';
COMMENT ON COLUMN pm.pm_fill.position_id IS 'Position it changes.';
COMMENT ON COLUMN pm.pm_fill.trade_id IS 'Trade it belongs to.';
COMMENT ON COLUMN pm.pm_fill.side IS 'buy or sell.';
COMMENT ON COLUMN pm.pm_fill.quantity IS 'Tokens.';
COMMENT ON COLUMN pm.pm_fill.price_usd IS 'USD per token.';
COMMENT ON COLUMN pm.pm_fill.notional_usd IS 'Paid or received, without the fee.';
COMMENT ON COLUMN pm.pm_fill.fee_usd IS 'Fee.';
COMMENT ON COLUMN pm.pm_fill.filled_at IS 'When it was confirmed.';

CREATE TABLE pm.ad_strands (
    strand_id text NOT NULL CHECK (strand_id ~ '^[0-9a-f]{64}$'),
    kind text NOT NULL CHECK (kind IN ('pm_action', 'position_closed')),
    schema_version integer NOT NULL CHECK (schema_version > 0),
    position_id text NOT NULL,
    trade_id text NOT NULL,
    token_contract text NOT NULL,
    chain text NOT NULL,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    occurred_at timestamptz NOT NULL,
    content json NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (strand_id)
);
CREATE INDEX ad_strands_kind ON pm.ad_strands (kind, sequence);
CREATE INDEX ad_strands_trade ON pm.ad_strands (trade_id);
COMMENT ON TABLE pm.ad_strands IS 'The event log that learning reads: actions and closed positions. Append-only.';
COMMENT ON COLUMN pm.ad_strands.strand_id IS 'Hash of kind and content: the same event told twice is one row.';
COMMENT ON COLUMN pm.ad_strands.kind IS 'pm_action or position_closed.';
COMMENT ON COLUMN pm.ad_strands.schema_version IS 'Version of the schema the content obeys.';
COMMENT ON COLUMN pm.ad_strands.position_id IS 'Position concerned.';
COMMENT ON COLUMN pm.ad_strands.trade_id IS 'Trade concerned.';
COMMENT ON COLUMN pm.ad_strands.token_contract IS 'Contract address, or the symbol where the venue lists no contract.';
COMMENT ON COLUMN pm.ad_strands.chain IS 'Chain or venue the contract lives on.';
COMMENT ON COLUMN pm.ad_strands.timeframe IS 'Execution timeframe.';
COMMENT ON COLUMN pm.ad_strands.occurred_at IS 'When it happened, by the bars.';
COMMENT ON COLUMN pm.ad_strands.content IS 'The event; its schema is in docs/reference.';
COMMENT ON COLUMN pm.ad_strands.written_at IS 'When it was stored.';
COMMENT ON COLUMN pm.ad_strands.sequence IS 'Order of storing; readers keep it as their cursor.';

CREATE TABLE pm.strand_dead_letter (
    dead_letter_id text NOT NULL CHECK (dead_letter_id ~ '^[0-9a-f]{64}$'),
    kind text NOT NULL,
    pointer text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    payload text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (dead_letter_id)
);
COMMENT ON TABLE pm.strand_dead_letter IS 'Strands that break their schema, as they came. Append-only: nothing is lost.';
COMMENT ON COLUMN pm.strand_dead_letter.dead_letter_id IS 'Hash of kind and payload.';
COMMENT ON COLUMN pm.strand_dead_letter.kind IS 'Kind it claimed to be.';
COMMENT ON COLUMN pm.strand_dead_letter.pointer IS 'Place in the document that is wrong, as a JSON pointer.';
COMMENT ON COLUMN pm.strand_dead_letter.reason IS 'What is wrong there.';
COMMENT ON COLUMN pm.strand_dead_letter.payload IS 'As it came, cut at 100,000 characters.';
COMMENT ON COLUMN pm.strand_dead_letter.found_at IS 'When it was refused.';

CREATE TABLE pm.pattern_episode_events (
    episode_id text NOT NULL CHECK (episode_id ~ '^[0-9a-f]{64}$'),
    position_id text NOT NULL REFERENCES pm.lowcap_positions (position_id),
    token_contract text NOT NULL,
    chain text NOT NULL,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    family text NOT NULL CHECK (family IN ('pm.s1_entry', 'pm.s3_retest')),
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    decision text CHECK (decision IN ('acted', 'skipped')),
    decided_at timestamptz,
    gates json,
    samples json NOT NULL,
    scope json NOT NULL,
    trade_id text,
    outcome text NOT NULL CHECK (outcome IN ('pending', 'success', 'failure', 'expired')),
    outcome_at timestamptz,
    updated_at timestamptz NOT NULL,
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    code_version text NOT NULL,
    CONSTRAINT pattern_episode_events_end_says_what CHECK ((outcome = 'pending') = (outcome_at IS NULL)),
    CONSTRAINT pattern_episode_events_decision_has_gates CHECK ((decision IS NULL) = (gates IS NULL) AND (decision IS NULL) = (decided_at IS NULL)),
    PRIMARY KEY (episode_id)
);
CREATE INDEX pattern_episode_events_pending ON pm.pattern_episode_events (position_id) WHERE outcome = 'pending';
COMMENT ON TABLE pm.pattern_episode_events IS 'Windows of opportunity: what was decided in each, by which gates, and what came of it.';
COMMENT ON COLUMN pm.pattern_episode_events.episode_id IS 'Hash of position, family and start.';
COMMENT ON COLUMN pm.pattern_episode_events.position_id IS 'Position concerned.';
COMMENT ON COLUMN pm.pattern_episode_events.token_contract IS 'Contract address, or the symbol where the venue lists no contract.';
COMMENT ON COLUMN pm.pattern_episode_events.chain IS 'Chain or venue the contract lives on.';
COMMENT ON COLUMN pm.pattern_episode_events.timeframe IS 'Execution timeframe.';
COMMENT ON COLUMN pm.pattern_episode_events.family IS 'pm.s1_entry or pm.s3_retest.';
COMMENT ON COLUMN pm.pattern_episode_events.started_at IS 'Open of the bar that began it.';
COMMENT ON COLUMN pm.pattern_episode_events.ended_at IS 'Open of the bar that ended it; NULL while open.';
COMMENT ON COLUMN pm.pattern_episode_events.decision IS 'acted or skipped; NULL before it is decided.';
COMMENT ON COLUMN pm.pattern_episode_events.decided_at IS 'Open of the bar that decided.';
COMMENT ON COLUMN pm.pattern_episode_events.gates IS 'For every gate: value, base and tuned threshold, margin, passed, at the bar that decided.';
COMMENT ON COLUMN pm.pattern_episode_events.samples IS 'Object: bars (at most twelve, the first and the latest eleven, with their scores), the bar nearest to a buy, the last bar seen.';
COMMENT ON COLUMN pm.pattern_episode_events.scope IS 'Scope at the start.';
COMMENT ON COLUMN pm.pattern_episode_events.trade_id IS 'Trade that was opened in it; NULL when skipped.';
COMMENT ON COLUMN pm.pattern_episode_events.outcome IS 'pending, success, failure or expired.';
COMMENT ON COLUMN pm.pattern_episode_events.outcome_at IS 'Open of the bar that showed it.';
COMMENT ON COLUMN pm.pattern_episode_events.updated_at IS 'When it was written.';
COMMENT ON COLUMN pm.pattern_episode_events.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN pm.pattern_episode_events.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.override_set (
    set_id bigint GENERATED ALWAYS AS IDENTITY,
    made_at timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    input_hash text NOT NULL,
    row_count integer NOT NULL CHECK (row_count BETWEEN 0 AND 500),
    run_id text NOT NULL,
    code_version text NOT NULL,
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    PRIMARY KEY (set_id)
);
COMMENT ON TABLE learning.override_set IS 'A version of the learned overrides. Sets are never changed; which one is live is said elsewhere.';
COMMENT ON COLUMN learning.override_set.set_id IS 'Version.';
COMMENT ON COLUMN learning.override_set.made_at IS 'When.';
COMMENT ON COLUMN learning.override_set.as_of IS 'It knows trades closed before this instant.';
COMMENT ON COLUMN learning.override_set.input_hash IS 'Hash of the lessons it was made from.';
COMMENT ON COLUMN learning.override_set.row_count IS 'Overrides in it, at most 500.';
COMMENT ON COLUMN learning.override_set.run_id IS 'Dagster run that made it.';
COMMENT ON COLUMN learning.override_set.code_version IS 'Version of the code that made the row.';
COMMENT ON COLUMN learning.override_set.config_version IS 'Version of pm.pm_config in force.';

CREATE TABLE learning.pm_overrides (
    override_id bigint GENERATED ALWAYS AS IDENTITY,
    set_id bigint NOT NULL REFERENCES learning.override_set (set_id),
    pattern_key text NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add')),
    scope_mask bigint NOT NULL CHECK (scope_mask >= 0 AND scope_mask < 4294967296),
    scope_values json NOT NULL CHECK (json_typeof(scope_values) = 'object'),
    lever text NOT NULL CHECK (lever IN ('pm_strength', 'ts_min_mult', 'halo_mult', 'dx_min_mult')),
    multiplier double precision NOT NULL CHECK (multiplier BETWEEN 0.3 AND 3.0),
    confidence double precision NOT NULL CHECK (confidence > 0 AND confidence <= 1),
    n_trades integer NOT NULL CHECK (n_trades > 0),
    edge_raw double precision,
    decay_mult double precision CHECK (decay_mult BETWEEN 0.33 AND 1.33),
    lesson_id text NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at < 'infinity'),
    CONSTRAINT pm_overrides_once_a_set UNIQUE (set_id, pattern_key, action_category, scope_mask, lever, lesson_id),
    PRIMARY KEY (override_id)
);
CREATE INDEX pm_overrides_set ON learning.pm_overrides (set_id);
COMMENT ON TABLE learning.pm_overrides IS 'What was learned, as multipliers of size or of a threshold in a scope.';
COMMENT ON COLUMN learning.pm_overrides.override_id IS 'Number.';
COMMENT ON COLUMN learning.pm_overrides.set_id IS 'Set it belongs to.';
COMMENT ON COLUMN learning.pm_overrides.pattern_key IS 'Pattern it is for; of a threshold, the pattern whose buy check it moves.';
COMMENT ON COLUMN learning.pm_overrides.action_category IS 'entry or add: exits and trims never depend on learning.';
COMMENT ON COLUMN learning.pm_overrides.scope_mask IS 'Dimensions it is fixed to, one bit each.';
COMMENT ON COLUMN learning.pm_overrides.scope_values IS 'Their values.';
COMMENT ON COLUMN learning.pm_overrides.lever IS 'pm_strength, or the threshold it multiplies.';
COMMENT ON COLUMN learning.pm_overrides.multiplier IS 'Ratio, 1 is neutral.';
COMMENT ON COLUMN learning.pm_overrides.confidence IS 'Weight in the blend, 0..1.';
COMMENT ON COLUMN learning.pm_overrides.n_trades IS 'Trades behind it.';
COMMENT ON COLUMN learning.pm_overrides.edge_raw IS 'Edge before decay; NULL for a threshold.';
COMMENT ON COLUMN learning.pm_overrides.decay_mult IS 'Decay of that edge; NULL for a threshold.';
COMMENT ON COLUMN learning.pm_overrides.lesson_id IS 'Lesson it was made from.';
COMMENT ON COLUMN learning.pm_overrides.expires_at IS 'It does not apply from then on. Mandatory.';

CREATE TABLE learning.live_override_set (
    step_id bigint GENERATED ALWAYS AS IDENTITY,
    set_id bigint REFERENCES learning.override_set (set_id),
    author text NOT NULL CHECK (author <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (step_id)
);
COMMENT ON TABLE learning.live_override_set IS 'Which set is live: the newest row counts. Append-only, so a roll-back is one more row.';
COMMENT ON COLUMN learning.live_override_set.step_id IS 'Order of the changes.';
COMMENT ON COLUMN learning.live_override_set.set_id IS 'Set that is live from then on; NULL for none.';
COMMENT ON COLUMN learning.live_override_set.author IS 'Who switched.';
COMMENT ON COLUMN learning.live_override_set.reason IS 'Why.';
COMMENT ON COLUMN learning.live_override_set.set_at IS 'When; the next tick obeys.';

-- The log is append-only, whoever writes.
CREATE FUNCTION pm.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Write a new row that says what changed.';
END
$$;
COMMENT ON FUNCTION pm.refuse_change() IS 'Refuses updates and deletes of append-only tables.';
CREATE TRIGGER ad_strands_is_append_only BEFORE UPDATE OR DELETE ON pm.ad_strands
    FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();
CREATE TRIGGER pm_fill_is_append_only BEFORE UPDATE OR DELETE ON pm.pm_fill
    FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();
CREATE TRIGGER trading_switch_is_append_only BEFORE UPDATE OR DELETE ON pm.trading_switch
    FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();

-- What a tick did with the portfolio stands in its row, and a tick may be halted.
ALTER TABLE pm.pm_tick
    DROP CONSTRAINT pm_tick_mode_check,
    ADD CONSTRAINT pm_tick_mode_check CHECK (mode IN ('ACTIVE', 'REDUCE_ONLY', 'HALTED')),
    ADD COLUMN positions integer NOT NULL DEFAULT 0 CHECK (positions >= 0),
    ADD COLUMN orders_settled integer NOT NULL DEFAULT 0 CHECK (orders_settled >= 0),
    ADD COLUMN orders_planned integer NOT NULL DEFAULT 0 CHECK (orders_planned >= 0),
    ADD COLUMN trades_closed integer NOT NULL DEFAULT 0 CHECK (trades_closed >= 0),
    ADD COLUMN override_set_id bigint,
    ADD COLUMN overrides_ignored text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN pm.pm_tick.positions IS 'Positions of the timeframe.';
COMMENT ON COLUMN pm.pm_tick.orders_settled IS 'Orders that were filled, rejected or expired on this bar.';
COMMENT ON COLUMN pm.pm_tick.orders_planned IS 'Orders decided on this bar.';
COMMENT ON COLUMN pm.pm_tick.trades_closed IS 'Trades that ended on this bar.';
COMMENT ON COLUMN pm.pm_tick.override_set_id IS 'Live set of overrides; NULL while none is.';
COMMENT ON COLUMN pm.pm_tick.overrides_ignored IS 'Overrides of that set that were refused, a sentence each.';

-- A person halts, resumes and watches through the console.
GRANT INSERT ON pm.trading_switch TO lowcap_console;
GRANT INSERT, UPDATE ON pm.lowcap_positions TO lowcap_console;

-- From the start everything is allowed, and says so.
INSERT INTO pm.trading_switch (mode, overrides_on, author, reason) VALUES ('ACTIVE', true, 'migration', 'defaults');
