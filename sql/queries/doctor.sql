-- What the doctor asks. The names of Dagster's tables come with {schema}.

-- name: doctor_server_now
-- The server's clock, its version, and the name of the database.
SELECT clock_timestamp(), current_setting('server_version'), current_database();

-- name: doctor_roles_found
-- Roles of the product with their limits and settings.
SELECT rolname, rolconnlimit, coalesce(rolconfig, '{}') AS settings
FROM pg_roles
WHERE rolname = ANY (%(roles)s);

-- name: doctor_newest_rows
-- Start of the newest row of every main table up to %(at)s, by what it is a row of; NULL where there is none.
SELECT name, newest FROM (VALUES
    ('majors_price_data_ohlc 1m', (
        SELECT max("timestamp") FROM regime.majors_price_data_ohlc WHERE timeframe = '1m' AND "timestamp" <= %(at)s)),
    ('lowcap_price_data_ohlc 1m', (
        SELECT max("timestamp") FROM regime.lowcap_price_data_ohlc WHERE timeframe = '1m' AND "timestamp" <= %(at)s)),
    ('dominance_sample', (SELECT max("timestamp") FROM regime.dominance_sample WHERE "timestamp" <= %(at)s)),
    ('token_metadata', (SELECT max("timestamp") FROM regime.token_metadata WHERE "timestamp" <= %(at)s)),
    ('token_cap_bucket', (SELECT max("timestamp") FROM regime.token_cap_bucket WHERE "timestamp" <= %(at)s)),
    ('regime_price_data_ohlc 1m', (
        SELECT max("timestamp") FROM regime.regime_price_data_ohlc WHERE timeframe = '1m' AND "timestamp" <= %(at)s)),
    ('regime_driver_state 1m', (
        SELECT max("timestamp") FROM regime.regime_driver_state WHERE timeframe = '1m' AND "timestamp" <= %(at)s)),
    ('bucket_return_series 1h', (
        SELECT max("timestamp") FROM regime.bucket_return_series WHERE timeframe = '1h' AND "timestamp" <= %(at)s)),
    ('phase_state', (SELECT max(ts) FROM regime.phase_state WHERE ts <= %(at)s)),
    ('regime_context', (SELECT max("timestamp") FROM regime.regime_context WHERE "timestamp" <= %(at)s)),
    ('ae_score 1h', (SELECT max("timestamp") FROM regime.ae_score WHERE timeframe = '1h' AND "timestamp" <= %(at)s)),
    ('token_uptrend_state 1h', (
        SELECT max("timestamp") FROM regime.token_uptrend_state WHERE timeframe = '1h' AND "timestamp" <= %(at)s)),
    ('learning_run', (SELECT max("timestamp") FROM learning.learning_run WHERE "timestamp" <= %(at)s))
) AS newest_of (name, newest);

-- name: doctor_has_closed_trades
-- Whether any trade was closed yet: before that there is nothing to learn.
SELECT EXISTS (SELECT FROM pm.ad_strands WHERE kind = 'position_closed');

-- name: doctor_newest_ticks
-- Of every timeframe in %(timeframes)s, the open of the newest bar that was ticked; NULL where none was.
SELECT wanted.timeframe, (SELECT max(bar_timestamp) FROM pm.pm_tick AS tick WHERE tick.timeframe = wanted.timeframe)
FROM unnest(%(timeframes)s::text[]) AS wanted (timeframe);

-- name: doctor_newest_coverage
-- Coverage of the newest score of every bucket and timeframe up to %(at)s; of a bucket that was scored in the ten days before.
SELECT DISTINCT ON (bucket, timeframe) bucket, timeframe, coverage, "timestamp"
FROM regime.ae_score
WHERE "timestamp" <= %(at)s AND "timestamp" > %(at)s - interval '10 days'
ORDER BY bucket, timeframe, "timestamp" DESC;

-- name: doctor_quarantined_since
-- Bars that were first refused in the day before %(at)s and not released, by table and reason.
SELECT held.table_name, held.reason, count(*)
FROM regime.bar_quarantine AS held
WHERE held.known_at > %(at)s - interval '1 day' AND held.known_at <= %(at)s AND held.reason <> 'superseded'
    AND NOT EXISTS (SELECT FROM pm.bar_release AS released WHERE released.quarantine_id = held.quarantine_id)
GROUP BY held.table_name, held.reason
ORDER BY count(*) DESC, held.table_name, held.reason;

-- name: doctor_live_set_now
-- The live set of overrides, who chose it, how many of its live rows have expired at %(at)s; set_id is NULL while none is live.
SELECT
    live.set_id, live.holds, live.author, live.reason, live.set_at, made.as_of,
    (SELECT count(*) FROM learning.pm_overrides AS rule
     WHERE rule.set_id = live.set_id AND rule.state = 'live') AS live_rows,
    (SELECT count(*) FROM learning.pm_overrides AS rule
     WHERE rule.set_id = live.set_id AND rule.state = 'live' AND rule.expires_at <= %(at)s) AS expired_rows
FROM (SELECT * FROM learning.live_override_set ORDER BY step_id DESC LIMIT 1) AS live
LEFT JOIN learning.override_set AS made ON made.set_id = live.set_id;

-- name: doctor_trades_waiting
-- Closed trades that were not taken, by what became of them, and when the oldest was closed.
SELECT status, count(*), min("timestamp") FROM learning.trade_intake WHERE status <> 'taken' GROUP BY status ORDER BY status;

-- name: doctor_dead_letters
-- Strands that broke their schema: all of them, those of the day before %(at)s, and the kind and place of the newest.
SELECT
    count(*), count(*) FILTER (WHERE found_at > %(at)s - interval '1 day'),
    (SELECT kind || ' at ' || pointer FROM pm.strand_dead_letter ORDER BY found_at DESC LIMIT 1)
FROM pm.strand_dead_letter;

-- name: doctor_pending_episodes
-- Windows without an outcome, by timeframe, and when the oldest began.
SELECT timeframe, count(*), min(started_at) FROM pm.pattern_episode_events WHERE outcome = 'pending' GROUP BY timeframe;

-- name: doctor_dagster_daemons
-- Newest heartbeat of every daemon, UTC.
SELECT daemon_type, "timestamp" AT TIME ZONE 'UTC' FROM "{schema}".daemon_heartbeats;

-- name: doctor_dagster_open_runs
-- Runs that have not ended: number, and when the oldest was made, UTC.
SELECT count(*), min(create_timestamp AT TIME ZONE 'UTC')
FROM "{schema}".runs
WHERE status IN ('NOT_STARTED', 'QUEUED', 'STARTING', 'STARTED', 'CANCELING');

-- name: doctor_database_size
-- Bytes this database takes.
SELECT pg_database_size(current_database());

-- name: doctor_server_folder
-- Folder of the server's data; the owner of an embedded server may ask.
SELECT current_setting('data_directory');
