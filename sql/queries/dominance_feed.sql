-- What the feed of dominance told lately.

-- name: recent_dominance_samples
-- Samples of the last $1 hours that the table holds.
SELECT metric, timeframe, "timestamp", value_pct
FROM regime.dominance_sample
WHERE "timestamp" >= (SELECT max("timestamp") FROM regime.dominance_sample) - make_interval(secs => 3600.0 * $1);
