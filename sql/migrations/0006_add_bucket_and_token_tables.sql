-- Why: cap buckets, SPIRAL phases, the regime context and the states of tokens. Written by lowcap_regime only. Additive.

CREATE TABLE regime.token_metadata (
    token_contract text NOT NULL,
    chain text NOT NULL,
    "timestamp" timestamptz NOT NULL,
    market_cap_usd double precision,
    market_cap_basis text CHECK (market_cap_basis IN ('reported', 'supply_times_close')),
    cap_status text NOT NULL CHECK (cap_status IN ('ok', 'missing', 'zero', 'not_finite', 'negative', 'stale')),
    circulating_supply double precision,
    fdv_usd double precision,
    volume_24h_usd double precision,
    liquidity_usd double precision,
    updated_at timestamptz,
    source text NOT NULL,
    known_at timestamptz NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (token_contract, chain, "timestamp")
);
CREATE INDEX token_metadata_timestamp ON regime.token_metadata ("timestamp");
COMMENT ON TABLE regime.token_metadata IS 'What is known of each token on each day: market cap, supply, volume, liquidity. The last reading of the day.';
COMMENT ON COLUMN regime.token_metadata.token_contract IS 'Contract address, or the symbol where the venue lists no contract.';
COMMENT ON COLUMN regime.token_metadata.chain IS 'Chain or venue the contract lives on.';
COMMENT ON COLUMN regime.token_metadata."timestamp" IS 'Day the reading belongs to, UTC midnight.';
COMMENT ON COLUMN regime.token_metadata.market_cap_usd IS 'As it was read, USD; to be used only where cap_status is ok.';
COMMENT ON COLUMN regime.token_metadata.market_cap_basis IS 'Whether the source reported the cap, or it is supply times the last close; NULL without a cap.';
COMMENT ON COLUMN regime.token_metadata.cap_status IS 'Whether the cap can be used, and why not.';
COMMENT ON COLUMN regime.token_metadata.circulating_supply IS 'Coins in circulation; NULL when unknown.';
COMMENT ON COLUMN regime.token_metadata.fdv_usd IS 'Fully diluted value, USD; NULL when unknown.';
COMMENT ON COLUMN regime.token_metadata.volume_24h_usd IS 'Traded in 24 hours, USD; NULL when unknown.';
COMMENT ON COLUMN regime.token_metadata.liquidity_usd IS 'Liquidity of the pools, USD; NULL when unknown.';
COMMENT ON COLUMN regime.token_metadata.updated_at IS 'When the source read the cap, UTC.';
COMMENT ON COLUMN regime.token_metadata.source IS 'Who said so.';
COMMENT ON COLUMN regime.token_metadata.known_at IS 'When these values were first stored.';
COMMENT ON COLUMN regime.token_metadata.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.token_metadata.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.token_metadata.code_version IS 'Version of the code that made the row.';

CREATE TABLE regime.token_cap_bucket (
    token_contract text NOT NULL,
    chain text NOT NULL,
    "timestamp" timestamptz NOT NULL,
    bucket text NOT NULL CHECK (bucket IN ('nano', 'micro', 'mid', 'big', 'large', 'xl')),
    market_cap_usd double precision NOT NULL CHECK (market_cap_usd > 0 AND market_cap_usd < 'Infinity'),
    circulating_supply double precision,
    volume_24h_usd double precision,
    liquidity_usd double precision,
    updated_at timestamptz NOT NULL,
    bucket_since timestamptz NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL CHECK (valid_to > valid_from),
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (token_contract, chain, "timestamp")
);
CREATE INDEX token_cap_bucket_timestamp ON regime.token_cap_bucket ("timestamp");
CREATE INDEX token_cap_bucket_bucket ON regime.token_cap_bucket (bucket);
CREATE INDEX token_cap_bucket_updated_at ON regime.token_cap_bucket (updated_at);
COMMENT ON TABLE regime.token_cap_bucket IS 'Cap bucket of each token on each day, from what was known at its midnight. A token without a usable cap has no row.';
COMMENT ON COLUMN regime.token_cap_bucket.token_contract IS 'Contract address, or the symbol where the venue lists no contract.';
COMMENT ON COLUMN regime.token_cap_bucket.chain IS 'Chain or venue the contract lives on.';
COMMENT ON COLUMN regime.token_cap_bucket."timestamp" IS 'Day the tag holds, UTC midnight.';
COMMENT ON COLUMN regime.token_cap_bucket.bucket IS 'nano, micro, mid, big, large or xl.';
COMMENT ON COLUMN regime.token_cap_bucket.market_cap_usd IS 'Cap the tag was made from, USD.';
COMMENT ON COLUMN regime.token_cap_bucket.circulating_supply IS 'Coins in circulation then; NULL when unknown.';
COMMENT ON COLUMN regime.token_cap_bucket.volume_24h_usd IS 'Traded in 24 hours by then, USD; NULL when unknown.';
COMMENT ON COLUMN regime.token_cap_bucket.liquidity_usd IS 'Liquidity then, USD; NULL when unknown.';
COMMENT ON COLUMN regime.token_cap_bucket.updated_at IS 'When that cap was read; the tag expires 48 hours later.';
COMMENT ON COLUMN regime.token_cap_bucket.bucket_since IS 'Midnight from which the token has been in this bucket without a break.';
COMMENT ON COLUMN regime.token_cap_bucket.valid_from IS 'Midnight the tag holds from.';
COMMENT ON COLUMN regime.token_cap_bucket.valid_to IS 'End of the day, or the instant the tag expires in it.';
COMMENT ON COLUMN regime.token_cap_bucket.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.token_cap_bucket.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.token_cap_bucket.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.token_cap_bucket.code_version IS 'Version of the code that made the row.';

CREATE VIEW regime.token_cap_bucket_current AS
SELECT token_contract || ':' || chain AS token_id, token_contract, chain, bucket, market_cap_usd AS mc_usd, updated_at
FROM regime.token_cap_bucket
WHERE "timestamp" = (SELECT max("timestamp") FROM regime.token_cap_bucket) AND valid_to > now();
COMMENT ON VIEW regime.token_cap_bucket_current IS 'The tags of the newest day that have not expired; none when tagging has stopped.';

CREATE TABLE regime.bucket_eligibility (
    bucket text NOT NULL CHECK (bucket IN ('nano', 'micro', 'mid', 'big', 'large', 'xl')),
    "timestamp" timestamptz NOT NULL,
    member_count integer NOT NULL CHECK (member_count >= 0),
    median_volume_24h_usd double precision,
    is_eligible boolean NOT NULL,
    reason text CHECK (reason IN ('too_few_members', 'median_volume_unknown', 'median_volume_below_floor', 'telemetry_only')),
    config_version bigint NOT NULL,
    CONSTRAINT bucket_eligibility_says_why_not CHECK (is_eligible = (reason IS NULL)),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (bucket, "timestamp")
);
CREATE INDEX bucket_eligibility_timestamp ON regime.bucket_eligibility ("timestamp");
COMMENT ON TABLE regime.bucket_eligibility IS 'Whether each cap bucket is fit to be scored on a day, and why not.';
COMMENT ON COLUMN regime.bucket_eligibility.bucket IS 'Cap bucket.';
COMMENT ON COLUMN regime.bucket_eligibility."timestamp" IS 'Day, UTC midnight.';
COMMENT ON COLUMN regime.bucket_eligibility.member_count IS 'Tokens tagged on that day.';
COMMENT ON COLUMN regime.bucket_eligibility.median_volume_24h_usd IS 'Median over members whose volume is known, USD; NULL when none is.';
COMMENT ON COLUMN regime.bucket_eligibility.is_eligible IS 'Whether the bucket is scored, ranked and part of the composite.';
COMMENT ON COLUMN regime.bucket_eligibility.reason IS 'First rule that keeps it out; NULL when eligible.';
COMMENT ON COLUMN regime.bucket_eligibility.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.bucket_eligibility.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.bucket_eligibility.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.bucket_eligibility.code_version IS 'Version of the code that made the row.';

CREATE TABLE regime.bucket_return_series (
    bucket text NOT NULL CHECK (bucket IN ('nano', 'micro', 'mid', 'big', 'large', 'xl')),
    timeframe text NOT NULL CHECK (timeframe IN ('1h', '1d')),
    "timestamp" timestamptz NOT NULL,
    r_bucket double precision NOT NULL CHECK (r_bucket > '-Infinity' AND r_bucket < 'Infinity'),
    resid_btc double precision,
    resid_alt double precision,
    index_level double precision NOT NULL CHECK (index_level > 0 AND index_level < 'Infinity'),
    member_count integer NOT NULL CHECK (member_count > 0),
    traded_count integer NOT NULL CHECK (traded_count > 0),
    dropped_count integer NOT NULL CHECK (dropped_count >= 0),
    clipped_count integer NOT NULL CHECK (clipped_count >= 0),
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (bucket, timeframe, "timestamp")
);
CREATE INDEX bucket_return_series_timestamp ON regime.bucket_return_series ("timestamp");
COMMENT ON TABLE regime.bucket_return_series IS 'Log return of each cap bucket, bar by bar, and the index it chains to. A bar with too few members has no row.';
COMMENT ON COLUMN regime.bucket_return_series.bucket IS 'Cap bucket.';
COMMENT ON COLUMN regime.bucket_return_series.timeframe IS 'Bar length.';
COMMENT ON COLUMN regime.bucket_return_series."timestamp" IS 'Open of the bar, UTC; usable from open + timeframe.';
COMMENT ON COLUMN regime.bucket_return_series.r_bucket IS 'Mean of the members'' clipped log returns, natural log.';
COMMENT ON COLUMN regime.bucket_return_series.resid_btc IS 'r_bucket minus the log return of BTC; NULL where that is missing.';
COMMENT ON COLUMN regime.bucket_return_series.resid_alt IS 'r_bucket minus the log return of the ALT basket; NULL where that is missing.';
COMMENT ON COLUMN regime.bucket_return_series.index_level IS 'Chained from 100: level before times exp(r_bucket).';
COMMENT ON COLUMN regime.bucket_return_series.member_count IS 'Members with a return; a silent fresh one counts 0.';
COMMENT ON COLUMN regime.bucket_return_series.traded_count IS 'Members with a bar.';
COMMENT ON COLUMN regime.bucket_return_series.dropped_count IS 'Members without a fresh close.';
COMMENT ON COLUMN regime.bucket_return_series.clipped_count IS 'Returns clipped to three times up or down.';
COMMENT ON COLUMN regime.bucket_return_series.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.bucket_return_series.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.bucket_return_series.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.bucket_return_series.code_version IS 'Version of the code that made the row.';

CREATE TABLE regime.composite_return_series (
    timeframe text NOT NULL CHECK (timeframe IN ('1h', '1d')),
    "timestamp" timestamptz NOT NULL,
    r_composite double precision NOT NULL CHECK (r_composite > '-Infinity' AND r_composite < 'Infinity'),
    resid_btc double precision,
    resid_alt double precision,
    index_level double precision NOT NULL CHECK (index_level > 0 AND index_level < 'Infinity'),
    group_count integer NOT NULL CHECK (group_count > 0),
    coverage double precision NOT NULL CHECK (coverage >= 0 AND coverage <= 1),
    weight_nano double precision CHECK (weight_nano > 0 AND weight_nano <= 1),
    weight_micro double precision CHECK (weight_micro > 0 AND weight_micro <= 1),
    weight_mid double precision CHECK (weight_mid > 0 AND weight_mid <= 1),
    weight_big double precision CHECK (weight_big > 0 AND weight_big <= 1),
    weight_large double precision CHECK (weight_large > 0 AND weight_large <= 1),
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (timeframe, "timestamp")
);
CREATE INDEX composite_return_series_timestamp ON regime.composite_return_series ("timestamp");
COMMENT ON TABLE regime.composite_return_series IS 'The low-cap composite: weighted blend of the eligible buckets, bar by bar, with the weights in force.';
COMMENT ON COLUMN regime.composite_return_series.timeframe IS 'Bar length.';
COMMENT ON COLUMN regime.composite_return_series."timestamp" IS 'Open of the bar, UTC; usable from open + timeframe.';
COMMENT ON COLUMN regime.composite_return_series.r_composite IS 'Weighted mean of the buckets'' log returns, natural log.';
COMMENT ON COLUMN regime.composite_return_series.resid_btc IS 'r_composite minus the log return of BTC; NULL where that is missing.';
COMMENT ON COLUMN regime.composite_return_series.resid_alt IS 'r_composite minus the log return of the ALT basket; NULL where that is missing.';
COMMENT ON COLUMN regime.composite_return_series.index_level IS 'Chained from 100: level before times exp(r_composite).';
COMMENT ON COLUMN regime.composite_return_series.group_count IS 'Buckets with a part in it.';
COMMENT ON COLUMN regime.composite_return_series.coverage IS 'Share of the configured weight that was heard: fresh members of each bucket, weighted.';
COMMENT ON COLUMN regime.composite_return_series.weight_nano IS 'Share of nano in this bar; NULL where it had no part.';
COMMENT ON COLUMN regime.composite_return_series.weight_micro IS 'Share of micro in this bar; NULL where it had no part.';
COMMENT ON COLUMN regime.composite_return_series.weight_mid IS 'Share of mid in this bar; NULL where it had no part.';
COMMENT ON COLUMN regime.composite_return_series.weight_big IS 'Share of big in this bar; NULL where it had no part.';
COMMENT ON COLUMN regime.composite_return_series.weight_large IS 'Share of large in this bar; NULL where it had no part.';
COMMENT ON COLUMN regime.composite_return_series.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.composite_return_series.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.composite_return_series.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.composite_return_series.code_version IS 'Version of the code that made the row.';

CREATE TABLE regime.phase_state_bucket (
    bucket text NOT NULL CHECK (bucket IN ('nano', 'micro', 'mid', 'big', 'large', 'xl')),
    horizon text NOT NULL CHECK (horizon IN ('macro', 'meso', 'micro')),
    ts timestamptz NOT NULL,
    phase text NOT NULL CHECK (phase IN ('Euphoria', 'Good', 'Recover', 'Dip', 'Double-Dip', 'Oh-Shit', 'Chop')),
    score double precision NOT NULL CHECK (score > '-Infinity' AND score < 'Infinity'),
    slope double precision,
    curvature double precision,
    delta_res double precision,
    confidence double precision CHECK (confidence BETWEEN 0 AND 1),
    dwell_remaining_hours double precision NOT NULL CHECK (dwell_remaining_hours >= 0),
    pending_label text CHECK (pending_label IN ('Euphoria', 'Good', 'Recover', 'Dip', 'Double-Dip', 'Oh-Shit', 'Chop')),
    s_btcusd double precision,
    s_rotation double precision,
    s_port_btc double precision,
    s_port_alt double precision,
    population_count integer NOT NULL CHECK (population_count > 0),
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (bucket, horizon, ts)
);
CREATE INDEX phase_state_bucket_ts ON regime.phase_state_bucket (ts);
COMMENT ON TABLE regime.phase_state_bucket IS 'SPIRAL phase of each cap bucket and horizon, hour by hour. An hour without a score has no row.';
COMMENT ON COLUMN regime.phase_state_bucket.bucket IS 'Cap bucket; xl is telemetry.';
COMMENT ON COLUMN regime.phase_state_bucket.horizon IS 'Lens preset on hourly data: macro, meso or micro.';
COMMENT ON COLUMN regime.phase_state_bucket.ts IS 'Open of the hour evaluated, UTC; usable an hour later.';
COMMENT ON COLUMN regime.phase_state_bucket.phase IS 'Label after hysteresis, skip rule, Chop and dwell.';
COMMENT ON COLUMN regime.phase_state_bucket.score IS 'SPIRAL score of this horizon.';
COMMENT ON COLUMN regime.phase_state_bucket.slope IS 'z-score of the slope over BTC.';
COMMENT ON COLUMN regime.phase_state_bucket.curvature IS 'z-score of the curvature over BTC.';
COMMENT ON COLUMN regime.phase_state_bucket.delta_res IS 'z-score of the change over BTC.';
COMMENT ON COLUMN regime.phase_state_bucket.confidence IS 'Depth in the band times data coverage, 0..1; NULL when coverage is unknown.';
COMMENT ON COLUMN regime.phase_state_bucket.dwell_remaining_hours IS 'Hours the label still stands whatever the score.';
COMMENT ON COLUMN regime.phase_state_bucket.pending_label IS 'Label that waits for the dwell to end; NULL when none does.';
COMMENT ON COLUMN regime.phase_state_bucket.s_btcusd IS 'Lens score of BTC itself.';
COMMENT ON COLUMN regime.phase_state_bucket.s_rotation IS 'Lens score of ALT over BTC.';
COMMENT ON COLUMN regime.phase_state_bucket.s_port_btc IS 'Lens score of the subject over BTC.';
COMMENT ON COLUMN regime.phase_state_bucket.s_port_alt IS 'Lens score of the subject over ALT.';
COMMENT ON COLUMN regime.phase_state_bucket.population_count IS 'Members of the bucket in that hour.';
COMMENT ON COLUMN regime.phase_state_bucket.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.phase_state_bucket.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.phase_state_bucket.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.phase_state_bucket.code_version IS 'Version of the code that made the row.';

CREATE TABLE regime.phase_state (
    horizon text NOT NULL CHECK (horizon IN ('macro', 'meso', 'micro')),
    ts timestamptz NOT NULL,
    phase text NOT NULL CHECK (phase IN ('Euphoria', 'Good', 'Recover', 'Dip', 'Double-Dip', 'Oh-Shit', 'Chop')),
    score double precision NOT NULL CHECK (score > '-Infinity' AND score < 'Infinity'),
    slope double precision,
    curvature double precision,
    delta_res double precision,
    confidence double precision CHECK (confidence BETWEEN 0 AND 1),
    dwell_remaining_hours double precision NOT NULL CHECK (dwell_remaining_hours >= 0),
    pending_label text CHECK (pending_label IN ('Euphoria', 'Good', 'Recover', 'Dip', 'Double-Dip', 'Oh-Shit', 'Chop')),
    s_btcusd double precision,
    s_rotation double precision,
    s_port_btc double precision,
    s_port_alt double precision,
    group_count integer NOT NULL CHECK (group_count > 0),
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (horizon, ts)
);
CREATE INDEX phase_state_ts ON regime.phase_state (ts);
COMMENT ON TABLE regime.phase_state IS 'SPIRAL phase of the low-cap composite and horizon, hour by hour. An hour without a score has no row.';
COMMENT ON COLUMN regime.phase_state.horizon IS 'Lens preset on hourly data: macro, meso or micro.';
COMMENT ON COLUMN regime.phase_state.ts IS 'Open of the hour evaluated, UTC; usable an hour later.';
COMMENT ON COLUMN regime.phase_state.phase IS 'Label after hysteresis, skip rule, Chop and dwell.';
COMMENT ON COLUMN regime.phase_state.score IS 'SPIRAL score of this horizon.';
COMMENT ON COLUMN regime.phase_state.slope IS 'z-score of the slope over BTC.';
COMMENT ON COLUMN regime.phase_state.curvature IS 'z-score of the curvature over BTC.';
COMMENT ON COLUMN regime.phase_state.delta_res IS 'z-score of the change over BTC.';
COMMENT ON COLUMN regime.phase_state.confidence IS 'Depth in the band times data coverage, 0..1; NULL when coverage is unknown.';
COMMENT ON COLUMN regime.phase_state.dwell_remaining_hours IS 'Hours the label still stands whatever the score.';
COMMENT ON COLUMN regime.phase_state.pending_label IS 'Label that waits for the dwell to end; NULL when none does.';
COMMENT ON COLUMN regime.phase_state.s_btcusd IS 'Lens score of BTC itself.';
COMMENT ON COLUMN regime.phase_state.s_rotation IS 'Lens score of ALT over BTC.';
COMMENT ON COLUMN regime.phase_state.s_port_btc IS 'Lens score of the subject over BTC.';
COMMENT ON COLUMN regime.phase_state.s_port_alt IS 'Lens score of the subject over ALT.';
COMMENT ON COLUMN regime.phase_state.group_count IS 'Buckets the composite was made of in that hour.';
COMMENT ON COLUMN regime.phase_state.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.phase_state.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.phase_state.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.phase_state.code_version IS 'Version of the code that made the row.';

CREATE TABLE regime.regime_context (
    "timestamp" timestamptz NOT NULL,
    regime_label text NOT NULL,
    context json NOT NULL,
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp")
);
COMMENT ON TABLE regime.regime_context IS 'The regime as one document an hour: composite phases, bucket ladder, multipliers, label.';
COMMENT ON COLUMN regime.regime_context."timestamp" IS 'Open of the hour evaluated, UTC; usable an hour later.';
COMMENT ON COLUMN regime.regime_context.regime_label IS 'macro=..|meso=..|micro=..|bucket_leader=..; Unknown where missing.';
COMMENT ON COLUMN regime.regime_context.context IS 'The document, text as it was made; `lowcap regime schema` prints its schema.';
COMMENT ON COLUMN regime.regime_context.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.regime_context.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.regime_context.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.regime_context.code_version IS 'Version of the code that made the row.';

CREATE FUNCTION regime.get_regime_context(as_of timestamptz DEFAULT now()) RETURNS json
LANGUAGE sql STABLE AS $$
    SELECT context
    FROM regime.regime_context
    WHERE "timestamp" <= as_of - interval '1 hour' AND "timestamp" > as_of - interval '3 hours'
    ORDER BY "timestamp" DESC
    LIMIT 1
$$;
COMMENT ON FUNCTION regime.get_regime_context(timestamptz) IS 'The regime as it was known at an instant; NULL when the newest evaluation then was over two hours old.';

CREATE TABLE regime.regime_event (
    event_id text NOT NULL CHECK (event_id ~ '^[0-9a-f]{64}$'),
    kind text NOT NULL CHECK (kind IN ('bucket_rotation', 'bucket_extreme')),
    "timestamp" timestamptz NOT NULL,
    bucket text CHECK (bucket IN ('nano', 'micro', 'mid', 'big', 'large', 'xl')),
    payload json NOT NULL,
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (event_id)
);
CREATE INDEX regime_event_timestamp ON regime.regime_event ("timestamp");
COMMENT ON TABLE regime.regime_event IS 'Changes worth a notice: the order of the buckets, and a bucket that reaches an extreme. Append-only, one row a change.';
COMMENT ON COLUMN regime.regime_event.event_id IS 'Hash of kind, instant and bucket: emitting twice changes nothing.';
COMMENT ON COLUMN regime.regime_event.kind IS 'bucket_rotation or bucket_extreme.';
COMMENT ON COLUMN regime.regime_event."timestamp" IS 'Open of the hour whose evaluation showed it, UTC; known an hour later.';
COMMENT ON COLUMN regime.regime_event.bucket IS 'Bucket concerned; NULL for a rotation.';
COMMENT ON COLUMN regime.regime_event.payload IS 'Old and new order with slope deltas, or phase, score and confidence.';
COMMENT ON COLUMN regime.regime_event.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.regime_event.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.regime_event.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.regime_event.code_version IS 'Version of the code that made the row.';

CREATE TABLE regime.token_ta (
    token_contract text NOT NULL,
    chain text NOT NULL,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '15m', '1h', '4h')),
    "timestamp" timestamptz NOT NULL,
    bars_count integer NOT NULL CHECK (bars_count > 0),
    warm boolean NOT NULL,
    latest_price double precision NOT NULL,
    ema20 double precision NOT NULL,
    ema30 double precision NOT NULL,
    ema50 double precision NOT NULL,
    ema60 double precision NOT NULL,
    ema144 double precision NOT NULL,
    ema250 double precision NOT NULL,
    ema333 double precision NOT NULL,
    ema20_slope double precision,
    ema60_slope double precision,
    ema144_slope double precision,
    ema250_slope double precision,
    ema333_slope double precision,
    d_ema60_slope double precision,
    d_ema144_slope double precision,
    d_ema250_slope double precision,
    d_ema333_slope double precision,
    sep_fast double precision NOT NULL,
    sep_mid double precision NOT NULL,
    dsep_fast_5 double precision,
    dsep_mid_5 double precision,
    atr double precision CHECK (atr >= 0),
    atr_norm double precision CHECK (atr_norm >= 0),
    atr_mean_20 double precision CHECK (atr_mean_20 >= 0),
    atr_peak_10 double precision CHECK (atr_peak_10 >= 0),
    rsi double precision CHECK (rsi BETWEEN 0 AND 100),
    rsi_slope_10 double precision,
    adx double precision CHECK (adx BETWEEN 0 AND 100.000001),
    adx_slope_10 double precision,
    vo_z double precision CHECK (vo_z BETWEEN -4 AND 6),
    vo_z_cluster boolean,
    carry double precision[] NOT NULL,
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (token_contract, chain, timeframe, "timestamp")
);
CREATE INDEX token_ta_timestamp ON regime.token_ta ("timestamp");
COMMENT ON TABLE regime.token_ta IS 'Indicators of each bar of the tagged tokens. NULL where an indicator is not defined yet.';
COMMENT ON COLUMN regime.token_ta.token_contract IS 'Contract address, or the symbol where the venue lists no contract.';
COMMENT ON COLUMN regime.token_ta.chain IS 'Chain or venue the contract lives on.';
COMMENT ON COLUMN regime.token_ta."timestamp" IS 'Open of the bar, UTC.';
COMMENT ON COLUMN regime.token_ta.bars_count IS 'Bars since the series began or restarted after a long hole.';
COMMENT ON COLUMN regime.token_ta.warm IS 'True from 999 bars: the first value weighs less than 0.25 % in EMA333.';
COMMENT ON COLUMN regime.token_ta.latest_price IS 'Close of this bar.';
COMMENT ON COLUMN regime.token_ta.ema20_slope IS 'Least-squares slope of the last 10 EMA values over the EMA, fraction per bar.';
COMMENT ON COLUMN regime.token_ta.d_ema60_slope IS 'Slope now minus slope 10 bars ago.';
COMMENT ON COLUMN regime.token_ta.sep_fast IS '(EMA20 - EMA60) / EMA60.';
COMMENT ON COLUMN regime.token_ta.sep_mid IS '(EMA60 - EMA144) / EMA144.';
COMMENT ON COLUMN regime.token_ta.atr_norm IS 'ATR over EMA50.';
COMMENT ON COLUMN regime.token_ta.vo_z IS 'z-score of log(1 + volume) against its own exponentially weighted history.';
COMMENT ON COLUMN regime.token_ta.carry IS 'What the recursion needs beyond the named columns, so that the next bar costs O(1).';
COMMENT ON COLUMN regime.token_ta.timeframe IS 'Bar length.';
COMMENT ON COLUMN regime.token_ta.ema20 IS 'Exponential moving average of the close over 20 bars, from the first close.';
COMMENT ON COLUMN regime.token_ta.ema30 IS 'Exponential moving average of the close over 30 bars, from the first close.';
COMMENT ON COLUMN regime.token_ta.ema50 IS 'Exponential moving average of the close over 50 bars, from the first close.';
COMMENT ON COLUMN regime.token_ta.ema60 IS 'Exponential moving average of the close over 60 bars, from the first close.';
COMMENT ON COLUMN regime.token_ta.ema144 IS 'Exponential moving average of the close over 144 bars, from the first close.';
COMMENT ON COLUMN regime.token_ta.ema250 IS 'Exponential moving average of the close over 250 bars, from the first close.';
COMMENT ON COLUMN regime.token_ta.ema333 IS 'Exponential moving average of the close over 333 bars, from the first close.';
COMMENT ON COLUMN regime.token_ta.ema60_slope IS 'As ema20_slope, of this EMA.';
COMMENT ON COLUMN regime.token_ta.ema144_slope IS 'As ema20_slope, of this EMA.';
COMMENT ON COLUMN regime.token_ta.ema250_slope IS 'As ema20_slope, of this EMA.';
COMMENT ON COLUMN regime.token_ta.ema333_slope IS 'As ema20_slope, of this EMA.';
COMMENT ON COLUMN regime.token_ta.d_ema144_slope IS 'As d_ema60_slope, of this EMA.';
COMMENT ON COLUMN regime.token_ta.d_ema250_slope IS 'As d_ema60_slope, of this EMA.';
COMMENT ON COLUMN regime.token_ta.d_ema333_slope IS 'As d_ema60_slope, of this EMA.';
COMMENT ON COLUMN regime.token_ta.dsep_fast_5 IS 'sep_fast now minus 5 bars ago.';
COMMENT ON COLUMN regime.token_ta.dsep_mid_5 IS 'sep_mid now minus 5 bars ago.';
COMMENT ON COLUMN regime.token_ta.atr IS 'Average true range over 14 bars (Wilder).';
COMMENT ON COLUMN regime.token_ta.atr_mean_20 IS 'Mean of the last 20 ATR values.';
COMMENT ON COLUMN regime.token_ta.atr_peak_10 IS 'Highest of the last 10 ATR values.';
COMMENT ON COLUMN regime.token_ta.rsi IS 'Relative strength over 14 changes, simple averages, 0..100.';
COMMENT ON COLUMN regime.token_ta.rsi_slope_10 IS 'Least-squares slope of the last 10 RSI values, per bar.';
COMMENT ON COLUMN regime.token_ta.adx IS 'Average directional index over 14 bars (Wilder), 0..100.';
COMMENT ON COLUMN regime.token_ta.adx_slope_10 IS 'Least-squares slope of the last 10 ADX values, per bar.';
COMMENT ON COLUMN regime.token_ta.vo_z_cluster IS 'Whether volume was high on several of the last 30 bars.';
COMMENT ON COLUMN regime.token_ta.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.token_ta.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.token_ta.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.token_ta.code_version IS 'Version of the code that made the row.';

CREATE TABLE regime.token_uptrend_state (
    token_contract text NOT NULL,
    chain text NOT NULL,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '15m', '1h', '4h')),
    "timestamp" timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('warming_up', 'ok')),
    state text NOT NULL CHECK (state IN ('S0', 'S1', 'S2', 'S3', 'S4')),
    prev_state text CHECK (prev_state IN ('S0', 'S1', 'S2', 'S3', 'S4')),
    transition text,
    transition_reason text CHECK (transition_reason IN ('bootstrap_s0_order', 'bootstrap_s3_order', 'fast_band_above_ema60', 's1_to_s0_bearish_order', 'price_above_ema333', 'price_below_ema333', 'bullish_order', 's2_to_s0_bearish_order', 'all_emas_below_333')),
    bootstrapped boolean NOT NULL,
    s3_start_at timestamptz,
    bars_since_s3 integer CHECK (bars_since_s3 >= 0),
    price double precision NOT NULL,
    buy_signal boolean NOT NULL,
    buy_flag boolean NOT NULL,
    first_dip_buy_flag boolean NOT NULL,
    trim_flag boolean NOT NULL,
    emergency_exit boolean NOT NULL,
    reclaimed_ema333 boolean NOT NULL,
    exit_position boolean NOT NULL,
    exit_reason text CHECK (exit_reason IS NOT NULL OR NOT exit_position),
    ts double precision CHECK (ts BETWEEN 0 AND 1),
    ts_with_boost double precision,
    sr_boost double precision,
    ox double precision CHECK (ox BETWEEN 0 AND 1),
    dx double precision CHECK (dx BETWEEN 0 AND 1),
    edx double precision CHECK (edx BETWEEN 0 AND 1),
    gate_mask integer NOT NULL,
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (token_contract, chain, timeframe, "timestamp")
);
CREATE INDEX token_uptrend_state_timestamp ON regime.token_uptrend_state ("timestamp");
COMMENT ON TABLE regime.token_uptrend_state IS 'Uptrend state of each bar of the tagged tokens, with its flags, scores and the reason of every transition.';
COMMENT ON COLUMN regime.token_uptrend_state.token_contract IS 'Contract address, or the symbol where the venue lists no contract.';
COMMENT ON COLUMN regime.token_uptrend_state.chain IS 'Chain or venue the contract lives on.';
COMMENT ON COLUMN regime.token_uptrend_state."timestamp" IS 'Open of the bar, UTC.';
COMMENT ON COLUMN regime.token_uptrend_state.status IS 'warming_up below 333 bars: no state, no contribution to A/E.';
COMMENT ON COLUMN regime.token_uptrend_state.state IS 'S0..S3, or S4 = no clear state yet.';
COMMENT ON COLUMN regime.token_uptrend_state.transition IS 'Arrow taken on this bar, for example S1->S0.';
COMMENT ON COLUMN regime.token_uptrend_state.bootstrapped IS 'True in an S3 that was never seen to start; it emits no buy flag.';
COMMENT ON COLUMN regime.token_uptrend_state.ts IS 'Trend strength, 0..1.';
COMMENT ON COLUMN regime.token_uptrend_state.ox IS 'Over-extension, 0..1.';
COMMENT ON COLUMN regime.token_uptrend_state.dx IS 'Discount, 0..1.';
COMMENT ON COLUMN regime.token_uptrend_state.edx IS 'Trend decay since S3 began, 0..1; higher is more decayed.';
COMMENT ON COLUMN regime.token_uptrend_state.gate_mask IS 'Which gates passed on this bar, one bit each.';
COMMENT ON COLUMN regime.token_uptrend_state.timeframe IS 'Bar length.';
COMMENT ON COLUMN regime.token_uptrend_state.prev_state IS 'State of the bar before; NULL at a series'' first bar.';
COMMENT ON COLUMN regime.token_uptrend_state.transition_reason IS 'Why the state changed on this bar.';
COMMENT ON COLUMN regime.token_uptrend_state.s3_start_at IS 'Open of the bar on which the present S3 began.';
COMMENT ON COLUMN regime.token_uptrend_state.bars_since_s3 IS 'Bars since then.';
COMMENT ON COLUMN regime.token_uptrend_state.price IS 'Close the state was evaluated at.';
COMMENT ON COLUMN regime.token_uptrend_state.buy_signal IS 'S1: price near EMA60, a slope up, trend strength enough.';
COMMENT ON COLUMN regime.token_uptrend_state.buy_flag IS 'S2: retest of EMA333; S3: discount zone.';
COMMENT ON COLUMN regime.token_uptrend_state.first_dip_buy_flag IS 'S3: the first dips to the fast EMAs.';
COMMENT ON COLUMN regime.token_uptrend_state.trim_flag IS 'S2 and S3: over-extended.';
COMMENT ON COLUMN regime.token_uptrend_state.emergency_exit IS 'S3 below EMA333, or the bar of S1 to S0.';
COMMENT ON COLUMN regime.token_uptrend_state.reclaimed_ema333 IS 'S3: back above EMA333 after an emergency.';
COMMENT ON COLUMN regime.token_uptrend_state.exit_position IS 'The bar fell to S0: the position is to be closed.';
COMMENT ON COLUMN regime.token_uptrend_state.exit_reason IS 'Which fall it was.';
COMMENT ON COLUMN regime.token_uptrend_state.ts_with_boost IS 'Trend strength plus the boost of a near level.';
COMMENT ON COLUMN regime.token_uptrend_state.sr_boost IS 'Boost of the nearest support or resistance level, 0..0.25.';
COMMENT ON COLUMN regime.token_uptrend_state.config_version IS 'Version of pm.pm_config that made the row.';
COMMENT ON COLUMN regime.token_uptrend_state.run_id IS 'Dagster run, or micro-batch, that wrote the row.';
COMMENT ON COLUMN regime.token_uptrend_state.computed_at IS 'When the row was written.';
COMMENT ON COLUMN regime.token_uptrend_state.code_version IS 'Version of the code that made the row.';
