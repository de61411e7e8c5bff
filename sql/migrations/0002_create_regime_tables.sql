-- Why: the path from candles to A/E. Written by the role lowcap_regime only. Additive, takes no lock on existing data.
-- Prices are double precision: they travel as binary Arrow columns and are recomputed byte for byte.

CREATE TABLE regime.majors_price_data_ohlc (
    symbol text NOT NULL,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    "timestamp" timestamptz NOT NULL,
    open_usd double precision NOT NULL,
    high_usd double precision NOT NULL,
    low_usd double precision NOT NULL,
    close_usd double precision NOT NULL,
    volume double precision NOT NULL CHECK (volume >= 0 AND volume < 'Infinity'),
    source text NOT NULL,
    coverage double precision NOT NULL CHECK (coverage > 0 AND coverage <= 1),
    partial boolean NOT NULL,
    known_at timestamptz NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (symbol, timeframe, "timestamp"),
    CONSTRAINT majors_price_data_ohlc_is_a_bar CHECK (
        low_usd > 0 AND high_usd < 'Infinity'
        AND low_usd <= LEAST(open_usd, close_usd) AND high_usd >= GREATEST(open_usd, close_usd))
);
CREATE INDEX majors_price_data_ohlc_timestamp ON regime.majors_price_data_ohlc ("timestamp");
COMMENT ON TABLE regime.majors_price_data_ohlc IS 'Bars of the majors: as the venue printed them, and rolled up where it did not.';
COMMENT ON COLUMN regime.majors_price_data_ohlc.symbol IS 'Canonical symbol: BTC, ETH, SOL, BNB, HYPE.';
COMMENT ON COLUMN regime.majors_price_data_ohlc.timeframe IS 'Bar length.';
COMMENT ON COLUMN regime.majors_price_data_ohlc."timestamp" IS 'Open of the bar, UTC; usable from open + timeframe.';
COMMENT ON COLUMN regime.majors_price_data_ohlc.volume IS 'As the venue printed it, summed in a roll-up.';
COMMENT ON COLUMN regime.majors_price_data_ohlc.source IS 'Venue, or rollup:<timeframe it was rolled up from>.';
COMMENT ON COLUMN regime.majors_price_data_ohlc.coverage IS 'Share of the bar its components cover, 0..1.';
COMMENT ON COLUMN regime.majors_price_data_ohlc.partial IS 'True when coverage is below 1; re-rolled when late minutes arrive.';
COMMENT ON COLUMN regime.majors_price_data_ohlc.known_at IS 'When these values were first stored.';

CREATE TABLE regime.lowcap_price_data_ohlc (
    token_contract text NOT NULL,
    chain text NOT NULL,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    "timestamp" timestamptz NOT NULL,
    open_usd double precision NOT NULL,
    high_usd double precision NOT NULL,
    low_usd double precision NOT NULL,
    close_usd double precision NOT NULL,
    volume double precision NOT NULL CHECK (volume >= 0 AND volume < 'Infinity'),
    source text NOT NULL,
    coverage double precision NOT NULL CHECK (coverage > 0 AND coverage <= 1),
    partial boolean NOT NULL,
    known_at timestamptz NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (token_contract, chain, timeframe, "timestamp"),
    CONSTRAINT lowcap_price_data_ohlc_is_a_bar CHECK (
        low_usd > 0 AND high_usd < 'Infinity'
        AND low_usd <= LEAST(open_usd, close_usd) AND high_usd >= GREATEST(open_usd, close_usd))
);
CREATE INDEX lowcap_price_data_ohlc_timestamp ON regime.lowcap_price_data_ohlc ("timestamp");
COMMENT ON TABLE regime.lowcap_price_data_ohlc IS 'Bars of the low-cap tokens: as the venue printed them, and rolled up where it did not.';
COMMENT ON COLUMN regime.lowcap_price_data_ohlc.token_contract IS 'Contract address, or the symbol where the venue lists no contract.';
COMMENT ON COLUMN regime.lowcap_price_data_ohlc.chain IS 'Chain or venue the contract lives on.';
COMMENT ON COLUMN regime.lowcap_price_data_ohlc.timeframe IS 'Bar length.';
COMMENT ON COLUMN regime.lowcap_price_data_ohlc."timestamp" IS 'Open of the bar, UTC; usable from open + timeframe.';
COMMENT ON COLUMN regime.lowcap_price_data_ohlc.volume IS 'As the venue printed it, summed in a roll-up.';
COMMENT ON COLUMN regime.lowcap_price_data_ohlc.source IS 'Venue, or rollup:<timeframe it was rolled up from>.';
COMMENT ON COLUMN regime.lowcap_price_data_ohlc.coverage IS 'Share of the bar its components cover, 0..1.';
COMMENT ON COLUMN regime.lowcap_price_data_ohlc.partial IS 'True when coverage is below 1; re-rolled when late minutes arrive.';
COMMENT ON COLUMN regime.lowcap_price_data_ohlc.known_at IS 'When these values were first stored.';

CREATE TABLE regime.dominance_sample (
    metric text NOT NULL CHECK (metric IN ('BTC.d', 'USDT.d')),
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    "timestamp" timestamptz NOT NULL,
    value_pct double precision NOT NULL CHECK (value_pct > 0 AND value_pct < 100),
    source text NOT NULL,
    known_at timestamptz NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (metric, timeframe, "timestamp")
);
CREATE INDEX dominance_sample_timestamp ON regime.dominance_sample ("timestamp");
COMMENT ON TABLE regime.dominance_sample IS 'Market-cap dominance as sampled from the source.';
COMMENT ON COLUMN regime.dominance_sample.metric IS 'BTC.d or USDT.d.';
COMMENT ON COLUMN regime.dominance_sample.timeframe IS 'Sampling interval.';
COMMENT ON COLUMN regime.dominance_sample."timestamp" IS 'Instant of the sample, or start of the interval it stands for, UTC.';
COMMENT ON COLUMN regime.dominance_sample.value_pct IS 'Share of the total market cap, percent.';
COMMENT ON COLUMN regime.dominance_sample.known_at IS 'When this value was first stored.';

CREATE TABLE regime.bar_quarantine (
    quarantine_id text PRIMARY KEY,
    table_name text NOT NULL CHECK (table_name IN ('majors_price_data_ohlc', 'lowcap_price_data_ohlc', 'dominance_sample')),
    loaded_for timestamptz NOT NULL,
    token_contract text,
    chain text,
    timeframe text,
    "timestamp" timestamptz,
    open_usd double precision,
    high_usd double precision,
    low_usd double precision,
    close_usd double precision,
    volume double precision,
    source text,
    reason text NOT NULL CHECK (reason IN ('naive_timestamp', 'missing_value', 'off_grid_timestamp', 'future_bar', 'not_finite', 'non_positive_price', 'negative_volume', 'ohlc_order', 'out_of_range', 'revision_conflict', 'unit_step', 'price_jump', 'superseded')),
    detail text NOT NULL,
    payload text NOT NULL,
    known_at timestamptz NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL
);
CREATE INDEX bar_quarantine_loaded_for ON regime.bar_quarantine (table_name, loaded_for);
COMMENT ON TABLE regime.bar_quarantine IS 'Bars that were refused or superseded, each with its reason. Append-only: nothing is lost.';
COMMENT ON COLUMN regime.bar_quarantine.quarantine_id IS 'Hash of the reason and the row as received: storing it twice changes nothing.';
COMMENT ON COLUMN regime.bar_quarantine.table_name IS 'Table the row was meant for.';
COMMENT ON COLUMN regime.bar_quarantine.loaded_for IS 'Day the row belongs to; the start of the loaded window when it has no usable timestamp.';
COMMENT ON COLUMN regime.bar_quarantine.reason IS 'First rule that refused the row.';
COMMENT ON COLUMN regime.bar_quarantine.detail IS 'The numbers behind the reason.';
COMMENT ON COLUMN regime.bar_quarantine.payload IS 'The row as it was received, JSON.';

CREATE TABLE regime.regime_price_data_ohlc (
    driver text NOT NULL CHECK (driver IN ('BTC', 'ALT', 'nano', 'micro', 'mid', 'big', 'large', 'BTC.d', 'USDT.d')),
    book_id text NOT NULL DEFAULT 'onchain_crypto',
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    "timestamp" timestamptz NOT NULL,
    open_usd double precision NOT NULL,
    high_usd double precision NOT NULL,
    low_usd double precision NOT NULL,
    close_usd double precision NOT NULL,
    volume double precision NOT NULL CHECK (volume >= 0 AND volume < 'Infinity'),
    source text NOT NULL,
    component_count integer NOT NULL CHECK (component_count > 0),
    coverage double precision NOT NULL CHECK (coverage > 0 AND coverage <= 1),
    partial boolean NOT NULL,
    carried boolean NOT NULL,
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (driver, book_id, timeframe, "timestamp"),
    CONSTRAINT regime_price_data_ohlc_is_a_bar CHECK (
        low_usd > 0 AND high_usd < 'Infinity'
        AND low_usd <= LEAST(open_usd, close_usd) AND high_usd >= GREATEST(open_usd, close_usd))
);
CREATE INDEX regime_price_data_ohlc_timestamp ON regime.regime_price_data_ohlc ("timestamp");
COMMENT ON TABLE regime.regime_price_data_ohlc IS 'Bars of the regime drivers: BTC, the ALT and bucket return indices, and the dominances.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.driver IS 'BTC, ALT, a cap bucket, BTC.d or USDT.d.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.book_id IS 'Asset class; all crypto books share one driver set.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.timeframe IS 'Bar length.';
COMMENT ON COLUMN regime.regime_price_data_ohlc."timestamp" IS 'Open of the bar, UTC; usable from open + timeframe.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.close_usd IS 'USD for BTC, index points (base 100) for composites, percent for dominance.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.source IS 'Venue, rollup:<timeframe>, or composite.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.component_count IS 'Components that were used, not those that were tagged.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.coverage IS 'Share of the bar its components cover, 0..1.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.partial IS 'True when coverage is below 1.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.carried IS 'True when every value was carried forward from an earlier sample.';
COMMENT ON COLUMN regime.regime_price_data_ohlc.config_version IS 'Version of pm.pm_config that made the row.';

CREATE TABLE regime.regime_driver_ta (
    driver text NOT NULL CHECK (driver IN ('BTC', 'ALT', 'nano', 'micro', 'mid', 'big', 'large', 'BTC.d', 'USDT.d')),
    book_id text NOT NULL DEFAULT 'onchain_crypto',
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '1h', '1d')),
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
    PRIMARY KEY (driver, book_id, timeframe, "timestamp")
);
CREATE INDEX regime_driver_ta_timestamp ON regime.regime_driver_ta ("timestamp");
COMMENT ON TABLE regime.regime_driver_ta IS 'Indicators of each driver bar. NULL where an indicator is not defined yet.';
COMMENT ON COLUMN regime.regime_driver_ta."timestamp" IS 'Open of the bar, UTC.';
COMMENT ON COLUMN regime.regime_driver_ta.bars_count IS 'Bars since the series began or restarted after a long hole.';
COMMENT ON COLUMN regime.regime_driver_ta.warm IS 'True from 999 bars: the first value weighs less than 0.25 % in EMA333.';
COMMENT ON COLUMN regime.regime_driver_ta.latest_price IS 'Close of this bar.';
COMMENT ON COLUMN regime.regime_driver_ta.ema20_slope IS 'Least-squares slope of the last 10 EMA values over the EMA, fraction per bar.';
COMMENT ON COLUMN regime.regime_driver_ta.d_ema60_slope IS 'Slope now minus slope 10 bars ago.';
COMMENT ON COLUMN regime.regime_driver_ta.sep_fast IS '(EMA20 - EMA60) / EMA60.';
COMMENT ON COLUMN regime.regime_driver_ta.sep_mid IS '(EMA60 - EMA144) / EMA144.';
COMMENT ON COLUMN regime.regime_driver_ta.atr_norm IS 'ATR over EMA50.';
COMMENT ON COLUMN regime.regime_driver_ta.vo_z IS 'z-score of log(1 + volume) against its own exponentially weighted history.';
COMMENT ON COLUMN regime.regime_driver_ta.carry IS 'What the recursion needs beyond the named columns, so that the next bar costs O(1).';

CREATE TABLE regime.regime_driver_state (
    driver text NOT NULL CHECK (driver IN ('BTC', 'ALT', 'nano', 'micro', 'mid', 'big', 'large', 'BTC.d', 'USDT.d')),
    book_id text NOT NULL DEFAULT 'onchain_crypto',
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '1h', '1d')),
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
    PRIMARY KEY (driver, book_id, timeframe, "timestamp")
);
CREATE INDEX regime_driver_state_timestamp ON regime.regime_driver_state ("timestamp");
COMMENT ON TABLE regime.regime_driver_state IS 'Uptrend state of each driver bar, with its flags, scores and the reason of every transition.';
COMMENT ON COLUMN regime.regime_driver_state."timestamp" IS 'Open of the bar, UTC.';
COMMENT ON COLUMN regime.regime_driver_state.status IS 'warming_up below 333 bars: no state, no contribution to A/E.';
COMMENT ON COLUMN regime.regime_driver_state.state IS 'S0..S3, or S4 = no clear state yet.';
COMMENT ON COLUMN regime.regime_driver_state.transition IS 'Arrow taken on this bar, for example S1->S0.';
COMMENT ON COLUMN regime.regime_driver_state.bootstrapped IS 'True in an S3 that was never seen to start; it emits no buy flag.';
COMMENT ON COLUMN regime.regime_driver_state.ts IS 'Trend strength, 0..1.';
COMMENT ON COLUMN regime.regime_driver_state.ox IS 'Over-extension, 0..1.';
COMMENT ON COLUMN regime.regime_driver_state.dx IS 'Discount, 0..1.';
COMMENT ON COLUMN regime.regime_driver_state.edx IS 'Trend decay since S3 began, 0..1; higher is more decayed.';
COMMENT ON COLUMN regime.regime_driver_state.gate_mask IS 'Which gates passed on this bar, one bit each.';

CREATE TABLE regime.ae_score (
    bucket text NOT NULL CHECK (bucket IN ('nano', 'micro', 'mid', 'big', 'large')),
    book_id text NOT NULL DEFAULT 'onchain_crypto',
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    "timestamp" timestamptz NOT NULL,
    a double precision CHECK (a BETWEEN 0 AND 1),
    e double precision CHECK (e BETWEEN 0 AND 1),
    a_raw double precision,
    e_raw double precision,
    coverage smallint NOT NULL CHECK (coverage BETWEEN 0 AND 15),
    degraded boolean NOT NULL,
    btc_macro text, btc_meso text, btc_micro text,
    alt_macro text, alt_meso text, alt_micro text,
    bucket_macro text, bucket_meso text, bucket_micro text,
    btcd_macro text, btcd_meso text, btcd_micro text,
    usdtd_macro text, usdtd_meso text, usdtd_micro text,
    channel_status text[] NOT NULL,
    channel_a double precision[] NOT NULL,
    channel_e double precision[] NOT NULL,
    channel_signal text[] NOT NULL,
    channel_timestamp timestamptz[] NOT NULL,
    config_version bigint NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (bucket, book_id, timeframe, "timestamp"),
    CONSTRAINT ae_score_has_15_channels CHECK (
        cardinality(channel_status) = 15 AND cardinality(channel_a) = 15 AND cardinality(channel_e) = 15
        AND cardinality(channel_signal) = 15 AND cardinality(channel_timestamp) = 15),
    CONSTRAINT ae_score_is_null_without_channels CHECK ((coverage = 0) = (a IS NULL) AND (a IS NULL) = (e IS NULL))
);
CREATE INDEX ae_score_timestamp ON regime.ae_score ("timestamp");
COMMENT ON TABLE regime.ae_score IS 'A (appetite to add) and E (assertiveness to exit) per bucket and execution timeframe, with all 15 channels.';
COMMENT ON COLUMN regime.ae_score.bucket IS 'Cap bucket of the tokens this score is for.';
COMMENT ON COLUMN regime.ae_score.timeframe IS 'Execution timeframe.';
COMMENT ON COLUMN regime.ae_score."timestamp" IS 'Open of the execution bar, UTC; the score uses what was closed at its close.';
COMMENT ON COLUMN regime.ae_score.a IS 'Appetite to add, 0..1; NULL when no channel is present.';
COMMENT ON COLUMN regime.ae_score.e IS 'Assertiveness to exit, 0..1; NULL when no channel is present.';
COMMENT ON COLUMN regime.ae_score.a_raw IS 'A before the clamp to 0..1.';
COMMENT ON COLUMN regime.ae_score.e_raw IS 'E before the clamp to 0..1.';
COMMENT ON COLUMN regime.ae_score.coverage IS 'Channels present, of 15.';
COMMENT ON COLUMN regime.ae_score.degraded IS 'True below the configured coverage (12): the runtime does not act on it.';
COMMENT ON COLUMN regime.ae_score.channel_status IS 'ok, missing, stale or warming_up, in channel order (btc, alt, bucket, btcd, usdtd x macro, meso, micro).';
COMMENT ON COLUMN regime.ae_score.channel_a IS 'Weighted contribution of each channel to A.';
COMMENT ON COLUMN regime.ae_score.channel_e IS 'Weighted contribution of each channel to E.';
COMMENT ON COLUMN regime.ae_score.channel_signal IS 'State, flags and transition of each channel that had a delta, joined by +.';
COMMENT ON COLUMN regime.ae_score.channel_timestamp IS 'Bar each channel was read from.';
