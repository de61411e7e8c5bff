-- What has grown too old. A part is a table and a kind of its rows; of a part by day {doomed} is what may go of a day,
-- from %(from_at)s to %(to_at)s. Dagster's tables come with {schema}.

-- name: prune_lock
-- One process deletes at a time, until its session ends; whether this one may.
SELECT pg_try_advisory_lock(hashtext('lowcap.writer'), hashtext('retention'));

-- name: oldest_alive
-- When the oldest trade, order, episode or closure that is still open began, by what it is; NULL where there is none.
SELECT 'open trade', min(coalesce(held.first_fill_at, first_order.bar_timestamp, held.approved_at))
FROM pm.lowcap_positions AS held
LEFT JOIN LATERAL (
    SELECT min(bar_timestamp) AS bar_timestamp FROM pm.pm_order WHERE trade_id = held.current_trade_id
) AS first_order ON true
WHERE held.current_trade_id IS NOT NULL
UNION ALL
SELECT 'open order', min(bar_timestamp) FROM pm.pm_order WHERE settled_at IS NULL
UNION ALL
SELECT 'pending episode', min(started_at) FROM pm.pattern_episode_events WHERE outcome = 'pending'
UNION ALL
SELECT 'trade that waits to be learned', min(coalesce(opened.bar_timestamp, told.occurred_at))
FROM pm.ad_strands AS told
LEFT JOIN LATERAL (
    SELECT min(bar_timestamp) AS bar_timestamp FROM pm.pm_order WHERE trade_id = told.trade_id
) AS opened ON true
WHERE told.kind = 'position_closed'
    AND NOT EXISTS (SELECT FROM learning.pattern_trade_events AS fact WHERE fact.trade_id = told.trade_id)
    AND NOT EXISTS (
        SELECT FROM learning.trade_intake AS intake WHERE intake.strand_id = told.strand_id AND intake.status = 'refused'
    );

-- name: first_minute_row
-- When the oldest minute of a table of the regime began.
SELECT min("timestamp") FROM {table} WHERE timeframe = '1m';

-- name: doomed_minute_of_token
-- Minutes of tokens that no learned trade was held through, with the day before it.
FROM {table} AS doomed
WHERE doomed.timeframe = '1m' AND doomed."timestamp" >= %(from_at)s AND doomed."timestamp" < %(to_at)s
    AND NOT EXISTS (
        SELECT FROM learning.pattern_trade_events AS fact
        WHERE fact."timestamp" >= %(from_at)s AND fact.opened_at < %(to_at)s::timestamptz + interval '1 day'
            AND fact.token_contract = doomed.token_contract AND fact.chain = doomed.chain
            AND doomed."timestamp" >= fact.opened_at - interval '1 day' AND doomed."timestamp" <= fact."timestamp"
    )

-- name: doomed_minute_of_market
-- Minutes of the whole market that no learned action followed within the hour.
FROM {table} AS doomed
WHERE doomed.timeframe = '1m' AND doomed."timestamp" >= %(from_at)s AND doomed."timestamp" < %(to_at)s
    AND NOT EXISTS (
        SELECT FROM learning.pattern_trade_events AS fact
        WHERE fact."timestamp" >= %(from_at)s
            AND fact.action_ts >= %(from_at)s AND fact.action_ts < %(to_at)s::timestamptz + interval '1 hour'
            AND doomed."timestamp" >= fact.action_ts - interval '1 hour' AND doomed."timestamp" <= fact.action_ts
    )

-- name: first_minute_tick
-- When the oldest bar of one minute began that was ticked.
SELECT min(bar_timestamp) FROM {table} WHERE timeframe = '1m';

-- name: doomed_tick
-- Ticks of one minute without an order, and without a learned action.
FROM {table} AS doomed
WHERE doomed.timeframe = '1m' AND doomed.bar_timestamp >= %(from_at)s AND doomed.bar_timestamp < %(to_at)s
    AND doomed.orders_planned = 0 AND doomed.orders_settled = 0 AND doomed.trades_closed = 0
    AND NOT EXISTS (
        SELECT FROM pm.pm_order AS told
        WHERE told.timeframe = doomed.timeframe AND told.bar_timestamp = doomed.bar_timestamp
    )
    AND NOT EXISTS (
        SELECT FROM learning.pattern_trade_events AS fact
        WHERE fact.timeframe = doomed.timeframe AND fact."timestamp" >= %(from_at)s
            AND fact.action_ts > %(from_at)s AND fact.action_ts <= %(to_at)s::timestamptz + interval '1 minute'
            AND fact.action_ts > doomed.bar_timestamp AND fact.action_ts <= doomed.bar_timestamp + interval '1 minute'
    )

-- name: first_cell
-- Oldest day with statistics.
SELECT min("timestamp") FROM {table};

-- name: doomed_cell
-- Statistics of days that neither the live set of overrides nor a lesson in it was made or measured on.
FROM {table} AS doomed
WHERE doomed."timestamp" >= %(from_at)s AND doomed."timestamp" < %(to_at)s
    AND NOT EXISTS (
        SELECT
        FROM (SELECT set_id FROM learning.live_override_set ORDER BY step_id DESC LIMIT 1) AS live
        INNER JOIN learning.override_set AS made ON made.set_id = live.set_id
        LEFT JOIN learning.pm_overrides AS rule ON rule.set_id = made.set_id
        LEFT JOIN learning.learning_lessons AS lesson ON lesson.lesson_id = rule.lesson_id
        WHERE doomed."timestamp" IN (
            date_trunc('day', made.as_of - interval '1 microsecond', 'UTC'),
            lesson.measured_on::timestamp AT TIME ZONE 'UTC', lesson.promoted_on::timestamp AT TIME ZONE 'UTC',
            lesson.born_on::timestamp AT TIME ZONE 'UTC'
        )
    )

-- name: doomed_strand
-- Events, older than %(to_at)s, of trades that were learned from, which no fact names.
FROM {table} AS doomed
WHERE doomed.occurred_at < %(to_at)s
    AND EXISTS (SELECT FROM learning.pattern_trade_events AS fact WHERE fact.trade_id = doomed.trade_id)
    AND NOT EXISTS (SELECT FROM learning.pattern_trade_events AS fact WHERE fact.action_id = doomed.strand_id)
    AND NOT EXISTS (
        SELECT FROM learning.pattern_trade_events AS fact
        WHERE fact.trade_id = doomed.trade_id AND fact.closed_strand_id = doomed.strand_id
    )
    AND NOT EXISTS (SELECT FROM pm.lowcap_positions AS held WHERE held.current_trade_id = doomed.trade_id)
    AND NOT EXISTS (SELECT FROM learning.trade_intake AS intake WHERE intake.strand_id = doomed.strand_id)

-- name: open_event_log
-- Let events be deleted in this transaction: the owner alone may, and nobody writes meanwhile.
ALTER TABLE pm.ad_strands DISABLE TRIGGER ad_strands_is_append_only;

-- name: close_event_log
-- Make the event log append-only again.
ALTER TABLE pm.ad_strands ENABLE TRIGGER ad_strands_is_append_only;

-- name: owns_event_log
-- Whether this login may do that.
SELECT pg_has_role(current_user, relowner, 'USAGE') FROM pg_class WHERE oid = 'pm.ad_strands'::regclass;

-- name: doomed_dagster_check
-- Results of checks in runs that ended before %(to_at)s, which a later one of the same check and partition replaced.
FROM {table} AS doomed
WHERE EXISTS (
        SELECT FROM "{schema}".runs AS run
        WHERE run.run_id = doomed.run_id AND run.status IN ('SUCCESS', 'FAILURE', 'CANCELED')
            AND run.update_timestamp < %(to_at)s::timestamptz AT TIME ZONE 'UTC'
    )
    AND EXISTS (
        SELECT FROM "{schema}".asset_check_executions AS later
        WHERE later.asset_key = doomed.asset_key AND later.check_name = doomed.check_name
            AND later.partition IS NOT DISTINCT FROM doomed.partition AND later.id > doomed.id
    )

-- name: doomed_dagster_event
-- Events of runs that ended before %(to_at)s: log lines and plans, and what a later event of the same asset and partition replaced.
FROM {table} AS doomed
WHERE EXISTS (
        SELECT FROM "{schema}".runs AS run
        WHERE run.run_id = doomed.run_id AND run.status IN ('SUCCESS', 'FAILURE', 'CANCELED')
            AND run.update_timestamp < %(to_at)s::timestamptz AT TIME ZONE 'UTC'
    )
    AND (
        doomed.asset_key IS NULL
        OR doomed.dagster_event_type IN ('ASSET_MATERIALIZATION_PLANNED', 'ASSET_CHECK_EVALUATION_PLANNED')
        OR (
            doomed.dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION')
            AND EXISTS (
                SELECT FROM "{schema}".event_logs AS later
                WHERE later.asset_key = doomed.asset_key AND later.dagster_event_type = doomed.dagster_event_type
                    AND later.partition IS NOT DISTINCT FROM doomed.partition AND later.id > doomed.id
            )
        )
    )
    AND NOT EXISTS (
        SELECT FROM "{schema}".asset_check_executions AS judged
        WHERE doomed.id IN (judged.evaluation_event_storage_id, judged.materialization_event_storage_id)
    )

-- name: forget_event_tags
-- Delete the tags of events that are gone.
DELETE FROM "{schema}".asset_event_tags AS tag
WHERE NOT EXISTS (SELECT FROM "{schema}".event_logs AS event WHERE event.id = tag.event_id);

-- name: doomed_dagster_run
-- Runs that ended before %(to_at)s and of which no event is left, no check, no backfill that goes on.
FROM {table} AS doomed
WHERE doomed.status IN ('SUCCESS', 'FAILURE', 'CANCELED')
    AND doomed.update_timestamp < %(to_at)s::timestamptz AT TIME ZONE 'UTC'
    AND NOT EXISTS (SELECT FROM "{schema}".event_logs AS event WHERE event.run_id = doomed.run_id)
    AND NOT EXISTS (SELECT FROM "{schema}".asset_check_executions AS judged WHERE judged.run_id = doomed.run_id)

-- name: count_doomed
-- Rows of a part that may go.
SELECT count(*) {doomed};

-- name: delete_doomed
-- Delete at most %(most)s of them.
DELETE FROM {table} AS gone USING (SELECT doomed.ctid AS place {doomed} LIMIT %(most)s) AS chosen
WHERE gone.ctid = chosen.place;

-- name: size_of_table
-- Bytes of a table with its indexes; NULL where there is no such table.
SELECT pg_total_relation_size(to_regclass(%(table)s));

-- name: vacuum_part
-- Let the server use the room of deleted rows again.
VACUUM (ANALYZE) {table};

-- name: prune_patience
-- Wait for a lock, and for a statement, no longer than this in the session.
SELECT set_config('lock_timeout', %(lock)s, false), set_config('statement_timeout', %(statement)s, false);
