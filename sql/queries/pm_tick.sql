-- The tick's own row, and the lease that lets one process tick.

-- name: transaction_started_at
-- The database's time at the start of the transaction.
SELECT now();

-- name: tick_holder
-- Who ticked bar %(bar_timestamp)s of %(timeframe)s.
SELECT holder FROM pm_tick WHERE timeframe = %(timeframe)s AND bar_timestamp = %(bar_timestamp)s;

-- name: insert_pm_tick
-- Store a tick, and say its number; it started when its transaction did.
INSERT INTO pm_tick (
    timeframe, bar_timestamp, mode, mode_reason, scores, scores_fresh, scores_stale, scores_degraded,
    config_version, code_version, holder, positions, orders_settled, orders_planned, trades_closed, override_set_id,
    overrides_ignored, started_at
) VALUES (
    %(timeframe)s, %(bar_timestamp)s, %(mode)s, %(mode_reason)s, %(scores)s, %(scores_fresh)s, %(scores_stale)s,
    %(scores_degraded)s, %(config_version)s, %(code_version)s, %(holder)s, %(positions)s, %(orders_settled)s,
    %(orders_planned)s, %(trades_closed)s, %(override_set_id)s, %(overrides_ignored)s, now()
) RETURNING tick_id;

-- name: name_session
-- Say who this session is, so that others can say who holds the lease; and notice a client whose machine vanished.
SELECT
    set_config('application_name', %(holder)s, false), set_config('tcp_keepalives_idle', '20', false),
    set_config('tcp_keepalives_interval', '10', false), set_config('tcp_keepalives_count', '3', false);

-- name: try_lease
-- Take the lease for the rest of the session, if it is free. Advisory locks are of one database.
SELECT pg_try_advisory_lock(%(key)s);

-- name: free_lease
-- Give the lease back before the session ends.
SELECT pg_advisory_unlock(%(key)s);

-- name: lease_holder
-- Who holds the lease at this moment.
SELECT activity.application_name
FROM pg_locks AS lease
INNER JOIN pg_stat_activity AS activity ON activity.pid = lease.pid
WHERE lease.locktype = 'advisory' AND lease.granted AND lease.objsubid = 1
    AND lease.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND lease.classid::bigint << 32 | lease.objid::bigint = %(key)s;
