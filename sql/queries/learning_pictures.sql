-- What the pictures of learning are drawn from: how edges age, where exposure stands, how evidence thins out, and holes
-- of raw tables. Tables of learning and of the runtime stand bare: whose they are, the session's search path says.

-- name: decay_fits_told
-- Fits of the day %(at)s, the worst first, of pattern %(pattern)s and state %(state)s or all, with %(is_lessons)s only those with an active lesson.
WITH lesson AS (
    SELECT DISTINCT ON (pattern_key, action_category, scope_values::text)
        pattern_key, action_category, scope_values::text AS scope, lesson_id
    FROM learning_lessons
    WHERE "timestamp" = %(at)s AND status = 'active'
    ORDER BY pattern_key, action_category, scope_values::text, lesson_type
)
SELECT
    encode(sha256(convert_to(
        fit.pattern_key || ' ' || fit.action_category || ' ' || fit.scope_signature, 'UTF8'
    )), 'hex') AS cell_id,
    lesson.lesson_id, fit.pattern_key, fit.action_category, fit.scope_signature AS scope, newest.n_trades,
    newest.edge_raw, fit.decay_state, fit.decay_mult, fit.half_life_hours, fit.rate_per_hour, fit.rate_se_per_hour,
    fit.relative_rate_per_hour, fit.reason, fit.n_snapshots, fit.n_outliers
FROM edge_decay_fit AS fit
LEFT JOIN learning_edge_history AS newest USING ("timestamp", pattern_key, action_category, scope_signature)
LEFT JOIN lesson
    ON lesson.pattern_key = fit.pattern_key AND lesson.action_category = fit.action_category
    AND lesson.scope = fit.scope_signature
WHERE fit."timestamp" = %(at)s AND (%(pattern)s::text IS NULL OR fit.pattern_key = %(pattern)s)
    AND (%(state)s::text IS NULL OR fit.decay_state = %(state)s)
    AND (NOT %(is_lessons)s OR lesson.lesson_id IS NOT NULL)
ORDER BY
    fit.decay_mult, fit.relative_rate_per_hour NULLS LAST, newest.n_trades DESC NULLS LAST, fit.pattern_key,
    fit.action_category, fit.scope_signature
LIMIT %(most)s;

-- name: decay_states_counted
-- How many cells were fitted on the day %(at)s, by state and by why there is no half-life.
SELECT decay_state, reason, count(*) AS cells FROM edge_decay_fit
WHERE "timestamp" = %(at)s
GROUP BY decay_state, reason
ORDER BY array_position(ARRAY['decaying', 'stable', 'improving'], decay_state), reason NULLS FIRST;

-- name: cells_begun_with
-- Lessons of the day %(at)s, and cells that have an edge on it, whose id begins %(prefix)s.
SELECT 'lesson' AS kind, lesson_id AS identity, pattern_key, action_category, scope_values::text AS scope
FROM learning_lessons
WHERE "timestamp" = %(at)s AND starts_with(lesson_id, %(prefix)s)
UNION ALL
SELECT 'cell', cell_id, pattern_key, action_category, scope_signature
FROM (
    SELECT
        pattern_key, action_category, scope_signature,
        encode(sha256(convert_to(pattern_key || ' ' || action_category || ' ' || scope_signature, 'UTF8')), 'hex')
            AS cell_id
    FROM learning_edge_history
    WHERE "timestamp" = %(at)s
) AS cell
WHERE starts_with(cell_id, %(prefix)s)
LIMIT 4;

-- name: edge_snapshots_told
-- Edges of a cell up to the day %(at)s, oldest first.
SELECT "timestamp" AS day, edge_raw, n_trades FROM learning_edge_history
WHERE pattern_key = %(pattern_key)s AND action_category = %(action_category)s AND scope_signature = %(scope)s
    AND "timestamp" <= %(at)s
ORDER BY "timestamp";

-- name: decay_fit_told
-- The fit of that cell on the day %(at)s, if it had enough snapshots.
SELECT
    n_snapshots, n_outliers, intercept, slope_per_hour, r2_linear, amplitude, rate_per_hour, rate_se_per_hour,
    half_life_hours, r2_exponential, relative_rate_per_hour, decay_state, decay_mult, reason, config_version, run_id,
    code_version
FROM edge_decay_fit
WHERE "timestamp" = %(at)s AND pattern_key = %(pattern_key)s AND action_category = %(action_category)s
    AND scope_signature = %(scope)s;

-- name: lessons_of_cell
-- Lessons about that cell on the day %(at)s.
SELECT lesson_id, lesson_type, status, born_on, n_trades, edge_used, decay_mult, decay_state, half_life_hours
FROM learning_lessons
WHERE "timestamp" = %(at)s AND pattern_key = %(pattern_key)s AND action_category = %(action_category)s
    AND scope_values::text = %(scope)s
ORDER BY status, lesson_id;

-- name: positions_held
-- Positions that hold something, the largest first, each with the decision it was entered by.
SELECT
    position_id, token_contract, chain, timeframe, token_ticker, current_trade_id AS trade_id, quantity, last_price_usd,
    trade_memory -> 'entry' ->> 'pattern_key' AS pattern_key, (trade_memory -> 'entry' -> 'scope')::text AS scope,
    last_event_at
FROM lowcap_positions
WHERE quantity > 0 AND book_id = %(book_id)s
ORDER BY quantity * last_price_usd DESC NULLS LAST, position_id;

-- name: strands_before
-- Strands of the event log that happened before %(as_of)s: actions, those of trades that had not closed by then, and trades that had.
SELECT
    count(*) FILTER (WHERE told.kind = 'pm_action') AS actions,
    count(*) FILTER (WHERE told.kind = 'pm_action' AND closed.trade_id IS NULL) AS actions_of_open_trades,
    count(*) FILTER (WHERE told.kind = 'position_closed') AS closures,
    count(DISTINCT told.trade_id) FILTER (WHERE told.kind = 'position_closed') AS closed_trades
FROM ad_strands AS told
LEFT JOIN (
    SELECT DISTINCT trade_id FROM ad_strands WHERE kind = 'position_closed' AND occurred_at < %(as_of)s
) AS closed ON closed.trade_id = told.trade_id
WHERE told.occurred_at < %(as_of)s;

-- name: dead_letters_before
-- Strands that broke their schema and were found before %(as_of)s, by kind.
SELECT kind, count(*) AS letters FROM pm.strand_dead_letter WHERE found_at < %(as_of)s GROUP BY kind ORDER BY kind;

-- name: facts_counted
-- Trades with facts that closed before %(as_of)s, and their facts.
SELECT count(DISTINCT trade_id) AS trades, count(*) AS facts FROM pattern_trade_events WHERE "timestamp" < %(as_of)s;

-- name: intake_counted
-- Closures before %(as_of)s that were not taken when last looked at, by where they are; and of these, trades without any fact.
SELECT
    told.status, count(*) AS closures,
    count(DISTINCT told.trade_id) FILTER (
        WHERE NOT EXISTS (SELECT FROM pattern_trade_events AS fact WHERE fact.trade_id = told.trade_id)
    ) AS trades
FROM trade_intake AS told
WHERE told.status <> 'taken' AND told."timestamp" < %(as_of)s
GROUP BY told.status
ORDER BY told.status;

-- name: lessons_standing
-- Active lessons of the day %(at)s, those promoted on it, and those about sales, with how many have no override in version %(set_id)s.
SELECT
    count(*) AS lessons, count(*) FILTER (WHERE promoted_on = ("timestamp" AT TIME ZONE 'UTC')::date) AS promoted_today,
    count(*) FILTER (WHERE NOT is_wanted AND action_category IN ('trim', 'exit')) AS about_sales,
    count(*) FILTER (WHERE NOT is_wanted AND action_category NOT IN ('trim', 'exit')) AS without_override
FROM (
    SELECT
        "timestamp", promoted_on, action_category, EXISTS (
            SELECT FROM pm_overrides AS rule WHERE rule.set_id = %(set_id)s AND rule.lesson_id = lesson.lesson_id
        ) AS is_wanted
    FROM learning_lessons AS lesson
    WHERE "timestamp" = %(at)s AND status = 'active'
) AS standing;

-- name: override_set_by
-- Newest version of the overrides as of %(as_of)s: those of size by state, and how many move thresholds.
SELECT
    made.set_id, made.as_of, count(*) FILTER (WHERE rule.lever = 'pm_strength') AS overrides,
    count(*) FILTER (WHERE rule.lever = 'pm_strength' AND rule.state = 'proposed') AS proposed,
    count(*) FILTER (WHERE rule.lever = 'pm_strength' AND rule.state = 'shadow') AS shadow,
    count(*) FILTER (WHERE rule.lever = 'pm_strength' AND rule.state = 'live') AS live,
    count(*) FILTER (WHERE rule.lever <> 'pm_strength') AS thresholds
FROM (
    SELECT * FROM override_set WHERE as_of <= %(as_of)s ORDER BY as_of DESC, set_id DESC LIMIT 1
) AS made
LEFT JOIN pm_overrides AS rule ON rule.set_id = made.set_id
GROUP BY made.set_id, made.as_of;

-- name: endings_of_set
-- Overrides of size that ended with version %(set_id)s, by why.
SELECT reason, count(*) AS overrides FROM override_step
WHERE set_id = %(set_id)s AND lever = 'pm_strength' AND to_state IN ('expired', 'revoked')
GROUP BY reason
ORDER BY reason;

-- name: hypotheses_of_verdict
-- The %(most)s cells of the day %(at)s with verdict %(verdict)s that came nearest to another.
SELECT
    pattern_key, action_category, scope_values::text AS scope, n_trades, n_clusters, effect_rr, effect_low, effect_high,
    p_value, q_value, oos_trades, oos_effect_rr, oos_p_value, edge_used, explained_by
FROM lesson_hypothesis
WHERE "timestamp" = %(at)s AND verdict = %(verdict)s
ORDER BY
    q_value NULLS LAST, p_value NULLS LAST, n_trades DESC, pattern_key, action_category, scope_mask, scope_values_hash
LIMIT %(most)s;

-- name: late_board
-- Newest row of the tables the board tells beside those people wait for, as known at %(as_of)s, and after how long the next is due; NULL where there is none.
SELECT name, newest, due FROM (VALUES
    ('regime.majors_price_data_ohlc 1m', (
        SELECT max("timestamp") FROM regime.majors_price_data_ohlc
        WHERE timeframe = '1m' AND "timestamp" <= %(as_of)s::timestamptz - interval '1 minute'
    ), interval '1 minute'),
    ('regime.lowcap_price_data_ohlc 1m', (
        SELECT max("timestamp") FROM regime.lowcap_price_data_ohlc
        WHERE timeframe = '1m' AND "timestamp" <= %(as_of)s::timestamptz - interval '1 minute'
    ), interval '1 minute'),
    ('regime.dominance_sample 1d', (
        SELECT max("timestamp") FROM regime.dominance_sample
        WHERE "timestamp" <= %(as_of)s::timestamptz - interval '1 day'
    ), interval '2 days'),
    ('regime.token_metadata', (
        SELECT max("timestamp") FROM regime.token_metadata WHERE "timestamp" <= %(as_of)s
    ), interval '1 day'),
    ('regime.regime_price_data_ohlc 1m', (
        SELECT max("timestamp") FROM regime.regime_price_data_ohlc
        WHERE timeframe = '1m' AND "timestamp" <= %(as_of)s::timestamptz - interval '1 minute'
    ), interval '1 minute'),
    ('regime.bucket_return_series 1h', (
        SELECT max("timestamp") FROM regime.bucket_return_series
        WHERE timeframe = '1h' AND "timestamp" <= %(as_of)s::timestamptz - interval '1 hour'
    ), interval '1 hour'),
    ('regime.phase_state', (
        SELECT max(ts) FROM regime.phase_state WHERE ts <= %(as_of)s::timestamptz - interval '1 hour'
    ), interval '1 hour'),
    ('regime.token_uptrend_state 1h', (
        SELECT max("timestamp") FROM regime.token_uptrend_state
        WHERE timeframe = '1h' AND "timestamp" <= %(as_of)s::timestamptz - interval '1 hour'
    ), interval '1 hour')
) AS newest_of (name, newest, due);

-- name: gap_board
-- Bars of each raw table and timeframe closed by %(as_of)s, of the last %(bars)s of the majors, of dominance, and of tokens tagged in the two days before; and how many lack between the first and the last of a series.
WITH frame (timeframe, step) AS (
    SELECT * FROM unnest(%(timeframes)s::text[], %(steps)s::interval[])
), tagged AS (
    SELECT DISTINCT token_contract, chain FROM regime.token_cap_bucket
    WHERE "timestamp" > %(as_of)s::timestamptz - interval '2 days' AND "timestamp" <= %(as_of)s
), told (table_name, timeframe, step, bars, oldest, newest) AS (
    SELECT 'majors_price_data_ohlc', frame.timeframe, frame.step, seen.bars, seen.oldest, seen.newest
    FROM unnest(%(majors)s::text[]) AS major (symbol)
    CROSS JOIN frame
    CROSS JOIN LATERAL (
        SELECT count(*) AS bars, min("timestamp") AS oldest, max("timestamp") AS newest
        FROM regime.majors_price_data_ohlc
        WHERE symbol = major.symbol AND timeframe = frame.timeframe
            AND "timestamp" > %(as_of)s::timestamptz - frame.step * (%(bars)s::integer + 1)
            AND "timestamp" <= %(as_of)s::timestamptz - frame.step
    ) AS seen
    UNION ALL
    SELECT 'lowcap_price_data_ohlc', frame.timeframe, frame.step, seen.bars, seen.oldest, seen.newest
    FROM tagged
    CROSS JOIN frame
    CROSS JOIN LATERAL (
        SELECT count(*) AS bars, min("timestamp") AS oldest, max("timestamp") AS newest
        FROM regime.lowcap_price_data_ohlc
        WHERE token_contract = tagged.token_contract AND chain = tagged.chain AND timeframe = frame.timeframe
            AND "timestamp" > %(as_of)s::timestamptz - frame.step * (%(bars)s::integer + 1)
            AND "timestamp" <= %(as_of)s::timestamptz - frame.step
    ) AS seen
    UNION ALL
    SELECT 'dominance_sample', frame.timeframe, frame.step, seen.bars, seen.oldest, seen.newest
    FROM unnest(%(metrics)s::text[]) AS sampled (metric)
    CROSS JOIN frame
    CROSS JOIN LATERAL (
        SELECT count(*) AS bars, min("timestamp") AS oldest, max("timestamp") AS newest
        FROM regime.dominance_sample
        WHERE metric = sampled.metric AND timeframe = frame.timeframe
            AND "timestamp" > %(as_of)s::timestamptz - frame.step * (%(bars)s::integer + 1)
            AND "timestamp" <= %(as_of)s::timestamptz - frame.step
    ) AS seen
), counted AS (
    SELECT
        *, round(extract(epoch FROM newest - oldest) / extract(epoch FROM step))::bigint + 1 - bars AS missing
    FROM told
    WHERE bars > 0
)
SELECT
    table_name, timeframe, count(*) AS series, sum(bars)::bigint AS bars, sum(missing)::bigint AS missing,
    count(*) FILTER (WHERE missing > 0) AS series_with_gaps, max(newest) AS newest
FROM counted
GROUP BY table_name, timeframe
ORDER BY table_name, array_position(%(timeframes)s::text[], timeframe);

-- name: gap_rows
-- The %(most)s longest of those holes in table %(table)s on timeframe %(timeframe)s, whose bars are %(step)s long: the bars on both sides, and how many lack between.
WITH tagged AS (
    SELECT DISTINCT token_contract, chain FROM regime.token_cap_bucket
    WHERE "timestamp" > %(as_of)s::timestamptz - interval '2 days' AND "timestamp" <= %(as_of)s
), bar (series, chain, opened) AS (
    SELECT symbol, NULL, "timestamp"
    FROM regime.majors_price_data_ohlc
    WHERE %(table)s = 'majors_price_data_ohlc' AND symbol = ANY (%(majors)s::text[]) AND timeframe = %(timeframe)s
        AND "timestamp" > %(as_of)s::timestamptz - %(step)s * (%(bars)s::integer + 1)
        AND "timestamp" <= %(as_of)s::timestamptz - %(step)s
    UNION ALL
    SELECT raw.token_contract, raw.chain, raw."timestamp"
    FROM tagged
    INNER JOIN regime.lowcap_price_data_ohlc AS raw USING (token_contract, chain)
    WHERE %(table)s = 'lowcap_price_data_ohlc' AND raw.timeframe = %(timeframe)s
        AND raw."timestamp" > %(as_of)s::timestamptz - %(step)s * (%(bars)s::integer + 1)
        AND raw."timestamp" <= %(as_of)s::timestamptz - %(step)s
    UNION ALL
    SELECT metric, NULL, "timestamp"
    FROM regime.dominance_sample
    WHERE %(table)s = 'dominance_sample' AND metric = ANY (%(metrics)s::text[]) AND timeframe = %(timeframe)s
        AND "timestamp" > %(as_of)s::timestamptz - %(step)s * (%(bars)s::integer + 1)
        AND "timestamp" <= %(as_of)s::timestamptz - %(step)s
)
SELECT series, chain, last_before, first_after, missing
FROM (
    SELECT
        series, chain, lag(opened) OVER one_series AS last_before, opened AS first_after,
        round(extract(epoch FROM opened - lag(opened) OVER one_series) / extract(epoch FROM %(step)s::interval))::bigint
            - 1 AS missing
    FROM bar
    WINDOW one_series AS (PARTITION BY series, chain ORDER BY opened)
) AS told
WHERE missing > 0
ORDER BY missing DESC, first_after DESC, series, chain
LIMIT %(most)s;
