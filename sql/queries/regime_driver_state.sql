-- States of the regime drivers as people read them.

-- name: newest_driver_states
-- For each driver and timeframe asked for, its newest bar that opened by the given instant, or NULLs.
SELECT
    wanted.driver, wanted.timeframe, newest."timestamp", newest.status, newest.state, newest.transition,
    newest.buy_signal, newest.buy_flag, newest.first_dip_buy_flag, newest.trim_flag, newest.emergency_exit,
    newest.reclaimed_ema333, newest.exit_position, newest.config_version, newest.run_id,
    newest."timestamp" IS NOT NULL OR EXISTS (
        SELECT FROM regime.regime_driver_state AS any_bar
        WHERE any_bar.driver = wanted.driver AND any_bar.book_id = %(book_id)s AND any_bar.timeframe = wanted.timeframe
    ) AS has_bars
FROM unnest(%(drivers)s::text[], %(timeframes)s::text[], %(newest_opens)s::timestamptz[])
    WITH ORDINALITY AS wanted (driver, timeframe, newest_open, position)
LEFT JOIN LATERAL (
    SELECT * FROM regime.regime_driver_state
    WHERE driver = wanted.driver AND book_id = %(book_id)s AND timeframe = wanted.timeframe
        AND "timestamp" <= wanted.newest_open
    ORDER BY "timestamp" DESC
    LIMIT 1
) AS newest ON true
ORDER BY wanted.position;
