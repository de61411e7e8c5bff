-- What a person looks at of what was learned, and the choice of the live set. Bare names: whose tables these are, the
-- session's search path says. Scopes come as text: what is in them is read with care.

-- name: schemas_of_learned
-- Schemas that hold what was learned from a replay.
SELECT nspname FROM pg_namespace
WHERE starts_with(nspname, 'learned_') AND to_regclass(quote_ident(nspname) || '.learning_run') IS NOT NULL
ORDER BY nspname;

-- name: learning_run_of_day
-- What the lesson builder did on the day that begins at %(at)s; on the newest one where that is NULL.
SELECT
    "timestamp", as_of, promotion, n_trades, n_trades_without_rr, n_parked, n_groups, cells_found, cells_mined,
    cells_cut, n_hypotheses, n_promoted, n_retired, baseline_rr, config_version, run_id, code_version
FROM learning_run
WHERE %(at)s::timestamptz IS NULL OR "timestamp" = %(at)s
ORDER BY "timestamp" DESC
LIMIT 1;

-- name: days_of_learning_run
-- First and last day that lessons were looked for on.
SELECT min("timestamp"), max("timestamp") FROM learning_run;

-- name: walk_forward_of_day
-- Learned against neutral sizing as of the day that begins at %(at)s; of the newest one where that is NULL.
SELECT
    "timestamp", as_of, n_trades, n_moved, pnl_neutral_usd, pnl_learned_usd, difference_usd, difference_low,
    difference_high, hit_rate, n_overrides, n_noise, report::text AS report, config_version, run_id, code_version
FROM walk_forward
WHERE %(at)s::timestamptz IS NULL OR "timestamp" = %(at)s
ORDER BY "timestamp" DESC
LIMIT 1;

-- name: days_of_walk_forward
-- First and last day with such a report.
SELECT min("timestamp"), max("timestamp") FROM walk_forward;

-- name: lessons_told
-- Lessons of the day %(at)s, with %(is_all)s the retired ones too, of pattern %(pattern)s or all; strongest edge first.
SELECT
    lesson_id, lesson_type, pattern_key, action_category, scope_values::text AS scope, status, born_on, promoted_on,
    measured_on, retired_on, missed_runs, n_retirements, promotion, n_trades, n_actions, n_wins, win_rate_frac,
    win_rate_low, win_rate_high, avg_rr, avg_rr_shrunk, baseline_rr, parent_values::text AS parent, effect_rr,
    effect_low, effect_high, p_value, q_value, oos_trades, oos_effect_rr, oos_p_value, edge_raw, edge_used,
    edge_at_birth, edge_current, decay_state, decay_mult, half_life_hours, config_version, run_id, code_version
FROM learning_lessons
WHERE "timestamp" = %(at)s AND (%(is_all)s OR status = 'active')
    AND (%(pattern)s::text IS NULL OR pattern_key = %(pattern)s)
ORDER BY status, abs(edge_used) DESC NULLS LAST, lesson_id;

-- name: hypotheses_by_verdict
-- How many cells were asked about on the day %(at)s, of pattern %(pattern)s or all, by what became of them.
SELECT verdict, count(*) AS count FROM lesson_hypothesis
WHERE "timestamp" = %(at)s AND (%(pattern)s::text IS NULL OR pattern_key = %(pattern)s)
GROUP BY verdict
ORDER BY verdict <> 'promoted', count DESC, verdict;

-- name: hypotheses_told
-- Of the same cells, the %(most)s that came nearest to being believed.
SELECT
    pattern_key, action_category, scope_values::text AS scope, n_trades, n_clusters, parent_values::text AS parent,
    effect_rr, effect_low, effect_high, p_value, q_value, oos_trades, oos_effect_rr, oos_p_value, edge_raw, edge_used,
    verdict, explained_by, run_id, code_version
FROM lesson_hypothesis
WHERE "timestamp" = %(at)s AND (%(pattern)s::text IS NULL OR pattern_key = %(pattern)s)
ORDER BY
    verdict <> 'promoted', q_value NULLS LAST, p_value NULLS LAST, n_trades DESC, pattern_key, action_category,
    scope_mask, scope_values_hash
LIMIT %(most)s;

-- name: newest_override_sets
-- The %(most)s newest versions, with their overrides by state; a live one that has expired does not apply.
SELECT
    made.set_id, made.as_of, made.made_at, count(rule.set_id) AS overrides,
    count(*) FILTER (WHERE rule.state = 'live') AS live,
    count(*) FILTER (WHERE rule.state = 'live' AND rule.expires_at <= clock_timestamp()) AS live_expired,
    count(*) FILTER (WHERE rule.state = 'shadow') AS shadow,
    count(*) FILTER (WHERE rule.state = 'proposed') AS proposed,
    made.config_version, made.run_id, made.code_version
FROM (SELECT * FROM override_set ORDER BY as_of DESC, set_id DESC LIMIT %(most)s) AS made
LEFT JOIN pm_overrides AS rule ON rule.set_id = made.set_id
GROUP BY
    made.set_id, made.as_of, made.made_at, made.config_version, made.run_id, made.code_version
ORDER BY made.as_of DESC, made.set_id DESC;

-- name: override_set_told
-- Version %(set_id)s, in the same words.
SELECT
    made.set_id, made.as_of, made.made_at, count(rule.set_id) AS overrides,
    count(*) FILTER (WHERE rule.state = 'live') AS live,
    count(*) FILTER (WHERE rule.state = 'live' AND rule.expires_at <= clock_timestamp()) AS live_expired,
    count(*) FILTER (WHERE rule.state = 'shadow') AS shadow,
    count(*) FILTER (WHERE rule.state = 'proposed') AS proposed,
    made.config_version, made.run_id, made.code_version
FROM override_set AS made
LEFT JOIN pm_overrides AS rule ON rule.set_id = made.set_id
WHERE made.set_id = %(set_id)s
GROUP BY
    made.set_id, made.as_of, made.made_at, made.config_version, made.run_id, made.code_version;

-- name: override_sets_span
-- Lowest and highest number of a version.
SELECT min(set_id), max(set_id) FROM override_set;

-- name: overrides_told
-- Overrides of version %(set_id)s.
SELECT
    override_id, state, state_since, proposed_at, live_at, pattern_key, action_category, scope_mask,
    scope_values::text AS scope, lever, multiplier, confidence, n_trades, edge_raw, decay_mult, lesson_id, expires_at,
    expires_at <= clock_timestamp() AS is_expired
FROM pm_overrides
WHERE set_id = %(set_id)s
ORDER BY array_position(ARRAY['live', 'shadow', 'proposed'], state), pattern_key, action_category, override_id;

-- name: live_set_changes
-- The %(most)s latest choices of the live version, newest first.
SELECT set_id, holds, author, reason, set_at FROM live_override_set ORDER BY step_id DESC LIMIT %(most)s;

-- name: lock_live_set
-- One chooser of the live version at a time until the transaction ends: what was read of it still holds then.
SELECT pg_advisory_xact_lock(hashtext('lowcap.writer'), hashtext('learning.live_override_set'));

-- name: newest_set_as_of_now
-- Number of the version that knows the most.
SELECT set_id FROM override_set WHERE as_of <= clock_timestamp() ORDER BY as_of DESC, set_id DESC LIMIT 1;

-- name: choose_live_set
-- Let a version be the live one, or none where it is NULL, and say whether later ones must wait.
INSERT INTO live_override_set (set_id, holds, author, reason)
VALUES (%(set_id)s, %(holds)s, %(author)s, %(reason)s)
RETURNING set_id, holds, author, reason, set_at;

-- name: override_steps_told
-- The %(most)s latest steps of overrides whose lesson's id begins %(lesson)s, newest first, with what the lesson is about.
SELECT
    step.set_id, step.lesson_id, step.lever, step.from_state, step.to_state, step.stepped_at, step.reason,
    step.evidence::text AS evidence, lesson.pattern_key, lesson.action_category, lesson.scope
FROM (
    SELECT * FROM override_step WHERE starts_with(lesson_id, %(lesson)s) ORDER BY step_id DESC LIMIT %(most)s
) AS step
LEFT JOIN LATERAL (
    SELECT pattern_key, action_category, scope_values::text AS scope FROM learning_lessons
    WHERE lesson_id = step.lesson_id
    ORDER BY "timestamp" DESC
    LIMIT 1
) AS lesson ON true
ORDER BY step.step_id DESC;

-- name: override_endings
-- Why overrides ended between version %(before)s and version %(after)s, by what the two know; the latest step of each.
SELECT DISTINCT ON (step.lesson_id, step.lever) step.lesson_id, step.lever, step.reason
FROM override_step AS step
INNER JOIN override_set AS made ON made.set_id = step.set_id
WHERE step.to_state IN ('expired', 'revoked')
    AND made.as_of > (SELECT as_of FROM override_set WHERE set_id = %(before)s)
    AND made.as_of <= (SELECT as_of FROM override_set WHERE set_id = %(after)s)
ORDER BY step.lesson_id, step.lever, step.step_id DESC;

-- name: regime_weights_told
-- Weights of the components of an edge as of the day %(at)s, those of every regime first.
SELECT
    regime_signature, action_category, n_trades, n_fit_trades, confidence, w_time_efficiency, w_field_coherence,
    w_recurrence, w_variance, effect_time_efficiency_r, effect_field_coherence_r, effect_recurrence_r,
    effect_variance_r, parent AS weights_of, is_default, run_id, code_version
FROM learning_regime_weights
WHERE "timestamp" = %(at)s
ORDER BY array_position(ARRAY['entry', 'add'], action_category), regime_signature <> 'all', n_trades DESC,
    regime_signature;

-- name: latent_factors_told
-- Lessons of the day %(at)s that share their trades, the most first, and what their representative is about.
SELECT
    factor.factor_id, factor.action_category, factor.representative, lesson.pattern_key,
    lesson.scope_values::text AS scope, factor.lesson_ids, factor.n_lessons, factor.min_jaccard, factor.n_trades,
    factor.is_carried, factor.run_id, factor.code_version
FROM learning_latent_factors AS factor
LEFT JOIN learning_lessons AS lesson
    ON lesson."timestamp" = factor."timestamp" AND lesson.lesson_id = factor.representative
WHERE factor."timestamp" = %(at)s
ORDER BY factor.n_lessons DESC, factor.n_trades DESC, factor.factor_id;

-- name: tuning_verdicts_told
-- What was said of every threshold on the day %(at)s, coarse cells first, and since when it stands where it does.
SELECT
    judged.as_of, judged.family, judged.gate, judged.scope_values::text AS scope, judged.verdict, judged.step_from,
    judged.step_to, moved.since, judged.evidence::text AS evidence, judged.config_version, judged.run_id,
    judged.code_version
FROM tuning_verdict AS judged
LEFT JOIN tuning_state AS moved
    ON moved."timestamp" = judged."timestamp" AND moved.family = judged.family AND moved.gate = judged.gate
    AND moved.scope_mask = judged.scope_mask AND moved.scope_values_hash = judged.scope_values_hash
WHERE judged."timestamp" = %(at)s
ORDER BY judged.family, judged.gate, bit_count(judged.scope_mask::bit(32)), judged.scope_mask,
    judged.scope_values::text;

-- name: tuning_rates_told
-- How windows of opportunity ended as of the day %(at)s, by family and cell, coarse cells first.
SELECT
    as_of, family, scope_values::text AS scope, n_acted, n_skipped, n_acted_success, n_acted_failure,
    n_skipped_success, n_skipped_failure, n_pending, n_expired, wr, wr_low, wr_high, fpr, fpr_low, fpr_high, mr, mr_low,
    mr_high, dr, dr_low, dr_high, config_version, run_id, code_version
FROM tuning_rate
WHERE "timestamp" = %(at)s
ORDER BY family, bit_count(scope_mask::bit(32)), scope_mask, scope_values::text;

-- name: last_judged_day
-- Newest day on which a threshold was judged.
SELECT max("timestamp") FROM tuning_verdict;

-- name: llm_learning_of_day
-- Day that begins at %(at)s, if notes were written on it; the newest such day where that is NULL.
SELECT "timestamp", as_of FROM llm_learning
WHERE %(at)s::timestamptz IS NULL OR "timestamp" = %(at)s
ORDER BY "timestamp" DESC, as_of DESC
LIMIT 1;

-- name: days_of_llm_learning
-- First and last day with notes.
SELECT min("timestamp"), max("timestamp") FROM llm_learning;

-- name: notes_told
-- Notes of the day %(at)s, of kind %(kind)s or all, and the questions that got no answer.
SELECT
    id, kind, level, status, model_id, content::text AS content, test_results::text AS test_results, run_id,
    code_version
FROM llm_learning
WHERE "timestamp" = %(at)s AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY level, model_id, id;

-- name: forward_trades_told
-- The %(most)s trades that closed last before %(as_of)s, at the size they had, the neutral and the learned one.
SELECT
    "timestamp" AS closed_at, trade_id, set_id, multiplier, rr, pnl_usd, pnl_neutral_usd, pnl_learned_usd, lesson_ids,
    run_id, code_version
FROM walk_forward_trade
WHERE "timestamp" < %(as_of)s
ORDER BY "timestamp" DESC, trade_id
LIMIT %(most)s;

-- name: forward_trades_summed
-- All trades that closed before %(as_of)s in numbers; those of unknown size are counted and in no sum.
SELECT
    count(pnl_learned_usd) AS n_trades, count(*) - count(pnl_learned_usd) AS n_unknown,
    coalesce(sum(pnl_usd) FILTER (WHERE pnl_learned_usd IS NOT NULL), 0) AS pnl_usd,
    coalesce(sum(pnl_neutral_usd) FILTER (WHERE pnl_learned_usd IS NOT NULL), 0) AS pnl_neutral_usd,
    coalesce(sum(pnl_learned_usd), 0) AS pnl_learned_usd
FROM walk_forward_trade
WHERE "timestamp" < %(as_of)s;
