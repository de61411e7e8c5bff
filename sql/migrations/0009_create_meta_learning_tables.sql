-- Why: what is learned beside sizes: regime weights, factors, tuned thresholds, notes. Additive.

CREATE TABLE learning.learning_regime_weights (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    regime_signature text NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add')),
    n_trades integer NOT NULL CHECK (n_trades >= 0),
    n_fit_trades integer NOT NULL CHECK (n_fit_trades >= 0),
    confidence double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    w_time_efficiency double precision NOT NULL CHECK (w_time_efficiency > 0),
    w_field_coherence double precision NOT NULL CHECK (w_field_coherence > 0),
    w_recurrence double precision NOT NULL CHECK (w_recurrence > 0),
    w_variance double precision NOT NULL CHECK (w_variance > 0),
    effect_time_efficiency_r double precision,
    effect_field_coherence_r double precision,
    effect_recurrence_r double precision,
    effect_variance_r double precision,
    parent text,
    is_default boolean NOT NULL,
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", regime_signature, action_category)
);
COMMENT ON TABLE learning.learning_regime_weights IS 'Weights of the components of an edge in each regime and category, as of a day; 1 where nothing was fitted.';
COMMENT ON COLUMN learning.learning_regime_weights."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.learning_regime_weights.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.learning_regime_weights.regime_signature IS 'btc_macro, alt_meso and bucket_meso as up, flat or down; all: the fit to every state.';
COMMENT ON COLUMN learning.learning_regime_weights.action_category IS 'entry or add.';
COMMENT ON COLUMN learning.learning_regime_weights.n_trades IS 'Trades of the signature.';
COMMENT ON COLUMN learning.learning_regime_weights.n_fit_trades IS 'Trades behind the weights.';
COMMENT ON COLUMN learning.learning_regime_weights.confidence IS 'n / (n + k).';
COMMENT ON COLUMN learning.learning_regime_weights.w_time_efficiency IS 'Weight of the time score.';
COMMENT ON COLUMN learning.learning_regime_weights.w_field_coherence IS 'Weight of field coherence.';
COMMENT ON COLUMN learning.learning_regime_weights.w_recurrence IS 'Weight of recurrence.';
COMMENT ON COLUMN learning.learning_regime_weights.w_variance IS 'Weight of the reliability.';
COMMENT ON COLUMN learning.learning_regime_weights.effect_time_efficiency_r IS 'R for one standard deviation of time efficiency; NULL where it was not fitted.';
COMMENT ON COLUMN learning.learning_regime_weights.effect_field_coherence_r IS 'R for one standard deviation of field coherence; NULL where it was not fitted.';
COMMENT ON COLUMN learning.learning_regime_weights.effect_recurrence_r IS 'R for one standard deviation of recurrence; NULL where it was not fitted.';
COMMENT ON COLUMN learning.learning_regime_weights.effect_variance_r IS 'R for one standard deviation of variance; NULL where it was not fitted.';
COMMENT ON COLUMN learning.learning_regime_weights.parent IS 'Whose weights these are, where not its own.';
COMMENT ON COLUMN learning.learning_regime_weights.is_default IS 'Whether nothing was fitted: every weight is 1.';
COMMENT ON COLUMN learning.learning_regime_weights.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.learning_regime_weights.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.learning_regime_weights.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.learning_regime_weights.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.learning_latent_factors (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    factor_id text NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add', 'trim', 'exit')),
    representative text NOT NULL,
    lesson_ids text[] NOT NULL,
    n_lessons integer NOT NULL CHECK (n_lessons > 0),
    min_jaccard double precision CHECK (min_jaccard BETWEEN 0 AND 1),
    n_trades integer NOT NULL CHECK (n_trades >= 0),
    is_carried boolean NOT NULL,
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", factor_id)
);
COMMENT ON TABLE learning.learning_latent_factors IS 'Lessons that are about the same trades, as of a day: only the representative may become an override.';
COMMENT ON COLUMN learning.learning_latent_factors."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.learning_latent_factors.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.learning_latent_factors.factor_id IS 'Stable from day to day.';
COMMENT ON COLUMN learning.learning_latent_factors.action_category IS 'entry, add, trim or exit.';
COMMENT ON COLUMN learning.learning_latent_factors.representative IS 'Lesson that stands for it.';
COMMENT ON COLUMN learning.learning_latent_factors.lesson_ids IS 'Its lessons, the representative too.';
COMMENT ON COLUMN learning.learning_latent_factors.n_lessons IS 'How many.';
COMMENT ON COLUMN learning.learning_latent_factors.min_jaccard IS 'Least likeness of two of them; NULL of one alone.';
COMMENT ON COLUMN learning.learning_latent_factors.n_trades IS 'Trades of any of them.';
COMMENT ON COLUMN learning.learning_latent_factors.is_carried IS 'Whether the day before had it.';
COMMENT ON COLUMN learning.learning_latent_factors.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.learning_latent_factors.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.learning_latent_factors.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.learning_latent_factors.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.tuning_rate (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    family text NOT NULL CHECK (family IN ('pm.s1_entry', 'pm.s3_retest')),
    scope_mask bigint NOT NULL CHECK (scope_mask >= 0 AND scope_mask < 4294967296),
    scope_values json NOT NULL CHECK (json_typeof(scope_values) = 'object'),
    scope_values_hash text NOT NULL CHECK (scope_values_hash ~ '^[0-9a-f]{16}$'),
    n_acted integer NOT NULL CHECK (n_acted >= 0),
    n_skipped integer NOT NULL CHECK (n_skipped >= 0),
    n_acted_success integer NOT NULL CHECK (n_acted_success >= 0),
    n_acted_failure integer NOT NULL CHECK (n_acted_failure >= 0),
    n_skipped_success integer NOT NULL CHECK (n_skipped_success >= 0),
    n_skipped_failure integer NOT NULL CHECK (n_skipped_failure >= 0),
    n_pending integer NOT NULL CHECK (n_pending >= 0),
    n_expired integer NOT NULL CHECK (n_expired >= 0),
    wr double precision CHECK (wr BETWEEN 0 AND 1),
    wr_low double precision CHECK (wr_low BETWEEN 0 AND 1),
    wr_high double precision CHECK (wr_high BETWEEN 0 AND 1),
    fpr double precision CHECK (fpr BETWEEN 0 AND 1),
    fpr_low double precision CHECK (fpr_low BETWEEN 0 AND 1),
    fpr_high double precision CHECK (fpr_high BETWEEN 0 AND 1),
    mr double precision CHECK (mr BETWEEN 0 AND 1),
    mr_low double precision CHECK (mr_low BETWEEN 0 AND 1),
    mr_high double precision CHECK (mr_high BETWEEN 0 AND 1),
    dr double precision CHECK (dr BETWEEN 0 AND 1),
    dr_low double precision CHECK (dr_low BETWEEN 0 AND 1),
    dr_high double precision CHECK (dr_high BETWEEN 0 AND 1),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", family, scope_mask, scope_values_hash)
);
COMMENT ON TABLE learning.tuning_rate IS 'Episodes of a family and scope as of a day, by decision and outcome, with rates and intervals.';
COMMENT ON COLUMN learning.tuning_rate."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.tuning_rate.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.tuning_rate.family IS 'Windows it is about.';
COMMENT ON COLUMN learning.tuning_rate.scope_mask IS 'Dimensions the cell is fixed to, one bit each.';
COMMENT ON COLUMN learning.tuning_rate.scope_values IS 'Their values.';
COMMENT ON COLUMN learning.tuning_rate.scope_values_hash IS 'Hash of the values.';
COMMENT ON COLUMN learning.tuning_rate.n_acted IS 'Concluded, something was bought.';
COMMENT ON COLUMN learning.tuning_rate.n_skipped IS 'Concluded, nothing was.';
COMMENT ON COLUMN learning.tuning_rate.n_acted_success IS 'Bought and right.';
COMMENT ON COLUMN learning.tuning_rate.n_acted_failure IS 'Bought and wrong.';
COMMENT ON COLUMN learning.tuning_rate.n_skipped_success IS 'Left and would have been right.';
COMMENT ON COLUMN learning.tuning_rate.n_skipped_failure IS 'Left, rightly.';
COMMENT ON COLUMN learning.tuning_rate.n_pending IS 'Without an outcome yet; in no rate.';
COMMENT ON COLUMN learning.tuning_rate.n_expired IS 'That never had one; in no rate.';
COMMENT ON COLUMN learning.tuning_rate.wr IS 'Win rate: successes of what was bought; NULL without any.';
COMMENT ON COLUMN learning.tuning_rate.wr_low IS 'Lower end of its Wilson 90 % interval.';
COMMENT ON COLUMN learning.tuning_rate.wr_high IS 'Upper end.';
COMMENT ON COLUMN learning.tuning_rate.fpr IS 'False positive rate: failures of what was bought; NULL without any.';
COMMENT ON COLUMN learning.tuning_rate.fpr_low IS 'Lower end of its Wilson 90 % interval.';
COMMENT ON COLUMN learning.tuning_rate.fpr_high IS 'Upper end.';
COMMENT ON COLUMN learning.tuning_rate.mr IS 'Miss rate: successes of what was left; NULL without any.';
COMMENT ON COLUMN learning.tuning_rate.mr_low IS 'Lower end of its Wilson 90 % interval.';
COMMENT ON COLUMN learning.tuning_rate.mr_high IS 'Upper end.';
COMMENT ON COLUMN learning.tuning_rate.dr IS 'Dodge rate: failures of what was left; NULL without any.';
COMMENT ON COLUMN learning.tuning_rate.dr_low IS 'Lower end of its Wilson 90 % interval.';
COMMENT ON COLUMN learning.tuning_rate.dr_high IS 'Upper end.';
COMMENT ON COLUMN learning.tuning_rate.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.tuning_rate.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.tuning_rate.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.tuning_rate.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.tuning_state (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    family text NOT NULL CHECK (family IN ('pm.s1_entry', 'pm.s3_retest')),
    scope_mask bigint NOT NULL CHECK (scope_mask >= 0 AND scope_mask < 4294967296),
    scope_values json NOT NULL CHECK (json_typeof(scope_values) = 'object'),
    scope_values_hash text NOT NULL CHECK (scope_values_hash ~ '^[0-9a-f]{16}$'),
    gate text NOT NULL,
    multiplier double precision NOT NULL CHECK (multiplier > 0 AND multiplier < 'Infinity'),
    since timestamptz NOT NULL,
    fed_at timestamptz NOT NULL,
    n_evidence integer NOT NULL CHECK (n_evidence > 0),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", family, gate, scope_mask, scope_values_hash)
);
COMMENT ON TABLE learning.tuning_state IS 'Thresholds that stand elsewhere than configured, as of a day.';
COMMENT ON COLUMN learning.tuning_state."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.tuning_state.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.tuning_state.family IS 'Windows it is about.';
COMMENT ON COLUMN learning.tuning_state.scope_mask IS 'Dimensions the cell is fixed to, one bit each.';
COMMENT ON COLUMN learning.tuning_state.scope_values IS 'Their values.';
COMMENT ON COLUMN learning.tuning_state.scope_values_hash IS 'Hash of the values.';
COMMENT ON COLUMN learning.tuning_state.gate IS 'Gate of the buy rule.';
COMMENT ON COLUMN learning.tuning_state.multiplier IS 'Of the configured threshold.';
COMMENT ON COLUMN learning.tuning_state.since IS 'As of when it came there.';
COMMENT ON COLUMN learning.tuning_state.fed_at IS 'As of when enough episodes last bore on it.';
COMMENT ON COLUMN learning.tuning_state.n_evidence IS 'Episodes of the rate behind its last step.';
COMMENT ON COLUMN learning.tuning_state.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.tuning_state.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.tuning_state.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.tuning_state.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.tuning_verdict (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    family text NOT NULL CHECK (family IN ('pm.s1_entry', 'pm.s3_retest')),
    scope_mask bigint NOT NULL CHECK (scope_mask >= 0 AND scope_mask < 4294967296),
    scope_values json NOT NULL CHECK (json_typeof(scope_values) = 'object'),
    scope_values_hash text NOT NULL CHECK (scope_values_hash ~ '^[0-9a-f]{16}$'),
    gate text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('loosened', 'tightened', 'returned', 'contradiction', 'cooling', 'too_few', 'within', 'chance', 'at_bound', 'no_gain', 'rr_unknown')),
    step_from double precision NOT NULL CHECK (step_from > 0),
    step_to double precision NOT NULL CHECK (step_to > 0),
    evidence json NOT NULL CHECK (json_typeof(evidence) = 'object'),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", family, gate, scope_mask, scope_values_hash)
);
COMMENT ON TABLE learning.tuning_verdict IS 'What the judge said of every threshold on a day, and by what.';
COMMENT ON COLUMN learning.tuning_verdict."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.tuning_verdict.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.tuning_verdict.family IS 'Windows it is about.';
COMMENT ON COLUMN learning.tuning_verdict.scope_mask IS 'Dimensions the cell is fixed to, one bit each.';
COMMENT ON COLUMN learning.tuning_verdict.scope_values IS 'Their values.';
COMMENT ON COLUMN learning.tuning_verdict.scope_values_hash IS 'Hash of the values.';
COMMENT ON COLUMN learning.tuning_verdict.gate IS 'Gate of the buy rule.';
COMMENT ON COLUMN learning.tuning_verdict.verdict IS 'What was decided; only the first three move it.';
COMMENT ON COLUMN learning.tuning_verdict.step_from IS 'Multiplier before.';
COMMENT ON COLUMN learning.tuning_verdict.step_to IS 'And after.';
COMMENT ON COLUMN learning.tuning_verdict.evidence IS 'Thresholds, rates with intervals, the replay of the step.';
COMMENT ON COLUMN learning.tuning_verdict.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.tuning_verdict.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.tuning_verdict.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.tuning_verdict.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.llm_learning (
    id text NOT NULL CHECK (id ~ '^[0-9a-f]{64}$'),
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('report', 'semantic_factor', 'family_proposal', 'semantic_pattern', 'hypothesis')),
    level integer NOT NULL CHECK (level BETWEEN 1 AND 5),
    module text NOT NULL,
    status text NOT NULL CHECK (status IN ('hypothesis', 'validated', 'rejected', 'active', 'deprecated')),
    content json NOT NULL CHECK (json_typeof(content) = 'object'),
    test_results json,
    prompt_hash text NOT NULL,
    input_hash text NOT NULL,
    model_id text NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX llm_learning_day ON learning.llm_learning ("timestamp");
COMMENT ON TABLE learning.llm_learning IS 'Notes on what was learned, for people: reports and hypotheses. Read by no number.';
COMMENT ON COLUMN learning.llm_learning.id IS 'Hash of question, model and note.';
COMMENT ON COLUMN learning.llm_learning."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.llm_learning.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.llm_learning.kind IS 'What it is.';
COMMENT ON COLUMN learning.llm_learning.level IS 'Level of the research layer.';
COMMENT ON COLUMN learning.llm_learning.module IS 'pm.';
COMMENT ON COLUMN learning.llm_learning.status IS 'What trades have said of it.';
COMMENT ON COLUMN learning.llm_learning.content IS 'The note, checked; text only.';
COMMENT ON COLUMN learning.llm_learning.test_results IS 'Numbers of the test of a hypothesis; NULL while it waits.';
COMMENT ON COLUMN learning.llm_learning.prompt_hash IS 'Hash of the question.';
COMMENT ON COLUMN learning.llm_learning.input_hash IS 'Hash of what it was shown.';
COMMENT ON COLUMN learning.llm_learning.model_id IS 'Model, or the template.';
COMMENT ON COLUMN learning.llm_learning.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.llm_learning.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.llm_learning.code_version IS 'Version of the code that made the row.';
