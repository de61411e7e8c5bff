-- Facts of cap buckets, their returns and phases, that must hold for a window before it is published. $1 is its start,
-- $2 its end; each query counts the rows that break the fact.

-- name: check_tags_are_fresh
-- A tag begins at its day's midnight, when its cap was not older than it may be, and ends with the day at the latest.
SELECT count(*) FROM regime.token_cap_bucket
WHERE "timestamp" >= $1 AND "timestamp" < $2
  AND NOT (valid_from = "timestamp" AND valid_to > valid_from AND valid_to <= "timestamp" + interval '1 day'
           AND bucket_since <= "timestamp");

-- name: check_tags_knew_no_future
-- A tag stands on a cap that was read by its midnight.
SELECT count(*) FROM regime.token_cap_bucket
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND updated_at > "timestamp";

-- name: check_members_are_those_tagged
-- Each day has a row for each of the six buckets, whose count is the number of tags.
SELECT count(*)
FROM (
    SELECT bucket, "timestamp", member_count
    FROM regime.bucket_eligibility
    WHERE "timestamp" >= $1 AND "timestamp" < $2
) AS judged
FULL JOIN (
    SELECT bucket, "timestamp", count(*) AS member_count
    FROM regime.token_cap_bucket
    WHERE "timestamp" >= $1 AND "timestamp" < $2
    GROUP BY bucket, "timestamp"
) AS tagged USING (bucket, "timestamp")
WHERE judged.member_count IS DISTINCT FROM coalesce(tagged.member_count, 0);

-- name: check_returns_have_their_members
-- A bucket has a return only on a day on which it is eligible or telemetry, and from no more members than are tagged.
SELECT count(*)
FROM regime.bucket_return_series AS series
LEFT JOIN regime.bucket_eligibility AS judged
    ON judged.bucket = series.bucket AND judged."timestamp" = date_trunc('day', series."timestamp", 'UTC')
WHERE series."timestamp" >= $1 AND series."timestamp" < $2
  AND (judged.bucket IS NULL OR NOT (judged.is_eligible OR judged.reason = 'telemetry_only')
       OR series.member_count + series.dropped_count <> judged.member_count
       OR series.traded_count > series.member_count);

-- name: check_bucket_levels_chain
-- Each level follows from the one before it in the window.
SELECT count(*)
FROM (
    SELECT index_level / lag(index_level) OVER (PARTITION BY bucket, timeframe ORDER BY "timestamp") AS ratio, r_bucket
    FROM regime.bucket_return_series
    WHERE "timestamp" >= $1 AND "timestamp" < $2
) AS step
WHERE abs(ln(ratio) - r_bucket) > 1e-9;

-- name: check_composite_weights_sum_to_one
-- The weights in force share the whole, and there are as many as buckets.
SELECT count(*) FROM regime.composite_return_series
WHERE "timestamp" >= $1 AND "timestamp" < $2
  AND (abs(coalesce(weight_nano, 0) + coalesce(weight_micro, 0) + coalesce(weight_mid, 0) + coalesce(weight_big, 0)
           + coalesce(weight_large, 0) - 1) > 1e-9
       OR num_nonnulls(weight_nano, weight_micro, weight_mid, weight_big, weight_large) <> group_count);

-- name: check_composite_is_of_its_buckets
-- The composite's return is the weighted sum of the bucket returns of the same bar.
SELECT count(*)
FROM regime.composite_return_series AS composite
CROSS JOIN LATERAL (
    SELECT sum(series.r_bucket * CASE series.bucket
                   WHEN 'nano' THEN composite.weight_nano WHEN 'micro' THEN composite.weight_micro
                   WHEN 'mid' THEN composite.weight_mid WHEN 'big' THEN composite.weight_big
                   WHEN 'large' THEN composite.weight_large END) AS blend
    FROM regime.bucket_return_series AS series
    WHERE series.timeframe = composite.timeframe AND series."timestamp" = composite."timestamp"
) AS parts
WHERE composite."timestamp" >= $1 AND composite."timestamp" < $2
  AND (parts.blend IS NULL OR abs(parts.blend - composite.r_composite) > 1e-9);

-- name: check_bucket_horizons_differ
-- A bucket whose three horizons agree in all numbers of an hour has been given one horizon three times.
SELECT count(*)
FROM (
    SELECT bucket, ts
    FROM regime.phase_state_bucket
    WHERE ts >= $1 AND ts < $2
    GROUP BY bucket, ts
    HAVING count(*) = 3 AND count(DISTINCT (score, slope, curvature, delta_res, s_btcusd)) = 1 AND max(abs(score)) > 0
) AS same;

-- name: check_composite_horizons_differ
-- The same for the composite.
SELECT count(*)
FROM (
    SELECT ts
    FROM regime.phase_state
    WHERE ts >= $1 AND ts < $2
    GROUP BY ts
    HAVING count(*) = 3 AND count(DISTINCT (score, slope, curvature, delta_res, s_btcusd)) = 1 AND max(abs(score)) > 0
) AS same;

-- name: check_bucket_labels_dwell
-- From hour to hour a label that may not go yet does not.
SELECT count(*)
FROM (
    SELECT phase, lag(phase) OVER series AS phase_before, lag(dwell_remaining_hours) OVER series AS dwell_before,
           ts - lag(ts) OVER series AS since
    FROM regime.phase_state_bucket
    WHERE ts >= $1 AND ts < $2
    WINDOW series AS (PARTITION BY bucket, horizon ORDER BY ts)
) AS step
WHERE since = interval '1 hour' AND phase <> phase_before AND dwell_before > 1;

-- name: check_composite_labels_dwell
-- The same for the composite.
SELECT count(*)
FROM (
    SELECT phase, lag(phase) OVER series AS phase_before, lag(dwell_remaining_hours) OVER series AS dwell_before,
           ts - lag(ts) OVER series AS since
    FROM regime.phase_state
    WHERE ts >= $1 AND ts < $2
    WINDOW series AS (PARTITION BY horizon ORDER BY ts)
) AS step
WHERE since = interval '1 hour' AND phase <> phase_before AND dwell_before > 1;
