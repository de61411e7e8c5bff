-- What the pages draw beside the facts of the commands: the past of phases and ranks, the life of an override, and the
-- board of what is missing. Tables of learning stand bare: whose they are, the session's search path says.

-- name: phases_between
-- Phases of the composite (subject low-cap) and of each bucket, of the hours known after %(from_at)s and up to %(as_of)s.
SELECT subject, horizon, ts, phase, confidence
FROM (
    SELECT 'low-cap' AS subject, horizon, ts, phase, confidence FROM regime.phase_state
    WHERE ts > %(from_at)s - interval '1 hour' AND ts <= %(as_of)s - interval '1 hour'
    UNION ALL
    SELECT bucket, horizon, ts, phase, confidence FROM regime.phase_state_bucket
    WHERE ts > %(from_at)s - interval '1 hour' AND ts <= %(as_of)s - interval '1 hour'
) AS told
ORDER BY subject, horizon, ts;

-- name: ranks_between
-- Place of each bucket in the documents of the same hours.
SELECT told."timestamp" AS ts, place.key AS bucket, place.value::integer AS position
FROM regime.regime_context AS told
CROSS JOIN LATERAL json_each_text(told.context -> 'bucket_rank_position') AS place
WHERE told."timestamp" > %(from_at)s - interval '1 hour' AND told."timestamp" <= %(as_of)s - interval '1 hour'
ORDER BY place.key, told."timestamp";

-- name: newest_rows
-- Newest row of each table people wait for that was known at %(as_of)s, and since when; NULLs where there is none. A row of a bar is known from its close on.
WITH frame (timeframe, step) AS (
    SELECT * FROM unnest(%(timeframes)s::text[], %(steps)s::interval[])
), told (name, newest, step) AS (
    SELECT 'regime.regime_context', (
        SELECT max("timestamp") FROM regime.regime_context WHERE "timestamp" <= %(as_of)s - interval '1 hour'
    ), interval '1 hour'
    UNION ALL
    SELECT 'regime.phase_state_bucket', (
        SELECT max(ts) FROM regime.phase_state_bucket WHERE ts <= %(as_of)s - interval '1 hour'
    ), interval '1 hour'
    UNION ALL
    SELECT 'regime.regime_driver_state', (
        SELECT max("timestamp") FROM regime.regime_driver_state
        WHERE driver = subject.driver AND book_id = %(book_id)s AND timeframe = frame.timeframe
            AND "timestamp" <= %(as_of)s - frame.step
    ), frame.step
    FROM frame CROSS JOIN unnest(%(drivers)s::text[]) AS subject (driver)
    UNION ALL
    SELECT 'regime.ae_score', (
        SELECT max("timestamp") FROM regime.ae_score
        WHERE bucket = subject.bucket AND book_id = %(book_id)s AND timeframe = frame.timeframe
            AND "timestamp" <= %(as_of)s - frame.step
    ), frame.step
    FROM frame CROSS JOIN unnest(%(buckets)s::text[]) AS subject (bucket)
    UNION ALL
    SELECT 'regime.token_cap_bucket', (
        SELECT max("timestamp") FROM regime.token_cap_bucket WHERE "timestamp" <= %(as_of)s
    ), interval '0'
    UNION ALL
    SELECT 'pm.pm_tick', (
        SELECT max(bar_timestamp) FROM pm.pm_tick
        WHERE timeframe = frame.timeframe AND bar_timestamp <= %(as_of)s - frame.step
    ), frame.step
    FROM frame
    UNION ALL
    SELECT 'learning.learning_run', (
        SELECT max("timestamp") FROM learning.learning_run WHERE as_of <= %(as_of)s
    ), interval '1 day'
)
SELECT name, (array_agg(newest ORDER BY newest + step DESC NULLS LAST))[1] AS newest, max(newest + step) AS ready
FROM told
GROUP BY name
ORDER BY split_part(name, '.', 1) = 'learning', split_part(name, '.', 1) = 'pm', name;

-- name: newest_regime_hour
-- End of the newest hour that has a document.
SELECT max("timestamp") + interval '1 hour' AS at FROM regime.regime_context;

-- name: override_numbered
-- Override %(override_id)s: the lesson and the lever that make it the same through all versions.
SELECT
    override_id, set_id, lesson_id, lever, pattern_key, action_category, scope_values::text AS scope
FROM pm_overrides
WHERE override_id = %(override_id)s;

-- name: versions_of_override
-- It in every version of what was known by %(as_of)s, the newest %(most)s, oldest first.
SELECT * FROM (
    SELECT
        made.set_id, made.as_of, rule.override_id, rule.state, rule.multiplier, rule.confidence, rule.n_trades,
        rule.edge_raw, rule.decay_mult, rule.expires_at
    FROM pm_overrides AS rule
    INNER JOIN override_set AS made ON made.set_id = rule.set_id
    WHERE rule.lesson_id = %(lesson_id)s AND rule.lever = %(lever)s AND made.as_of <= %(as_of)s
        AND rule.pattern_key = %(pattern_key)s AND rule.action_category = %(action_category)s
    ORDER BY made.as_of DESC, made.set_id DESC
    LIMIT %(most)s
) AS newest
ORDER BY as_of, set_id;

-- name: override_life_line
-- Its steps up to %(as_of)s, the newest %(most)s, oldest first.
SELECT * FROM (
    SELECT step_id, set_id, from_state, to_state, stepped_at, reason, evidence::text AS evidence
    FROM override_step
    WHERE lesson_id = %(lesson_id)s AND lever = %(lever)s AND stepped_at <= %(as_of)s
    ORDER BY step_id DESC
    LIMIT %(most)s
) AS newest
ORDER BY step_id;

-- name: lesson_known
-- A lesson as the newest day knew it that ended by %(as_of)s.
SELECT
    "timestamp" AS day, status, born_on, n_trades, effect_rr, effect_low, effect_high, q_value, edge_used, decay_mult,
    decay_state, half_life_hours
FROM learning_lessons
WHERE lesson_id = %(lesson_id)s AND as_of <= %(as_of)s
ORDER BY "timestamp" DESC
LIMIT 1;

-- name: overrides_of_live_set
-- Overrides of the version that is live now, each with its lesson.
SELECT rule.override_id, rule.lesson_id, rule.lever, rule.state, rule.multiplier
FROM (SELECT set_id FROM live_override_set ORDER BY step_id DESC LIMIT 1) AS live
INNER JOIN pm_overrides AS rule ON rule.set_id = live.set_id
ORDER BY rule.override_id;

-- name: coverage_board
-- Newest score of each execution timeframe and bucket that was known at %(as_of)s; NULLs where there is none.
SELECT frame.timeframe, wanted.bucket, newest."timestamp", newest.coverage, newest.degraded
FROM unnest(%(timeframes)s::text[], %(newest_opens)s::timestamptz[])
    WITH ORDINALITY AS frame (timeframe, newest_open, place)
CROSS JOIN unnest(%(buckets)s::text[]) WITH ORDINALITY AS wanted (bucket, place)
LEFT JOIN LATERAL (
    SELECT "timestamp", coverage, degraded FROM regime.ae_score
    WHERE bucket = wanted.bucket AND book_id = %(book_id)s AND timeframe = frame.timeframe
        AND "timestamp" <= frame.newest_open
    ORDER BY "timestamp" DESC
    LIMIT 1
) AS newest ON true
ORDER BY frame.place, wanted.place;

-- name: refused_board
-- Rows of each raw table refused in the last seven days it was loaded for and not released since, by reason.
SELECT refused.table_name, refused.reason, count(*) AS rows, max(refused.known_at) AS newest
FROM regime.bar_quarantine AS refused
WHERE NOT EXISTS (SELECT FROM pm.bar_release AS release WHERE release.quarantine_id = refused.quarantine_id)
    AND refused.reason <> 'superseded'
    AND refused.loaded_for > (
        SELECT max(loaded_for) FROM regime.bar_quarantine WHERE table_name = refused.table_name
    ) - interval '7 days'
GROUP BY refused.table_name, refused.reason
ORDER BY refused.table_name, refused.reason;

-- name: refused_rows
-- The %(most)s newest of those of a table and reason, with the release if there is one.
SELECT
    refused.quarantine_id, refused.token_contract, refused.chain, refused.timeframe, refused."timestamp",
    refused.detail, refused.source, refused.known_at, release.author AS released_by
FROM regime.bar_quarantine AS refused
LEFT JOIN pm.bar_release AS release USING (quarantine_id)
WHERE refused.table_name = %(table)s AND refused.reason = %(reason)s
ORDER BY refused.loaded_for DESC, refused.quarantine_id
LIMIT %(most)s;

-- name: waiting_board
-- Closed trades that learning could not take, by where they are.
SELECT status, count(*) AS trades, min("timestamp") AS oldest FROM trade_intake
WHERE status <> 'taken'
GROUP BY status
ORDER BY status;

-- name: waiting_rows
-- The %(most)s longest waiting of those in status %(status)s.
SELECT trade_id, strand_id, "timestamp", actions_told, actions_missing, reason, first_seen_at, last_seen_at
FROM trade_intake
WHERE status = %(status)s
ORDER BY "timestamp", strand_id
LIMIT %(most)s;

-- name: dead_letter_board
-- Strands that break their schema, by kind.
SELECT kind, count(*) AS letters, max(found_at) AS newest FROM strand_dead_letter GROUP BY kind ORDER BY kind;

-- name: dead_letter_rows
-- The %(most)s newest of a kind, each with the beginning of what came.
SELECT dead_letter_id, pointer, reason, left(payload, 400) AS payload, found_at
FROM strand_dead_letter
WHERE kind = %(kind)s
ORDER BY found_at DESC, dead_letter_id
LIMIT %(most)s;
