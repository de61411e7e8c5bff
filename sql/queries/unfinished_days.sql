-- Days that a load should look at again.

-- name: unfinished_days
-- Days from $1 to $2 whose majors nobody has loaded since the day was over, oldest first.
SELECT day::date AS day
FROM generate_series($1::date, $2::date, interval '1 day') AS day
CROSS JOIN LATERAL (
    SELECT max(computed_at) AS made_at
    FROM regime.majors_price_data_ohlc
    WHERE "timestamp" >= day AT TIME ZONE 'UTC' AND "timestamp" < (day + interval '1 day') AT TIME ZONE 'UTC'
) AS loaded
WHERE made_at IS NULL OR made_at < (day + interval '1 day') AT TIME ZONE 'UTC'
ORDER BY day;
