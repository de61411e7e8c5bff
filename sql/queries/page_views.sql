-- What pages of their own show beside the facts of the commands: a lesson day by day with the overrides made of it, the
-- running difference of a walk-forward, and which versions of the overrides stand beside one. Tables of learning stand
-- bare: whose they are, the session's search path says.

-- name: lesson_days
-- A lesson as each day knew it up to the day %(at)s, the newest %(most)s, oldest first.
SELECT * FROM (
    SELECT
        "timestamp" AS day, as_of, lesson_id, lesson_type, pattern_key, action_category, scope_values::text AS scope,
        parent_values::text AS parent, status, born_on, promoted_on, measured_on, retired_on, missed_runs,
        n_retirements, promotion, n_trades, n_actions, n_wins, win_rate_frac, win_rate_low, win_rate_high, avg_rr,
        median_rr, avg_rr_shrunk, baseline_rr, effect_rr, effect_low, effect_high, p_value, q_value, oos_trades,
        oos_effect_rr, oos_p_value, edge_used, edge_at_birth, edge_current, decay_mult, decay_state, half_life_hours,
        config_version, run_id
    FROM learning_lessons
    WHERE lesson_id = %(lesson_id)s AND "timestamp" <= %(at)s
    ORDER BY "timestamp" DESC
    LIMIT %(most)s
) AS newest
ORDER BY day;

-- name: lesson_last_day
-- Newest day that knew a lesson, up to the day %(at)s where one is asked for.
SELECT max("timestamp") AS at FROM learning_lessons
WHERE lesson_id = %(lesson_id)s AND (%(at)s::timestamptz IS NULL OR "timestamp" <= %(at)s);

-- name: overrides_of_lesson_known
-- What was made of a lesson in versions as of %(as_of)s or before, the newest %(most)s first.
SELECT
    rule.override_id, rule.set_id, made.as_of, rule.lever, rule.state, rule.multiplier, rule.confidence,
    rule.n_trades, rule.expires_at
FROM pm_overrides AS rule
INNER JOIN override_set AS made ON made.set_id = rule.set_id
WHERE rule.lesson_id = %(lesson_id)s AND made.as_of <= %(as_of)s
ORDER BY made.as_of DESC, rule.set_id DESC, rule.override_id
LIMIT %(most)s;

-- name: forward_by_day
-- What learned sizes made more than neutral ones on trades that closed before %(as_of)s, by the day of the closure.
SELECT
    date_trunc('day', "timestamp", 'UTC') AS day, count(*) AS n_trades,
    sum(pnl_learned_usd - pnl_neutral_usd) AS difference_usd
FROM walk_forward_trade
WHERE "timestamp" < %(as_of)s AND pnl_learned_usd IS NOT NULL AND pnl_neutral_usd IS NOT NULL
GROUP BY 1
ORDER BY 1;

-- name: sets_beside
-- Numbers of the versions before and after version %(set_id)s; NULL where there is none.
SELECT
    (SELECT max(set_id) FROM override_set WHERE set_id < %(set_id)s) AS before,
    (SELECT min(set_id) FROM override_set WHERE set_id > %(set_id)s) AS after;
