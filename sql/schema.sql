-- The schema as the migrations build it. Written by `python -m sql.schema --write`: do not edit, do not execute.

CREATE OR REPLACE FUNCTION regime.get_regime_context(as_of timestamp with time zone DEFAULT now())
 RETURNS json
 LANGUAGE sql
 STABLE
AS $function$
    SELECT context
    FROM regime.regime_context
    WHERE "timestamp" <= as_of - interval '1 hour' AND "timestamp" > as_of - interval '3 hours'
    ORDER BY "timestamp" DESC
    LIMIT 1
$function$;

CREATE OR REPLACE FUNCTION pm.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
    RAISE EXCEPTION '%.% is append-only', TG_TABLE_SCHEMA, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', HINT = 'Write a new row that says what changed.';
END
$function$;

-- A (appetite to add) and E (assertiveness to exit) per bucket and execution timeframe, with all 15 channels.
CREATE TABLE regime.ae_score (
    bucket text NOT NULL,  -- Cap bucket of the tokens this score is for.
    book_id text NOT NULL DEFAULT 'onchain_crypto'::text,  -- Asset class; all crypto books share one driver set.
    timeframe text NOT NULL,  -- Execution timeframe.
    timestamp timestamp with time zone NOT NULL,  -- Open of the execution bar, UTC; the score uses what was closed at its close.
    a double precision,  -- Appetite to add, 0..1; NULL when no channel is present.
    e double precision,  -- Assertiveness to exit, 0..1; NULL when no channel is present.
    a_raw double precision,  -- A before the clamp to 0..1.
    e_raw double precision,  -- E before the clamp to 0..1.
    coverage smallint NOT NULL,  -- Channels present, of 15.
    degraded boolean NOT NULL,  -- True below the configured coverage (12): the runtime does not act on it.
    btc_macro text,  -- State of BTC on 1d; NULL when the channel did not speak.
    btc_meso text,  -- State of BTC on 1h; NULL when the channel did not speak.
    btc_micro text,  -- State of BTC on 1m; NULL when the channel did not speak.
    alt_macro text,  -- State of ALT on 1d; NULL when the channel did not speak.
    alt_meso text,  -- State of ALT on 1h; NULL when the channel did not speak.
    alt_micro text,  -- State of ALT on 1m; NULL when the channel did not speak.
    bucket_macro text,  -- State of the bucket on 1d; NULL when the channel did not speak.
    bucket_meso text,  -- State of the bucket on 1h; NULL when the channel did not speak.
    bucket_micro text,  -- State of the bucket on 1m; NULL when the channel did not speak.
    btcd_macro text,  -- State of BTC.d on 1d; NULL when the channel did not speak.
    btcd_meso text,  -- State of BTC.d on 1h; NULL when the channel did not speak.
    btcd_micro text,  -- State of BTC.d on 1m; NULL when the channel did not speak.
    usdtd_macro text,  -- State of USDT.d on 1d; NULL when the channel did not speak.
    usdtd_meso text,  -- State of USDT.d on 1h; NULL when the channel did not speak.
    usdtd_micro text,  -- State of USDT.d on 1m; NULL when the channel did not speak.
    channel_status text[] NOT NULL,  -- ok, missing, stale or warming_up, in channel order (btc, alt, bucket, btcd, usdtd x macro, meso, micro).
    channel_a double precision[] NOT NULL,  -- Weighted contribution of each channel to A.
    channel_e double precision[] NOT NULL,  -- Weighted contribution of each channel to E.
    channel_signal text[] NOT NULL,  -- State, flags and transition of each channel that had a delta, joined by +.
    channel_timestamp timestamp with time zone[] NOT NULL,  -- Bar each channel was read from.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT ae_score_pkey PRIMARY KEY (bucket, book_id, timeframe, "timestamp"),
    CONSTRAINT ae_score_a_check CHECK (((a >= (0)::double precision) AND (a <= (1)::double precision))),
    CONSTRAINT ae_score_bucket_check CHECK ((bucket = ANY (ARRAY['nano'::text, 'micro'::text, 'mid'::text, 'big'::text, 'large'::text]))),
    CONSTRAINT ae_score_coverage_check CHECK (((coverage >= 0) AND (coverage <= 15))),
    CONSTRAINT ae_score_e_check CHECK (((e >= (0)::double precision) AND (e <= (1)::double precision))),
    CONSTRAINT ae_score_has_15_channels CHECK (((cardinality(channel_status) = 15) AND (cardinality(channel_a) = 15) AND (cardinality(channel_e) = 15) AND (cardinality(channel_signal) = 15) AND (cardinality(channel_timestamp) = 15))),
    CONSTRAINT ae_score_is_null_without_channels CHECK ((((coverage = 0) = (a IS NULL)) AND ((a IS NULL) = (e IS NULL)))),
    CONSTRAINT ae_score_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text])))
);
CREATE INDEX ae_score_timestamp ON regime.ae_score USING btree ("timestamp");

-- Bars that were refused or superseded, each with its reason. Append-only: nothing is lost.
CREATE TABLE regime.bar_quarantine (
    quarantine_id text NOT NULL,  -- Hash of the reason and the row as received: storing it twice changes nothing.
    table_name text NOT NULL,  -- Table the row was meant for.
    loaded_for timestamp with time zone NOT NULL,  -- Day the row belongs to; the start of the loaded window when it has no usable timestamp.
    token_contract text,  -- Contract address, symbol or metric of the refused row.
    chain text,  -- Chain or venue of the refused row.
    timeframe text,  -- Bar length.
    timestamp timestamp with time zone,  -- Open of the refused bar, UTC; NULL where it could not be read.
    open_usd double precision,  -- First price of the bar.
    high_usd double precision,  -- Highest price of the bar.
    low_usd double precision,  -- Lowest price of the bar.
    close_usd double precision,  -- Last price of the bar.
    volume double precision,  -- Volume as it was received.
    source text,  -- Where the value comes from.
    reason text NOT NULL,  -- First rule that refused the row.
    detail text NOT NULL,  -- The numbers behind the reason.
    payload text NOT NULL,  -- The row as it was received, JSON.
    known_at timestamp with time zone NOT NULL,  -- When the row was first refused.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT bar_quarantine_pkey PRIMARY KEY (quarantine_id),
    CONSTRAINT bar_quarantine_reason_check CHECK ((reason = ANY (ARRAY['naive_timestamp'::text, 'missing_value'::text, 'off_grid_timestamp'::text, 'future_bar'::text, 'not_finite'::text, 'non_positive_price'::text, 'negative_volume'::text, 'ohlc_order'::text, 'out_of_range'::text, 'revision_conflict'::text, 'unit_step'::text, 'price_jump'::text, 'superseded'::text]))),
    CONSTRAINT bar_quarantine_table_name_check CHECK ((table_name = ANY (ARRAY['majors_price_data_ohlc'::text, 'lowcap_price_data_ohlc'::text, 'dominance_sample'::text])))
);
CREATE INDEX bar_quarantine_loaded_for ON regime.bar_quarantine USING btree (table_name, loaded_for);

-- Whether each cap bucket is fit to be scored on a day, and why not.
CREATE TABLE regime.bucket_eligibility (
    bucket text NOT NULL,  -- Cap bucket.
    timestamp timestamp with time zone NOT NULL,  -- Day, UTC midnight.
    member_count integer NOT NULL,  -- Tokens tagged on that day.
    median_volume_24h_usd double precision,  -- Median over members whose volume is known, USD; NULL when none is.
    is_eligible boolean NOT NULL,  -- Whether the bucket is scored, ranked and part of the composite.
    reason text,  -- First rule that keeps it out; NULL when eligible.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT bucket_eligibility_pkey PRIMARY KEY (bucket, "timestamp"),
    CONSTRAINT bucket_eligibility_bucket_check CHECK ((bucket = ANY (ARRAY['nano'::text, 'micro'::text, 'mid'::text, 'big'::text, 'large'::text, 'xl'::text]))),
    CONSTRAINT bucket_eligibility_member_count_check CHECK ((member_count >= 0)),
    CONSTRAINT bucket_eligibility_reason_check CHECK ((reason = ANY (ARRAY['too_few_members'::text, 'median_volume_unknown'::text, 'median_volume_below_floor'::text, 'telemetry_only'::text]))),
    CONSTRAINT bucket_eligibility_says_why_not CHECK ((is_eligible = (reason IS NULL)))
);
CREATE INDEX bucket_eligibility_timestamp ON regime.bucket_eligibility USING btree ("timestamp");

-- Log return of each cap bucket, bar by bar, and the index it chains to. A bar with too few members has no row.
CREATE TABLE regime.bucket_return_series (
    bucket text NOT NULL,  -- Cap bucket.
    timeframe text NOT NULL,  -- Bar length.
    timestamp timestamp with time zone NOT NULL,  -- Open of the bar, UTC; usable from open + timeframe.
    r_bucket double precision NOT NULL,  -- Mean of the members' clipped log returns, natural log.
    resid_btc double precision,  -- r_bucket minus the log return of BTC; NULL where that is missing.
    resid_alt double precision,  -- r_bucket minus the log return of the ALT basket; NULL where that is missing.
    index_level double precision NOT NULL,  -- Chained from 100: level before times exp(r_bucket).
    member_count integer NOT NULL,  -- Members with a return; a silent fresh one counts 0.
    traded_count integer NOT NULL,  -- Members with a bar.
    dropped_count integer NOT NULL,  -- Members without a fresh close.
    clipped_count integer NOT NULL,  -- Returns clipped to three times up or down.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT bucket_return_series_pkey PRIMARY KEY (bucket, timeframe, "timestamp"),
    CONSTRAINT bucket_return_series_bucket_check CHECK ((bucket = ANY (ARRAY['nano'::text, 'micro'::text, 'mid'::text, 'big'::text, 'large'::text, 'xl'::text]))),
    CONSTRAINT bucket_return_series_clipped_count_check CHECK ((clipped_count >= 0)),
    CONSTRAINT bucket_return_series_dropped_count_check CHECK ((dropped_count >= 0)),
    CONSTRAINT bucket_return_series_index_level_check CHECK (((index_level > (0)::double precision) AND (index_level < 'Infinity'::double precision))),
    CONSTRAINT bucket_return_series_member_count_check CHECK ((member_count > 0)),
    CONSTRAINT bucket_return_series_r_bucket_check CHECK (((r_bucket > '-Infinity'::double precision) AND (r_bucket < 'Infinity'::double precision))),
    CONSTRAINT bucket_return_series_timeframe_check CHECK ((timeframe = ANY (ARRAY['1h'::text, '1d'::text]))),
    CONSTRAINT bucket_return_series_traded_count_check CHECK ((traded_count > 0))
);
CREATE INDEX bucket_return_series_timestamp ON regime.bucket_return_series USING btree ("timestamp");

-- The low-cap composite: weighted blend of the eligible buckets, bar by bar, with the weights in force.
CREATE TABLE regime.composite_return_series (
    timeframe text NOT NULL,  -- Bar length.
    timestamp timestamp with time zone NOT NULL,  -- Open of the bar, UTC; usable from open + timeframe.
    r_composite double precision NOT NULL,  -- Weighted mean of the buckets' log returns, natural log.
    resid_btc double precision,  -- r_composite minus the log return of BTC; NULL where that is missing.
    resid_alt double precision,  -- r_composite minus the log return of the ALT basket; NULL where that is missing.
    index_level double precision NOT NULL,  -- Chained from 100: level before times exp(r_composite).
    group_count integer NOT NULL,  -- Buckets with a part in it.
    coverage double precision NOT NULL,  -- Share of the configured weight that was heard: fresh members of each bucket, weighted.
    weight_nano double precision,  -- Share of nano in this bar; NULL where it had no part.
    weight_micro double precision,  -- Share of micro in this bar; NULL where it had no part.
    weight_mid double precision,  -- Share of mid in this bar; NULL where it had no part.
    weight_big double precision,  -- Share of big in this bar; NULL where it had no part.
    weight_large double precision,  -- Share of large in this bar; NULL where it had no part.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT composite_return_series_pkey PRIMARY KEY (timeframe, "timestamp"),
    CONSTRAINT composite_return_series_coverage_check CHECK (((coverage >= (0)::double precision) AND (coverage <= (1)::double precision))),
    CONSTRAINT composite_return_series_group_count_check CHECK ((group_count > 0)),
    CONSTRAINT composite_return_series_index_level_check CHECK (((index_level > (0)::double precision) AND (index_level < 'Infinity'::double precision))),
    CONSTRAINT composite_return_series_r_composite_check CHECK (((r_composite > '-Infinity'::double precision) AND (r_composite < 'Infinity'::double precision))),
    CONSTRAINT composite_return_series_timeframe_check CHECK ((timeframe = ANY (ARRAY['1h'::text, '1d'::text]))),
    CONSTRAINT composite_return_series_weight_big_check CHECK (((weight_big > (0)::double precision) AND (weight_big <= (1)::double precision))),
    CONSTRAINT composite_return_series_weight_large_check CHECK (((weight_large > (0)::double precision) AND (weight_large <= (1)::double precision))),
    CONSTRAINT composite_return_series_weight_micro_check CHECK (((weight_micro > (0)::double precision) AND (weight_micro <= (1)::double precision))),
    CONSTRAINT composite_return_series_weight_mid_check CHECK (((weight_mid > (0)::double precision) AND (weight_mid <= (1)::double precision))),
    CONSTRAINT composite_return_series_weight_nano_check CHECK (((weight_nano > (0)::double precision) AND (weight_nano <= (1)::double precision)))
);
CREATE INDEX composite_return_series_timestamp ON regime.composite_return_series USING btree ("timestamp");

-- Market-cap dominance as sampled from the source.
CREATE TABLE regime.dominance_sample (
    metric text NOT NULL,  -- BTC.d or USDT.d.
    timeframe text NOT NULL,  -- Sampling interval.
    timestamp timestamp with time zone NOT NULL,  -- Instant of the sample, or start of the interval it stands for, UTC.
    value_pct double precision NOT NULL,  -- Share of the total market cap, percent.
    source text NOT NULL,  -- Where the value comes from.
    known_at timestamp with time zone NOT NULL,  -- When this value was first stored.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT dominance_sample_pkey PRIMARY KEY (metric, timeframe, "timestamp"),
    CONSTRAINT dominance_sample_metric_check CHECK ((metric = ANY (ARRAY['BTC.d'::text, 'USDT.d'::text]))),
    CONSTRAINT dominance_sample_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text]))),
    CONSTRAINT dominance_sample_value_pct_check CHECK (((value_pct > (0)::double precision) AND (value_pct < (100)::double precision)))
);
CREATE INDEX dominance_sample_timestamp ON regime.dominance_sample USING btree ("timestamp");

-- Bars of the low-cap tokens: as the venue printed them, and rolled up where it did not.
CREATE TABLE regime.lowcap_price_data_ohlc (
    token_contract text NOT NULL,  -- Contract address, or the symbol where the venue lists no contract.
    chain text NOT NULL,  -- Chain or venue the contract lives on.
    timeframe text NOT NULL,  -- Bar length.
    timestamp timestamp with time zone NOT NULL,  -- Open of the bar, UTC; usable from open + timeframe.
    open_usd double precision NOT NULL,  -- First price of the bar.
    high_usd double precision NOT NULL,  -- Highest price of the bar.
    low_usd double precision NOT NULL,  -- Lowest price of the bar.
    close_usd double precision NOT NULL,  -- Last price of the bar.
    volume double precision NOT NULL,  -- As the venue printed it, summed in a roll-up.
    source text NOT NULL,  -- Venue, or rollup:<timeframe it was rolled up from>.
    coverage double precision NOT NULL,  -- Share of the bar its components cover, 0..1.
    partial boolean NOT NULL,  -- True when coverage is below 1; re-rolled when late minutes arrive.
    known_at timestamp with time zone NOT NULL,  -- When these values were first stored.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT lowcap_price_data_ohlc_pkey PRIMARY KEY (token_contract, chain, timeframe, "timestamp"),
    CONSTRAINT lowcap_price_data_ohlc_coverage_check CHECK (((coverage > (0)::double precision) AND (coverage <= (1)::double precision))),
    CONSTRAINT lowcap_price_data_ohlc_is_a_bar CHECK (((low_usd > (0)::double precision) AND (high_usd < 'Infinity'::double precision) AND (low_usd <= LEAST(open_usd, close_usd)) AND (high_usd >= GREATEST(open_usd, close_usd)))),
    CONSTRAINT lowcap_price_data_ohlc_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text]))),
    CONSTRAINT lowcap_price_data_ohlc_volume_check CHECK (((volume >= (0)::double precision) AND (volume < 'Infinity'::double precision)))
);
CREATE INDEX lowcap_price_data_ohlc_timestamp ON regime.lowcap_price_data_ohlc USING btree ("timestamp");

-- Bars of the majors: as the venue printed them, and rolled up where it did not.
CREATE TABLE regime.majors_price_data_ohlc (
    symbol text NOT NULL,  -- Canonical symbol: BTC, ETH, SOL, BNB, HYPE.
    timeframe text NOT NULL,  -- Bar length.
    timestamp timestamp with time zone NOT NULL,  -- Open of the bar, UTC; usable from open + timeframe.
    open_usd double precision NOT NULL,  -- First price of the bar.
    high_usd double precision NOT NULL,  -- Highest price of the bar.
    low_usd double precision NOT NULL,  -- Lowest price of the bar.
    close_usd double precision NOT NULL,  -- Last price of the bar.
    volume double precision NOT NULL,  -- As the venue printed it, summed in a roll-up.
    source text NOT NULL,  -- Venue, or rollup:<timeframe it was rolled up from>.
    coverage double precision NOT NULL,  -- Share of the bar its components cover, 0..1.
    partial boolean NOT NULL,  -- True when coverage is below 1; re-rolled when late minutes arrive.
    known_at timestamp with time zone NOT NULL,  -- When these values were first stored.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT majors_price_data_ohlc_pkey PRIMARY KEY (symbol, timeframe, "timestamp"),
    CONSTRAINT majors_price_data_ohlc_coverage_check CHECK (((coverage > (0)::double precision) AND (coverage <= (1)::double precision))),
    CONSTRAINT majors_price_data_ohlc_is_a_bar CHECK (((low_usd > (0)::double precision) AND (high_usd < 'Infinity'::double precision) AND (low_usd <= LEAST(open_usd, close_usd)) AND (high_usd >= GREATEST(open_usd, close_usd)))),
    CONSTRAINT majors_price_data_ohlc_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text]))),
    CONSTRAINT majors_price_data_ohlc_volume_check CHECK (((volume >= (0)::double precision) AND (volume < 'Infinity'::double precision)))
);
CREATE INDEX majors_price_data_ohlc_timestamp ON regime.majors_price_data_ohlc USING btree ("timestamp");

-- SPIRAL phase of the low-cap composite and horizon, hour by hour. An hour without a score has no row.
CREATE TABLE regime.phase_state (
    horizon text NOT NULL,  -- Lens preset on hourly data: macro, meso or micro.
    ts timestamp with time zone NOT NULL,  -- Open of the hour evaluated, UTC; usable an hour later.
    phase text NOT NULL,  -- Label after hysteresis, skip rule, Chop and dwell.
    score double precision NOT NULL,  -- SPIRAL score of this horizon.
    slope double precision,  -- z-score of the slope over BTC.
    curvature double precision,  -- z-score of the curvature over BTC.
    delta_res double precision,  -- z-score of the change over BTC.
    confidence double precision,  -- Depth in the band times data coverage, 0..1; NULL when coverage is unknown.
    dwell_remaining_hours double precision NOT NULL,  -- Hours the label still stands whatever the score.
    pending_label text,  -- Label that waits for the dwell to end; NULL when none does.
    s_btcusd double precision,  -- Lens score of BTC itself.
    s_rotation double precision,  -- Lens score of ALT over BTC.
    s_port_btc double precision,  -- Lens score of the subject over BTC.
    s_port_alt double precision,  -- Lens score of the subject over ALT.
    group_count integer NOT NULL,  -- Buckets the composite was made of in that hour.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT phase_state_pkey PRIMARY KEY (horizon, ts),
    CONSTRAINT phase_state_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT phase_state_dwell_remaining_hours_check CHECK ((dwell_remaining_hours >= (0)::double precision)),
    CONSTRAINT phase_state_group_count_check CHECK ((group_count > 0)),
    CONSTRAINT phase_state_horizon_check CHECK ((horizon = ANY (ARRAY['macro'::text, 'meso'::text, 'micro'::text]))),
    CONSTRAINT phase_state_pending_label_check CHECK ((pending_label = ANY (ARRAY['Euphoria'::text, 'Good'::text, 'Recover'::text, 'Dip'::text, 'Double-Dip'::text, 'Oh-Shit'::text, 'Chop'::text]))),
    CONSTRAINT phase_state_phase_check CHECK ((phase = ANY (ARRAY['Euphoria'::text, 'Good'::text, 'Recover'::text, 'Dip'::text, 'Double-Dip'::text, 'Oh-Shit'::text, 'Chop'::text]))),
    CONSTRAINT phase_state_score_check CHECK (((score > '-Infinity'::double precision) AND (score < 'Infinity'::double precision)))
);
CREATE INDEX phase_state_ts ON regime.phase_state USING btree (ts);

-- SPIRAL phase of each cap bucket and horizon, hour by hour. An hour without a score has no row.
CREATE TABLE regime.phase_state_bucket (
    bucket text NOT NULL,  -- Cap bucket; xl is telemetry.
    horizon text NOT NULL,  -- Lens preset on hourly data: macro, meso or micro.
    ts timestamp with time zone NOT NULL,  -- Open of the hour evaluated, UTC; usable an hour later.
    phase text NOT NULL,  -- Label after hysteresis, skip rule, Chop and dwell.
    score double precision NOT NULL,  -- SPIRAL score of this horizon.
    slope double precision,  -- z-score of the slope over BTC.
    curvature double precision,  -- z-score of the curvature over BTC.
    delta_res double precision,  -- z-score of the change over BTC.
    confidence double precision,  -- Depth in the band times data coverage, 0..1; NULL when coverage is unknown.
    dwell_remaining_hours double precision NOT NULL,  -- Hours the label still stands whatever the score.
    pending_label text,  -- Label that waits for the dwell to end; NULL when none does.
    s_btcusd double precision,  -- Lens score of BTC itself.
    s_rotation double precision,  -- Lens score of ALT over BTC.
    s_port_btc double precision,  -- Lens score of the subject over BTC.
    s_port_alt double precision,  -- Lens score of the subject over ALT.
    population_count integer NOT NULL,  -- Members of the bucket in that hour.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT phase_state_bucket_pkey PRIMARY KEY (bucket, horizon, ts),
    CONSTRAINT phase_state_bucket_bucket_check CHECK ((bucket = ANY (ARRAY['nano'::text, 'micro'::text, 'mid'::text, 'big'::text, 'large'::text, 'xl'::text]))),
    CONSTRAINT phase_state_bucket_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT phase_state_bucket_dwell_remaining_hours_check CHECK ((dwell_remaining_hours >= (0)::double precision)),
    CONSTRAINT phase_state_bucket_horizon_check CHECK ((horizon = ANY (ARRAY['macro'::text, 'meso'::text, 'micro'::text]))),
    CONSTRAINT phase_state_bucket_pending_label_check CHECK ((pending_label = ANY (ARRAY['Euphoria'::text, 'Good'::text, 'Recover'::text, 'Dip'::text, 'Double-Dip'::text, 'Oh-Shit'::text, 'Chop'::text]))),
    CONSTRAINT phase_state_bucket_phase_check CHECK ((phase = ANY (ARRAY['Euphoria'::text, 'Good'::text, 'Recover'::text, 'Dip'::text, 'Double-Dip'::text, 'Oh-Shit'::text, 'Chop'::text]))),
    CONSTRAINT phase_state_bucket_population_count_check CHECK ((population_count > 0)),
    CONSTRAINT phase_state_bucket_score_check CHECK (((score > '-Infinity'::double precision) AND (score < 'Infinity'::double precision)))
);
CREATE INDEX phase_state_bucket_ts ON regime.phase_state_bucket USING btree (ts);

-- What the regime was alarmed about: a row a time it stood.
CREATE TABLE regime.regime_alarm (
    alarm_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Number, of this schema.
    kind text NOT NULL,  -- What went wrong.
    subject text NOT NULL,  -- With what: an override, a cell, a bucket, a table, a timeframe. Stands once at a time.
    severity text NOT NULL,  -- warn, or error where trading suffers.
    sentence text NOT NULL,  -- For a person, with the figures it was raised on.
    evidence json NOT NULL,  -- The figures, the keys of the rows they come from, and the page that shows them.
    raised_at timestamp with time zone NOT NULL,  -- Instant of the look that found it.
    cleared_at timestamp with time zone,  -- Instant of the look that did not find it any more; NULL while it stands.
    raised_by text NOT NULL,  -- Sensor, process or command that looked.
    config_version bigint NOT NULL,  -- Version of pm.pm_config whose limits it broke.
    code_version text NOT NULL,  -- Version of the code that made the row.
    stored_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),  -- When it was written.
    CONSTRAINT regime_alarm_pkey PRIMARY KEY (alarm_id),
    CONSTRAINT regime_alarm_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT regime_alarm_evidence_check CHECK ((json_typeof(evidence) = 'object'::text)),
    CONSTRAINT regime_alarm_is_cleared_after_it_was_raised CHECK ((cleared_at >= raised_at)),
    CONSTRAINT regime_alarm_kind_check CHECK ((kind = ANY (ARRAY['edge_halved'::text, 'fpr_doubled'::text, 'coverage_low'::text, 'label_churn'::text, 'stale_table'::text, 'dead_daemon'::text, 'silent_runtime'::text, 'tick_overrun'::text, 'no_score'::text, 'order_not_taken'::text, 'reconcile_failed'::text]))),
    CONSTRAINT regime_alarm_raised_by_check CHECK ((raised_by <> ''::text)),
    CONSTRAINT regime_alarm_sentence_check CHECK ((sentence <> ''::text)),
    CONSTRAINT regime_alarm_severity_check CHECK ((severity = ANY (ARRAY['warn'::text, 'error'::text]))),
    CONSTRAINT regime_alarm_subject_check CHECK ((subject <> ''::text))
);
CREATE INDEX regime_alarm_raised ON regime.regime_alarm USING btree (raised_at DESC);
CREATE UNIQUE INDEX regime_alarm_stands_once ON regime.regime_alarm USING btree (kind, subject) WHERE (cleared_at IS NULL);

-- The regime as one document an hour: composite phases, bucket ladder, multipliers, label.
CREATE TABLE regime.regime_context (
    timestamp timestamp with time zone NOT NULL,  -- Open of the hour evaluated, UTC; usable an hour later.
    regime_label text NOT NULL,  -- macro=..|meso=..|micro=..|bucket_leader=..; Unknown where missing.
    context json NOT NULL,  -- The document, text as it was made; `lowcap regime schema` prints its schema.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT regime_context_pkey PRIMARY KEY ("timestamp")
);

-- Uptrend state of each driver bar, with its flags, scores and the reason of every transition.
CREATE TABLE regime.regime_driver_state (
    driver text NOT NULL,  -- BTC, ALT, a cap bucket, BTC.d or USDT.d.
    book_id text NOT NULL DEFAULT 'onchain_crypto'::text,  -- Asset class; all crypto books share one driver set.
    timeframe text NOT NULL,  -- Bar length.
    timestamp timestamp with time zone NOT NULL,  -- Open of the bar, UTC.
    status text NOT NULL,  -- warming_up below 333 bars: no state, no contribution to A/E.
    state text NOT NULL,  -- S0..S3, or S4 = no clear state yet.
    prev_state text,  -- State of the bar before; NULL at a series' first bar.
    transition text,  -- Arrow taken on this bar, for example S1->S0.
    transition_reason text,  -- Why the state changed on this bar.
    bootstrapped boolean NOT NULL,  -- True in an S3 that was never seen to start; it emits no buy flag.
    s3_start_at timestamp with time zone,  -- Open of the bar on which the present S3 began.
    bars_since_s3 integer,  -- Bars since then.
    price double precision NOT NULL,  -- Close the state was evaluated at.
    buy_signal boolean NOT NULL,  -- S1: price near EMA60, a slope up, trend strength enough.
    buy_flag boolean NOT NULL,  -- S2: retest of EMA333; S3: discount zone.
    first_dip_buy_flag boolean NOT NULL,  -- S3: the first dips to the fast EMAs.
    trim_flag boolean NOT NULL,  -- S2 and S3: over-extended.
    emergency_exit boolean NOT NULL,  -- S3 below EMA333, or the bar of S1 to S0.
    reclaimed_ema333 boolean NOT NULL,  -- S3: back above EMA333 after an emergency.
    exit_position boolean NOT NULL,  -- The bar fell to S0: the position is to be closed.
    exit_reason text,  -- Which fall it was.
    ts double precision,  -- Trend strength, 0..1.
    ts_with_boost double precision,  -- Trend strength plus the boost of a near level.
    sr_boost double precision,  -- Boost of the nearest support or resistance level, 0..0.25.
    ox double precision,  -- Over-extension, 0..1.
    dx double precision,  -- Discount, 0..1.
    edx double precision,  -- Trend decay since S3 began, 0..1; higher is more decayed.
    gate_mask integer NOT NULL,  -- Which gates passed on this bar, one bit each.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT regime_driver_state_pkey PRIMARY KEY (driver, book_id, timeframe, "timestamp"),
    CONSTRAINT regime_driver_state_bars_since_s3_check CHECK ((bars_since_s3 >= 0)),
    CONSTRAINT regime_driver_state_check CHECK (((exit_reason IS NOT NULL) OR (NOT exit_position))),
    CONSTRAINT regime_driver_state_driver_check CHECK ((driver = ANY (ARRAY['BTC'::text, 'ALT'::text, 'nano'::text, 'micro'::text, 'mid'::text, 'big'::text, 'large'::text, 'BTC.d'::text, 'USDT.d'::text]))),
    CONSTRAINT regime_driver_state_dx_check CHECK (((dx >= (0)::double precision) AND (dx <= (1)::double precision))),
    CONSTRAINT regime_driver_state_edx_check CHECK (((edx >= (0)::double precision) AND (edx <= (1)::double precision))),
    CONSTRAINT regime_driver_state_ox_check CHECK (((ox >= (0)::double precision) AND (ox <= (1)::double precision))),
    CONSTRAINT regime_driver_state_prev_state_check CHECK ((prev_state = ANY (ARRAY['S0'::text, 'S1'::text, 'S2'::text, 'S3'::text, 'S4'::text]))),
    CONSTRAINT regime_driver_state_state_check CHECK ((state = ANY (ARRAY['S0'::text, 'S1'::text, 'S2'::text, 'S3'::text, 'S4'::text]))),
    CONSTRAINT regime_driver_state_status_check CHECK ((status = ANY (ARRAY['warming_up'::text, 'ok'::text]))),
    CONSTRAINT regime_driver_state_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '1h'::text, '1d'::text]))),
    CONSTRAINT regime_driver_state_transition_reason_check CHECK ((transition_reason = ANY (ARRAY['bootstrap_s0_order'::text, 'bootstrap_s3_order'::text, 'fast_band_above_ema60'::text, 's1_to_s0_bearish_order'::text, 'price_above_ema333'::text, 'price_below_ema333'::text, 'bullish_order'::text, 's2_to_s0_bearish_order'::text, 'all_emas_below_333'::text]))),
    CONSTRAINT regime_driver_state_ts_check CHECK (((ts >= (0)::double precision) AND (ts <= (1)::double precision)))
);
CREATE INDEX regime_driver_state_timestamp ON regime.regime_driver_state USING btree ("timestamp");

-- Indicators of each driver bar. NULL where an indicator is not defined yet.
CREATE TABLE regime.regime_driver_ta (
    driver text NOT NULL,  -- BTC, ALT, a cap bucket, BTC.d or USDT.d.
    book_id text NOT NULL DEFAULT 'onchain_crypto'::text,  -- Asset class; all crypto books share one driver set.
    timeframe text NOT NULL,  -- Bar length.
    timestamp timestamp with time zone NOT NULL,  -- Open of the bar, UTC.
    bars_count integer NOT NULL,  -- Bars since the series began or restarted after a long hole.
    warm boolean NOT NULL,  -- True from 999 bars: the first value weighs less than 0.25 % in EMA333.
    latest_price double precision NOT NULL,  -- Close of this bar.
    ema20 double precision NOT NULL,  -- Exponential moving average of the close over 20 bars, from the first close.
    ema30 double precision NOT NULL,  -- Exponential moving average of the close over 30 bars, from the first close.
    ema50 double precision NOT NULL,  -- Exponential moving average of the close over 50 bars, from the first close.
    ema60 double precision NOT NULL,  -- Exponential moving average of the close over 60 bars, from the first close.
    ema144 double precision NOT NULL,  -- Exponential moving average of the close over 144 bars, from the first close.
    ema250 double precision NOT NULL,  -- Exponential moving average of the close over 250 bars, from the first close.
    ema333 double precision NOT NULL,  -- Exponential moving average of the close over 333 bars, from the first close.
    ema20_slope double precision,  -- Least-squares slope of the last 10 EMA values over the EMA, fraction per bar.
    ema60_slope double precision,  -- As ema20_slope, of this EMA.
    ema144_slope double precision,  -- As ema20_slope, of this EMA.
    ema250_slope double precision,  -- As ema20_slope, of this EMA.
    ema333_slope double precision,  -- As ema20_slope, of this EMA.
    d_ema60_slope double precision,  -- Slope now minus slope 10 bars ago.
    d_ema144_slope double precision,  -- As d_ema60_slope, of this EMA.
    d_ema250_slope double precision,  -- As d_ema60_slope, of this EMA.
    d_ema333_slope double precision,  -- As d_ema60_slope, of this EMA.
    sep_fast double precision NOT NULL,  -- (EMA20 - EMA60) / EMA60.
    sep_mid double precision NOT NULL,  -- (EMA60 - EMA144) / EMA144.
    dsep_fast_5 double precision,  -- sep_fast now minus 5 bars ago.
    dsep_mid_5 double precision,  -- sep_mid now minus 5 bars ago.
    atr double precision,  -- Average true range over 14 bars (Wilder).
    atr_norm double precision,  -- ATR over EMA50.
    atr_mean_20 double precision,  -- Mean of the last 20 ATR values.
    atr_peak_10 double precision,  -- Highest of the last 10 ATR values.
    rsi double precision,  -- Relative strength over 14 changes, simple averages, 0..100.
    rsi_slope_10 double precision,  -- Least-squares slope of the last 10 RSI values, per bar.
    adx double precision,  -- Average directional index over 14 bars (Wilder), 0..100.
    adx_slope_10 double precision,  -- Least-squares slope of the last 10 ADX values, per bar.
    vo_z double precision,  -- z-score of log(1 + volume) against its own exponentially weighted history.
    vo_z_cluster boolean,  -- Whether volume was high on several of the last 30 bars.
    carry double precision[] NOT NULL,  -- What the recursion needs beyond the named columns, so that the next bar costs O(1).
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT regime_driver_ta_pkey PRIMARY KEY (driver, book_id, timeframe, "timestamp"),
    CONSTRAINT regime_driver_ta_adx_check CHECK (((adx >= (0)::double precision) AND (adx <= (100.000001)::double precision))),
    CONSTRAINT regime_driver_ta_atr_check CHECK ((atr >= (0)::double precision)),
    CONSTRAINT regime_driver_ta_atr_mean_20_check CHECK ((atr_mean_20 >= (0)::double precision)),
    CONSTRAINT regime_driver_ta_atr_norm_check CHECK ((atr_norm >= (0)::double precision)),
    CONSTRAINT regime_driver_ta_atr_peak_10_check CHECK ((atr_peak_10 >= (0)::double precision)),
    CONSTRAINT regime_driver_ta_bars_count_check CHECK ((bars_count > 0)),
    CONSTRAINT regime_driver_ta_driver_check CHECK ((driver = ANY (ARRAY['BTC'::text, 'ALT'::text, 'nano'::text, 'micro'::text, 'mid'::text, 'big'::text, 'large'::text, 'BTC.d'::text, 'USDT.d'::text]))),
    CONSTRAINT regime_driver_ta_rsi_check CHECK (((rsi >= (0)::double precision) AND (rsi <= (100)::double precision))),
    CONSTRAINT regime_driver_ta_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '1h'::text, '1d'::text]))),
    CONSTRAINT regime_driver_ta_vo_z_check CHECK (((vo_z >= ('-4'::integer)::double precision) AND (vo_z <= (6)::double precision)))
);
CREATE INDEX regime_driver_ta_timestamp ON regime.regime_driver_ta USING btree ("timestamp");

-- Changes worth a notice: the order of the buckets, and a bucket that reaches an extreme. Append-only, one row a change.
CREATE TABLE regime.regime_event (
    event_id text NOT NULL,  -- Hash of kind, instant and bucket: emitting twice changes nothing.
    kind text NOT NULL,  -- bucket_rotation or bucket_extreme.
    timestamp timestamp with time zone NOT NULL,  -- Open of the hour whose evaluation showed it, UTC; known an hour later.
    bucket text,  -- Bucket concerned; NULL for a rotation.
    payload json NOT NULL,  -- Old and new order with slope deltas, or phase, score and confidence.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT regime_event_pkey PRIMARY KEY (event_id),
    CONSTRAINT regime_event_bucket_check CHECK ((bucket = ANY (ARRAY['nano'::text, 'micro'::text, 'mid'::text, 'big'::text, 'large'::text, 'xl'::text]))),
    CONSTRAINT regime_event_event_id_check CHECK ((event_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT regime_event_kind_check CHECK ((kind = ANY (ARRAY['bucket_rotation'::text, 'bucket_extreme'::text])))
);
CREATE INDEX regime_event_timestamp ON regime.regime_event USING btree ("timestamp");

-- Bars of the regime drivers: BTC, the ALT and bucket return indices, and the dominances.
CREATE TABLE regime.regime_price_data_ohlc (
    driver text NOT NULL,  -- BTC, ALT, a cap bucket, BTC.d or USDT.d.
    book_id text NOT NULL DEFAULT 'onchain_crypto'::text,  -- Asset class; all crypto books share one driver set.
    timeframe text NOT NULL,  -- Bar length.
    timestamp timestamp with time zone NOT NULL,  -- Open of the bar, UTC; usable from open + timeframe.
    open_usd double precision NOT NULL,  -- First price of the bar.
    high_usd double precision NOT NULL,  -- Highest price of the bar.
    low_usd double precision NOT NULL,  -- Lowest price of the bar.
    close_usd double precision NOT NULL,  -- USD for BTC, index points (base 100) for composites, percent for dominance.
    volume double precision NOT NULL,  -- Volume as it was received.
    source text NOT NULL,  -- Venue, rollup:<timeframe>, or composite.
    component_count integer NOT NULL,  -- Components that were used, not those that were tagged.
    coverage double precision NOT NULL,  -- Share of the bar its components cover, 0..1.
    partial boolean NOT NULL,  -- True when coverage is below 1.
    carried boolean NOT NULL,  -- True when every value was carried forward from an earlier sample.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT regime_price_data_ohlc_pkey PRIMARY KEY (driver, book_id, timeframe, "timestamp"),
    CONSTRAINT regime_price_data_ohlc_component_count_check CHECK ((component_count > 0)),
    CONSTRAINT regime_price_data_ohlc_coverage_check CHECK (((coverage > (0)::double precision) AND (coverage <= (1)::double precision))),
    CONSTRAINT regime_price_data_ohlc_driver_check CHECK ((driver = ANY (ARRAY['BTC'::text, 'ALT'::text, 'nano'::text, 'micro'::text, 'mid'::text, 'big'::text, 'large'::text, 'BTC.d'::text, 'USDT.d'::text]))),
    CONSTRAINT regime_price_data_ohlc_is_a_bar CHECK (((low_usd > (0)::double precision) AND (high_usd < 'Infinity'::double precision) AND (low_usd <= LEAST(open_usd, close_usd)) AND (high_usd >= GREATEST(open_usd, close_usd)))),
    CONSTRAINT regime_price_data_ohlc_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text]))),
    CONSTRAINT regime_price_data_ohlc_volume_check CHECK (((volume >= (0)::double precision) AND (volume < 'Infinity'::double precision)))
);
CREATE INDEX regime_price_data_ohlc_timestamp ON regime.regime_price_data_ohlc USING btree ("timestamp");

-- Cap bucket of each token on each day, from what was known at its midnight. A token without a usable cap has no row.
CREATE TABLE regime.token_cap_bucket (
    token_contract text NOT NULL,  -- Contract address, or the symbol where the venue lists no contract.
    chain text NOT NULL,  -- Chain or venue the contract lives on.
    timestamp timestamp with time zone NOT NULL,  -- Day the tag holds, UTC midnight.
    bucket text NOT NULL,  -- nano, micro, mid, big, large or xl.
    market_cap_usd double precision NOT NULL,  -- Cap the tag was made from, USD.
    circulating_supply double precision,  -- Coins in circulation then; NULL when unknown.
    volume_24h_usd double precision,  -- Traded in 24 hours by then, USD; NULL when unknown.
    liquidity_usd double precision,  -- Liquidity then, USD; NULL when unknown.
    updated_at timestamp with time zone NOT NULL,  -- When that cap was read; the tag expires 48 hours later.
    bucket_since timestamp with time zone NOT NULL,  -- Midnight from which the token has been in this bucket without a break.
    valid_from timestamp with time zone NOT NULL,  -- Midnight the tag holds from.
    valid_to timestamp with time zone NOT NULL,  -- End of the day, or the instant the tag expires in it.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT token_cap_bucket_pkey PRIMARY KEY (token_contract, chain, "timestamp"),
    CONSTRAINT token_cap_bucket_bucket_check CHECK ((bucket = ANY (ARRAY['nano'::text, 'micro'::text, 'mid'::text, 'big'::text, 'large'::text, 'xl'::text]))),
    CONSTRAINT token_cap_bucket_check CHECK ((valid_to > valid_from)),
    CONSTRAINT token_cap_bucket_market_cap_usd_check CHECK (((market_cap_usd > (0)::double precision) AND (market_cap_usd < 'Infinity'::double precision)))
);
CREATE INDEX token_cap_bucket_bucket ON regime.token_cap_bucket USING btree (bucket);
CREATE INDEX token_cap_bucket_timestamp ON regime.token_cap_bucket USING btree ("timestamp");
CREATE INDEX token_cap_bucket_updated_at ON regime.token_cap_bucket USING btree (updated_at);

-- What is known of each token on each day: market cap, supply, volume, liquidity. The last reading of the day.
CREATE TABLE regime.token_metadata (
    token_contract text NOT NULL,  -- Contract address, or the symbol where the venue lists no contract.
    chain text NOT NULL,  -- Chain or venue the contract lives on.
    timestamp timestamp with time zone NOT NULL,  -- Day the reading belongs to, UTC midnight.
    market_cap_usd double precision,  -- As it was read, USD; to be used only where cap_status is ok.
    market_cap_basis text,  -- Whether the source reported the cap, or it is supply times the last close; NULL without a cap.
    cap_status text NOT NULL,  -- Whether the cap can be used, and why not.
    circulating_supply double precision,  -- Coins in circulation; NULL when unknown.
    fdv_usd double precision,  -- Fully diluted value, USD; NULL when unknown.
    volume_24h_usd double precision,  -- Traded in 24 hours, USD; NULL when unknown.
    liquidity_usd double precision,  -- Liquidity of the pools, USD; NULL when unknown.
    updated_at timestamp with time zone,  -- When the source read the cap, UTC.
    source text NOT NULL,  -- Who said so.
    known_at timestamp with time zone NOT NULL,  -- When these values were first stored.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT token_metadata_pkey PRIMARY KEY (token_contract, chain, "timestamp"),
    CONSTRAINT token_metadata_cap_status_check CHECK ((cap_status = ANY (ARRAY['ok'::text, 'missing'::text, 'zero'::text, 'not_finite'::text, 'negative'::text, 'stale'::text]))),
    CONSTRAINT token_metadata_market_cap_basis_check CHECK ((market_cap_basis = ANY (ARRAY['reported'::text, 'supply_times_close'::text])))
);
CREATE INDEX token_metadata_timestamp ON regime.token_metadata USING btree ("timestamp");

-- Indicators of each bar of the tagged tokens. NULL where an indicator is not defined yet.
CREATE TABLE regime.token_ta (
    token_contract text NOT NULL,  -- Contract address, or the symbol where the venue lists no contract.
    chain text NOT NULL,  -- Chain or venue the contract lives on.
    timeframe text NOT NULL,  -- Bar length.
    timestamp timestamp with time zone NOT NULL,  -- Open of the bar, UTC.
    bars_count integer NOT NULL,  -- Bars since the series began or restarted after a long hole.
    warm boolean NOT NULL,  -- True from 999 bars: the first value weighs less than 0.25 % in EMA333.
    latest_price double precision NOT NULL,  -- Close of this bar.
    ema20 double precision NOT NULL,  -- Exponential moving average of the close over 20 bars, from the first close.
    ema30 double precision NOT NULL,  -- Exponential moving average of the close over 30 bars, from the first close.
    ema50 double precision NOT NULL,  -- Exponential moving average of the close over 50 bars, from the first close.
    ema60 double precision NOT NULL,  -- Exponential moving average of the close over 60 bars, from the first close.
    ema144 double precision NOT NULL,  -- Exponential moving average of the close over 144 bars, from the first close.
    ema250 double precision NOT NULL,  -- Exponential moving average of the close over 250 bars, from the first close.
    ema333 double precision NOT NULL,  -- Exponential moving average of the close over 333 bars, from the first close.
    ema20_slope double precision,  -- Least-squares slope of the last 10 EMA values over the EMA, fraction per bar.
    ema60_slope double precision,  -- As ema20_slope, of this EMA.
    ema144_slope double precision,  -- As ema20_slope, of this EMA.
    ema250_slope double precision,  -- As ema20_slope, of this EMA.
    ema333_slope double precision,  -- As ema20_slope, of this EMA.
    d_ema60_slope double precision,  -- Slope now minus slope 10 bars ago.
    d_ema144_slope double precision,  -- As d_ema60_slope, of this EMA.
    d_ema250_slope double precision,  -- As d_ema60_slope, of this EMA.
    d_ema333_slope double precision,  -- As d_ema60_slope, of this EMA.
    sep_fast double precision NOT NULL,  -- (EMA20 - EMA60) / EMA60.
    sep_mid double precision NOT NULL,  -- (EMA60 - EMA144) / EMA144.
    dsep_fast_5 double precision,  -- sep_fast now minus 5 bars ago.
    dsep_mid_5 double precision,  -- sep_mid now minus 5 bars ago.
    atr double precision,  -- Average true range over 14 bars (Wilder).
    atr_norm double precision,  -- ATR over EMA50.
    atr_mean_20 double precision,  -- Mean of the last 20 ATR values.
    atr_peak_10 double precision,  -- Highest of the last 10 ATR values.
    rsi double precision,  -- Relative strength over 14 changes, simple averages, 0..100.
    rsi_slope_10 double precision,  -- Least-squares slope of the last 10 RSI values, per bar.
    adx double precision,  -- Average directional index over 14 bars (Wilder), 0..100.
    adx_slope_10 double precision,  -- Least-squares slope of the last 10 ADX values, per bar.
    vo_z double precision,  -- z-score of log(1 + volume) against its own exponentially weighted history.
    vo_z_cluster boolean,  -- Whether volume was high on several of the last 30 bars.
    carry double precision[] NOT NULL,  -- What the recursion needs beyond the named columns, so that the next bar costs O(1).
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT token_ta_pkey PRIMARY KEY (token_contract, chain, timeframe, "timestamp"),
    CONSTRAINT token_ta_adx_check CHECK (((adx >= (0)::double precision) AND (adx <= (100.000001)::double precision))),
    CONSTRAINT token_ta_atr_check CHECK ((atr >= (0)::double precision)),
    CONSTRAINT token_ta_atr_mean_20_check CHECK ((atr_mean_20 >= (0)::double precision)),
    CONSTRAINT token_ta_atr_norm_check CHECK ((atr_norm >= (0)::double precision)),
    CONSTRAINT token_ta_atr_peak_10_check CHECK ((atr_peak_10 >= (0)::double precision)),
    CONSTRAINT token_ta_bars_count_check CHECK ((bars_count > 0)),
    CONSTRAINT token_ta_rsi_check CHECK (((rsi >= (0)::double precision) AND (rsi <= (100)::double precision))),
    CONSTRAINT token_ta_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '15m'::text, '1h'::text, '4h'::text]))),
    CONSTRAINT token_ta_vo_z_check CHECK (((vo_z >= ('-4'::integer)::double precision) AND (vo_z <= (6)::double precision)))
);
CREATE INDEX token_ta_timestamp ON regime.token_ta USING btree ("timestamp");

-- Uptrend state of each bar of the tagged tokens, with its flags, scores and the reason of every transition.
CREATE TABLE regime.token_uptrend_state (
    token_contract text NOT NULL,  -- Contract address, or the symbol where the venue lists no contract.
    chain text NOT NULL,  -- Chain or venue the contract lives on.
    timeframe text NOT NULL,  -- Bar length.
    timestamp timestamp with time zone NOT NULL,  -- Open of the bar, UTC.
    status text NOT NULL,  -- warming_up below 333 bars: no state, no contribution to A/E.
    state text NOT NULL,  -- S0..S3, or S4 = no clear state yet.
    prev_state text,  -- State of the bar before; NULL at a series' first bar.
    transition text,  -- Arrow taken on this bar, for example S1->S0.
    transition_reason text,  -- Why the state changed on this bar.
    bootstrapped boolean NOT NULL,  -- True in an S3 that was never seen to start; it emits no buy flag.
    s3_start_at timestamp with time zone,  -- Open of the bar on which the present S3 began.
    bars_since_s3 integer,  -- Bars since then.
    price double precision NOT NULL,  -- Close the state was evaluated at.
    buy_signal boolean NOT NULL,  -- S1: price near EMA60, a slope up, trend strength enough.
    buy_flag boolean NOT NULL,  -- S2: retest of EMA333; S3: discount zone.
    first_dip_buy_flag boolean NOT NULL,  -- S3: the first dips to the fast EMAs.
    trim_flag boolean NOT NULL,  -- S2 and S3: over-extended.
    emergency_exit boolean NOT NULL,  -- S3 below EMA333, or the bar of S1 to S0.
    reclaimed_ema333 boolean NOT NULL,  -- S3: back above EMA333 after an emergency.
    exit_position boolean NOT NULL,  -- The bar fell to S0: the position is to be closed.
    exit_reason text,  -- Which fall it was.
    ts double precision,  -- Trend strength, 0..1.
    ts_with_boost double precision,  -- Trend strength plus the boost of a near level.
    sr_boost double precision,  -- Boost of the nearest support or resistance level, 0..0.25.
    ox double precision,  -- Over-extension, 0..1.
    dx double precision,  -- Discount, 0..1.
    edx double precision,  -- Trend decay since S3 began, 0..1; higher is more decayed.
    gate_mask integer NOT NULL,  -- Which gates passed on this bar, one bit each.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    run_id text NOT NULL,  -- Dagster run, or micro-batch, that wrote the row.
    computed_at timestamp with time zone NOT NULL,  -- When the row was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT token_uptrend_state_pkey PRIMARY KEY (token_contract, chain, timeframe, "timestamp"),
    CONSTRAINT token_uptrend_state_bars_since_s3_check CHECK ((bars_since_s3 >= 0)),
    CONSTRAINT token_uptrend_state_check CHECK (((exit_reason IS NOT NULL) OR (NOT exit_position))),
    CONSTRAINT token_uptrend_state_dx_check CHECK (((dx >= (0)::double precision) AND (dx <= (1)::double precision))),
    CONSTRAINT token_uptrend_state_edx_check CHECK (((edx >= (0)::double precision) AND (edx <= (1)::double precision))),
    CONSTRAINT token_uptrend_state_ox_check CHECK (((ox >= (0)::double precision) AND (ox <= (1)::double precision))),
    CONSTRAINT token_uptrend_state_prev_state_check CHECK ((prev_state = ANY (ARRAY['S0'::text, 'S1'::text, 'S2'::text, 'S3'::text, 'S4'::text]))),
    CONSTRAINT token_uptrend_state_state_check CHECK ((state = ANY (ARRAY['S0'::text, 'S1'::text, 'S2'::text, 'S3'::text, 'S4'::text]))),
    CONSTRAINT token_uptrend_state_status_check CHECK ((status = ANY (ARRAY['warming_up'::text, 'ok'::text]))),
    CONSTRAINT token_uptrend_state_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '15m'::text, '1h'::text, '4h'::text]))),
    CONSTRAINT token_uptrend_state_transition_reason_check CHECK ((transition_reason = ANY (ARRAY['bootstrap_s0_order'::text, 'bootstrap_s3_order'::text, 'fast_band_above_ema60'::text, 's1_to_s0_bearish_order'::text, 'price_above_ema333'::text, 'price_below_ema333'::text, 'bullish_order'::text, 's2_to_s0_bearish_order'::text, 'all_emas_below_333'::text]))),
    CONSTRAINT token_uptrend_state_ts_check CHECK (((ts >= (0)::double precision) AND (ts <= (1)::double precision)))
);
CREATE INDEX token_uptrend_state_timestamp ON regime.token_uptrend_state USING btree ("timestamp");

-- The tags of the newest day that have not expired; none when tagging has stopped.
VIEW regime.token_cap_bucket_current (
    token_id text,
    token_contract text,
    chain text,
    bucket text,
    mc_usd double precision,
    updated_at timestamp with time zone
) READS regime.token_cap_bucket;

-- The event log that learning reads: actions and closed positions. Append-only.
CREATE TABLE pm.ad_strands (
    strand_id text NOT NULL,  -- Hash of kind and content: the same event told twice is one row.
    kind text NOT NULL,  -- pm_action or position_closed.
    schema_version integer NOT NULL,  -- Version of the schema the content obeys.
    position_id text NOT NULL,  -- Position concerned.
    trade_id text NOT NULL,  -- Trade concerned.
    token_contract text NOT NULL,  -- Contract address, or the symbol where the venue lists no contract.
    chain text NOT NULL,  -- Chain or venue the contract lives on.
    timeframe text NOT NULL,  -- Execution timeframe.
    occurred_at timestamp with time zone NOT NULL,  -- When it happened, by the bars.
    content json NOT NULL,  -- The event; its schema is in docs/reference.
    written_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),  -- When it was stored.
    sequence bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Order of storing; readers keep it as their cursor.
    CONSTRAINT ad_strands_pkey PRIMARY KEY (strand_id),
    CONSTRAINT ad_strands_kind_check CHECK ((kind = ANY (ARRAY['pm_action'::text, 'position_closed'::text]))),
    CONSTRAINT ad_strands_schema_version_check CHECK ((schema_version > 0)),
    CONSTRAINT ad_strands_strand_id_check CHECK ((strand_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT ad_strands_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text])))
);
CREATE INDEX ad_strands_kind ON pm.ad_strands USING btree (kind, sequence);
CREATE INDEX ad_strands_trade ON pm.ad_strands USING btree (trade_id);
CREATE TRIGGER ad_strands_is_append_only BEFORE DELETE OR UPDATE ON pm.ad_strands FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();

-- Quarantined bars that a person found to be right. Append-only.
CREATE TABLE pm.bar_release (
    quarantine_id text NOT NULL,  -- Id of the row in regime.bar_quarantine.
    author text NOT NULL,  -- Who did it.
    reason text NOT NULL,  -- Why.
    released_at timestamp with time zone NOT NULL DEFAULT now(),  -- When it was released; loads after that accept the bar.
    CONSTRAINT bar_release_pkey PRIMARY KEY (quarantine_id),
    CONSTRAINT bar_release_author_check CHECK ((author <> ''::text)),
    CONSTRAINT bar_release_quarantine_id_check CHECK ((quarantine_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT bar_release_reason_check CHECK ((reason <> ''::text))
);

-- One row a token and timeframe it is traded on: where it stands in its life, and the sums of its open trade.
CREATE TABLE pm.lowcap_positions (
    position_id text NOT NULL,  -- Hash of token, chain, timeframe and book.
    token_contract text NOT NULL,  -- Contract address, or the symbol where the venue lists no contract.
    chain text NOT NULL,  -- Chain or venue the contract lives on.
    timeframe text NOT NULL,  -- Execution timeframe.
    book_id text NOT NULL DEFAULT 'onchain_crypto'::text,  -- Asset class.
    token_ticker text NOT NULL,  -- Symbol for people.
    status text NOT NULL,  -- dormant (too few bars), watchlist, active (in a trade), paused or archived by hand.
    total_allocation_pct double precision NOT NULL,  -- Share of the wallet its token may take over all timeframes, percent.
    entry_context json NOT NULL,  -- What was known when the token was approved: curator, intent, age and volume bands.
    intent json,  -- Five scores of what people say, 0..1; NULL when nothing is known.
    approved_by text NOT NULL,  -- Who put it on the watchlist.
    approved_at timestamp with time zone NOT NULL,  -- When.
    current_trade_id text,  -- Open trade; NULL when none.
    quantity double precision NOT NULL DEFAULT 0,  -- Tokens held.
    cost_basis_usd double precision NOT NULL DEFAULT 0,  -- What the held quantity cost, fees of buying included.
    bought_quantity double precision NOT NULL DEFAULT 0,  -- Tokens bought in this trade.
    sold_quantity double precision NOT NULL DEFAULT 0,  -- Tokens sold in this trade.
    total_allocation_usd double precision NOT NULL DEFAULT 0,  -- Paid for buys of this trade, without fees.
    total_extracted_usd double precision NOT NULL DEFAULT 0,  -- Received for sales of this trade, without fees.
    fees_usd double precision NOT NULL DEFAULT 0,  -- Fees of this trade.
    realised_pnl_usd double precision NOT NULL DEFAULT 0,  -- Proceeds of sales less fees and cost of what was sold.
    max_adverse_usd double precision NOT NULL DEFAULT 0,  -- Deepest total loss this trade was ever in, >= 0.
    last_price_usd double precision,  -- Price of the last fill or bar; NULL before the first.
    first_fill_at timestamp with time zone,  -- First fill of this trade.
    last_fill_at timestamp with time zone,  -- Last fill of this trade.
    last_event_at timestamp with time zone,  -- Last fill or bar of this trade.
    trade_memory json NOT NULL,  -- What the gates of the next tick need of this trade: buys by state, last trim, one-shot flags.
    last_bar_timestamp timestamp with time zone,  -- Open of the last bar that changed it.
    revision bigint NOT NULL DEFAULT 0,  -- Counts the writes; a write that expects another one is refused.
    updated_at timestamp with time zone NOT NULL,  -- When it was written.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT lowcap_positions_pkey PRIMARY KEY (position_id),
    CONSTRAINT lowcap_positions_one_a_timeframe UNIQUE (token_contract, chain, timeframe, book_id),
    CONSTRAINT lowcap_positions_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT lowcap_positions_approved_by_check CHECK ((approved_by <> ''::text)),
    CONSTRAINT lowcap_positions_hold_within_a_trade CHECK (((quantity = (0)::double precision) OR (current_trade_id IS NOT NULL))),
    CONSTRAINT lowcap_positions_position_id_check CHECK ((position_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT lowcap_positions_quantity_check CHECK ((quantity >= (0)::double precision)),
    CONSTRAINT lowcap_positions_status_check CHECK ((status = ANY (ARRAY['dormant'::text, 'watchlist'::text, 'active'::text, 'paused'::text, 'archived'::text]))),
    CONSTRAINT lowcap_positions_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text]))),
    CONSTRAINT lowcap_positions_total_allocation_pct_check CHECK (((total_allocation_pct > (0)::double precision) AND (total_allocation_pct <= (100)::double precision)))
);
CREATE INDEX lowcap_positions_timeframe ON pm.lowcap_positions USING btree (timeframe, status);

-- What was or shall be told outside, and how its delivery goes; written by the sender alone.
CREATE TABLE pm.notification (
    notification_id uuid NOT NULL DEFAULT gen_random_uuid(),  -- Idempotency key of every attempt.
    sequence bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Order in which they are told.
    message_id text NOT NULL,  -- Message of pm.outbox it tells: collected twice, it is one row.
    kind text NOT NULL,  -- What is told.
    body text NOT NULL,  -- JSON that is sent, the same bytes at every attempt.
    happened_at timestamp with time zone NOT NULL,  -- When what it tells happened.
    collected_at timestamp with time zone NOT NULL,  -- When the sender took it up.
    status text NOT NULL DEFAULT 'waiting'::text,  -- waiting, delivered, given_up (refused for good, or tried too often), expired (too old before it could be told).
    attempts integer NOT NULL DEFAULT 0,  -- Attempts begun, also those of a sender that died meanwhile.
    last_attempt_at timestamp with time zone,  -- When the newest began.
    last_status text,  -- What came of the newest: an HTTP status or a word; NULL when its sender died.
    next_at timestamp with time zone NOT NULL,  -- Not before then again.
    ended_at timestamp with time zone,  -- When it was delivered or given up.
    notifier text,  -- Name of the notifier that tried last.
    CONSTRAINT notification_pkey PRIMARY KEY (notification_id),
    CONSTRAINT notification_once_a_message UNIQUE (message_id),
    CONSTRAINT notification_attempts_check CHECK ((attempts >= 0)),
    CONSTRAINT notification_body_check CHECK ((body <> ''::text)),
    CONSTRAINT notification_ends_once CHECK (((status = 'waiting'::text) = (ended_at IS NULL))),
    CONSTRAINT notification_kind_check CHECK ((kind = ANY (ARRAY['alarm_raised'::text, 'alarm_cleared'::text, 'switch'::text, 'override_set'::text, 'regime_event'::text]))),
    CONSTRAINT notification_status_check CHECK ((status = ANY (ARRAY['waiting'::text, 'delivered'::text, 'given_up'::text, 'expired'::text]))),
    CONSTRAINT notification_was_tried CHECK (((attempts = 0) = (last_attempt_at IS NULL)))
);
CREATE INDEX notification_due ON pm.notification USING btree (next_at, sequence) WHERE (status = 'waiting'::text);
CREATE INDEX notification_happened ON pm.notification USING btree (happened_at DESC);

-- Windows of opportunity: what was decided in each, by which gates, and what came of it.
CREATE TABLE pm.pattern_episode_events (
    episode_id text NOT NULL,  -- Hash of position, family and start.
    position_id text NOT NULL,  -- Position concerned.
    token_contract text NOT NULL,  -- Contract address, or the symbol where the venue lists no contract.
    chain text NOT NULL,  -- Chain or venue the contract lives on.
    timeframe text NOT NULL,  -- Execution timeframe.
    family text NOT NULL,  -- pm.s1_entry or pm.s3_retest.
    started_at timestamp with time zone NOT NULL,  -- Open of the bar that began it.
    ended_at timestamp with time zone,  -- Open of the bar that ended it; NULL while open.
    decision text,  -- acted or skipped; NULL before it is decided.
    decided_at timestamp with time zone,  -- Open of the bar that decided.
    gates json,  -- For every gate: value, base and tuned threshold, margin, passed, at the bar that decided.
    samples json NOT NULL,  -- Object: bars (at most twelve, the first and the latest eleven, with their scores), the bar nearest to a buy, the last bar seen.
    scope json NOT NULL,  -- Scope at the start.
    trade_id text,  -- Trade that was opened in it; NULL when skipped.
    outcome text NOT NULL,  -- pending, success, failure or expired.
    outcome_at timestamp with time zone,  -- Open of the bar that showed it.
    updated_at timestamp with time zone NOT NULL,  -- When it was written.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT pattern_episode_events_pkey PRIMARY KEY (episode_id),
    CONSTRAINT pattern_episode_events_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT pattern_episode_events_position_id_fkey FOREIGN KEY (position_id) REFERENCES pm.lowcap_positions(position_id),
    CONSTRAINT pattern_episode_events_decision_check CHECK ((decision = ANY (ARRAY['acted'::text, 'skipped'::text]))),
    CONSTRAINT pattern_episode_events_decision_has_gates CHECK ((((decision IS NULL) = (gates IS NULL)) AND ((decision IS NULL) = (decided_at IS NULL)))),
    CONSTRAINT pattern_episode_events_end_says_what CHECK (((outcome = 'pending'::text) = (outcome_at IS NULL))),
    CONSTRAINT pattern_episode_events_episode_id_check CHECK ((episode_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT pattern_episode_events_family_check CHECK ((family = ANY (ARRAY['pm.s1_entry'::text, 'pm.s3_retest'::text]))),
    CONSTRAINT pattern_episode_events_outcome_check CHECK ((outcome = ANY (ARRAY['pending'::text, 'success'::text, 'failure'::text, 'expired'::text]))),
    CONSTRAINT pattern_episode_events_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text])))
);
CREATE INDEX pattern_episode_events_pending ON pm.pattern_episode_events USING btree (position_id) WHERE (outcome = 'pending'::text);

-- What the runtime, or a look at it and at Dagster, was alarmed about: a row a time it stood.
CREATE TABLE pm.pm_alarm (
    alarm_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Number, of this schema.
    kind text NOT NULL,  -- What went wrong.
    subject text NOT NULL,  -- With what: an override, a cell, a bucket, a table, a timeframe. Stands once at a time.
    severity text NOT NULL,  -- warn, or error where trading suffers.
    sentence text NOT NULL,  -- For a person, with the figures it was raised on.
    evidence json NOT NULL,  -- The figures, the keys of the rows they come from, and the page that shows them.
    raised_at timestamp with time zone NOT NULL,  -- Instant of the look that found it.
    cleared_at timestamp with time zone,  -- Instant of the look that did not find it any more; NULL while it stands.
    raised_by text NOT NULL,  -- Sensor, process or command that looked.
    config_version bigint NOT NULL,  -- Version of pm.pm_config whose limits it broke.
    code_version text NOT NULL,  -- Version of the code that made the row.
    stored_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),  -- When it was written.
    CONSTRAINT pm_alarm_pkey PRIMARY KEY (alarm_id),
    CONSTRAINT pm_alarm_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT pm_alarm_evidence_check CHECK ((json_typeof(evidence) = 'object'::text)),
    CONSTRAINT pm_alarm_is_cleared_after_it_was_raised CHECK ((cleared_at >= raised_at)),
    CONSTRAINT pm_alarm_kind_check CHECK ((kind = ANY (ARRAY['edge_halved'::text, 'fpr_doubled'::text, 'coverage_low'::text, 'label_churn'::text, 'stale_table'::text, 'dead_daemon'::text, 'silent_runtime'::text, 'tick_overrun'::text, 'no_score'::text, 'order_not_taken'::text, 'reconcile_failed'::text]))),
    CONSTRAINT pm_alarm_raised_by_check CHECK ((raised_by <> ''::text)),
    CONSTRAINT pm_alarm_sentence_check CHECK ((sentence <> ''::text)),
    CONSTRAINT pm_alarm_severity_check CHECK ((severity = ANY (ARRAY['warn'::text, 'error'::text]))),
    CONSTRAINT pm_alarm_subject_check CHECK ((subject <> ''::text))
);
CREATE INDEX pm_alarm_raised ON pm.pm_alarm USING btree (raised_at DESC);
CREATE UNIQUE INDEX pm_alarm_stands_once ON pm.pm_alarm USING btree (kind, subject) WHERE (cleared_at IS NULL);

-- Every configuration that was ever in force. The newest version is; append-only.
CREATE TABLE pm.pm_config (
    version bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Ascending; the newest is in force.
    config jsonb NOT NULL,  -- What differs from the defaults, nested as in the code.
    config_hash text NOT NULL,  -- SHA-256 of config as canonical JSON; code_version names the defaults below it.
    author text NOT NULL,  -- Who did it.
    reason text NOT NULL,  -- Why.
    created_at timestamp with time zone NOT NULL DEFAULT now(),  -- When it came into force.
    CONSTRAINT pm_config_pkey PRIMARY KEY (version),
    CONSTRAINT pm_config_author_check CHECK ((author <> ''::text)),
    CONSTRAINT pm_config_config_check CHECK ((jsonb_typeof(config) = 'object'::text)),
    CONSTRAINT pm_config_reason_check CHECK ((reason <> ''::text))
);

-- Executions as the venue confirmed them. Append-only: positions, R/R and ROI are folds over these rows.
CREATE TABLE pm.pm_fill (
    fill_id text NOT NULL,  -- Made by whoever made the order.
    order_id text NOT NULL,  -- Order it executes.
    position_id text NOT NULL,  -- Position it changes.
    trade_id text NOT NULL,  -- Trade it belongs to.
    side text NOT NULL,  -- buy or sell.
    quantity double precision NOT NULL,  -- Tokens.
    price_usd double precision NOT NULL,  -- USD per token.
    notional_usd double precision NOT NULL,  -- Paid or received, without the fee.
    fee_usd double precision NOT NULL,  -- Fee.
    filled_at timestamp with time zone NOT NULL,  -- When it was confirmed.
    CONSTRAINT pm_fill_pkey PRIMARY KEY (fill_id),
    CONSTRAINT pm_fill_order_id_fkey FOREIGN KEY (order_id) REFERENCES pm.pm_order(order_id),
    CONSTRAINT pm_fill_position_id_fkey FOREIGN KEY (position_id) REFERENCES pm.lowcap_positions(position_id),
    CONSTRAINT pm_fill_fee_usd_check CHECK (((fee_usd >= (0)::double precision) AND (fee_usd < 'Infinity'::double precision))),
    CONSTRAINT pm_fill_notional_usd_check CHECK (((notional_usd > (0)::double precision) AND (notional_usd < 'Infinity'::double precision))),
    CONSTRAINT pm_fill_price_usd_check CHECK (((price_usd > (0)::double precision) AND (price_usd < 'Infinity'::double precision))),
    CONSTRAINT pm_fill_quantity_check CHECK (((quantity > (0)::double precision) AND (quantity < 'Infinity'::double precision))),
    CONSTRAINT pm_fill_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text])))
);
CREATE INDEX pm_fill_trade ON pm.pm_fill USING btree (trade_id);
CREATE TRIGGER pm_fill_is_append_only BEFORE DELETE OR UPDATE ON pm.pm_fill FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();

-- What a tick decided to do, written before any venue is asked, and what became of it.
CREATE TABLE pm.pm_order (
    order_id text NOT NULL,  -- Hash of position, bar and action: the venue knows the order by it, so asking twice does nothing.
    position_id text NOT NULL,  -- Position it is for.
    trade_id text NOT NULL,  -- Trade it belongs to.
    timeframe text NOT NULL,  -- Execution timeframe.
    bar_timestamp timestamp with time zone NOT NULL,  -- Open of the closed bar it was decided on.
    decided_at timestamp with time zone NOT NULL,  -- Close of that bar.
    action_category text NOT NULL,  -- entry, add, trim or exit.
    side text NOT NULL,  -- buy or sell.
    pattern_key text NOT NULL,  -- pm.uptrend.<state>.<flag>.
    order_usd double precision,  -- USD to spend; of a buy.
    order_quantity double precision,  -- Tokens to sell; of a sale.
    decision json NOT NULL,  -- Everything the decision saw, with every step from 0.5 to the size.
    status text NOT NULL,  -- planned, submitted, filled (wholly or in part), rejected or expired.
    status_reason text,  -- Why it was rejected, cut or expired.
    venue text NOT NULL,  -- Where it was sent.
    settled_at timestamp with time zone,  -- When nothing more can happen to it.
    holder text NOT NULL,  -- Process that decided.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT pm_order_pkey PRIMARY KEY (order_id),
    CONSTRAINT pm_order_one_action_a_bar UNIQUE (position_id, bar_timestamp),
    CONSTRAINT pm_order_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT pm_order_position_id_fkey FOREIGN KEY (position_id) REFERENCES pm.lowcap_positions(position_id),
    CONSTRAINT pm_order_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text, 'trim'::text, 'exit'::text]))),
    CONSTRAINT pm_order_buys_usd_and_sells_tokens CHECK ((((side = 'buy'::text) = (order_usd IS NOT NULL)) AND ((side = 'sell'::text) = (order_quantity IS NOT NULL)))),
    CONSTRAINT pm_order_order_id_check CHECK ((order_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT pm_order_order_quantity_check CHECK (((order_quantity > (0)::double precision) AND (order_quantity < 'Infinity'::double precision))),
    CONSTRAINT pm_order_order_usd_check CHECK (((order_usd > (0)::double precision) AND (order_usd < 'Infinity'::double precision))),
    CONSTRAINT pm_order_says_when_it_settled CHECK ((((status = 'planned'::text) OR (status = 'submitted'::text)) = (settled_at IS NULL))),
    CONSTRAINT pm_order_side_check CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text]))),
    CONSTRAINT pm_order_status_check CHECK ((status = ANY (ARRAY['planned'::text, 'submitted'::text, 'filled'::text, 'rejected'::text, 'expired'::text]))),
    CONSTRAINT pm_order_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text])))
);
CREATE INDEX pm_order_open ON pm.pm_order USING btree (timeframe) WHERE (settled_at IS NULL);
CREATE INDEX pm_order_trade ON pm.pm_order USING btree (trade_id);

-- One row a tick: what the runtime read for a closed bar. Append-only.
CREATE TABLE pm.pm_tick (
    tick_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Ascending.
    timeframe text NOT NULL,  -- Bar length.
    bar_timestamp timestamp with time zone NOT NULL,  -- Open of the closed bar the tick is for, UTC.
    mode text NOT NULL,  -- ACTIVE, or REDUCE_ONLY when no score could be trusted.
    mode_reason text,  -- Why no score was fresh, or why the tick only reduces.
    scores jsonb NOT NULL,  -- The A/E rows as they were read: bucket, a, e, coverage, degraded, stale, timestamp, config_version.
    scores_fresh smallint NOT NULL,  -- Buckets whose own score was used.
    scores_stale smallint NOT NULL,  -- Buckets whose score was too old to use.
    scores_degraded smallint NOT NULL,  -- Buckets that fell back to neutral levers.
    config_version bigint NOT NULL,  -- Version of pm.pm_config that made the row.
    code_version text NOT NULL,  -- Version of the code that made the row.
    holder text NOT NULL,  -- Process that held the lease: host, pid, start.
    started_at timestamp with time zone NOT NULL,  -- When the tick began, by the database's clock.
    finished_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),  -- When its row was written.
    positions integer NOT NULL DEFAULT 0,  -- Positions of the timeframe.
    orders_settled integer NOT NULL DEFAULT 0,  -- Orders that were filled, rejected or expired on this bar.
    orders_planned integer NOT NULL DEFAULT 0,  -- Orders decided on this bar.
    trades_closed integer NOT NULL DEFAULT 0,  -- Trades that ended on this bar.
    override_set_id bigint,  -- Live set of overrides; NULL while none is.
    overrides_ignored text[] NOT NULL DEFAULT '{}'::text[],  -- Overrides of that set that were refused, a sentence each.
    CONSTRAINT pm_tick_pkey PRIMARY KEY (tick_id),
    CONSTRAINT pm_tick_once_per_bar UNIQUE (timeframe, bar_timestamp),
    CONSTRAINT pm_tick_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT pm_tick_mode_check CHECK ((mode = ANY (ARRAY['ACTIVE'::text, 'REDUCE_ONLY'::text, 'HALTED'::text]))),
    CONSTRAINT pm_tick_orders_planned_check CHECK ((orders_planned >= 0)),
    CONSTRAINT pm_tick_orders_settled_check CHECK ((orders_settled >= 0)),
    CONSTRAINT pm_tick_positions_check CHECK ((positions >= 0)),
    CONSTRAINT pm_tick_says_why_it_reduces CHECK (((mode = 'ACTIVE'::text) OR (mode_reason IS NOT NULL))),
    CONSTRAINT pm_tick_scores_check CHECK ((jsonb_typeof(scores) = 'array'::text)),
    CONSTRAINT pm_tick_scores_degraded_check CHECK ((scores_degraded >= 0)),
    CONSTRAINT pm_tick_scores_fresh_check CHECK ((scores_fresh >= 0)),
    CONSTRAINT pm_tick_scores_stale_check CHECK ((scores_stale >= 0)),
    CONSTRAINT pm_tick_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text]))),
    CONSTRAINT pm_tick_trades_closed_check CHECK ((trades_closed >= 0))
);
CREATE INDEX pm_tick_bar_timestamp ON pm.pm_tick USING btree (bar_timestamp);
CREATE INDEX pm_tick_override_set ON pm.pm_tick USING btree (override_set_id, timeframe, bar_timestamp);

-- What people did to positions by hand: paused, resumed, put away. Append-only.
CREATE TABLE pm.position_status_change (
    change_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Order of the changes.
    position_id text NOT NULL,  -- Position.
    was text NOT NULL,  -- Status before.
    became text NOT NULL,  -- Status after.
    author text NOT NULL,  -- Who.
    reason text NOT NULL,  -- Why.
    changed_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),  -- When.
    CONSTRAINT position_status_change_pkey PRIMARY KEY (change_id),
    CONSTRAINT position_status_change_position_id_fkey FOREIGN KEY (position_id) REFERENCES pm.lowcap_positions(position_id),
    CONSTRAINT position_status_change_author_check CHECK ((author <> ''::text)),
    CONSTRAINT position_status_change_became_check CHECK ((became = ANY (ARRAY['dormant'::text, 'watchlist'::text, 'active'::text, 'paused'::text, 'archived'::text]))),
    CONSTRAINT position_status_change_changes_something CHECK ((was <> became)),
    CONSTRAINT position_status_change_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT position_status_change_was_check CHECK ((was = ANY (ARRAY['dormant'::text, 'watchlist'::text, 'active'::text, 'paused'::text, 'archived'::text])))
);
CREATE INDEX position_status_change_position ON pm.position_status_change USING btree (position_id, change_id DESC);
CREATE TRIGGER position_status_change_is_append_only BEFORE DELETE OR UPDATE ON pm.position_status_change FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();

-- Strands that break their schema, as they came. Append-only: nothing is lost.
CREATE TABLE pm.strand_dead_letter (
    dead_letter_id text NOT NULL,  -- Hash of kind and payload.
    kind text NOT NULL,  -- Kind it claimed to be.
    pointer text NOT NULL,  -- Place in the document that is wrong, as a JSON pointer.
    reason text NOT NULL,  -- What is wrong there.
    payload text NOT NULL,  -- As it came, cut at 100,000 characters.
    found_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),  -- When it was refused.
    CONSTRAINT strand_dead_letter_pkey PRIMARY KEY (dead_letter_id),
    CONSTRAINT strand_dead_letter_dead_letter_id_check CHECK ((dead_letter_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT strand_dead_letter_reason_check CHECK ((reason <> ''::text))
);

-- What the runtime may do, everywhere or in a scope. Append-only: the newest row of a scope counts.
CREATE TABLE pm.trading_switch (
    switch_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Order of the changes.
    scope text NOT NULL DEFAULT '{}'::text,  -- Dimensions and values it applies to, canonical JSON; {} is everywhere.
    mode text,  -- ACTIVE, REDUCE_ONLY (exits and trims only) or HALTED (exits only); NULL leaves it as it was.
    overrides_on boolean,  -- Whether learned overrides apply; NULL leaves it as it was.
    author text NOT NULL,  -- Who set it.
    reason text NOT NULL,  -- Why.
    set_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),  -- When; the next tick obeys.
    CONSTRAINT trading_switch_pkey PRIMARY KEY (switch_id),
    CONSTRAINT trading_switch_author_check CHECK ((author <> ''::text)),
    CONSTRAINT trading_switch_mode_check CHECK ((mode = ANY (ARRAY['ACTIVE'::text, 'REDUCE_ONLY'::text, 'HALTED'::text]))),
    CONSTRAINT trading_switch_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT trading_switch_scope_is_an_object CHECK ((json_typeof((scope)::json) = 'object'::text)),
    CONSTRAINT trading_switch_sets_something CHECK (((mode IS NOT NULL) OR (overrides_on IS NOT NULL)))
);
CREATE INDEX trading_switch_scope ON pm.trading_switch USING btree (scope, switch_id DESC);
CREATE TRIGGER trading_switch_is_append_only BEFORE DELETE OR UPDATE ON pm.trading_switch FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();

-- The alarms of all three schemas.
VIEW pm.alarms (
    source text,
    alarm_id bigint,
    kind text,
    subject text,
    severity text,
    sentence text,
    evidence json,
    raised_at timestamp with time zone,
    cleared_at timestamp with time zone,
    raised_by text,
    config_version bigint,
    code_version text
) READS learning.learning_alarm, pm.pm_alarm, regime.regime_alarm;

-- Positions and regime drivers in one list, as the documents keep them; drivers never trade.
VIEW pm.lowcap_positions_with_drivers (
    token_contract text,
    chain text,
    timeframe text,
    book_id text,
    token_ticker text,
    status text,
    quantity double precision,
    last_price_usd double precision,
    last_bar_timestamp timestamp with time zone
) READS pm.lowcap_positions, regime.regime_driver_state;

-- Everything that may be told outside, as rows that were committed say it: a row is its own message.
VIEW pm.outbox (
    message_id text,
    kind text,
    severity text,
    subject text,
    sentence text,
    evidence json,
    happened_at timestamp with time zone,
    stands boolean
) READS learning.live_override_set, pm.alarms, pm.trading_switch, regime.regime_event;

-- Decay of the edge of each cell with enough snapshots, as of a day.
CREATE TABLE learning.edge_decay_fit (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    pattern_key text NOT NULL,  -- pm.uptrend.<state>.<flag>.
    action_category text NOT NULL,  -- entry, add, trim or exit.
    scope_signature text NOT NULL,  -- Values of the cell as canonical JSON.
    n_snapshots integer NOT NULL,  -- Snapshots of the cell.
    n_outliers integer NOT NULL,  -- Of those, left out of the fit.
    intercept double precision,  -- Line: edge at the first snapshot, R.
    slope_per_hour double precision,  -- Line: R per hour.
    amplitude double precision,  -- Exponential: edge at the first snapshot, R; NULL unless it is believed.
    rate_per_hour double precision,  -- Exponential: its rate.
    rate_se_per_hour double precision,  -- Standard error of the rate.
    half_life_hours double precision,  -- Hours to halve, or to double when improving; NULL where not identifiable.
    r2_linear double precision,  -- R squared of the line.
    r2_exponential double precision,  -- R squared of the exponential.
    relative_rate_per_hour double precision,  -- Rate the multiplier is made of.
    decay_mult double precision NOT NULL,  -- Multiplier of the edge.
    decay_state text NOT NULL,  -- Where the edge is heading.
    reason text,  -- Why there is no half-life; NULL where there is one.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT edge_decay_fit_pkey PRIMARY KEY ("timestamp", pattern_key, action_category, scope_signature),
    CONSTRAINT edge_decay_fit_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT edge_decay_fit_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text, 'trim'::text, 'exit'::text]))),
    CONSTRAINT edge_decay_fit_decay_mult_check CHECK (((decay_mult >= (0.33)::double precision) AND (decay_mult <= (1.33)::double precision))),
    CONSTRAINT edge_decay_fit_decay_state_check CHECK ((decay_state = ANY (ARRAY['insufficient'::text, 'stable'::text, 'decaying'::text, 'improving'::text]))),
    CONSTRAINT edge_decay_fit_half_life_hours_check CHECK ((half_life_hours > (0)::double precision)),
    CONSTRAINT edge_decay_fit_n_outliers_check CHECK ((n_outliers >= 0)),
    CONSTRAINT edge_decay_fit_n_snapshots_check CHECK ((n_snapshots > 0))
);

-- What learning was alarmed about: a row a time it stood.
CREATE TABLE learning.learning_alarm (
    alarm_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Number, of this schema.
    kind text NOT NULL,  -- What went wrong.
    subject text NOT NULL,  -- With what: an override, a cell, a bucket, a table, a timeframe. Stands once at a time.
    severity text NOT NULL,  -- warn, or error where trading suffers.
    sentence text NOT NULL,  -- For a person, with the figures it was raised on.
    evidence json NOT NULL,  -- The figures, the keys of the rows they come from, and the page that shows them.
    raised_at timestamp with time zone NOT NULL,  -- Instant of the look that found it.
    cleared_at timestamp with time zone,  -- Instant of the look that did not find it any more; NULL while it stands.
    raised_by text NOT NULL,  -- Sensor, process or command that looked.
    config_version bigint NOT NULL,  -- Version of pm.pm_config whose limits it broke.
    code_version text NOT NULL,  -- Version of the code that made the row.
    stored_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),  -- When it was written.
    CONSTRAINT learning_alarm_pkey PRIMARY KEY (alarm_id),
    CONSTRAINT learning_alarm_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT learning_alarm_evidence_check CHECK ((json_typeof(evidence) = 'object'::text)),
    CONSTRAINT learning_alarm_is_cleared_after_it_was_raised CHECK ((cleared_at >= raised_at)),
    CONSTRAINT learning_alarm_kind_check CHECK ((kind = ANY (ARRAY['edge_halved'::text, 'fpr_doubled'::text, 'coverage_low'::text, 'label_churn'::text, 'stale_table'::text, 'dead_daemon'::text, 'silent_runtime'::text, 'tick_overrun'::text, 'no_score'::text, 'order_not_taken'::text, 'reconcile_failed'::text]))),
    CONSTRAINT learning_alarm_raised_by_check CHECK ((raised_by <> ''::text)),
    CONSTRAINT learning_alarm_sentence_check CHECK ((sentence <> ''::text)),
    CONSTRAINT learning_alarm_severity_check CHECK ((severity = ANY (ARRAY['warn'::text, 'error'::text]))),
    CONSTRAINT learning_alarm_subject_check CHECK ((subject <> ''::text))
);
CREATE INDEX learning_alarm_raised ON learning.learning_alarm USING btree (raised_at DESC);
CREATE UNIQUE INDEX learning_alarm_stands_once ON learning.learning_alarm USING btree (kind, subject) WHERE (cleared_at IS NULL);

-- What was learned for a module besides overrides, as of a day: the timeframe weights of the decision maker.
CREATE TABLE learning.learning_configs (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    module_id text NOT NULL,  -- decision_maker.
    config_data json NOT NULL,  -- timeframe_weights, global_rr and the splits that follow.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT learning_configs_pkey PRIMARY KEY ("timestamp", module_id),
    CONSTRAINT learning_configs_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT learning_configs_config_data_check CHECK ((json_typeof(config_data) = 'object'::text))
);

-- One snapshot of the edge of every mined cell a day: what decay is fitted to.
CREATE TABLE learning.learning_edge_history (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    pattern_key text NOT NULL,  -- pm.uptrend.<state>.<flag>.
    action_category text NOT NULL,  -- entry, add, trim or exit.
    scope_signature text NOT NULL,  -- Values of the cell as canonical JSON; {} is the whole pattern.
    edge_raw double precision NOT NULL,  -- Edge that day.
    n_trades integer NOT NULL,  -- Trades behind it.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT learning_edge_history_pkey PRIMARY KEY ("timestamp", pattern_key, action_category, scope_signature),
    CONSTRAINT learning_edge_history_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text, 'trim'::text, 'exit'::text]))),
    CONSTRAINT learning_edge_history_edge_raw_check CHECK ((abs(edge_raw) < 'Infinity'::double precision)),
    CONSTRAINT learning_edge_history_n_trades_check CHECK ((n_trades > 0))
);
CREATE INDEX learning_edge_history_cell ON learning.learning_edge_history USING btree (pattern_key, action_category, scope_signature, "timestamp" DESC);

-- Lessons that are about the same trades, as of a day: only the representative may become an override.
CREATE TABLE learning.learning_latent_factors (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    factor_id text NOT NULL,  -- Stable from day to day.
    action_category text NOT NULL,  -- entry, add, trim or exit.
    representative text NOT NULL,  -- Lesson that stands for it.
    lesson_ids text[] NOT NULL,  -- Its lessons, the representative too.
    n_lessons integer NOT NULL,  -- How many.
    min_jaccard double precision,  -- Least likeness of two of them; NULL of one alone.
    n_trades integer NOT NULL,  -- Trades of any of them.
    is_carried boolean NOT NULL,  -- Whether the day before had it.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT learning_latent_factors_pkey PRIMARY KEY ("timestamp", factor_id),
    CONSTRAINT learning_latent_factors_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT learning_latent_factors_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text, 'trim'::text, 'exit'::text]))),
    CONSTRAINT learning_latent_factors_min_jaccard_check CHECK (((min_jaccard >= (0)::double precision) AND (min_jaccard <= (1)::double precision))),
    CONSTRAINT learning_latent_factors_n_lessons_check CHECK ((n_lessons > 0)),
    CONSTRAINT learning_latent_factors_n_trades_check CHECK ((n_trades >= 0))
);

-- Lessons as of a day: what was found, with its statistics and tests. Retired, never deleted.
CREATE TABLE learning.learning_lessons (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    lesson_id text NOT NULL,  -- Hash of module, type, pattern, category and scope.
    module text NOT NULL,  -- pm.
    lesson_type text NOT NULL,  -- What it is about: the size of buys, or a gate.
    pattern_key text NOT NULL,  -- pm.uptrend.<state>.<flag>.
    action_category text NOT NULL,  -- entry, add, trim or exit.
    scope_mask bigint NOT NULL,  -- Dimensions the cell is fixed to, one bit each.
    scope_values json NOT NULL,  -- Their values.
    scope_values_hash text NOT NULL,  -- Hash of the values.
    status text NOT NULL,  -- active, or retired when two days in a row did not reproduce it.
    born_on date NOT NULL,  -- Day it was first promoted.
    promoted_on date NOT NULL,  -- Latest day that promoted it.
    measured_on date NOT NULL,  -- Latest day that asked about it: its numbers are of that day.
    retired_on date,  -- Day it was retired; NULL while it is active.
    missed_runs integer NOT NULL,  -- Days in a row that did not reproduce it.
    n_retirements integer NOT NULL,  -- Times it was retired.
    promotion text NOT NULL,  -- Rule it was promoted by.
    n_trades integer NOT NULL,  -- Closed trades with a known R/R: what every gate reads.
    n_actions integer NOT NULL,  -- Actions of these trades; evidence of nothing.
    n_wins integer NOT NULL,  -- Trades that made money.
    avg_rr double precision NOT NULL,  -- R.
    median_rr double precision NOT NULL,  -- R.
    variance_rr double precision NOT NULL,  -- Population variance, R squared.
    avg_rr_shrunk double precision NOT NULL,  -- Average, shrunk to the parent's, R.
    win_rate_frac double precision NOT NULL,  -- n_wins / n_trades.
    win_rate_low double precision,  -- Lower end of its Wilson 90 % interval.
    win_rate_high double precision,  -- Upper end.
    baseline_rr double precision,  -- Mean R/R of all trades, the measure; NULL where none is known.
    delta_rr double precision,  -- EV: average less baseline, R.
    ev_score double precision,  -- Sigmoid of delta_rr; told, not in the product.
    reliability_score double precision,  -- 1 / (1 + variance).
    support_score double precision,  -- 1 - exp(-n / k).
    magnitude_score double precision,  -- Sigmoid of the median.
    time_score double precision,  -- 1 / (1 + ln(1 + hours)): to S3, or held.
    stability_score double precision,  -- 1 / (1 + spread of its latest edges).
    edge_raw double precision,  -- delta_rr x reliability x (support + magnitude + time + stability).
    edge_simple double precision,  -- Average R/R - 1, for display.
    edge_used double precision,  -- Edge overrides are made of: with the shrunk average, or edge_raw by the documents' rule.
    edge_at_birth double precision,  -- Edge with the shrunk average on the day it was born.
    edge_current double precision,  -- The same on measured_on.
    parent_mask bigint,  -- Mask of the cell it was compared inside; NULL for a whole pattern.
    parent_values json,  -- Its values.
    effect_rr double precision,  -- Mean less the mean of the rest of the parent, R.
    effect_low double precision,  -- Lower end of its 90 % interval.
    effect_high double precision,  -- Upper end.
    p_value double precision,  -- Two-sided, on the earlier part of the time.
    q_value double precision,  -- Benjamini-Hochberg within its family.
    oos_trades integer,  -- Trades of the cell in the later part of the time.
    oos_effect_rr double precision,  -- The effect there.
    oos_p_value double precision,  -- One-sided, there.
    half_life_hours double precision,  -- Of its edge; NULL where not identifiable.
    decay_rate_per_hour double precision,  -- Rate its decay multiplier is made of.
    decay_state text NOT NULL,  -- Where its edge is heading.
    decay_mult double precision NOT NULL,  -- Multiplier of its edge.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT learning_lessons_pkey PRIMARY KEY ("timestamp", lesson_id),
    CONSTRAINT learning_lessons_one_a_cell UNIQUE ("timestamp", module, lesson_type, pattern_key, action_category, scope_mask, scope_values_hash),
    CONSTRAINT learning_lessons_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT learning_lessons_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text, 'trim'::text, 'exit'::text]))),
    CONSTRAINT learning_lessons_decay_mult_check CHECK (((decay_mult >= (0.33)::double precision) AND (decay_mult <= (1.33)::double precision))),
    CONSTRAINT learning_lessons_decay_state_check CHECK ((decay_state = ANY (ARRAY['insufficient'::text, 'stable'::text, 'decaying'::text, 'improving'::text]))),
    CONSTRAINT learning_lessons_half_life_hours_check CHECK ((half_life_hours > (0)::double precision)),
    CONSTRAINT learning_lessons_lesson_id_check CHECK ((lesson_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT learning_lessons_lesson_type_check CHECK ((lesson_type = ANY (ARRAY['pm_strength'::text, 'tuning'::text]))),
    CONSTRAINT learning_lessons_magnitude_score_check CHECK (((magnitude_score >= (0)::double precision) AND (magnitude_score <= (1)::double precision))),
    CONSTRAINT learning_lessons_missed_runs_check CHECK ((missed_runs >= 0)),
    CONSTRAINT learning_lessons_n_actions_check CHECK ((n_actions > 0)),
    CONSTRAINT learning_lessons_n_retirements_check CHECK ((n_retirements >= 0)),
    CONSTRAINT learning_lessons_n_trades_check CHECK ((n_trades > 0)),
    CONSTRAINT learning_lessons_n_wins_check CHECK ((n_wins >= 0)),
    CONSTRAINT learning_lessons_oos_p_value_check CHECK (((oos_p_value >= (0)::double precision) AND (oos_p_value <= (1)::double precision))),
    CONSTRAINT learning_lessons_oos_trades_check CHECK ((oos_trades >= 0)),
    CONSTRAINT learning_lessons_p_value_check CHECK (((p_value >= (0)::double precision) AND (p_value <= (1)::double precision))),
    CONSTRAINT learning_lessons_promotion_check CHECK ((promotion = ANY (ARRAY['honest'::text, 'documents'::text]))),
    CONSTRAINT learning_lessons_q_value_check CHECK (((q_value >= (0)::double precision) AND (q_value <= (1)::double precision))),
    CONSTRAINT learning_lessons_reliability_score_check CHECK (((reliability_score >= (0)::double precision) AND (reliability_score <= (1)::double precision))),
    CONSTRAINT learning_lessons_retired_says_when CHECK (((status = 'retired'::text) = (retired_on IS NOT NULL))),
    CONSTRAINT learning_lessons_scope_mask_check CHECK (((scope_mask >= 0) AND (scope_mask < '4294967296'::bigint))),
    CONSTRAINT learning_lessons_scope_values_check CHECK ((json_typeof(scope_values) = 'object'::text)),
    CONSTRAINT learning_lessons_scope_values_hash_check CHECK ((scope_values_hash ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT learning_lessons_stability_score_check CHECK (((stability_score >= (0)::double precision) AND (stability_score <= (1)::double precision))),
    CONSTRAINT learning_lessons_status_check CHECK ((status = ANY (ARRAY['active'::text, 'retired'::text]))),
    CONSTRAINT learning_lessons_support_score_check CHECK (((support_score >= (0)::double precision) AND (support_score <= (1)::double precision))),
    CONSTRAINT learning_lessons_time_score_check CHECK (((time_score >= (0)::double precision) AND (time_score <= (1)::double precision))),
    CONSTRAINT learning_lessons_variance_rr_check CHECK ((variance_rr >= (0)::double precision)),
    CONSTRAINT learning_lessons_win_rate_frac_check CHECK (((win_rate_frac >= (0)::double precision) AND (win_rate_frac <= (1)::double precision))),
    CONSTRAINT learning_lessons_win_rate_high_check CHECK (((win_rate_high >= (0)::double precision) AND (win_rate_high <= (1)::double precision))),
    CONSTRAINT learning_lessons_win_rate_low_check CHECK (((win_rate_low >= (0)::double precision) AND (win_rate_low <= (1)::double precision)))
);
CREATE INDEX learning_lessons_lesson ON learning.learning_lessons USING btree (lesson_id, "timestamp" DESC);

-- Weights of the components of an edge in each regime and category, as of a day; 1 where nothing was fitted.
CREATE TABLE learning.learning_regime_weights (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    regime_signature text NOT NULL,  -- btc_macro, alt_meso and bucket_meso as up, flat or down; all: the fit to every state.
    action_category text NOT NULL,  -- entry or add.
    n_trades integer NOT NULL,  -- Trades of the signature.
    n_fit_trades integer NOT NULL,  -- Trades behind the weights.
    confidence double precision NOT NULL,  -- n / (n + k).
    w_time_efficiency double precision NOT NULL,  -- Weight of the time score.
    w_field_coherence double precision NOT NULL,  -- Weight of field coherence.
    w_recurrence double precision NOT NULL,  -- Weight of recurrence.
    w_variance double precision NOT NULL,  -- Weight of the reliability.
    effect_time_efficiency_r double precision,  -- R for one standard deviation of time efficiency; NULL where it was not fitted.
    effect_field_coherence_r double precision,  -- R for one standard deviation of field coherence; NULL where it was not fitted.
    effect_recurrence_r double precision,  -- R for one standard deviation of recurrence; NULL where it was not fitted.
    effect_variance_r double precision,  -- R for one standard deviation of variance; NULL where it was not fitted.
    parent text,  -- Whose weights these are, where not its own.
    is_default boolean NOT NULL,  -- Whether nothing was fitted: every weight is 1.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT learning_regime_weights_pkey PRIMARY KEY ("timestamp", regime_signature, action_category),
    CONSTRAINT learning_regime_weights_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT learning_regime_weights_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text]))),
    CONSTRAINT learning_regime_weights_confidence_check CHECK (((confidence >= (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT learning_regime_weights_n_fit_trades_check CHECK ((n_fit_trades >= 0)),
    CONSTRAINT learning_regime_weights_n_trades_check CHECK ((n_trades >= 0)),
    CONSTRAINT learning_regime_weights_w_field_coherence_check CHECK ((w_field_coherence > (0)::double precision)),
    CONSTRAINT learning_regime_weights_w_recurrence_check CHECK ((w_recurrence > (0)::double precision)),
    CONSTRAINT learning_regime_weights_w_time_efficiency_check CHECK ((w_time_efficiency > (0)::double precision)),
    CONSTRAINT learning_regime_weights_w_variance_check CHECK ((w_variance > (0)::double precision))
);

-- One row a day: what the lesson builder read, tried and made.
CREATE TABLE learning.learning_run (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    promotion text NOT NULL,  -- Rule lessons were promoted by.
    n_facts integer NOT NULL,  -- Facts known by then.
    n_trades integer NOT NULL,  -- Distinct closed trades.
    n_trades_without_rr integer NOT NULL,  -- Of those, without a defined R/R: counted, never used.
    n_parked integer NOT NULL,  -- Closed trades that wait for their actions.
    n_groups integer NOT NULL,  -- Patterns and categories with a trade.
    cells_found integer NOT NULL,  -- Frequent cells of the lattice.
    cells_mined integer NOT NULL,  -- Of those, closed and kept.
    cells_cut integer NOT NULL,  -- Of those, left out because there were too many.
    n_hypotheses integer NOT NULL,  -- Cells that were tested.
    n_promoted integer NOT NULL,  -- Lessons of this day.
    n_retired integer NOT NULL,  -- Lessons not reproduced twice, retired this day.
    verdicts json NOT NULL,  -- Tested cells by verdict.
    baseline_rr double precision,  -- Mean R/R of all trades of the last days; NULL where none is known.
    input_hash text NOT NULL,  -- Hash of the facts it read.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT learning_run_pkey PRIMARY KEY ("timestamp"),
    CONSTRAINT learning_run_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT learning_run_cells_cut_check CHECK ((cells_cut >= 0)),
    CONSTRAINT learning_run_cells_found_check CHECK ((cells_found >= 0)),
    CONSTRAINT learning_run_cells_mined_check CHECK ((cells_mined >= 0)),
    CONSTRAINT learning_run_n_facts_check CHECK ((n_facts >= 0)),
    CONSTRAINT learning_run_n_groups_check CHECK ((n_groups >= 0)),
    CONSTRAINT learning_run_n_hypotheses_check CHECK ((n_hypotheses >= 0)),
    CONSTRAINT learning_run_n_parked_check CHECK ((n_parked >= 0)),
    CONSTRAINT learning_run_n_promoted_check CHECK ((n_promoted >= 0)),
    CONSTRAINT learning_run_n_retired_check CHECK ((n_retired >= 0)),
    CONSTRAINT learning_run_n_trades_check CHECK ((n_trades >= 0)),
    CONSTRAINT learning_run_n_trades_without_rr_check CHECK ((n_trades_without_rr >= 0)),
    CONSTRAINT learning_run_promotion_check CHECK ((promotion = ANY (ARRAY['honest'::text, 'documents'::text]))),
    CONSTRAINT learning_run_verdicts_check CHECK ((json_typeof(verdicts) = 'object'::text))
);

-- Every cell the lesson builder tested on a day, and what became of it: promoted, or why not.
CREATE TABLE learning.lesson_hypothesis (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    pattern_key text NOT NULL,  -- pm.uptrend.<state>.<flag>.
    action_category text NOT NULL,  -- entry, add, trim or exit.
    scope_mask bigint NOT NULL,  -- Dimensions the cell is fixed to, one bit each.
    scope_values json NOT NULL,  -- Their values.
    scope_values_hash text NOT NULL,  -- Hash of the values.
    n_trades integer NOT NULL,  -- Trades of the cell.
    n_clusters integer,  -- Independent clusters they fall into.
    parent_mask bigint,  -- Mask of the cell it was compared inside; NULL for a whole pattern.
    parent_values json,  -- Its values.
    effect_rr double precision,  -- Mean less the mean of the rest of the parent, R.
    effect_low double precision,  -- Lower end of its 90 % interval.
    effect_high double precision,  -- Upper end.
    p_value double precision,  -- Two-sided, on the earlier part of the time.
    q_value double precision,  -- Benjamini-Hochberg within its family.
    oos_trades integer,  -- Trades of the cell in the later part of the time.
    oos_effect_rr double precision,  -- The effect there.
    oos_p_value double precision,  -- One-sided, there.
    edge_raw double precision,  -- Edge of the cell.
    edge_used double precision,  -- Edge with the average shrunk to the parent's.
    verdict text NOT NULL,  -- promoted, or the first gate that stopped it.
    explained_by text,  -- Cell whose effect this one is, where that was the verdict.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT lesson_hypothesis_pkey PRIMARY KEY ("timestamp", pattern_key, action_category, scope_mask, scope_values_hash),
    CONSTRAINT lesson_hypothesis_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text, 'trim'::text, 'exit'::text]))),
    CONSTRAINT lesson_hypothesis_n_clusters_check CHECK ((n_clusters >= 0)),
    CONSTRAINT lesson_hypothesis_n_trades_check CHECK ((n_trades >= 0)),
    CONSTRAINT lesson_hypothesis_oos_p_value_check CHECK (((oos_p_value >= (0)::double precision) AND (oos_p_value <= (1)::double precision))),
    CONSTRAINT lesson_hypothesis_oos_trades_check CHECK ((oos_trades >= 0)),
    CONSTRAINT lesson_hypothesis_p_value_check CHECK (((p_value >= (0)::double precision) AND (p_value <= (1)::double precision))),
    CONSTRAINT lesson_hypothesis_q_value_check CHECK (((q_value >= (0)::double precision) AND (q_value <= (1)::double precision))),
    CONSTRAINT lesson_hypothesis_scope_mask_check CHECK (((scope_mask >= 0) AND (scope_mask < '4294967296'::bigint))),
    CONSTRAINT lesson_hypothesis_scope_values_check CHECK ((json_typeof(scope_values) = 'object'::text)),
    CONSTRAINT lesson_hypothesis_scope_values_hash_check CHECK ((scope_values_hash ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT lesson_hypothesis_verdict_check CHECK ((verdict <> ''::text))
);

-- Which set is live: the newest row counts. Append-only, so a roll-back is one more row.
CREATE TABLE learning.live_override_set (
    step_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Order of the changes.
    set_id bigint,  -- Set that is live from then on; NULL for none.
    author text NOT NULL,  -- Who switched.
    reason text NOT NULL,  -- Why.
    set_at timestamp with time zone NOT NULL DEFAULT clock_timestamp(),  -- When; the next tick obeys.
    holds boolean NOT NULL DEFAULT false,  -- Whether later sets do not become live by themselves until this is released.
    CONSTRAINT live_override_set_pkey PRIMARY KEY (step_id),
    CONSTRAINT live_override_set_set_id_fkey FOREIGN KEY (set_id) REFERENCES learning.override_set(set_id),
    CONSTRAINT live_override_set_author_check CHECK ((author <> ''::text)),
    CONSTRAINT live_override_set_reason_check CHECK ((reason <> ''::text))
);
CREATE TRIGGER live_override_set_is_append_only BEFORE DELETE OR UPDATE ON learning.live_override_set FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();

-- Notes on what was learned, for people: reports and hypotheses. Read by no number.
CREATE TABLE learning.llm_learning (
    id text NOT NULL,  -- Hash of question, model and note.
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    kind text NOT NULL,  -- What it is.
    level integer NOT NULL,  -- Level of the research layer.
    module text NOT NULL,  -- pm.
    status text NOT NULL,  -- What trades have said of it.
    content json NOT NULL,  -- The note, checked; text only.
    test_results json,  -- Numbers of the test of a hypothesis; NULL while it waits.
    prompt_hash text NOT NULL,  -- Hash of the question.
    input_hash text NOT NULL,  -- Hash of what it was shown.
    model_id text NOT NULL,  -- Model, or the template.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT llm_learning_pkey PRIMARY KEY (id),
    CONSTRAINT llm_learning_content_check CHECK ((json_typeof(content) = 'object'::text)),
    CONSTRAINT llm_learning_id_check CHECK ((id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT llm_learning_kind_check CHECK ((kind = ANY (ARRAY['report'::text, 'semantic_factor'::text, 'family_proposal'::text, 'semantic_pattern'::text, 'hypothesis'::text]))),
    CONSTRAINT llm_learning_level_check CHECK (((level >= 1) AND (level <= 5))),
    CONSTRAINT llm_learning_status_check CHECK ((status = ANY (ARRAY['hypothesis'::text, 'validated'::text, 'rejected'::text, 'active'::text, 'deprecated'::text])))
);
CREATE INDEX llm_learning_day ON learning.llm_learning USING btree ("timestamp");

-- A version of the learned overrides. Sets are never changed; which one is live is said elsewhere.
CREATE TABLE learning.override_set (
    set_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Version.
    made_at timestamp with time zone NOT NULL,  -- When.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant.
    input_hash text NOT NULL,  -- Hash of the lessons it was made from.
    row_count integer NOT NULL,  -- Overrides in it, at most 500.
    run_id text NOT NULL,  -- Dagster run that made it.
    code_version text NOT NULL,  -- Version of the code that made the row.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    CONSTRAINT override_set_pkey PRIMARY KEY (set_id),
    CONSTRAINT override_set_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT override_set_row_count_check CHECK (((row_count >= 0) AND (row_count <= 500)))
);
CREATE INDEX override_set_as_of ON learning.override_set USING btree (as_of DESC, set_id DESC);

-- Every step in the life of an override: proposed, shadow, live, expired, revoked. Append-only.
CREATE TABLE learning.override_step (
    step_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Order.
    set_id bigint NOT NULL,  -- Set that was made with this step.
    lesson_id text NOT NULL,  -- Lesson of the override.
    lever text NOT NULL,  -- What it multiplies.
    from_state text,  -- State it left; NULL at the beginning.
    to_state text NOT NULL,  -- State it entered.
    stepped_at timestamp with time zone NOT NULL,  -- As of when.
    reason text NOT NULL,  -- Why.
    evidence json,  -- Trades since it was proposed and what they say, where that decided.
    CONSTRAINT override_step_pkey PRIMARY KEY (step_id),
    CONSTRAINT override_step_once_a_set UNIQUE (set_id, lesson_id, lever, to_state),
    CONSTRAINT override_step_set_id_fkey FOREIGN KEY (set_id) REFERENCES learning.override_set(set_id),
    CONSTRAINT override_step_from_state_check CHECK ((from_state = ANY (ARRAY['proposed'::text, 'shadow'::text, 'live'::text, 'expired'::text, 'revoked'::text]))),
    CONSTRAINT override_step_lever_check CHECK ((lever = ANY (ARRAY['pm_strength'::text, 'ts_min_mult'::text, 'halo_mult'::text, 'dx_min_mult'::text]))),
    CONSTRAINT override_step_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT override_step_to_state_check CHECK ((to_state = ANY (ARRAY['proposed'::text, 'shadow'::text, 'live'::text, 'expired'::text, 'revoked'::text])))
);
CREATE INDEX override_step_lesson ON learning.override_step USING btree (lesson_id, step_id DESC);
CREATE TRIGGER override_step_is_append_only BEFORE DELETE OR UPDATE ON learning.override_step FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();

-- Statistics of every mined cell as of a day. Derived: equal to a recompute from the facts.
CREATE TABLE learning.pattern_scope_stats (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    pattern_key text NOT NULL,  -- pm.uptrend.<state>.<flag>.
    action_category text NOT NULL,  -- entry, add, trim or exit.
    scope_mask bigint NOT NULL,  -- Dimensions the cell is fixed to, one bit each.
    scope_values json NOT NULL,  -- Their values.
    scope_values_hash text NOT NULL,  -- Hash of the values.
    n_trades integer NOT NULL,  -- Closed trades with a known R/R: what every gate reads.
    n_actions integer NOT NULL,  -- Actions of these trades; evidence of nothing.
    n_wins integer NOT NULL,  -- Trades that made money.
    sum_rr double precision NOT NULL,  -- Sum of winsorised R/R.
    sum_rr2 double precision NOT NULL,  -- Sum of its squares.
    avg_rr double precision NOT NULL,  -- R.
    median_rr double precision NOT NULL,  -- R.
    variance_rr double precision NOT NULL,  -- Population variance, R squared.
    win_rate_frac double precision NOT NULL,  -- n_wins / n_trades.
    pnl_usd double precision NOT NULL,  -- Sum over the trades.
    median_hours_to_s3 double precision,  -- Of those that reached S3; NULL where none did.
    median_hold_hours double precision NOT NULL,  -- Hours.
    baseline_rr double precision,  -- Mean R/R of all trades, the measure; NULL where none is known.
    delta_rr double precision,  -- EV: average less baseline, R.
    ev_score double precision,  -- Sigmoid of delta_rr; told, not in the product.
    reliability_score double precision,  -- 1 / (1 + variance).
    support_score double precision,  -- 1 - exp(-n / k).
    magnitude_score double precision,  -- Sigmoid of the median.
    time_score double precision,  -- 1 / (1 + ln(1 + hours)): to S3, or held.
    stability_score double precision,  -- 1 / (1 + spread of its latest edges).
    edge_raw double precision,  -- delta_rr x reliability x (support + magnitude + time + stability).
    edge_simple double precision,  -- Average R/R - 1, for display.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT pattern_scope_stats_pkey PRIMARY KEY ("timestamp", pattern_key, action_category, scope_mask, scope_values_hash),
    CONSTRAINT pattern_scope_stats_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT pattern_scope_stats_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text, 'trim'::text, 'exit'::text]))),
    CONSTRAINT pattern_scope_stats_magnitude_score_check CHECK (((magnitude_score >= (0)::double precision) AND (magnitude_score <= (1)::double precision))),
    CONSTRAINT pattern_scope_stats_median_hold_hours_check CHECK ((median_hold_hours >= (0)::double precision)),
    CONSTRAINT pattern_scope_stats_median_hours_to_s3_check CHECK ((median_hours_to_s3 >= (0)::double precision)),
    CONSTRAINT pattern_scope_stats_n_actions_check CHECK ((n_actions > 0)),
    CONSTRAINT pattern_scope_stats_n_trades_check CHECK ((n_trades > 0)),
    CONSTRAINT pattern_scope_stats_n_wins_check CHECK ((n_wins >= 0)),
    CONSTRAINT pattern_scope_stats_reliability_score_check CHECK (((reliability_score >= (0)::double precision) AND (reliability_score <= (1)::double precision))),
    CONSTRAINT pattern_scope_stats_scope_mask_check CHECK (((scope_mask >= 0) AND (scope_mask < '4294967296'::bigint))),
    CONSTRAINT pattern_scope_stats_scope_values_check CHECK ((json_typeof(scope_values) = 'object'::text)),
    CONSTRAINT pattern_scope_stats_scope_values_hash_check CHECK ((scope_values_hash ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT pattern_scope_stats_stability_score_check CHECK (((stability_score >= (0)::double precision) AND (stability_score <= (1)::double precision))),
    CONSTRAINT pattern_scope_stats_sum_rr2_check CHECK ((sum_rr2 >= (0)::double precision)),
    CONSTRAINT pattern_scope_stats_support_score_check CHECK (((support_score >= (0)::double precision) AND (support_score <= (1)::double precision))),
    CONSTRAINT pattern_scope_stats_time_score_check CHECK (((time_score >= (0)::double precision) AND (time_score <= (1)::double precision))),
    CONSTRAINT pattern_scope_stats_variance_rr_check CHECK ((variance_rr >= (0)::double precision)),
    CONSTRAINT pattern_scope_stats_win_rate_frac_check CHECK (((win_rate_frac >= (0)::double precision) AND (win_rate_frac <= (1)::double precision))),
    CONSTRAINT pattern_scope_stats_wins_are_trades CHECK (((n_wins <= n_trades) AND (n_trades <= n_actions)))
);

-- Facts: one row an action of a closed trade, all of a trade with its one outcome. Never changed.
CREATE TABLE learning.pattern_trade_events (
    action_id text NOT NULL,  -- Strand of the action.
    trade_id text NOT NULL,  -- Trade: the unit of evidence.
    position_id text NOT NULL,  -- Position it was.
    token_contract text NOT NULL,  -- Contract address, or the symbol where the venue lists no contract.
    chain text NOT NULL,  -- Chain or venue the contract lives on.
    timeframe text NOT NULL,  -- Execution timeframe.
    pattern_key text NOT NULL,  -- pm.uptrend.<state>.<flag>.
    action_category text NOT NULL,  -- entry, add, trim or exit.
    scope json NOT NULL,  -- Scope at the action.
    scope_mask bigint NOT NULL,  -- Dimensions the scope knows.
    action_ts timestamp with time zone NOT NULL,  -- When the action was decided.
    timestamp timestamp with time zone NOT NULL,  -- When the trade was closed: known from then on.
    opened_at timestamp with time zone NOT NULL,  -- First fill of the trade.
    rr double precision,  -- R/R of the trade, as it came out; NULL where undefined.
    rr_absent_reason text,  -- Why there is no R/R.
    roi double precision,  -- PnL over what was invested.
    pnl_usd double precision NOT NULL,  -- Total of the trade, after fees.
    hours_to_s3 double precision,  -- From the first fill; NULL where S3 was not reached.
    hold_hours double precision NOT NULL,  -- From the first fill to the closure.
    pm_strength_applied double precision,  -- Learned multiplier of a buy; NULL for a sale.
    filled_usd double precision,  -- Paid by a buy; NULL for a sale.
    closed_strand_id text NOT NULL,  -- Strand that told the closure.
    schema_version integer NOT NULL,  -- Version of the schema of that strand.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT pattern_trade_events_pkey PRIMARY KEY (action_id),
    CONSTRAINT pattern_trade_events_once_a_trade UNIQUE (trade_id, action_id),
    CONSTRAINT pattern_trade_events_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text, 'trim'::text, 'exit'::text]))),
    CONSTRAINT pattern_trade_events_action_id_check CHECK ((action_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT pattern_trade_events_closed_strand_id_check CHECK ((closed_strand_id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT pattern_trade_events_filled_usd_check CHECK ((filled_usd >= (0)::double precision)),
    CONSTRAINT pattern_trade_events_hold_hours_check CHECK ((hold_hours >= (0)::double precision)),
    CONSTRAINT pattern_trade_events_hours_to_s3_check CHECK ((hours_to_s3 >= (0)::double precision)),
    CONSTRAINT pattern_trade_events_in_order CHECK (((opened_at <= "timestamp") AND (action_ts <= "timestamp"))),
    CONSTRAINT pattern_trade_events_pm_strength_applied_check CHECK ((pm_strength_applied > (0)::double precision)),
    CONSTRAINT pattern_trade_events_pnl_usd_check CHECK ((abs(pnl_usd) < 'Infinity'::double precision)),
    CONSTRAINT pattern_trade_events_roi_check CHECK ((abs(roi) < 'Infinity'::double precision)),
    CONSTRAINT pattern_trade_events_rr_check CHECK ((abs(rr) < 'Infinity'::double precision)),
    CONSTRAINT pattern_trade_events_rr_or_reason CHECK (((rr IS NULL) = (rr_absent_reason IS NOT NULL))),
    CONSTRAINT pattern_trade_events_schema_version_check CHECK ((schema_version > 0)),
    CONSTRAINT pattern_trade_events_scope_check CHECK ((json_typeof(scope) = 'object'::text)),
    CONSTRAINT pattern_trade_events_scope_mask_check CHECK (((scope_mask >= 0) AND (scope_mask < '4294967296'::bigint))),
    CONSTRAINT pattern_trade_events_timeframe_check CHECK ((timeframe = ANY (ARRAY['1m'::text, '5m'::text, '15m'::text, '1h'::text, '4h'::text, '1d'::text])))
);
CREATE INDEX pattern_trade_events_cell ON learning.pattern_trade_events USING btree (pattern_key, action_category, "timestamp");
CREATE INDEX pattern_trade_events_closed ON learning.pattern_trade_events USING btree ("timestamp");

-- What was learned, as multipliers of size or of a threshold in a scope.
CREATE TABLE learning.pm_overrides (
    override_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,  -- Number.
    set_id bigint NOT NULL,  -- Set it belongs to.
    pattern_key text NOT NULL,  -- Pattern it is for; of a threshold, the pattern whose buy check it moves.
    action_category text NOT NULL,  -- entry or add: exits and trims never depend on learning.
    scope_mask bigint NOT NULL,  -- Dimensions it is fixed to, one bit each.
    scope_values json NOT NULL,  -- Their values.
    lever text NOT NULL,  -- pm_strength, or the threshold it multiplies.
    multiplier double precision NOT NULL,  -- Ratio, 1 is neutral.
    confidence double precision NOT NULL,  -- Weight in the blend, 0..1.
    n_trades integer NOT NULL,  -- Trades behind it.
    edge_raw double precision,  -- Edge before decay; NULL for a threshold.
    decay_mult double precision,  -- Decay of that edge; NULL for a threshold.
    lesson_id text NOT NULL,  -- Lesson it was made from.
    expires_at timestamp with time zone NOT NULL,  -- It does not apply from then on. Mandatory.
    state text NOT NULL DEFAULT 'live'::text,  -- proposed, shadow (watched, without effect) or live.
    state_since timestamp with time zone,  -- As of when it entered this state; NULL where a person wrote the row.
    proposed_at timestamp with time zone,  -- As of when it was first proposed; its own evidence counts from then.
    live_at timestamp with time zone,  -- As of when it became live.
    CONSTRAINT pm_overrides_pkey PRIMARY KEY (override_id),
    CONSTRAINT pm_overrides_once_a_set UNIQUE (set_id, pattern_key, action_category, scope_mask, lever, lesson_id),
    CONSTRAINT pm_overrides_set_id_fkey FOREIGN KEY (set_id) REFERENCES learning.override_set(set_id),
    CONSTRAINT pm_overrides_action_category_check CHECK ((action_category = ANY (ARRAY['entry'::text, 'add'::text]))),
    CONSTRAINT pm_overrides_confidence_check CHECK (((confidence > (0)::double precision) AND (confidence <= (1)::double precision))),
    CONSTRAINT pm_overrides_decay_mult_check CHECK (((decay_mult >= (0.33)::double precision) AND (decay_mult <= (1.33)::double precision))),
    CONSTRAINT pm_overrides_expires_at_check CHECK ((expires_at < 'infinity'::timestamp with time zone)),
    CONSTRAINT pm_overrides_lever_check CHECK ((lever = ANY (ARRAY['pm_strength'::text, 'ts_min_mult'::text, 'halo_mult'::text, 'dx_min_mult'::text]))),
    CONSTRAINT pm_overrides_live_since CHECK (((live_at IS NULL) OR (state = 'live'::text))),
    CONSTRAINT pm_overrides_multiplier_check CHECK (((multiplier >= (0.3)::double precision) AND (multiplier <= (3.0)::double precision))),
    CONSTRAINT pm_overrides_n_trades_check CHECK ((n_trades > 0)),
    CONSTRAINT pm_overrides_scope_mask_check CHECK (((scope_mask >= 0) AND (scope_mask < '4294967296'::bigint))),
    CONSTRAINT pm_overrides_scope_values_check CHECK ((json_typeof(scope_values) = 'object'::text)),
    CONSTRAINT pm_overrides_state_check CHECK ((state = ANY (ARRAY['proposed'::text, 'shadow'::text, 'live'::text])))
);
CREATE INDEX pm_overrides_lesson ON learning.pm_overrides USING btree (lesson_id, set_id DESC);
CREATE INDEX pm_overrides_set ON learning.pm_overrides USING btree (set_id);

-- Closed trades that could not be taken at once: parked until all their actions have come, or refused.
CREATE TABLE learning.trade_intake (
    strand_id text NOT NULL,  -- Strand that told the closure.
    trade_id text NOT NULL,  -- Trade.
    timestamp timestamp with time zone NOT NULL,  -- When it was closed.
    status text NOT NULL,  -- parked, given_up (parked for too long), refused (breaks its schema), taken (came whole after all).
    actions_told integer NOT NULL,  -- Actions the closure names.
    actions_missing integer NOT NULL,  -- Of those, how many have not come.
    reason text NOT NULL,  -- Why it is where it is.
    first_seen_at timestamp with time zone NOT NULL,  -- When it was first found so.
    last_seen_at timestamp with time zone NOT NULL,  -- When it was last looked at.
    CONSTRAINT trade_intake_pkey PRIMARY KEY (strand_id),
    CONSTRAINT trade_intake_actions_missing_check CHECK ((actions_missing >= 0)),
    CONSTRAINT trade_intake_actions_told_check CHECK ((actions_told >= 0)),
    CONSTRAINT trade_intake_reason_check CHECK ((reason <> ''::text)),
    CONSTRAINT trade_intake_status_check CHECK ((status = ANY (ARRAY['parked'::text, 'given_up'::text, 'refused'::text, 'taken'::text]))),
    CONSTRAINT trade_intake_strand_id_check CHECK ((strand_id ~ '^[0-9a-f]{64}$'::text))
);
CREATE INDEX trade_intake_waiting ON learning.trade_intake USING btree (trade_id) WHERE (status <> 'taken'::text);

-- Episodes of a family and scope as of a day, by decision and outcome, with rates and intervals.
CREATE TABLE learning.tuning_rate (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    family text NOT NULL,  -- Windows it is about.
    scope_mask bigint NOT NULL,  -- Dimensions the cell is fixed to, one bit each.
    scope_values json NOT NULL,  -- Their values.
    scope_values_hash text NOT NULL,  -- Hash of the values.
    n_acted integer NOT NULL,  -- Concluded, something was bought.
    n_skipped integer NOT NULL,  -- Concluded, nothing was.
    n_acted_success integer NOT NULL,  -- Bought and right.
    n_acted_failure integer NOT NULL,  -- Bought and wrong.
    n_skipped_success integer NOT NULL,  -- Left and would have been right.
    n_skipped_failure integer NOT NULL,  -- Left, rightly.
    n_pending integer NOT NULL,  -- Without an outcome yet; in no rate.
    n_expired integer NOT NULL,  -- That never had one; in no rate.
    wr double precision,  -- Win rate: successes of what was bought; NULL without any.
    wr_low double precision,  -- Lower end of its Wilson 90 % interval.
    wr_high double precision,  -- Upper end.
    fpr double precision,  -- False positive rate: failures of what was bought; NULL without any.
    fpr_low double precision,  -- Lower end of its Wilson 90 % interval.
    fpr_high double precision,  -- Upper end.
    mr double precision,  -- Miss rate: successes of what was left; NULL without any.
    mr_low double precision,  -- Lower end of its Wilson 90 % interval.
    mr_high double precision,  -- Upper end.
    dr double precision,  -- Dodge rate: failures of what was left; NULL without any.
    dr_low double precision,  -- Lower end of its Wilson 90 % interval.
    dr_high double precision,  -- Upper end.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT tuning_rate_pkey PRIMARY KEY ("timestamp", family, scope_mask, scope_values_hash),
    CONSTRAINT tuning_rate_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT tuning_rate_dr_check CHECK (((dr >= (0)::double precision) AND (dr <= (1)::double precision))),
    CONSTRAINT tuning_rate_dr_high_check CHECK (((dr_high >= (0)::double precision) AND (dr_high <= (1)::double precision))),
    CONSTRAINT tuning_rate_dr_low_check CHECK (((dr_low >= (0)::double precision) AND (dr_low <= (1)::double precision))),
    CONSTRAINT tuning_rate_family_check CHECK ((family = ANY (ARRAY['pm.s1_entry'::text, 'pm.s3_retest'::text]))),
    CONSTRAINT tuning_rate_fpr_check CHECK (((fpr >= (0)::double precision) AND (fpr <= (1)::double precision))),
    CONSTRAINT tuning_rate_fpr_high_check CHECK (((fpr_high >= (0)::double precision) AND (fpr_high <= (1)::double precision))),
    CONSTRAINT tuning_rate_fpr_low_check CHECK (((fpr_low >= (0)::double precision) AND (fpr_low <= (1)::double precision))),
    CONSTRAINT tuning_rate_mr_check CHECK (((mr >= (0)::double precision) AND (mr <= (1)::double precision))),
    CONSTRAINT tuning_rate_mr_high_check CHECK (((mr_high >= (0)::double precision) AND (mr_high <= (1)::double precision))),
    CONSTRAINT tuning_rate_mr_low_check CHECK (((mr_low >= (0)::double precision) AND (mr_low <= (1)::double precision))),
    CONSTRAINT tuning_rate_n_acted_check CHECK ((n_acted >= 0)),
    CONSTRAINT tuning_rate_n_acted_failure_check CHECK ((n_acted_failure >= 0)),
    CONSTRAINT tuning_rate_n_acted_success_check CHECK ((n_acted_success >= 0)),
    CONSTRAINT tuning_rate_n_expired_check CHECK ((n_expired >= 0)),
    CONSTRAINT tuning_rate_n_pending_check CHECK ((n_pending >= 0)),
    CONSTRAINT tuning_rate_n_skipped_check CHECK ((n_skipped >= 0)),
    CONSTRAINT tuning_rate_n_skipped_failure_check CHECK ((n_skipped_failure >= 0)),
    CONSTRAINT tuning_rate_n_skipped_success_check CHECK ((n_skipped_success >= 0)),
    CONSTRAINT tuning_rate_scope_mask_check CHECK (((scope_mask >= 0) AND (scope_mask < '4294967296'::bigint))),
    CONSTRAINT tuning_rate_scope_values_check CHECK ((json_typeof(scope_values) = 'object'::text)),
    CONSTRAINT tuning_rate_scope_values_hash_check CHECK ((scope_values_hash ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT tuning_rate_wr_check CHECK (((wr >= (0)::double precision) AND (wr <= (1)::double precision))),
    CONSTRAINT tuning_rate_wr_high_check CHECK (((wr_high >= (0)::double precision) AND (wr_high <= (1)::double precision))),
    CONSTRAINT tuning_rate_wr_low_check CHECK (((wr_low >= (0)::double precision) AND (wr_low <= (1)::double precision)))
);

-- Thresholds that stand elsewhere than configured, as of a day.
CREATE TABLE learning.tuning_state (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    family text NOT NULL,  -- Windows it is about.
    scope_mask bigint NOT NULL,  -- Dimensions the cell is fixed to, one bit each.
    scope_values json NOT NULL,  -- Their values.
    scope_values_hash text NOT NULL,  -- Hash of the values.
    gate text NOT NULL,  -- Gate of the buy rule.
    multiplier double precision NOT NULL,  -- Of the configured threshold.
    since timestamp with time zone NOT NULL,  -- As of when it came there.
    fed_at timestamp with time zone NOT NULL,  -- As of when enough episodes last bore on it.
    n_evidence integer NOT NULL,  -- Episodes of the rate behind its last step.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT tuning_state_pkey PRIMARY KEY ("timestamp", family, gate, scope_mask, scope_values_hash),
    CONSTRAINT tuning_state_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT tuning_state_family_check CHECK ((family = ANY (ARRAY['pm.s1_entry'::text, 'pm.s3_retest'::text]))),
    CONSTRAINT tuning_state_multiplier_check CHECK (((multiplier > (0)::double precision) AND (multiplier < 'Infinity'::double precision))),
    CONSTRAINT tuning_state_n_evidence_check CHECK ((n_evidence > 0)),
    CONSTRAINT tuning_state_scope_mask_check CHECK (((scope_mask >= 0) AND (scope_mask < '4294967296'::bigint))),
    CONSTRAINT tuning_state_scope_values_check CHECK ((json_typeof(scope_values) = 'object'::text)),
    CONSTRAINT tuning_state_scope_values_hash_check CHECK ((scope_values_hash ~ '^[0-9a-f]{16}$'::text))
);

-- What the judge said of every threshold on a day, and by what.
CREATE TABLE learning.tuning_verdict (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    family text NOT NULL,  -- Windows it is about.
    scope_mask bigint NOT NULL,  -- Dimensions the cell is fixed to, one bit each.
    scope_values json NOT NULL,  -- Their values.
    scope_values_hash text NOT NULL,  -- Hash of the values.
    gate text NOT NULL,  -- Gate of the buy rule.
    verdict text NOT NULL,  -- What was decided; only the first three move it.
    step_from double precision NOT NULL,  -- Multiplier before.
    step_to double precision NOT NULL,  -- And after.
    evidence json NOT NULL,  -- Thresholds, rates with intervals, the replay of the step.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT tuning_verdict_pkey PRIMARY KEY ("timestamp", family, gate, scope_mask, scope_values_hash),
    CONSTRAINT tuning_verdict_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT tuning_verdict_evidence_check CHECK ((json_typeof(evidence) = 'object'::text)),
    CONSTRAINT tuning_verdict_family_check CHECK ((family = ANY (ARRAY['pm.s1_entry'::text, 'pm.s3_retest'::text]))),
    CONSTRAINT tuning_verdict_scope_mask_check CHECK (((scope_mask >= 0) AND (scope_mask < '4294967296'::bigint))),
    CONSTRAINT tuning_verdict_scope_values_check CHECK ((json_typeof(scope_values) = 'object'::text)),
    CONSTRAINT tuning_verdict_scope_values_hash_check CHECK ((scope_values_hash ~ '^[0-9a-f]{16}$'::text)),
    CONSTRAINT tuning_verdict_step_from_check CHECK ((step_from > (0)::double precision)),
    CONSTRAINT tuning_verdict_step_to_check CHECK ((step_to > (0)::double precision)),
    CONSTRAINT tuning_verdict_verdict_check CHECK ((verdict = ANY (ARRAY['loosened'::text, 'tightened'::text, 'returned'::text, 'contradiction'::text, 'cooling'::text, 'too_few'::text, 'within'::text, 'chance'::text, 'at_bound'::text, 'no_gain'::text, 'rr_unknown'::text])))
);

-- One row a day: learned against neutral sizing over all trades closed up to then.
CREATE TABLE learning.walk_forward (
    timestamp timestamp with time zone NOT NULL,  -- Day it is as of, midnight.
    as_of timestamp with time zone NOT NULL,  -- It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.
    n_trades integer NOT NULL,  -- Trades with a known size.
    n_moved integer NOT NULL,  -- Of those, with a learned size other than neutral.
    pnl_neutral_usd double precision NOT NULL,  -- At neutral size.
    pnl_learned_usd double precision NOT NULL,  -- At learned size.
    difference_usd double precision NOT NULL,  -- Learned less neutral.
    difference_low double precision,  -- Lower end of its 90 % interval, days resampled; NULL where it cannot be known.
    difference_high double precision,  -- Upper end.
    hit_rate double precision,  -- Share of moved trades that were moved the right way; NULL where none.
    n_overrides integer NOT NULL,  -- Overrides that were live and matched a trade.
    n_noise integer NOT NULL,  -- Of those, without an effect that can be told from none.
    report json NOT NULL,  -- All of it.
    config_version bigint NOT NULL,  -- Version of pm.pm_config in force.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT walk_forward_pkey PRIMARY KEY ("timestamp"),
    CONSTRAINT walk_forward_config_version_fkey FOREIGN KEY (config_version) REFERENCES pm.pm_config(version),
    CONSTRAINT walk_forward_hit_rate_check CHECK (((hit_rate >= (0)::double precision) AND (hit_rate <= (1)::double precision))),
    CONSTRAINT walk_forward_n_moved_check CHECK ((n_moved >= 0)),
    CONSTRAINT walk_forward_n_noise_check CHECK ((n_noise >= 0)),
    CONSTRAINT walk_forward_n_overrides_check CHECK ((n_overrides >= 0)),
    CONSTRAINT walk_forward_n_trades_check CHECK ((n_trades >= 0)),
    CONSTRAINT walk_forward_report_check CHECK ((json_typeof(report) = 'object'::text))
);

-- Closed trades with the size each had, the neutral one, and the one the set of the day would have given.
CREATE TABLE learning.walk_forward_trade (
    timestamp timestamp with time zone NOT NULL,  -- When the trade was closed.
    trade_id text NOT NULL,  -- Trade.
    set_id bigint,  -- Newest set known at its first buy; NULL where there was none.
    multiplier double precision,  -- Learned size over neutral size, over all buys; NULL where the trade had no filled buy.
    rr double precision,  -- Winsorised R/R; NULL where undefined.
    pnl_usd double precision NOT NULL,  -- As it was traded.
    pnl_neutral_usd double precision,  -- At neutral size.
    pnl_learned_usd double precision,  -- At learned size.
    lesson_ids text[] NOT NULL,  -- Lessons whose overrides matched.
    run_id text NOT NULL,  -- Dagster run, or the sensor and its look.
    computed_at timestamp with time zone NOT NULL,  -- When it was written.
    code_version text NOT NULL,  -- Version of the code that made the row.
    CONSTRAINT walk_forward_trade_pkey PRIMARY KEY ("timestamp", trade_id),
    CONSTRAINT walk_forward_trade_multiplier_check CHECK ((multiplier > (0)::double precision))
);
