-- Scores as the runtime and people read them.

-- name: newest_ae_scores
-- Each bucket's newest score of a timeframe at or before a bar; never a later one. One index probe a bucket.
SELECT
    newest.bucket, newest."timestamp", newest.a, newest.e, newest.coverage, newest.degraded,
    newest.config_version, newest.code_version, newest.run_id
FROM unnest(%(buckets)s::text[]) WITH ORDINALITY AS wanted (bucket, position)
CROSS JOIN LATERAL (
    SELECT * FROM regime.ae_score
    WHERE bucket = wanted.bucket AND book_id = %(book_id)s AND timeframe = %(timeframe)s
        AND "timestamp" <= %(bar_timestamp)s
    ORDER BY "timestamp" DESC
    LIMIT 1
) AS newest
ORDER BY wanted.position;
