-- Facts that must hold for a window before it is published. $1 is its start, $2 its end; each query counts the rows
-- that break the fact. What a single row must satisfy stands in the table's own constraints.

-- name: check_majors_bars_had_closed
-- A bar is stored only once it has closed.
SELECT count(*) FROM regime.majors_price_data_ohlc
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND "timestamp" + timeframe::interval > known_at;

-- name: check_lowcap_bars_had_closed
-- A bar is stored only once it has closed.
SELECT count(*) FROM regime.lowcap_price_data_ohlc
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND "timestamp" + timeframe::interval > known_at;

-- name: check_dominance_samples_were_taken
-- A sample is stored only once its instant has come.
SELECT count(*) FROM regime.dominance_sample
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND "timestamp" > known_at;

-- name: check_btc_driver_copies_its_major
-- Every BTC driver bar is a bar of the majors, value by value.
SELECT count(*)
FROM regime.regime_price_data_ohlc AS driver
LEFT JOIN regime.majors_price_data_ohlc AS major
    ON major.symbol = driver.driver AND major.timeframe = driver.timeframe AND major."timestamp" = driver."timestamp"
WHERE driver.driver = 'BTC' AND driver."timestamp" >= $1 AND driver."timestamp" < $2
  AND (driver.open_usd, driver.high_usd, driver.low_usd, driver.close_usd)
      IS DISTINCT FROM (major.open_usd, major.high_usd, major.low_usd, major.close_usd);

-- name: check_composite_never_jumps
-- A return index moves by at most its clip from bar to bar: a member that joins or leaves never moves the level.
SELECT count(*)
FROM (
    SELECT close_usd / lag(close_usd) OVER (PARTITION BY driver, book_id, timeframe ORDER BY "timestamp") AS ratio
    FROM regime.regime_price_data_ohlc
    WHERE source = 'composite' AND "timestamp" >= $1 AND "timestamp" < $2
) AS step
WHERE ratio > 3.000001 OR ratio < 1 / 3.000001;

-- name: check_one_indicator_row_per_driver_bar
-- Indicators stand on exactly the driver bars of the regime timeframes, with the close they were made from.
SELECT count(*)
FROM (
    SELECT driver, book_id, timeframe, "timestamp", close_usd
    FROM regime.regime_price_data_ohlc
    WHERE timeframe IN ('1m', '1h', '1d') AND "timestamp" >= $1 AND "timestamp" < $2
) AS bar
FULL JOIN (
    SELECT driver, book_id, timeframe, "timestamp", latest_price
    FROM regime.regime_driver_ta
    WHERE "timestamp" >= $1 AND "timestamp" < $2
) AS ta USING (driver, book_id, timeframe, "timestamp")
WHERE bar.close_usd IS DISTINCT FROM ta.latest_price;

-- name: check_one_state_per_indicator_row
-- States stand on exactly the indicator rows, with the price they were made from.
SELECT count(*)
FROM (
    SELECT driver, book_id, timeframe, "timestamp", latest_price
    FROM regime.regime_driver_ta
    WHERE "timestamp" >= $1 AND "timestamp" < $2
) AS ta
FULL JOIN (
    SELECT driver, book_id, timeframe, "timestamp", price
    FROM regime.regime_driver_state
    WHERE "timestamp" >= $1 AND "timestamp" < $2
) AS state USING (driver, book_id, timeframe, "timestamp")
WHERE ta.latest_price IS DISTINCT FROM state.price;

-- name: check_transitions_are_legal
-- The state moves only along the arrows of the state machine, and never without its reason. The first state of a
-- series has a reason but moved from nothing.
SELECT count(*) FROM regime.regime_driver_state
WHERE "timestamp" >= $1 AND "timestamp" < $2
  AND ((transition IS NULL) <> (transition_reason IS NULL) AND prev_state IS NOT NULL
       OR transition NOT IN ('S4->S0', 'S4->S3', 'S0->S1', 'S1->S0', 'S1->S2', 'S2->S1', 'S2->S0', 'S2->S3', 'S3->S0'));

-- name: check_scores_are_present
-- A state that is past warming up carries the scores defined for it, on transition bars too.
SELECT count(*) FROM regime.regime_driver_state
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND status = 'ok'
  AND ((state IN ('S0', 'S1', 'S2', 'S3') AND ts IS NULL)
       OR (state IN ('S2', 'S3') AND ox IS NULL)
       OR (state = 'S3' AND (dx IS NULL OR edx IS NULL)));

-- name: check_every_bucket_is_scored
-- Each execution bar has a score for all five buckets.
SELECT count(*)
FROM (
    SELECT timeframe, "timestamp"
    FROM regime.ae_score
    WHERE "timestamp" >= $1 AND "timestamp" < $2
    GROUP BY book_id, timeframe, "timestamp"
    HAVING count(*) <> 5
) AS lacking;

-- name: check_coverage_counts_its_channels
-- Coverage is the number of channels that spoke, and only those contributed.
SELECT count(*) FROM regime.ae_score
WHERE "timestamp" >= $1 AND "timestamp" < $2
  AND (coverage <> cardinality(array_positions(channel_status, 'ok'))
       OR coverage <> 15 - cardinality(array_positions(channel_a, NULL))
       OR coverage <> 15 - cardinality(array_positions(channel_e, NULL)));

-- name: count_refused_by_reason
-- Rows of a raw table ($1) refused in the last seven days it was loaded for and not released since, by reason.
SELECT reason, count(*) AS rows
FROM regime.bar_quarantine
WHERE NOT EXISTS (SELECT FROM pm.bar_release AS release WHERE release.quarantine_id = bar_quarantine.quarantine_id)
  AND table_name = $1 AND reason <> 'superseded'
  AND loaded_for > (SELECT max(loaded_for) FROM regime.bar_quarantine WHERE table_name = $1) - interval '7 days'
GROUP BY reason
ORDER BY reason;

-- name: newest_coverage
-- Coverage of the newest scores of each execution timeframe and bucket in the last day that has any.
SELECT DISTINCT ON (timeframe, bucket) timeframe, bucket, coverage, degraded
FROM regime.ae_score
WHERE "timestamp" > (SELECT max("timestamp") FROM regime.ae_score) - interval '1 day'
ORDER BY timeframe, bucket, "timestamp" DESC;

-- name: coverage_by_day
-- Share of the 15 channels that the hourly scores heard, day by day, over the last year that has any.
SELECT ("timestamp" AT TIME ZONE 'UTC')::date AS day, avg(coverage)::double precision / 15 AS coverage
FROM regime.ae_score
WHERE timeframe = '1h' AND "timestamp" > (SELECT max("timestamp") FROM regime.ae_score) - interval '366 days'
GROUP BY day
ORDER BY day;

-- name: compare_roll_ups_with_the_venue
-- Hour bars the venue printed in the last seven days it was loaded for, beside a full hour of its own minutes.
SELECT hour.symbol, hour."timestamp",
       (hour.high_usd, hour.low_usd) IS DISTINCT FROM (minutes.high_usd, minutes.low_usd) AS differs
FROM regime.majors_price_data_ohlc AS hour
CROSS JOIN LATERAL (
    SELECT count(*) AS bars, max(high_usd) AS high_usd, min(low_usd) AS low_usd
    FROM regime.majors_price_data_ohlc AS minute
    WHERE minute.symbol = hour.symbol AND minute.timeframe = '1m'
      AND minute."timestamp" >= hour."timestamp" AND minute."timestamp" < hour."timestamp" + interval '1 hour'
) AS minutes
WHERE hour.timeframe = '1h' AND hour.source NOT LIKE 'rollup:%' AND minutes.bars = 60
  AND hour."timestamp" > (SELECT max("timestamp") FROM regime.majors_price_data_ohlc) - interval '7 days';
