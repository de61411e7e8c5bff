-- What is learned, and the schemas that hold what is learned from a replay. Bare names: whose tables these are, the
-- session's search path says.

-- name: learned_tables
-- Qualified names of the tables that are learned.
SELECT space.nspname || '.' || class.relname
FROM pg_class AS class
INNER JOIN pg_namespace AS space ON space.oid = class.relnamespace
WHERE class.relkind = 'r' AND space.nspname = 'learning';

-- name: learned_schema_statements
-- Statements, in order, that say what schema %(schema)s is and who may write it.
WITH statement AS (
    SELECT part, format(words, %(schema)s::text) AS words
    FROM (VALUES
        ('1', 'COMMENT ON SCHEMA %%I IS ''What was learned from a replay. May be dropped: it follows from the strands.'''),
        ('2', 'GRANT USAGE ON SCHEMA %%I TO lowcap_regime, lowcap_learning, lowcap_pm, lowcap_console'),
        ('3', 'GRANT SELECT ON ALL TABLES IN SCHEMA %%I TO lowcap_regime, lowcap_learning, lowcap_pm, lowcap_console'),
        ('4', 'GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %%I TO lowcap_learning')
    ) AS said (part, words)
)
SELECT words FROM statement ORDER BY part;

-- name: has_learned_schema
-- Whether schema %(schema)s holds what was learned.
SELECT to_regclass(format('%%I.learning_run', %(schema)s::text)) IS NOT NULL;

-- name: closures_between
-- Closed positions of the event log that were closed in a window, in the order they were stored.
SELECT strand_id, kind, schema_version, trade_id, occurred_at, content::text AS content, sequence
FROM ad_strands
WHERE kind = 'position_closed' AND occurred_at >= $1 AND occurred_at < $2
ORDER BY sequence;

-- name: closures_after
-- Closed positions that were stored after a place in the event log, and the newest place of all.
SELECT strand_id, kind, schema_version, trade_id, occurred_at, content::text AS content, sequence
FROM ad_strands
WHERE kind = 'position_closed' AND sequence > $1
ORDER BY sequence
LIMIT 5000;

-- name: closures_not_taken
-- Closed positions without facts: what a sensor missed, and what waits; not those refused since $1 for a reason that does not begin with $2.
SELECT
    strand.strand_id, strand.kind, strand.schema_version, strand.trade_id, strand.occurred_at,
    strand.content::text AS content, strand.sequence
FROM ad_strands AS strand
WHERE strand.kind = 'position_closed'
    AND NOT EXISTS (SELECT FROM pattern_trade_events AS fact WHERE fact.trade_id = strand.trade_id)
    AND NOT EXISTS (
        SELECT FROM trade_intake AS told
        WHERE told.strand_id = strand.strand_id AND told.status = 'refused' AND told.last_seen_at >= $1
            AND NOT starts_with(told.reason, $2)
    )
ORDER BY strand.sequence
LIMIT 5000;

-- name: newest_strand
-- Place of the newest row of the event log; 0 while it is empty.
SELECT coalesce(max(sequence), 0) FROM ad_strands;

-- name: actions_of_trades
-- Actions of some trades, by commas.
SELECT strand_id, kind, schema_version, trade_id, occurred_at, content::text AS content, sequence
FROM ad_strands
WHERE kind = 'pm_action' AND trade_id = ANY (string_to_array($1, ','))
ORDER BY sequence;

-- name: intake_first_seen
-- When some closures, by commas, were first looked at.
SELECT strand_id, first_seen_at FROM trade_intake WHERE strand_id = ANY (string_to_array($1, ','));

-- name: taken_trades
-- Of some trades, by commas, those that have facts, the closure these came from, and when it was.
SELECT trade_id, min(closed_strand_id) AS strand_id, min("timestamp") AS closed_at
FROM pattern_trade_events
WHERE trade_id = ANY (string_to_array($1, ','))
GROUP BY trade_id;

-- name: facts_before
-- Facts of trades closed before an instant, by closure, trade and action.
SELECT * FROM pattern_trade_events WHERE "timestamp" < $1 ORDER BY "timestamp", trade_id, action_ts, action_id;

-- name: upsert_trade_intake
-- Say what became of a closure; when it was first seen stays.
INSERT INTO trade_intake (
    strand_id, trade_id, "timestamp", status, actions_told, actions_missing, reason, first_seen_at, last_seen_at
) VALUES (
    %(strand_id)s, %(trade_id)s, %(timestamp)s, %(status)s, %(actions_told)s, %(actions_missing)s, %(reason)s,
    %(first_seen_at)s, %(last_seen_at)s
)
ON CONFLICT (strand_id) DO UPDATE SET
    status = excluded.status, actions_told = excluded.actions_told, actions_missing = excluded.actions_missing,
    reason = excluded.reason, last_seen_at = excluded.last_seen_at;

-- name: mark_intake_taken
-- Of a closure that waited: it came whole.
UPDATE trade_intake SET
    status = 'taken', actions_missing = 0, reason = 'came whole', last_seen_at = %(at)s
WHERE strand_id = %(strand_id)s;

-- name: check_a_trade_has_one_outcome
-- Trades of a window whose facts differ in outcome.
SELECT count(*) FROM (
    SELECT trade_id FROM pattern_trade_events WHERE "timestamp" >= $1 AND "timestamp" < $2
    GROUP BY trade_id
    HAVING count(DISTINCT (rr, roi, pnl_usd, closed_strand_id, "timestamp")) > 1
) AS torn;

-- name: check_rr_and_pnl_have_one_sign
-- Facts of a window whose R/R and PnL point in two directions.
SELECT count(*) FROM pattern_trade_events
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND sign(rr) <> sign(pnl_usd);

-- name: check_a_fact_is_within_its_trade
-- Facts of a window whose action was decided more than a bar of its timeframe before the trade opened.
SELECT count(*) FROM pattern_trade_events
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND action_ts < opened_at - interval '25 hours';

-- name: recent_edges
-- The latest $2 edges of every cell before day $1 and not before $3, oldest first.
SELECT pattern_key, action_category, scope_values, edge_raw, "timestamp"
FROM (
    SELECT
        pattern_key, action_category, scope_values::text AS scope_values, edge_raw, "timestamp",
        row_number() OVER (
            PARTITION BY pattern_key, action_category, scope_mask, scope_values_hash ORDER BY "timestamp" DESC
        ) AS place
    FROM pattern_scope_stats
    WHERE "timestamp" < $1 AND "timestamp" >= $3 AND edge_raw IS NOT NULL
) AS newest
WHERE place <= $2
ORDER BY "timestamp";

-- name: edge_history_before
-- Every snapshot of days before an instant, by cell and day.
SELECT pattern_key, action_category, scope_signature, "timestamp", edge_raw
FROM learning_edge_history
WHERE "timestamp" < $1
ORDER BY pattern_key, action_category, scope_signature, "timestamp";

-- name: check_n_counts_trades
-- Cells of a window with more trades than were closed by then.
SELECT count(*)
FROM (
    SELECT DISTINCT "timestamp", as_of FROM pattern_scope_stats WHERE "timestamp" >= $1 AND "timestamp" < $2
) AS day
CROSS JOIN LATERAL (
    SELECT count(DISTINCT fact.trade_id) AS trades FROM pattern_trade_events AS fact WHERE fact."timestamp" < day.as_of
) AS known
INNER JOIN pattern_scope_stats AS cell ON cell."timestamp" = day."timestamp" AND cell.n_trades > known.trades;

-- name: check_every_mined_day_has_a_snapshot
-- Cells of a window that have an edge and no snapshot of it.
SELECT count(*) FROM pattern_scope_stats AS cell
WHERE cell."timestamp" >= $1 AND cell."timestamp" < $2 AND cell.edge_raw IS NOT NULL AND NOT EXISTS (
    SELECT FROM learning_edge_history AS told
    WHERE told."timestamp" = cell."timestamp" AND told.pattern_key = cell.pattern_key
        AND told.action_category = cell.action_category AND told.scope_signature = cell.scope_values::text
);

-- name: newest_override_rows
-- Overrides of the newest set as of %(until)s or before; one row without an override where it is empty.
SELECT
    made.set_id, rule.lesson_id, rule.lever, rule.pattern_key, rule.action_category, rule.scope_mask,
    rule.scope_values::text AS scope_values, rule.multiplier, rule.confidence, rule.n_trades, rule.edge_raw,
    rule.decay_mult, rule.expires_at, rule.state, rule.state_since, rule.proposed_at, rule.live_at
FROM (
    SELECT set_id FROM override_set WHERE as_of <= %(until)s ORDER BY as_of DESC, set_id DESC LIMIT 1
) AS made
LEFT JOIN pm_overrides AS rule ON rule.set_id = made.set_id
ORDER BY rule.lesson_id, rule.lever;

-- name: override_revocations
-- Latest revocation of each override up to %(until)s, by the sets that later ones stand on: of each day the last.
SELECT step.lesson_id, step.lever, max(step.stepped_at)
FROM (
    SELECT DISTINCT ON (known.day) known.set_id
    FROM (
        SELECT set_id, as_of, date_trunc('day', as_of - interval '1 microsecond', 'UTC') AS day
        FROM override_set
        WHERE as_of <= %(until)s
    ) AS known
    ORDER BY known.day, known.as_of DESC, known.set_id DESC
) AS made
INNER JOIN override_step AS step ON step.set_id = made.set_id
WHERE step.to_state = 'revoked'
GROUP BY step.lesson_id, step.lever;

-- name: override_set_of
-- Number of the set that was made from an input as of an instant, unless a newer one was made as of the same.
SELECT set_id FROM (
    SELECT set_id, input_hash FROM override_set WHERE as_of = %(as_of)s ORDER BY set_id DESC LIMIT 1
) AS newest
WHERE input_hash = %(input_hash)s;

-- name: insert_override_set
-- Store a version.
INSERT INTO override_set (made_at, as_of, input_hash, row_count, run_id, code_version, config_version)
VALUES (
    %(made_at)s, %(as_of)s, %(input_hash)s, %(row_count)s, %(run_id)s, %(code_version)s, %(config_version)s
)
RETURNING set_id;

-- name: insert_override
-- Store an override of a set.
INSERT INTO pm_overrides (
    set_id, pattern_key, action_category, scope_mask, scope_values, lever, multiplier, confidence, n_trades, edge_raw,
    decay_mult, lesson_id, expires_at, state, state_since, proposed_at, live_at
) VALUES (
    %(set_id)s, %(pattern_key)s, %(action_category)s, %(scope_mask)s, %(scope_values)s, %(lever)s, %(multiplier)s,
    %(confidence)s, %(n_trades)s, %(edge_raw)s, %(decay_mult)s, %(lesson_id)s, %(expires_at)s, %(state)s,
    %(state_since)s, %(proposed_at)s, %(live_at)s
);

-- name: insert_override_step
-- Store a step in the life of an override.
INSERT INTO override_step (set_id, lesson_id, lever, from_state, to_state, stepped_at, reason, evidence)
VALUES (
    %(set_id)s, %(lesson_id)s, %(lever)s, %(from_state)s, %(to_state)s, %(stepped_at)s, %(reason)s, %(evidence)s
);

-- name: live_set
-- Set that is live, and whether a person holds it against later ones.
SELECT set_id, holds FROM live_override_set ORDER BY step_id DESC LIMIT 1;

-- name: insert_live_set
-- Let a set be live from an instant on.
INSERT INTO live_override_set (set_id, author, reason, set_at)
VALUES (%(set_id)s, %(author)s, %(reason)s, %(set_at)s);

-- name: sets_before
-- Of the end of each day before %(before)s, the set that was made last as of it.
SELECT DISTINCT ON (as_of) set_id, as_of
FROM override_set
WHERE as_of < %(before)s AND as_of = date_trunc('day', as_of, 'UTC')
ORDER BY as_of, set_id DESC;

-- name: live_rows_of_set
-- Live overrides of a set, as a tick reads them.
SELECT
    override_id, pattern_key, action_category, scope_mask, scope_values::text AS scope_values, lever, multiplier,
    confidence, n_trades, edge_raw, decay_mult, lesson_id, expires_at
FROM pm_overrides
WHERE set_id = %(set_id)s AND state = 'live'
ORDER BY override_id;

-- name: newest_learning_config
-- What was learned for module $1 as of the newest day before $2.
SELECT config_data::text FROM learning_configs WHERE module_id = $1 AND "timestamp" < $2 ORDER BY "timestamp" DESC LIMIT 1;

-- name: lessons_of_last_day
-- Every lesson as the last day before $1 left it.
SELECT * FROM learning_lessons
WHERE "timestamp" = (SELECT max("timestamp") FROM learning_lessons WHERE "timestamp" < $1)
ORDER BY lesson_id;

-- name: waiting_trades
-- Trades closed before $1 that wait for their actions.
SELECT count(*) FROM trade_intake WHERE status IN ('parked', 'given_up') AND "timestamp" < $1;

-- name: check_every_promoted_cell_is_a_lesson
-- Promoted hypotheses of a window that are no active lesson of their day.
SELECT count(*) FROM lesson_hypothesis AS asked
WHERE asked."timestamp" >= $1 AND asked."timestamp" < $2 AND asked.verdict = 'promoted' AND NOT EXISTS (
    SELECT FROM learning_lessons AS lesson
    WHERE lesson."timestamp" = asked."timestamp" AND lesson.pattern_key = asked.pattern_key
        AND lesson.action_category = asked.action_category AND lesson.scope_mask = asked.scope_mask
        AND lesson.scope_values_hash = asked.scope_values_hash AND lesson.status = 'active'
);

-- name: intake_by_status
-- Closures that were not taken at once, by what became of them.
SELECT status, count(*) AS trades, min("timestamp") AS oldest FROM trade_intake GROUP BY status ORDER BY status;

-- name: unknown_outcomes
-- Closed trades, those without an R/R, and those whose PnL is exactly 0.
SELECT
    count(*) AS trades, count(*) FILTER (WHERE rr IS NULL) AS without_rr, count(*) FILTER (WHERE pnl_usd = 0) AS without_pnl
FROM (SELECT DISTINCT trade_id, rr, pnl_usd FROM pattern_trade_events) AS trade;

-- name: live_set_age
-- Hours since what the live set knows of; none while no set is live.
SELECT (extract(epoch FROM clock_timestamp() - made.as_of) / 3600)::double precision AS hours
FROM (SELECT set_id FROM live_override_set ORDER BY step_id DESC LIMIT 1) AS live
INNER JOIN override_set AS made ON made.set_id = live.set_id;

-- name: learned_days
-- Days before %(before)s that were learned as of their end, and the configuration each was learned with.
SELECT ("timestamp" AT TIME ZONE 'UTC')::date, config_version
FROM learning.learning_run
WHERE as_of <= %(before)s AND as_of = "timestamp" + interval '1 day'
ORDER BY "timestamp";

-- name: regime_weights_between
-- Weights of entries as of the days of a window.
SELECT
    "timestamp", regime_signature, action_category, w_time_efficiency, w_field_coherence, w_recurrence, w_variance
FROM learning_regime_weights
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND action_category = 'entry'
ORDER BY "timestamp", regime_signature;

-- name: factors_of_last_day
-- Factors as the last day before $1 left them.
SELECT factor_id, action_category, representative, lesson_ids
FROM learning_latent_factors
WHERE "timestamp" = (SELECT max("timestamp") FROM learning_latent_factors WHERE "timestamp" < $1)
ORDER BY factor_id;

-- name: tuning_states_of_last_day
-- Thresholds as the last judged day before $1 left them.
SELECT family, gate, scope_values::text AS scope_values, multiplier, since, fed_at, n_evidence
FROM tuning_state
WHERE "timestamp" = (SELECT max("timestamp") FROM tuning_verdict WHERE "timestamp" < $1)
ORDER BY family, gate, scope_mask, scope_values_hash;

-- name: episodes_before
-- Windows of opportunity that began before $1.
SELECT * FROM pattern_episode_events WHERE started_at < $1 ORDER BY started_at, episode_id;

-- name: channel_states_at
-- States of the channels a regime is told by, of bucket $1, as the newest hourly score known at $2 heard them.
SELECT btc_macro, alt_meso, bucket_meso
FROM regime.ae_score
WHERE bucket = $1 AND timeframe = '1h' AND "timestamp" <= $2 - interval '1 hour'
ORDER BY "timestamp" DESC
LIMIT 1;

-- name: regime_weight_spread
-- Of the regimes that have a fit of their own on the newest day: how many, their weights, those that are 1, those at $1 or below or at $2 or above.
SELECT
    count(DISTINCT (fitted.regime_signature, fitted.action_category)) AS regimes_fitted,
    count(each.weight) AS weights,
    count(*) FILTER (WHERE each.weight = 1) AS weights_of_one,
    count(*) FILTER (WHERE each.weight <= $1::double precision OR each.weight >= $2::double precision) AS weights_clamped
FROM learning_regime_weights AS fitted
CROSS JOIN LATERAL (
    VALUES (w_time_efficiency), (w_field_coherence), (w_recurrence), (w_variance)
) AS each (weight)
WHERE fitted."timestamp" = (SELECT max("timestamp") FROM learning_regime_weights)
    AND fitted.regime_signature <> 'all' AND fitted.parent IS NULL AND NOT fitted.is_default;

-- name: short_lived_lessons
-- Active lessons of the newest day whose edge decays with a half-life below $1 hours.
SELECT pattern_key || ' ' || action_category || ' ' || scope_values::text AS lesson, half_life_hours
FROM learning_lessons
WHERE "timestamp" = (SELECT max("timestamp") FROM learning_lessons)
    AND status = 'active' AND decay_state = 'decaying' AND half_life_hours < $1::double precision
ORDER BY half_life_hours, lesson;

-- name: halved_edges
-- Active lessons of the newest day that keep less than the share $1 of their edge at birth, in its direction.
SELECT
    pattern_key || ' ' || action_category || ' ' || scope_values::text AS lesson, edge_at_birth, edge_current
FROM learning_lessons
WHERE "timestamp" = (SELECT max("timestamp") FROM learning_lessons)
    AND status = 'active' AND edge_current * sign(edge_at_birth) < $1::double precision * abs(edge_at_birth)
ORDER BY lesson;
