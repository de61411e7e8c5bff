-- What a row was made of, and what was made of it: rows by their keys, and the links between them. Every link is a foreign
-- key or a natural one. Bare names are of the portfolio and of what was learned from it: the search path says whose.
--
-- rows_of_*: rows by key, from %(keys)s. Others: of each of %(sources)s (rows as JSON, numbered n) the keys it leads to,
-- at most %(most)s, and how many there are in all.

-- name: rows_of_override
-- An override with the set it stands in, and the day of the lesson it was made of.
SELECT
    rule.*, made.as_of, made.made_at, made.run_id, made.code_version, made.config_version, made.row_count,
    date_trunc('day', made.as_of - interval '1 microsecond', 'UTC') AS "day",
    (SELECT count(*) FROM live_override_set AS live WHERE live.set_id = rule.set_id) AS times_live
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (override_id bigint)
INNER JOIN pm_overrides AS rule USING (override_id)
INNER JOIN override_set AS made ON made.set_id = rule.set_id;

-- name: rows_of_override_step
-- A step in the life of an override, with the run that made its set.
SELECT step.*, made.run_id, made.code_version, made.config_version
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (step_id bigint)
INNER JOIN override_step AS step USING (step_id)
INNER JOIN override_set AS made ON made.set_id = step.set_id;

-- name: rows_of_lesson
-- A lesson as a day left it; measured_at and measured_as_of are of the day its numbers are of.
SELECT
    told.*, told.scope_values::text AS scope_signature, told.measured_on::timestamp AT TIME ZONE 'UTC' AS measured_at,
    coalesce((
        SELECT asked.as_of FROM lesson_hypothesis AS asked
        WHERE asked."timestamp" = told.measured_on::timestamp AT TIME ZONE 'UTC'
            AND asked.pattern_key = told.pattern_key AND asked.action_category = told.action_category
            AND asked.scope_mask = told.scope_mask AND asked.scope_values_hash = told.scope_values_hash
    ), told.as_of) AS measured_as_of
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (lesson_id text, "timestamp" timestamptz)
INNER JOIN learning_lessons AS told USING (lesson_id, "timestamp");

-- name: rows_of_statistic
-- Statistics of a cell as of a day.
SELECT cell.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    "timestamp" timestamptz, pattern_key text, action_category text, scope_mask bigint, scope_values_hash text
)
INNER JOIN pattern_scope_stats AS cell USING ("timestamp", pattern_key, action_category, scope_mask, scope_values_hash);

-- name: rows_of_hypothesis
-- What was asked about a cell, and the answer.
SELECT asked.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    "timestamp" timestamptz, pattern_key text, action_category text, scope_mask bigint, scope_values_hash text
)
INNER JOIN lesson_hypothesis AS asked USING ("timestamp", pattern_key, action_category, scope_mask, scope_values_hash);

-- name: rows_of_decay_fit
-- How the edge of a cell decays.
SELECT fit.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    "timestamp" timestamptz, pattern_key text, action_category text, scope_signature text
)
INNER JOIN edge_decay_fit AS fit USING ("timestamp", pattern_key, action_category, scope_signature);

-- name: rows_of_learning_run
-- A day of learning: what was read, tried and made.
SELECT run.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted ("timestamp" timestamptz)
INNER JOIN learning_run AS run USING ("timestamp");

-- name: rows_of_fact
-- What learning took of an action of a closed trade.
SELECT fact.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (action_id text)
INNER JOIN pattern_trade_events AS fact USING (action_id);

-- name: rows_of_trade
-- A trade: as its closure tells it, or as the position it is open in.
SELECT
    wanted.trade_id, told.strand_id AS closed_strand_id, told.occurred_at AS closed_at,
    coalesce(told.position_id, held.position_id, begun.position_id) AS position_id,
    coalesce(told.token_contract, held.token_contract, begun.token_contract) AS token_contract,
    coalesce(told.chain, held.chain, begun.chain) AS chain,
    coalesce(told.timeframe, held.timeframe, begun.timeframe) AS timeframe,
    told.content ->> 'exit_reason' AS exit_reason,
    outcome.words ->> 'entry_timestamp' AS entered_at, (outcome.words ->> 'pnl_usd')::double precision AS pnl_usd,
    (outcome.words ->> 'rr')::double precision AS rr, (outcome.words ->> 'roi')::double precision AS roi,
    outcome.words ->> 'rr_absent_reason' AS rr_absent_reason,
    (outcome.words ->> 'hold_hours')::double precision AS hold_hours,
    told.content #>> '{entry_context,pattern_key}' AS pattern_key,
    coalesce((told.content ->> 'config_version')::bigint, held.config_version) AS config_version,
    coalesce(told.content ->> 'code_version', held.code_version) AS code_version
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (trade_id text)
LEFT JOIN LATERAL (
    SELECT * FROM ad_strands AS closure
    WHERE closure.trade_id = wanted.trade_id AND closure.kind = 'position_closed'
    ORDER BY closure.sequence LIMIT 1
) AS told ON true
LEFT JOIN LATERAL (
    SELECT * FROM ad_strands AS action WHERE action.trade_id = wanted.trade_id ORDER BY action.sequence LIMIT 1
) AS begun ON told.strand_id IS NULL
LEFT JOIN lowcap_positions AS held ON held.current_trade_id = wanted.trade_id
LEFT JOIN LATERAL (SELECT told.content #> '{completed_trades,-1}' AS words) AS outcome ON true
WHERE coalesce(told.strand_id, begun.strand_id, held.position_id) IS NOT NULL;

-- name: rows_of_action
-- An action, as its strand tells it or, before that, as its order keeps it; bucket and instants are what it saw.
SELECT
    wanted.trade_id, wanted.order_id, told.strand_id, document.position_id, document.token_contract, document.chain,
    document.timeframe, document.words ->> 'decision_type' AS decision_type,
    document.words ->> 'action_category' AS action_category, document.words ->> 'pattern_key' AS pattern_key,
    (document.words ->> 'ts')::timestamptz AS decided_at, ordered.bar_timestamp, ordered.status, ordered.status_reason,
    ordered.venue, ordered.holder, (document.words ->> 'a_value')::double precision AS a_value,
    (document.words ->> 'e_value')::double precision AS e_value, document.words ->> 'A_mode' AS a_mode,
    document.words ->> 'E_mode' AS e_mode, document.words -> 'levers' AS levers,
    (document.words ->> 'size_frac')::double precision AS size_frac,
    (document.words ->> 'pm_strength_applied')::double precision AS pm_strength_applied,
    (document.words ->> 'exposure_skew_applied')::double precision AS exposure_skew_applied,
    ordered.order_usd, ordered.order_quantity, document.words -> 'scope' AS scope,
    (document.words ->> 'scope_mask')::bigint AS scope_mask, document.words -> 'regime_states' AS regime_states,
    document.words -> 'seen' AS seen, document.bucket, coalesce(held.book_id, %(book_id)s) AS book_id,
    (document.words -> 'seen' -> 'score_timestamps' ->> document.bucket)::timestamptz AS score_timestamp,
    (document.words #>> '{seen,context_evaluated_at}')::timestamptz AS context_timestamp,
    (document.words #>> '{seen,bar,opened_at}')::timestamptz AS bar_opened_at,
    date_trunc('day', (document.words #>> '{seen,bar,opened_at}')::timestamptz, 'UTC') AS bar_day,
    (document.words ->> 'override_set_id')::bigint AS override_set_id,
    jsonb_path_query_array(document.words::jsonb, '$.learning_multipliers.pm_strength.matched[*]')
    || jsonb_path_query_array(document.words::jsonb, '$.thresholds[*].strength.matched[*]') AS matched,
    (document.words ->> 'config_version')::bigint AS config_version, document.words ->> 'code_version' AS code_version
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (trade_id text, order_id text)
LEFT JOIN LATERAL (
    SELECT * FROM ad_strands AS action
    WHERE action.trade_id = wanted.trade_id AND action.kind = 'pm_action'
        AND action.content ->> 'order_id' = wanted.order_id
    ORDER BY action.sequence LIMIT 1
) AS told ON true
LEFT JOIN pm_order AS ordered ON ordered.order_id = wanted.order_id AND ordered.trade_id = wanted.trade_id
LEFT JOIN lowcap_positions AS held ON held.position_id = coalesce(told.position_id, ordered.position_id)
CROSS JOIN LATERAL (
    SELECT
        coalesce(told.content, ordered.decision) AS words,
        coalesce(told.position_id, ordered.position_id) AS position_id,
        coalesce(told.token_contract, held.token_contract) AS token_contract, coalesce(told.chain, held.chain) AS chain,
        coalesce(told.timeframe, ordered.timeframe) AS timeframe,
        coalesce(told.content, ordered.decision) #>> '{scope,mcap_bucket}' AS bucket
) AS document
WHERE document.words IS NOT NULL;

-- name: rows_of_fill
-- What a venue confirmed.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (fill_id text)
INNER JOIN pm_fill AS told USING (fill_id);

-- name: rows_of_config
-- A version of the configuration: what differs from the defaults, who changed it and why.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (version bigint)
INNER JOIN pm.pm_config AS told USING (version);

-- name: rows_of_score
-- A and E of a bucket, channel by channel.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (bucket text, book_id text, timeframe text, "timestamp" timestamptz)
INNER JOIN regime.ae_score AS told USING (bucket, book_id, timeframe, "timestamp");

-- name: rows_of_context
-- The regime as it was known at an hour.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted ("timestamp" timestamptz)
INNER JOIN regime.regime_context AS told USING ("timestamp");

-- name: rows_of_tag
-- The cap bucket of a token on a day.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (token_contract text, chain text, "timestamp" timestamptz)
INNER JOIN regime.token_cap_bucket AS told USING (token_contract, chain, "timestamp");

-- name: rows_of_metadata
-- What was read of a token on a day.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (token_contract text, chain text, "timestamp" timestamptz)
INNER JOIN regime.token_metadata AS told USING (token_contract, chain, "timestamp");

-- name: rows_of_driver_state
-- State of a driver on a bar.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (driver text, book_id text, timeframe text, "timestamp" timestamptz)
INNER JOIN regime.regime_driver_state AS told USING (driver, book_id, timeframe, "timestamp");

-- name: rows_of_driver_ta
-- Indicators of a driver on a bar.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (driver text, book_id text, timeframe text, "timestamp" timestamptz)
INNER JOIN regime.regime_driver_ta AS told USING (driver, book_id, timeframe, "timestamp");

-- name: rows_of_driver_bar
-- A bar of a driver.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (driver text, book_id text, timeframe text, "timestamp" timestamptz)
INNER JOIN regime.regime_price_data_ohlc AS told USING (driver, book_id, timeframe, "timestamp");

-- name: rows_of_token_state
-- State of a token on a bar.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    token_contract text, chain text, timeframe text, "timestamp" timestamptz
)
INNER JOIN regime.token_uptrend_state AS told USING (token_contract, chain, timeframe, "timestamp");

-- name: rows_of_token_ta
-- Indicators of a token on a bar.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    token_contract text, chain text, timeframe text, "timestamp" timestamptz
)
INNER JOIN regime.token_ta AS told USING (token_contract, chain, timeframe, "timestamp");

-- name: rows_of_token_bar
-- A bar of a token.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    token_contract text, chain text, timeframe text, "timestamp" timestamptz
)
INNER JOIN regime.lowcap_price_data_ohlc AS told USING (token_contract, chain, timeframe, "timestamp");

-- name: rows_of_major_bar
-- A bar of a major.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (symbol text, timeframe text, "timestamp" timestamptz)
INNER JOIN regime.majors_price_data_ohlc AS told USING (symbol, timeframe, "timestamp");

-- name: rows_of_sample
-- A sample of dominance.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (metric text, timeframe text, "timestamp" timestamptz)
INNER JOIN regime.dominance_sample AS told USING (metric, timeframe, "timestamp");

-- name: rows_of_quarantine
-- A refused bar.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (quarantine_id text)
INNER JOIN regime.bar_quarantine AS told USING (quarantine_id);

-- name: rows_of_tick
-- The tick of a bar.
SELECT
    told.timeframe, told.bar_timestamp, told.tick_id, told.mode, told.mode_reason, told.positions, told.orders_settled,
    told.orders_planned, told.trades_closed, told.scores_fresh, told.scores_stale, told.scores_degraded,
    told.override_set_id, told.started_at, told.finished_at, told.holder, told.config_version, told.code_version
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (timeframe text, bar_timestamp timestamptz)
INNER JOIN pm_tick AS told USING (timeframe, bar_timestamp);

-- name: steps_of_override
-- The life of an override up to its set.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, lesson_id text, lever text, set_id bigint)
CROSS JOIN LATERAL (
    SELECT step.step_id, count(*) OVER () AS total
    FROM override_step AS step
    WHERE step.lesson_id = source.lesson_id AND step.lever = source.lever AND step.set_id <= source.set_id
    ORDER BY step.step_id DESC LIMIT %(most)s
) AS found
ORDER BY source.n, found.step_id;

-- name: lesson_of_override
-- The lesson of an override as of the day of its set, and as of the day it was last reproduced: its numbers are of that one.
SELECT source.n, found.*, count(*) OVER (PARTITION BY source.n) AS total
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, lesson_id text, "day" timestamptz)
CROSS JOIN LATERAL (
    SELECT told.lesson_id, told."timestamp", told.promoted_on::timestamp AT TIME ZONE 'UTC' AS promoted_at
    FROM learning_lessons AS told
    WHERE told.lesson_id = source.lesson_id AND told."timestamp" <= source."day"
    ORDER BY told."timestamp" DESC LIMIT 1
) AS last
CROSS JOIN LATERAL (
    SELECT told.lesson_id, told."timestamp", told."timestamp" = last."timestamp" AS is_of_the_day
    FROM learning_lessons AS told
    WHERE told.lesson_id = last.lesson_id AND told."timestamp" IN (last."timestamp", last.promoted_at)
) AS found
ORDER BY source.n, found."timestamp" DESC;

-- name: trades_of_lesson
-- Closed trades in the cell of a lesson: closed before it was measured, an action of each has the cell's values.
-- Values are looked for in a scope's text where that is plain - no escape, no blank after a colon - which on a million
-- facts takes half the time of reading it as JSON.
SELECT source.n, found.*
FROM (
    SELECT
        each.*, (SELECT count(*) FROM jsonb_object_keys(each.scope_values)) AS n_values,
        ARRAY(SELECT to_json(part.key)::text || ':' || to_json(part.value)::text
            FROM jsonb_each_text(each.scope_values) AS part) AS pairs
    FROM jsonb_to_recordset(%(sources)s::jsonb) AS each (
        n integer, lesson_type text, pattern_key text, action_category text, scope_mask bigint, scope_values jsonb,
        measured_as_of timestamptz
    )
    WHERE each.lesson_type <> 'tuning'
) AS source
CROSS JOIN LATERAL (
    SELECT shown.*, ARRAY(
        SELECT fact.action_id FROM pattern_trade_events AS fact
        WHERE fact.trade_id = shown.trade_id AND fact.pattern_key = source.pattern_key
            AND fact.action_category = source.action_category AND fact.scope::jsonb @> source.scope_values
        ORDER BY fact.action_ts, fact.action_id
    ) AS action_ids
    FROM (
        SELECT
            fact.trade_id, count(*) OVER () AS total, count(max(fact.rr)) OVER () AS with_rr, max(fact.rr) AS rr,
            max(fact.pnl_usd) AS pnl_usd, max(fact."timestamp") AS closed_at
        FROM pattern_trade_events AS fact
        WHERE fact.pattern_key = source.pattern_key
            AND fact.action_category = source.action_category AND fact."timestamp" < source.measured_as_of
            AND fact.scope_mask & source.scope_mask = source.scope_mask
            AND CASE
                WHEN source.n_values = 0 THEN true
                WHEN strpos(fact.scope::text, '\') = 0 AND strpos(fact.scope::text, ': ') = 0 THEN
                    strpos(fact.scope::text, source.pairs[1]) > 0
                    AND (source.n_values < 2 OR strpos(fact.scope::text, source.pairs[2]) > 0)
                    AND (source.n_values < 3 OR fact.scope::jsonb @> source.scope_values)
                ELSE fact.scope::jsonb @> source.scope_values
            END
        GROUP BY fact.trade_id
        ORDER BY max(fact."timestamp") DESC, fact.trade_id LIMIT %(most)s
    ) AS shown
) AS found
ORDER BY source.n, found.closed_at DESC, found.trade_id;

-- name: facts_of_trade
-- What learning took of a trade.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, trade_id text)
CROSS JOIN LATERAL (
    SELECT fact.action_id, fact.action_ts, count(*) OVER () AS total
    FROM pattern_trade_events AS fact
    WHERE fact.trade_id = source.trade_id
    ORDER BY fact.action_ts, fact.action_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.action_ts, found.action_id;

-- name: actions_of_trade
-- Actions of a trade as strands tell them, and the orders of which none tells yet.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, trade_id text)
CROSS JOIN LATERAL (
    SELECT action.*, count(*) OVER () AS total
    FROM (
        SELECT told.trade_id, told.content ->> 'order_id' AS order_id, told.occurred_at AS decided_at
        FROM ad_strands AS told
        WHERE told.trade_id = source.trade_id AND told.kind = 'pm_action'
        UNION
        SELECT waits.trade_id, waits.order_id, waits.decided_at
        FROM pm_order AS waits
        WHERE waits.trade_id = source.trade_id AND waits.settled_at IS NULL
    ) AS action
    ORDER BY action.decided_at, action.order_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.decided_at, found.order_id;

-- name: fills_of_action
-- Fills of an order.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, trade_id text, order_id text)
CROSS JOIN LATERAL (
    SELECT fill.fill_id, fill.filled_at, count(*) OVER () AS total
    FROM pm_fill AS fill
    WHERE fill.trade_id = source.trade_id AND fill.order_id = source.order_id
    ORDER BY fill.filled_at, fill.fill_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.filled_at, found.fill_id;

-- name: overrides_of_action
-- Overrides that applied to an action, with the part each had.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, matched jsonb)
CROSS JOIN LATERAL (
    SELECT applied.*, count(*) OVER () AS total
    FROM jsonb_to_recordset(source.matched) AS applied (
        override_id bigint, multiplier double precision, confidence double precision, mask_weight double precision,
        weight_share double precision
    )
    ORDER BY applied.override_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.override_id;

-- name: states_of_score
-- The state each channel of a score was read from; a silent channel has none.
SELECT
    source.n, count(*) OVER (PARTITION BY source.n) AS total, channel.name AS channel, channel.driver, source.book_id,
    channel.timeframe, channel."timestamp", channel.status, channel.signal, channel.a, channel.e
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, book_id text, channels jsonb)
CROSS JOIN LATERAL jsonb_to_recordset(source.channels) AS channel (
    place integer, name text, driver text, timeframe text, "timestamp" timestamptz, status text, signal text,
    a double precision, e double precision
)
WHERE channel."timestamp" IS NOT NULL
ORDER BY source.n, channel.place;

-- name: majors_of_driver_bar
-- Bars of majors behind a bar of BTC or ALT: the member's own where it traded, else its last close, from which it counted flat.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, driver text, timeframe text, "timestamp" timestamptz, config_version bigint
)
INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS bar (timeframe, length) USING (timeframe)
LEFT JOIN pm.pm_config AS made_by ON made_by.version = source.config_version
CROSS JOIN LATERAL (
    SELECT
        member.symbol, source.timeframe, coalesce(own."timestamp", known."timestamp") AS "timestamp",
        CASE WHEN own."timestamp" IS NULL THEN 'flat' ELSE 'traded' END AS took_part,
        known."timestamp" AS reference_at, known.close_usd AS reference_close_usd, count(*) OVER () AS total
    FROM (
        SELECT 'BTC' AS symbol WHERE source.driver = 'BTC'
        UNION ALL
        SELECT jsonb_array_elements_text(
            coalesce(made_by.config #> '{regime,driver_bar,alt_basket}', %(alt_basket)s::jsonb)
        ) WHERE source.driver = 'ALT'
    ) AS member
    LEFT JOIN regime.majors_price_data_ohlc AS own
        ON own.symbol = member.symbol AND own.timeframe = source.timeframe AND own."timestamp" = source."timestamp"
    LEFT JOIN LATERAL (
        SELECT before."timestamp", before.close_usd FROM regime.majors_price_data_ohlc AS before
        WHERE source.driver <> 'BTC' AND before.symbol = member.symbol AND before.timeframe = source.timeframe
            AND before."timestamp" < source."timestamp"
            AND before."timestamp" + bar.length >= source."timestamp" - make_interval(secs => 3600 * coalesce(
                (made_by.config #>> '{regime,driver_bar,max_fill_hours}')::double precision, %(max_fill_hours)s
            ))
        ORDER BY before."timestamp" DESC LIMIT 1
    ) AS known ON true
    WHERE known."timestamp" IS NOT NULL OR (source.driver = 'BTC' AND own."timestamp" IS NOT NULL)
    ORDER BY member.symbol LIMIT %(most)s
) AS found
ORDER BY source.n, found.symbol;

-- name: tokens_of_driver_bar
-- Bars of tokens behind a bar of a cap bucket: as for majors, the members being those tagged on that day.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, driver text, timeframe text, "timestamp" timestamptz, config_version bigint
)
INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS bar (timeframe, length) USING (timeframe)
LEFT JOIN pm.pm_config AS made_by ON made_by.version = source.config_version
CROSS JOIN LATERAL (
    SELECT
        member.token_contract, member.chain, source.timeframe,
        coalesce(own."timestamp", known."timestamp") AS "timestamp",
        CASE WHEN own."timestamp" IS NULL THEN 'flat' ELSE 'traded' END AS took_part,
        known."timestamp" AS reference_at, known.close_usd AS reference_close_usd, count(*) OVER () AS total
    FROM regime.bucket_eligibility AS made
    INNER JOIN regime.token_cap_bucket AS member
        ON member."timestamp" = made."timestamp" AND member.bucket = made.bucket
    LEFT JOIN regime.lowcap_price_data_ohlc AS own
        ON own.token_contract = member.token_contract AND own.chain = member.chain
        AND own.timeframe = source.timeframe AND own."timestamp" = source."timestamp"
    CROSS JOIN LATERAL (
        SELECT before."timestamp", before.close_usd FROM regime.lowcap_price_data_ohlc AS before
        WHERE before.token_contract = member.token_contract AND before.chain = member.chain
            AND before.timeframe = source.timeframe AND before."timestamp" < source."timestamp"
            AND before."timestamp" + bar.length >= source."timestamp" - make_interval(secs => 3600 * coalesce(
                (made_by.config #>> '{regime,driver_bar,max_fill_hours}')::double precision, %(max_fill_hours)s
            ))
        ORDER BY before."timestamp" DESC LIMIT 1
    ) AS known
    WHERE made.bucket = source.driver AND made.is_eligible
        AND made."timestamp" = date_trunc('day', source."timestamp", 'UTC')
    ORDER BY (own."timestamp" IS NULL), member.token_contract, member.chain LIMIT %(most)s
) AS found
ORDER BY source.n, found.took_part DESC, found.token_contract, found.chain;

-- name: samples_of_driver_bar
-- Samples behind a bar of dominance: those within it, and the one carried into its first minute.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, driver text, timeframe text, "timestamp" timestamptz, config_version bigint
)
INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS bar (timeframe, length) USING (timeframe)
LEFT JOIN pm.pm_config AS made_by ON made_by.version = source.config_version
CROSS JOIN LATERAL (
    SELECT seen.metric, seen.timeframe, seen."timestamp", count(*) OVER () AS total
    FROM (
        SELECT within.metric, within.timeframe, within."timestamp"
        FROM regime.dominance_sample AS within
        INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS each (timeframe, length)
            ON each.timeframe = within.timeframe AND each.length <= greatest(bar.length, interval '15 minutes')
        WHERE within.metric = source.driver AND within."timestamp" >= source."timestamp"
            AND within."timestamp" < source."timestamp" + bar.length
        UNION ALL
        SELECT * FROM (
            SELECT before.metric, before.timeframe, before."timestamp"
            FROM regime.dominance_sample AS before
            WHERE before.metric = source.driver AND before.timeframe IN ('1m', '5m', '15m')
                AND before."timestamp" < source."timestamp" + interval '1 minute'
                AND before."timestamp" >= source."timestamp" - make_interval(mins => coalesce(
                    (made_by.config #>> '{regime,driver_bar,max_carry_minutes}')::integer, %(max_carry_minutes)s
                ))
            ORDER BY before."timestamp" DESC LIMIT 1
        ) AS carried
        WHERE carried."timestamp" < source."timestamp"
    ) AS seen
    ORDER BY seen."timestamp" DESC, seen.timeframe LIMIT %(most)s
) AS found
ORDER BY source.n, found."timestamp", found.timeframe;

-- name: majors_rolled_up
-- Bars a bar of a major was rolled up from.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, symbol text, timeframe text, "timestamp" timestamptz, source text
)
INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS bar (timeframe, length) USING (timeframe)
CROSS JOIN LATERAL (
    SELECT part.symbol, part.timeframe, part."timestamp", count(*) OVER () AS total
    FROM regime.majors_price_data_ohlc AS part
    WHERE starts_with(source.source, 'rollup:') AND part.symbol = source.symbol
        AND part.timeframe = substr(source.source, 8) AND part."timestamp" >= source."timestamp"
        AND part."timestamp" < source."timestamp" + bar.length
    ORDER BY part."timestamp" LIMIT %(most)s
) AS found
ORDER BY source.n, found."timestamp";

-- name: tokens_rolled_up
-- Bars a bar of a token was rolled up from.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, token_contract text, chain text, timeframe text, "timestamp" timestamptz, source text
)
INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS bar (timeframe, length) USING (timeframe)
CROSS JOIN LATERAL (
    SELECT part.token_contract, part.chain, part.timeframe, part."timestamp", count(*) OVER () AS total
    FROM regime.lowcap_price_data_ohlc AS part
    WHERE starts_with(source.source, 'rollup:') AND part.token_contract = source.token_contract
        AND part.chain = source.chain AND part.timeframe = substr(source.source, 8)
        AND part."timestamp" >= source."timestamp" AND part."timestamp" < source."timestamp" + bar.length
    ORDER BY part."timestamp" LIMIT %(most)s
) AS found
ORDER BY source.n, found."timestamp";

-- name: quarantine_of_candle
-- Refused rows about a candle: of the same table, series and instant.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, symbol text, token_contract text, chain text, metric text, timeframe text, "timestamp" timestamptz
)
CROSS JOIN LATERAL (
    SELECT refused.quarantine_id, refused.known_at, count(*) OVER () AS total
    FROM regime.bar_quarantine AS refused
    WHERE refused.table_name = CASE
            WHEN source.symbol IS NOT NULL THEN 'majors_price_data_ohlc'
            WHEN source.metric IS NOT NULL THEN 'dominance_sample'
            ELSE 'lowcap_price_data_ohlc'
        END
        AND refused.loaded_for = date_trunc('day', source."timestamp", 'UTC')
        AND refused.token_contract = coalesce(source.symbol, source.metric, source.token_contract)
        AND (source.chain IS NULL OR refused.chain = source.chain)
        AND refused.timeframe = source.timeframe AND refused."timestamp" = source."timestamp"
    ORDER BY refused.known_at, refused.quarantine_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.known_at, found.quarantine_id;

-- name: longer_majors
-- Bars of a major rolled up from a bar of it.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, symbol text, timeframe text, "timestamp" timestamptz
)
CROSS JOIN LATERAL (
    SELECT made.symbol, made.timeframe, made."timestamp", count(*) OVER () AS total
    FROM unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS longer (timeframe, length)
    INNER JOIN regime.majors_price_data_ohlc AS made
        ON made.symbol = source.symbol AND made.timeframe = longer.timeframe
        AND made."timestamp" = date_bin(longer.length, source."timestamp", timestamptz '1970-01-01 00:00Z')
        AND made.source = 'rollup:' || source.timeframe
    ORDER BY longer.length LIMIT %(most)s
) AS found;

-- name: longer_tokens
-- Bars of a token rolled up from a bar of it.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, token_contract text, chain text, timeframe text, "timestamp" timestamptz
)
CROSS JOIN LATERAL (
    SELECT made.token_contract, made.chain, made.timeframe, made."timestamp", count(*) OVER () AS total
    FROM unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS longer (timeframe, length)
    INNER JOIN regime.lowcap_price_data_ohlc AS made
        ON made.token_contract = source.token_contract AND made.chain = source.chain
        AND made.timeframe = longer.timeframe
        AND made."timestamp" = date_bin(longer.length, source."timestamp", timestamptz '1970-01-01 00:00Z')
        AND made.source = 'rollup:' || source.timeframe
    ORDER BY longer.length LIMIT %(most)s
) AS found;

-- name: driver_bars_of_major
-- Bars of BTC and ALT a bar of a major stands in: its own, those it counted flat in, and the next, measured from its close.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, symbol text, timeframe text, "timestamp" timestamptz
)
INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS bar (timeframe, length) USING (timeframe)
LEFT JOIN LATERAL (
    SELECT after."timestamp" FROM regime.majors_price_data_ohlc AS after
    WHERE after.symbol = source.symbol AND after.timeframe = source.timeframe
        AND after."timestamp" > source."timestamp"
    ORDER BY after."timestamp" LIMIT 1
) AS next ON true
CROSS JOIN LATERAL (
    SELECT
        made.driver, made.book_id, made.timeframe, made."timestamp", count(*) OVER () AS total,
        CASE
            WHEN made."timestamp" = source."timestamp" THEN 'traded'
            WHEN made."timestamp" = next."timestamp" THEN 'reference'
            ELSE 'flat'
        END AS took_part
    FROM regime.regime_price_data_ohlc AS made
    INNER JOIN pm.pm_config AS made_by ON made_by.version = made.config_version
    WHERE made.driver IN ('BTC', 'ALT') AND made.book_id = %(book_id)s AND made.timeframe = source.timeframe
        AND made."timestamp" >= source."timestamp"
        AND made."timestamp" <= coalesce(next."timestamp", 'infinity')
        AND (made."timestamp" = source."timestamp" OR source."timestamp" + bar.length >= made."timestamp"
            - make_interval(secs => 3600 * coalesce(
                (made_by.config #>> '{regime,driver_bar,max_fill_hours}')::double precision, %(max_fill_hours)s
            )))
        AND (made.driver = 'ALT' AND coalesce(
                made_by.config #> '{regime,driver_bar,alt_basket}', %(alt_basket)s::jsonb
            ) @> to_jsonb(source.symbol)
            OR made.driver = 'BTC' AND source.symbol = 'BTC' AND made."timestamp" = source."timestamp")
    ORDER BY made."timestamp", made.driver LIMIT %(most)s
) AS found
ORDER BY source.n, found."timestamp", found.driver;

-- name: driver_bars_of_token
-- Bars of cap buckets a bar of a token stands in, as for a major; the bucket is that of its tag on the day.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, token_contract text, chain text, timeframe text, "timestamp" timestamptz
)
INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS bar (timeframe, length) USING (timeframe)
LEFT JOIN LATERAL (
    SELECT after."timestamp" FROM regime.lowcap_price_data_ohlc AS after
    WHERE after.token_contract = source.token_contract AND after.chain = source.chain
        AND after.timeframe = source.timeframe AND after."timestamp" > source."timestamp"
    ORDER BY after."timestamp" LIMIT 1
) AS next ON true
CROSS JOIN LATERAL (
    SELECT
        made.driver, made.book_id, made.timeframe, made."timestamp", count(*) OVER () AS total,
        CASE
            WHEN made."timestamp" = source."timestamp" THEN 'traded'
            WHEN made."timestamp" = next."timestamp" THEN 'reference'
            ELSE 'flat'
        END AS took_part
    FROM regime.token_cap_bucket AS tag
    INNER JOIN regime.bucket_eligibility AS eligible
        ON eligible.bucket = tag.bucket AND eligible."timestamp" = tag."timestamp" AND eligible.is_eligible
    INNER JOIN regime.regime_price_data_ohlc AS made
        ON made.driver = tag.bucket AND made.book_id = %(book_id)s AND made.timeframe = source.timeframe
        AND made."timestamp" >= greatest(source."timestamp", tag."timestamp")
        AND made."timestamp" < tag."timestamp" + interval '1 day'
        AND made."timestamp" <= coalesce(next."timestamp", 'infinity')
    LEFT JOIN pm.pm_config AS made_by ON made_by.version = made.config_version
    WHERE tag.token_contract = source.token_contract AND tag.chain = source.chain
        AND tag."timestamp" >= date_trunc('day', source."timestamp", 'UTC')
        AND tag."timestamp" <= source."timestamp" + interval '9 days'
        AND (
            made."timestamp" = source."timestamp" AND EXISTS (
                SELECT FROM regime.lowcap_price_data_ohlc AS before
                WHERE before.token_contract = source.token_contract AND before.chain = source.chain
                    AND before.timeframe = source.timeframe AND before."timestamp" < source."timestamp"
                    AND before."timestamp" + bar.length >= source."timestamp" - make_interval(secs => 3600 * coalesce(
                        (made_by.config #>> '{regime,driver_bar,max_fill_hours}')::double precision, %(max_fill_hours)s
                    ))
            )
            OR made."timestamp" > source."timestamp" AND source."timestamp" + bar.length >= made."timestamp"
                - make_interval(secs => 3600 * coalesce(
                    (made_by.config #>> '{regime,driver_bar,max_fill_hours}')::double precision, %(max_fill_hours)s
                ))
        )
    ORDER BY made."timestamp", made.driver LIMIT %(most)s
) AS found
ORDER BY source.n, found."timestamp", found.driver;

-- name: driver_bars_of_sample
-- Bars of dominance a sample stands in, and the minutes it was carried through.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, metric text, timeframe text, "timestamp" timestamptz
)
LEFT JOIN LATERAL (
    SELECT after."timestamp" FROM regime.dominance_sample AS after
    WHERE after.metric = source.metric AND after.timeframe IN ('1m', '5m', '15m')
        AND after."timestamp" >= date_trunc('minute', source."timestamp") + interval '1 minute'
    ORDER BY after."timestamp" LIMIT 1
) AS next ON true
CROSS JOIN LATERAL (
    SELECT made.driver, made.book_id, made.timeframe, made."timestamp", count(*) OVER () AS total
    FROM unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS bar (timeframe, length)
    INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS own (timeframe, length)
        ON own.timeframe = source.timeframe AND own.length <= greatest(bar.length, interval '15 minutes')
    INNER JOIN regime.regime_price_data_ohlc AS made
        ON made.driver = source.metric AND made.book_id = %(book_id)s AND made.timeframe = bar.timeframe
        AND made."timestamp" > source."timestamp" - bar.length
        AND made."timestamp" <= source."timestamp" + interval '1 day'
    LEFT JOIN pm.pm_config AS made_by ON made_by.version = made.config_version
    WHERE made."timestamp" <= source."timestamp"
        OR own.length <= interval '15 minutes'
        AND made."timestamp" < coalesce(date_trunc('minute', next."timestamp"), 'infinity')
        AND source."timestamp" >= made."timestamp" - make_interval(mins => coalesce(
            (made_by.config #>> '{regime,driver_bar,max_carry_minutes}')::integer, %(max_carry_minutes)s
        ))
    ORDER BY made."timestamp" DESC, bar.length LIMIT %(most)s
) AS found
ORDER BY source.n, found."timestamp", found.timeframe;

-- name: actions_of_driver_state
-- Actions that saw a state, each by the score it read it through.
SELECT source.n, found.*
FROM (
    SELECT
        each.*, CASE each.timeframe WHEN '1d' THEN 1 WHEN '1h' THEN 2 ELSE 3 END
            + CASE each.driver WHEN 'BTC' THEN 0 WHEN 'ALT' THEN 3 WHEN 'BTC.d' THEN 9 WHEN 'USDT.d' THEN 12 ELSE 6 END
        AS channel,
        (
            SELECT make_interval(mins => max(coalesce(
                (made_by.config -> 'scores' -> 'channel_ttl_minutes' ->> horizon.name)::integer,
                (%(channel_ttl_minutes)s::jsonb ->> horizon.name)::integer
            )))
            FROM pm.pm_config AS made_by, (
                SELECT CASE each.timeframe WHEN '1d' THEN 'macro' WHEN '1h' THEN 'meso' ELSE 'micro' END AS name
            ) AS horizon
        ) AS channel_ttl,
        (
            SELECT max(coalesce(
                (made_by.config -> 'runtime' ->> 'score_ttl_bars')::integer, %(score_ttl_bars)s
            )) FROM pm.pm_config AS made_by
        ) AS score_ttl_bars
    FROM jsonb_to_recordset(%(sources)s::jsonb) AS each (
        n integer, driver text, book_id text, timeframe text, "timestamp" timestamptz
    )
) AS source
INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS bar (timeframe, length) USING (timeframe)
CROSS JOIN LATERAL (
    SELECT
        ordered.trade_id, ordered.order_id, ordered.decided_at, seen.bucket, seen.timeframe AS score_timeframe,
        seen.at AS score_timestamp, count(*) OVER () AS total
    FROM (
        SELECT score.timeframe, score.bucket, min(score."timestamp") AS first_at, max(score."timestamp") AS last_at
        FROM regime.ae_score AS score
        WHERE score."timestamp" >= source."timestamp" + bar.length - interval '1 day'
            AND score."timestamp" <= source."timestamp" + bar.length + source.channel_ttl
            AND score.channel_timestamp[source.channel] = source."timestamp" AND score.book_id = source.book_id
            AND source.driver IN ('BTC', 'ALT', 'BTC.d', 'USDT.d', score.bucket)
        GROUP BY score.timeframe, score.bucket
    ) AS scored
    INNER JOIN unnest(%(timeframes)s::text[], %(lengths)s::interval[]) AS own (timeframe, length)
        ON own.timeframe = scored.timeframe
    INNER JOIN lowcap_positions AS held ON held.timeframe = scored.timeframe AND held.book_id = source.book_id
    CROSS JOIN LATERAL (
        SELECT each.trade_id, each.order_id, each.decided_at, each.bar_timestamp, each.decision FROM pm_order AS each
        WHERE each.position_id = held.position_id AND each.bar_timestamp >= scored.first_at
            AND each.bar_timestamp <= scored.last_at + source.score_ttl_bars * own.length
        OFFSET 0 -- position by position, by the index of both: all orders at once would be read whole
    ) AS ordered
    CROSS JOIN LATERAL (
        SELECT scored.bucket, scored.timeframe,
            (ordered.decision -> 'seen' -> 'score_timestamps' ->> scored.bucket)::timestamptz AS at
    ) AS seen
    WHERE ordered.decision -> 'scope' ->> 'mcap_bucket' = scored.bucket
        AND seen.at BETWEEN scored.first_at AND scored.last_at
        AND EXISTS (
            SELECT FROM regime.ae_score AS score
            WHERE score.bucket = seen.bucket AND score.book_id = source.book_id AND score.timeframe = seen.timeframe
                AND score."timestamp" = seen.at AND score.channel_timestamp[source.channel] = source."timestamp"
        )
    ORDER BY ordered.bar_timestamp DESC, ordered.order_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.decided_at, found.order_id;

-- name: actions_of_token_state
-- Actions that were decided on a bar of their token.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, token_contract text, chain text, timeframe text, "timestamp" timestamptz
)
CROSS JOIN LATERAL (
    SELECT ordered.trade_id, ordered.order_id, ordered.decided_at, count(*) OVER () AS total
    FROM lowcap_positions AS held
    INNER JOIN pm_order AS ordered
        ON ordered.position_id = held.position_id AND ordered.bar_timestamp = source."timestamp"
    WHERE held.token_contract = source.token_contract AND held.chain = source.chain
        AND held.timeframe = source.timeframe
    ORDER BY ordered.order_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.decided_at, found.order_id;

-- name: lessons_of_trade
-- Lessons a trade taught: it stands in their cells, and they were measured after it closed. Each as of its last day.
WITH RECURSIVE named (lesson_id) AS (
    (SELECT told.lesson_id FROM learning_lessons AS told ORDER BY told.lesson_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT told.lesson_id FROM learning_lessons AS told
        WHERE told.lesson_id > named.lesson_id ORDER BY told.lesson_id LIMIT 1
    ) FROM named WHERE named.lesson_id IS NOT NULL
),

newest AS MATERIALIZED (
    SELECT last.*
    FROM named
    CROSS JOIN LATERAL (
        SELECT
            told.lesson_id, told."timestamp", told.as_of, told.lesson_type, told.pattern_key, told.action_category,
            told.scope_mask, told.scope_values::jsonb AS scope_values, told.status
        FROM learning_lessons AS told
        WHERE told.lesson_id = named.lesson_id
        ORDER BY told."timestamp" DESC LIMIT 1
    ) AS last
)

SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, trade_id text)
CROSS JOIN LATERAL (
    SELECT newest.lesson_id, newest."timestamp", newest.status, count(*) OVER () AS total
    FROM newest
    WHERE newest.lesson_type <> 'tuning' AND EXISTS (
        SELECT FROM pattern_trade_events AS fact
        WHERE fact.trade_id = source.trade_id AND fact.pattern_key = newest.pattern_key
            AND fact.action_category = newest.action_category AND fact."timestamp" < newest.as_of
            AND fact.scope_mask & newest.scope_mask = newest.scope_mask
            AND fact.scope::jsonb @> newest.scope_values
    )
    ORDER BY newest.status, newest.lesson_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.status, found.lesson_id;

-- name: overrides_of_lesson
-- Overrides made of a lesson, the newest set first.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, lesson_id text)
CROSS JOIN LATERAL (
    SELECT rule.override_id, rule.set_id, count(*) OVER () AS total
    FROM pm_overrides AS rule
    WHERE rule.lesson_id = source.lesson_id
    ORDER BY rule.set_id DESC, rule.override_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.set_id DESC, found.override_id;

-- name: actions_of_override
-- Actions an override applied to: decided in ticks that read its set, which they name.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (n integer, override_id bigint, set_id bigint)
CROSS JOIN LATERAL (
    SELECT ordered.trade_id, ordered.order_id, ordered.decided_at, count(*) OVER () AS total
    FROM (
        SELECT tick.timeframe, min(tick.bar_timestamp) AS first_at, max(tick.bar_timestamp) AS last_at
        FROM pm_tick AS tick
        WHERE tick.override_set_id = source.set_id
        GROUP BY tick.timeframe
    ) AS ticked
    INNER JOIN lowcap_positions AS held ON held.timeframe = ticked.timeframe
    CROSS JOIN LATERAL (
        SELECT each.trade_id, each.order_id, each.decided_at, each.decision FROM pm_order AS each
        WHERE each.position_id = held.position_id
            AND each.bar_timestamp >= ticked.first_at AND each.bar_timestamp <= ticked.last_at
        OFFSET 0 -- position by position, by the index of both: all orders at once would be read whole
    ) AS ordered
    WHERE (ordered.decision ->> 'override_set_id')::bigint = source.set_id
        AND jsonb_path_exists(
            ordered.decision::jsonb, '$.**.matched[*] ? (@.override_id == $id)',
            jsonb_build_object('id', source.override_id)
        )
    ORDER BY ordered.decided_at DESC, ordered.order_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.decided_at DESC, found.order_id;

-- name: lineage_trades
-- Trades whose id is, or begins with, some text.
SELECT DISTINCT found.trade_id FROM (
    SELECT told.trade_id FROM ad_strands AS told WHERE told.trade_id >= %(first)s AND told.trade_id <= %(last)s
    UNION ALL
    SELECT held.current_trade_id FROM lowcap_positions AS held
    WHERE held.current_trade_id >= %(first)s AND held.current_trade_id <= %(last)s
) AS found
ORDER BY found.trade_id LIMIT %(most)s;

-- name: lineage_actions
-- Actions by the id of their order, or of their strand, that is or begins with some text.
SELECT DISTINCT found.trade_id, found.order_id FROM (
    SELECT ordered.trade_id, ordered.order_id FROM pm_order AS ordered
    WHERE ordered.order_id >= %(first)s AND ordered.order_id <= %(last)s
    UNION ALL
    SELECT told.trade_id, told.content ->> 'order_id' FROM ad_strands AS told
    WHERE told.kind = 'pm_action' AND told.strand_id >= %(first)s AND told.strand_id <= %(last)s
) AS found
ORDER BY found.order_id LIMIT %(most)s;

-- name: lineage_lessons
-- Lessons whose id is, or begins with, some text, each with its last day.
SELECT told.lesson_id, max(told."timestamp") AS "timestamp" FROM learning_lessons AS told
WHERE told.lesson_id >= %(first)s AND told.lesson_id <= %(last)s
GROUP BY told.lesson_id
ORDER BY told.lesson_id LIMIT %(most)s;

-- name: lineage_override_ids
-- The oldest and the newest override.
SELECT min(rule.override_id), max(rule.override_id) FROM pm_overrides AS rule;

-- name: lineage_state_before
-- Open of the newest bar with a state of a driver at or before an instant, and of the first of all.
SELECT
    (
        SELECT told."timestamp" FROM regime.regime_driver_state AS told
        WHERE told.driver = %(driver)s AND told.book_id = %(book_id)s AND told.timeframe = %(timeframe)s
            AND told."timestamp" <= %(at)s
        ORDER BY told."timestamp" DESC LIMIT 1
    ) AS newest,
    (
        SELECT told."timestamp" FROM regime.regime_driver_state AS told
        WHERE told.driver = %(driver)s AND told.book_id = %(book_id)s AND told.timeframe = %(timeframe)s
        ORDER BY told."timestamp" LIMIT 1
    ) AS first;

-- name: lineage_candles
-- Series of candles by a name: the newest candle of each at or before an instant. One of a major, of a token or of dominance.
WITH RECURSIVE lived (chain) AS (
    (
        SELECT bar.chain FROM regime.lowcap_price_data_ohlc AS bar
        WHERE bar.token_contract = %(series)s ORDER BY bar.chain LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT bar.chain FROM regime.lowcap_price_data_ohlc AS bar
        WHERE bar.token_contract = %(series)s AND bar.chain > lived.chain ORDER BY bar.chain LIMIT 1
    ) FROM lived WHERE lived.chain IS NOT NULL
)

SELECT wanted.kind, wanted.name, wanted.chain, wanted."timestamp" FROM (
    SELECT 'major_bar' AS kind, %(series)s AS name, '' AS chain, (
        SELECT bar."timestamp" FROM regime.majors_price_data_ohlc AS bar
        WHERE bar.symbol = %(series)s AND bar.timeframe = %(timeframe)s AND bar."timestamp" <= %(at)s
        ORDER BY bar."timestamp" DESC LIMIT 1
    ) AS "timestamp"
    UNION ALL
    SELECT 'sample', %(series)s, '', (
        SELECT sample."timestamp" FROM regime.dominance_sample AS sample
        WHERE sample.metric = %(series)s AND sample.timeframe = %(timeframe)s AND sample."timestamp" <= %(at)s
        ORDER BY sample."timestamp" DESC LIMIT 1
    )
    UNION ALL
    SELECT 'token_bar', %(series)s, lived.chain, (
        SELECT bar."timestamp" FROM regime.lowcap_price_data_ohlc AS bar
        WHERE bar.token_contract = %(series)s AND bar.chain = lived.chain AND bar.timeframe = %(timeframe)s
            AND bar."timestamp" <= %(at)s
        ORDER BY bar."timestamp" DESC LIMIT 1
    )
    FROM lived WHERE lived.chain IS NOT NULL
) AS wanted
WHERE wanted."timestamp" IS NOT NULL AND %(kind)s IN ('', wanted.kind) AND %(chain)s IN ('', wanted.chain)
ORDER BY wanted.kind, wanted.chain;

-- name: metadata_of_tag
-- The reading a tag was made from.
SELECT source.n, 1 AS total, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, token_contract text, chain text, "timestamp" timestamptz, updated_at timestamptz
)
CROSS JOIN LATERAL (
    SELECT read.token_contract, read.chain, read."timestamp"
    FROM regime.token_metadata AS read
    WHERE read.token_contract = source.token_contract AND read.chain = source.chain
        AND read."timestamp" < source."timestamp" AND read.updated_at = source.updated_at
    ORDER BY read."timestamp" DESC LIMIT 1
) AS found;

-- name: lineage_schemas
-- Which of some schemas hold a portfolio, and which hold what was learned.
SELECT named.schema, to_regclass(format('%%I.ad_strands', named.schema)) IS NOT NULL,
    to_regclass(format('%%I.learning_run', named.schema)) IS NOT NULL
FROM unnest(%(schemas)s::text[]) AS named (schema);

-- name: lineage_overrides_asked
-- Which overrides a replay was asked to apply.
SELECT settings ->> 'overrides' FROM replay_run;

-- name: rows_of_tuning_state
-- Where a tuned threshold stands as of a day.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    "timestamp" timestamptz, family text, gate text, scope_mask bigint, scope_values_hash text
)
INNER JOIN tuning_state AS told USING ("timestamp", family, gate, scope_mask, scope_values_hash);

-- name: rows_of_tuning_verdict
-- What was judged of a threshold on a day, and on what evidence.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    "timestamp" timestamptz, family text, gate text, scope_mask bigint, scope_values_hash text
)
INNER JOIN tuning_verdict AS told USING ("timestamp", family, gate, scope_mask, scope_values_hash);

-- name: rows_of_tuning_rate
-- How often the windows of a cell were taken and paid, as of a day.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    "timestamp" timestamptz, family text, scope_mask bigint, scope_values_hash text
)
INNER JOIN tuning_rate AS told USING ("timestamp", family, scope_mask, scope_values_hash);

-- name: rows_of_episode
-- A window of opportunity.
SELECT told.*
FROM jsonb_to_recordset(%(keys)s::jsonb) AS wanted (
    episode_id text
)
INNER JOIN pattern_episode_events AS told USING (episode_id);

-- name: tuning_of_override
-- Where the threshold of a tuned gate stood as of the day of the set of an override.
SELECT source.n, 1 AS total, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, pattern_key text, lever text, scope_mask bigint, scope_values jsonb, "day" timestamptz
)
INNER JOIN (VALUES ('pm.uptrend.S1.buy_flag', 'pm.s1_entry'), ('pm.uptrend.S3.buy_flag', 'pm.s3_retest'))
    AS tuned (pattern_key, family) ON tuned.pattern_key = source.pattern_key
INNER JOIN (VALUES ('ts_min_mult', 'trend_strength'), ('halo_mult', 'near_ema60'), ('dx_min_mult', 'discounted'))
    AS moved (lever, gate) ON moved.lever = source.lever
CROSS JOIN LATERAL (
    SELECT told."timestamp", told.family, told.gate, told.scope_mask, told.scope_values_hash
    FROM tuning_state AS told
    WHERE told."timestamp" <= source."day" AND told.family = tuned.family AND told.gate = moved.gate
        AND told.scope_mask = source.scope_mask AND told.scope_values::jsonb = source.scope_values
    ORDER BY told."timestamp" DESC LIMIT 1
) AS found;

-- name: verdicts_of_tuning
-- What was judged on the day of a threshold's state, and on the day it came to stand there.
SELECT source.n, count(*) OVER (PARTITION BY source.n) AS total, told."timestamp", told.family, told.gate,
    told.scope_mask, told.scope_values_hash
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, "timestamp" timestamptz, family text, gate text, scope_mask bigint, scope_values_hash text,
    since timestamptz
)
INNER JOIN tuning_verdict AS told USING (family, gate, scope_mask, scope_values_hash)
WHERE told."timestamp" IN (
    source."timestamp", date_trunc('day', source.since - interval '1 microsecond', 'UTC')
)
ORDER BY source.n, told."timestamp" DESC;

-- name: episodes_of_tuning
-- Windows in the cell of a threshold that were decided before it was judged, and ended.
SELECT source.n, found.*
FROM jsonb_to_recordset(%(sources)s::jsonb) AS source (
    n integer, family text, scope_mask bigint, scope_values jsonb, as_of timestamptz
)
CROSS JOIN LATERAL (
    SELECT seen.episode_id, seen.outcome_at, count(*) OVER () AS total
    FROM pattern_episode_events AS seen
    WHERE seen.family = source.family AND seen.outcome_at < source.as_of AND seen.decision IS NOT NULL
        AND seen.outcome IN ('success', 'failure') AND seen.scope::jsonb @> source.scope_values
    ORDER BY seen.outcome_at DESC, seen.episode_id LIMIT %(most)s
) AS found
ORDER BY source.n, found.outcome_at DESC, found.episode_id;
