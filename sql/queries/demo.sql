-- name: sizes_of_newest_set
-- Live overrides of sizes in the set that knows the most, with what their lessons say on the newest day they were told.
SELECT
    rule.override_id, rule.set_id, rule.pattern_key, rule.action_category, rule.scope_values::text AS scope,
    rule.multiplier, rule.n_trades, lesson.edge_at_birth, lesson.edge_used, lesson.decay_state, lesson.half_life_hours
FROM pm_overrides AS rule
LEFT JOIN LATERAL (
    SELECT edge_at_birth, edge_used, decay_state, half_life_hours
    FROM learning_lessons AS told
    WHERE told.lesson_id = rule.lesson_id
    ORDER BY told."timestamp" DESC
    LIMIT 1
) AS lesson ON true
WHERE rule.set_id = (SELECT set_id FROM override_set ORDER BY as_of DESC, set_id DESC LIMIT 1)
    AND rule.state = 'live' AND rule.lever = 'pm_strength'
ORDER BY abs(ln(rule.multiplier)) DESC, rule.override_id;

-- name: questions_of_newest_day
-- Hypotheses the newest day of learning asked, and of how many trades.
SELECT n_hypotheses, n_trades FROM learning_run ORDER BY "timestamp" DESC LIMIT 1;
