-- What is read of the bucket returns outside the chain.

-- name: bucket_returns_of_a_week
-- Seven days of hours of bucket $1 that had closed by $2, oldest first: what SPIRAL is scored on.
SELECT "timestamp", r_bucket, resid_btc, resid_alt, index_level
FROM regime.bucket_return_series
WHERE bucket = $1 AND timeframe = '1h' AND "timestamp" >= $2 - interval '7 days' AND "timestamp" <= $2 - interval '1 hour'
ORDER BY "timestamp";
