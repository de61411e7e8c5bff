-- Why: what is learned of closed trades, from the facts to overrides and how they did. Additive.

CREATE TABLE learning.pattern_trade_events (
    action_id text NOT NULL CHECK (action_id ~ '^[0-9a-f]{64}$'),
    trade_id text NOT NULL,
    position_id text NOT NULL,
    token_contract text NOT NULL,
    chain text NOT NULL,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    pattern_key text NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add', 'trim', 'exit')),
    scope json NOT NULL CHECK (json_typeof(scope) = 'object'),
    scope_mask bigint NOT NULL CHECK (scope_mask >= 0 AND scope_mask < 4294967296),
    action_ts timestamptz NOT NULL,
    "timestamp" timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    rr double precision CHECK (abs(rr) < 'Infinity'),
    rr_absent_reason text,
    roi double precision CHECK (abs(roi) < 'Infinity'),
    pnl_usd double precision NOT NULL CHECK (abs(pnl_usd) < 'Infinity'),
    hours_to_s3 double precision CHECK (hours_to_s3 >= 0),
    hold_hours double precision NOT NULL CHECK (hold_hours >= 0),
    pm_strength_applied double precision CHECK (pm_strength_applied > 0),
    filled_usd double precision CHECK (filled_usd >= 0),
    closed_strand_id text NOT NULL CHECK (closed_strand_id ~ '^[0-9a-f]{64}$'),
    schema_version integer NOT NULL CHECK (schema_version > 0),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    CONSTRAINT pattern_trade_events_once_a_trade UNIQUE (trade_id, action_id),
    CONSTRAINT pattern_trade_events_rr_or_reason CHECK ((rr IS NULL) = (rr_absent_reason IS NOT NULL)),
    CONSTRAINT pattern_trade_events_in_order CHECK (opened_at <= "timestamp" AND action_ts <= "timestamp"),
    PRIMARY KEY (action_id)
);
CREATE INDEX pattern_trade_events_closed ON learning.pattern_trade_events ("timestamp");
COMMENT ON TABLE learning.pattern_trade_events IS 'Facts: one row an action of a closed trade, all of a trade with its one outcome. Never changed.';
COMMENT ON COLUMN learning.pattern_trade_events.action_id IS 'Strand of the action.';
COMMENT ON COLUMN learning.pattern_trade_events.trade_id IS 'Trade: the unit of evidence.';
COMMENT ON COLUMN learning.pattern_trade_events.position_id IS 'Position it was.';
COMMENT ON COLUMN learning.pattern_trade_events.token_contract IS 'Contract address, or the symbol where the venue lists no contract.';
COMMENT ON COLUMN learning.pattern_trade_events.chain IS 'Chain or venue the contract lives on.';
COMMENT ON COLUMN learning.pattern_trade_events.timeframe IS 'Execution timeframe.';
COMMENT ON COLUMN learning.pattern_trade_events.pattern_key IS 'pm.uptrend.<state>.<flag>.';
COMMENT ON COLUMN learning.pattern_trade_events.action_category IS 'entry, add, trim or exit.';
COMMENT ON COLUMN learning.pattern_trade_events.scope IS 'Scope at the action.';
COMMENT ON COLUMN learning.pattern_trade_events.scope_mask IS 'Dimensions the scope knows.';
COMMENT ON COLUMN learning.pattern_trade_events.action_ts IS 'When the action was decided.';
COMMENT ON COLUMN learning.pattern_trade_events."timestamp" IS 'When the trade was closed: known from then on.';
COMMENT ON COLUMN learning.pattern_trade_events.opened_at IS 'First fill of the trade.';
COMMENT ON COLUMN learning.pattern_trade_events.rr IS 'R/R of the trade, as it came out; NULL where undefined.';
COMMENT ON COLUMN learning.pattern_trade_events.rr_absent_reason IS 'Why there is no R/R.';
COMMENT ON COLUMN learning.pattern_trade_events.roi IS 'PnL over what was invested.';
COMMENT ON COLUMN learning.pattern_trade_events.pnl_usd IS 'Total of the trade, after fees.';
COMMENT ON COLUMN learning.pattern_trade_events.hours_to_s3 IS 'From the first fill; NULL where S3 was not reached.';
COMMENT ON COLUMN learning.pattern_trade_events.hold_hours IS 'From the first fill to the closure.';
COMMENT ON COLUMN learning.pattern_trade_events.pm_strength_applied IS 'Learned multiplier of a buy; NULL for a sale.';
COMMENT ON COLUMN learning.pattern_trade_events.filled_usd IS 'Paid by a buy; NULL for a sale.';
COMMENT ON COLUMN learning.pattern_trade_events.closed_strand_id IS 'Strand that told the closure.';
COMMENT ON COLUMN learning.pattern_trade_events.schema_version IS 'Version of the schema of that strand.';
COMMENT ON COLUMN learning.pattern_trade_events.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.pattern_trade_events.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.pattern_trade_events.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.trade_intake (
    strand_id text NOT NULL CHECK (strand_id ~ '^[0-9a-f]{64}$'),
    trade_id text NOT NULL,
    "timestamp" timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN ('parked', 'given_up', 'refused', 'taken')),
    actions_told integer NOT NULL CHECK (actions_told >= 0),
    actions_missing integer NOT NULL CHECK (actions_missing >= 0),
    reason text NOT NULL CHECK (reason <> ''),
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (strand_id)
);
CREATE INDEX trade_intake_waiting ON learning.trade_intake (trade_id) WHERE status <> 'taken';
COMMENT ON TABLE learning.trade_intake IS 'Closed trades that could not be taken at once: parked until all their actions have come, or refused.';
COMMENT ON COLUMN learning.trade_intake.strand_id IS 'Strand that told the closure.';
COMMENT ON COLUMN learning.trade_intake.trade_id IS 'Trade.';
COMMENT ON COLUMN learning.trade_intake."timestamp" IS 'When it was closed.';
COMMENT ON COLUMN learning.trade_intake.status IS 'parked, given_up (parked for too long), refused (breaks its schema), taken (came whole after all).';
COMMENT ON COLUMN learning.trade_intake.actions_told IS 'Actions the closure names.';
COMMENT ON COLUMN learning.trade_intake.actions_missing IS 'Of those, how many have not come.';
COMMENT ON COLUMN learning.trade_intake.reason IS 'Why it is where it is.';
COMMENT ON COLUMN learning.trade_intake.first_seen_at IS 'When it was first found so.';
COMMENT ON COLUMN learning.trade_intake.last_seen_at IS 'When it was last looked at.';

CREATE TABLE learning.pattern_scope_stats (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    pattern_key text NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add', 'trim', 'exit')),
    scope_mask bigint NOT NULL CHECK (scope_mask >= 0 AND scope_mask < 4294967296),
    scope_values json NOT NULL CHECK (json_typeof(scope_values) = 'object'),
    scope_values_hash text NOT NULL CHECK (scope_values_hash ~ '^[0-9a-f]{16}$'),
    n_trades integer NOT NULL CHECK (n_trades > 0),
    n_actions integer NOT NULL CHECK (n_actions > 0),
    n_wins integer NOT NULL CHECK (n_wins >= 0),
    sum_rr double precision NOT NULL,
    sum_rr2 double precision NOT NULL CHECK (sum_rr2 >= 0),
    avg_rr double precision NOT NULL,
    median_rr double precision NOT NULL,
    variance_rr double precision NOT NULL CHECK (variance_rr >= 0),
    win_rate_frac double precision NOT NULL CHECK (win_rate_frac BETWEEN 0 AND 1),
    pnl_usd double precision NOT NULL,
    median_hours_to_s3 double precision CHECK (median_hours_to_s3 >= 0),
    median_hold_hours double precision NOT NULL CHECK (median_hold_hours >= 0),
    baseline_rr double precision,
    delta_rr double precision,
    ev_score double precision,
    reliability_score double precision CHECK (reliability_score BETWEEN 0 AND 1),
    support_score double precision CHECK (support_score BETWEEN 0 AND 1),
    magnitude_score double precision CHECK (magnitude_score BETWEEN 0 AND 1),
    time_score double precision CHECK (time_score BETWEEN 0 AND 1),
    stability_score double precision CHECK (stability_score BETWEEN 0 AND 1),
    edge_raw double precision,
    edge_simple double precision,
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    CONSTRAINT pattern_scope_stats_wins_are_trades CHECK (n_wins <= n_trades AND n_trades <= n_actions),
    PRIMARY KEY ("timestamp", pattern_key, action_category, scope_mask, scope_values_hash)
);
COMMENT ON TABLE learning.pattern_scope_stats IS 'Statistics of every mined cell as of a day. Derived: equal to a recompute from the facts.';
COMMENT ON COLUMN learning.pattern_scope_stats."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.pattern_scope_stats.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.pattern_scope_stats.pattern_key IS 'pm.uptrend.<state>.<flag>.';
COMMENT ON COLUMN learning.pattern_scope_stats.action_category IS 'entry, add, trim or exit.';
COMMENT ON COLUMN learning.pattern_scope_stats.scope_mask IS 'Dimensions the cell is fixed to, one bit each.';
COMMENT ON COLUMN learning.pattern_scope_stats.scope_values IS 'Their values.';
COMMENT ON COLUMN learning.pattern_scope_stats.scope_values_hash IS 'Hash of the values.';
COMMENT ON COLUMN learning.pattern_scope_stats.n_trades IS 'Closed trades with a known R/R: what every gate reads.';
COMMENT ON COLUMN learning.pattern_scope_stats.n_actions IS 'Actions of these trades; evidence of nothing.';
COMMENT ON COLUMN learning.pattern_scope_stats.n_wins IS 'Trades that made money.';
COMMENT ON COLUMN learning.pattern_scope_stats.sum_rr IS 'Sum of winsorised R/R.';
COMMENT ON COLUMN learning.pattern_scope_stats.sum_rr2 IS 'Sum of its squares.';
COMMENT ON COLUMN learning.pattern_scope_stats.avg_rr IS 'R.';
COMMENT ON COLUMN learning.pattern_scope_stats.median_rr IS 'R.';
COMMENT ON COLUMN learning.pattern_scope_stats.variance_rr IS 'Population variance, R squared.';
COMMENT ON COLUMN learning.pattern_scope_stats.win_rate_frac IS 'n_wins / n_trades.';
COMMENT ON COLUMN learning.pattern_scope_stats.pnl_usd IS 'Sum over the trades.';
COMMENT ON COLUMN learning.pattern_scope_stats.median_hours_to_s3 IS 'Of those that reached S3; NULL where none did.';
COMMENT ON COLUMN learning.pattern_scope_stats.median_hold_hours IS 'Hours.';
COMMENT ON COLUMN learning.pattern_scope_stats.baseline_rr IS 'Mean R/R of all trades, the measure; NULL where none is known.';
COMMENT ON COLUMN learning.pattern_scope_stats.delta_rr IS 'EV: average less baseline, R.';
COMMENT ON COLUMN learning.pattern_scope_stats.ev_score IS 'Sigmoid of delta_rr; told, not in the product.';
COMMENT ON COLUMN learning.pattern_scope_stats.reliability_score IS '1 / (1 + variance).';
COMMENT ON COLUMN learning.pattern_scope_stats.support_score IS '1 - exp(-n / k).';
COMMENT ON COLUMN learning.pattern_scope_stats.magnitude_score IS 'Sigmoid of the median.';
COMMENT ON COLUMN learning.pattern_scope_stats.time_score IS '1 / (1 + ln(1 + hours)): to S3, or held.';
COMMENT ON COLUMN learning.pattern_scope_stats.stability_score IS '1 / (1 + spread of its latest edges).';
COMMENT ON COLUMN learning.pattern_scope_stats.edge_raw IS 'delta_rr x reliability x (support + magnitude + time + stability).';
COMMENT ON COLUMN learning.pattern_scope_stats.edge_simple IS 'Average R/R - 1, for display.';
COMMENT ON COLUMN learning.pattern_scope_stats.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.pattern_scope_stats.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.pattern_scope_stats.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.pattern_scope_stats.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.learning_edge_history (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    pattern_key text NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add', 'trim', 'exit')),
    scope_signature text NOT NULL,
    edge_raw double precision NOT NULL CHECK (abs(edge_raw) < 'Infinity'),
    n_trades integer NOT NULL CHECK (n_trades > 0),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", pattern_key, action_category, scope_signature)
);
CREATE INDEX learning_edge_history_cell ON learning.learning_edge_history (pattern_key, action_category, scope_signature, "timestamp" DESC);
COMMENT ON TABLE learning.learning_edge_history IS 'One snapshot of the edge of every mined cell a day: what decay is fitted to.';
COMMENT ON COLUMN learning.learning_edge_history."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.learning_edge_history.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.learning_edge_history.pattern_key IS 'pm.uptrend.<state>.<flag>.';
COMMENT ON COLUMN learning.learning_edge_history.action_category IS 'entry, add, trim or exit.';
COMMENT ON COLUMN learning.learning_edge_history.scope_signature IS 'Values of the cell as canonical JSON; {} is the whole pattern.';
COMMENT ON COLUMN learning.learning_edge_history.edge_raw IS 'Edge that day.';
COMMENT ON COLUMN learning.learning_edge_history.n_trades IS 'Trades behind it.';
COMMENT ON COLUMN learning.learning_edge_history.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.learning_edge_history.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.learning_edge_history.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.edge_decay_fit (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    pattern_key text NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add', 'trim', 'exit')),
    scope_signature text NOT NULL,
    n_snapshots integer NOT NULL CHECK (n_snapshots > 0),
    n_outliers integer NOT NULL CHECK (n_outliers >= 0),
    intercept double precision,
    slope_per_hour double precision,
    amplitude double precision,
    rate_per_hour double precision,
    rate_se_per_hour double precision,
    half_life_hours double precision CHECK (half_life_hours > 0),
    r2_linear double precision,
    r2_exponential double precision,
    relative_rate_per_hour double precision,
    decay_mult double precision NOT NULL CHECK (decay_mult BETWEEN 0.33 AND 1.33),
    decay_state text NOT NULL CHECK (decay_state IN ('insufficient', 'stable', 'decaying', 'improving')),
    reason text,
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", pattern_key, action_category, scope_signature)
);
COMMENT ON TABLE learning.edge_decay_fit IS 'Decay of the edge of each cell with enough snapshots, as of a day.';
COMMENT ON COLUMN learning.edge_decay_fit."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.edge_decay_fit.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.edge_decay_fit.pattern_key IS 'pm.uptrend.<state>.<flag>.';
COMMENT ON COLUMN learning.edge_decay_fit.action_category IS 'entry, add, trim or exit.';
COMMENT ON COLUMN learning.edge_decay_fit.scope_signature IS 'Values of the cell as canonical JSON.';
COMMENT ON COLUMN learning.edge_decay_fit.n_snapshots IS 'Snapshots of the cell.';
COMMENT ON COLUMN learning.edge_decay_fit.n_outliers IS 'Of those, left out of the fit.';
COMMENT ON COLUMN learning.edge_decay_fit.intercept IS 'Line: edge at the first snapshot, R.';
COMMENT ON COLUMN learning.edge_decay_fit.slope_per_hour IS 'Line: R per hour.';
COMMENT ON COLUMN learning.edge_decay_fit.amplitude IS 'Exponential: edge at the first snapshot, R; NULL unless it is believed.';
COMMENT ON COLUMN learning.edge_decay_fit.rate_per_hour IS 'Exponential: its rate.';
COMMENT ON COLUMN learning.edge_decay_fit.rate_se_per_hour IS 'Standard error of the rate.';
COMMENT ON COLUMN learning.edge_decay_fit.half_life_hours IS 'Hours to halve, or to double when improving; NULL where not identifiable.';
COMMENT ON COLUMN learning.edge_decay_fit.r2_linear IS 'R squared of the line.';
COMMENT ON COLUMN learning.edge_decay_fit.r2_exponential IS 'R squared of the exponential.';
COMMENT ON COLUMN learning.edge_decay_fit.relative_rate_per_hour IS 'Rate the multiplier is made of.';
COMMENT ON COLUMN learning.edge_decay_fit.decay_mult IS 'Multiplier of the edge.';
COMMENT ON COLUMN learning.edge_decay_fit.decay_state IS 'Where the edge is heading.';
COMMENT ON COLUMN learning.edge_decay_fit.reason IS 'Why there is no half-life; NULL where there is one.';
COMMENT ON COLUMN learning.edge_decay_fit.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.edge_decay_fit.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.edge_decay_fit.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.edge_decay_fit.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.learning_run (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    promotion text NOT NULL CHECK (promotion IN ('honest', 'documents')),
    n_facts integer NOT NULL CHECK (n_facts >= 0),
    n_trades integer NOT NULL CHECK (n_trades >= 0),
    n_trades_without_rr integer NOT NULL CHECK (n_trades_without_rr >= 0),
    n_parked integer NOT NULL CHECK (n_parked >= 0),
    n_groups integer NOT NULL CHECK (n_groups >= 0),
    cells_found integer NOT NULL CHECK (cells_found >= 0),
    cells_mined integer NOT NULL CHECK (cells_mined >= 0),
    cells_cut integer NOT NULL CHECK (cells_cut >= 0),
    n_hypotheses integer NOT NULL CHECK (n_hypotheses >= 0),
    n_promoted integer NOT NULL CHECK (n_promoted >= 0),
    n_retired integer NOT NULL CHECK (n_retired >= 0),
    verdicts json NOT NULL CHECK (json_typeof(verdicts) = 'object'),
    baseline_rr double precision,
    input_hash text NOT NULL,
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp")
);
COMMENT ON TABLE learning.learning_run IS 'One row a day: what the lesson builder read, tried and made.';
COMMENT ON COLUMN learning.learning_run."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.learning_run.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.learning_run.promotion IS 'Rule lessons were promoted by.';
COMMENT ON COLUMN learning.learning_run.n_facts IS 'Facts known by then.';
COMMENT ON COLUMN learning.learning_run.n_trades IS 'Distinct closed trades.';
COMMENT ON COLUMN learning.learning_run.n_trades_without_rr IS 'Of those, without a defined R/R: counted, never used.';
COMMENT ON COLUMN learning.learning_run.n_parked IS 'Closed trades that wait for their actions.';
COMMENT ON COLUMN learning.learning_run.n_groups IS 'Patterns and categories with a trade.';
COMMENT ON COLUMN learning.learning_run.cells_found IS 'Frequent cells of the lattice.';
COMMENT ON COLUMN learning.learning_run.cells_mined IS 'Of those, closed and kept.';
COMMENT ON COLUMN learning.learning_run.cells_cut IS 'Of those, left out because there were too many.';
COMMENT ON COLUMN learning.learning_run.n_hypotheses IS 'Cells that were tested.';
COMMENT ON COLUMN learning.learning_run.n_promoted IS 'Lessons of this day.';
COMMENT ON COLUMN learning.learning_run.n_retired IS 'Lessons not reproduced twice, retired this day.';
COMMENT ON COLUMN learning.learning_run.verdicts IS 'Tested cells by verdict.';
COMMENT ON COLUMN learning.learning_run.baseline_rr IS 'Mean R/R of all trades of the last days; NULL where none is known.';
COMMENT ON COLUMN learning.learning_run.input_hash IS 'Hash of the facts it read.';
COMMENT ON COLUMN learning.learning_run.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.learning_run.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.learning_run.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.learning_run.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.lesson_hypothesis (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    pattern_key text NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add', 'trim', 'exit')),
    scope_mask bigint NOT NULL CHECK (scope_mask >= 0 AND scope_mask < 4294967296),
    scope_values json NOT NULL CHECK (json_typeof(scope_values) = 'object'),
    scope_values_hash text NOT NULL CHECK (scope_values_hash ~ '^[0-9a-f]{16}$'),
    n_trades integer NOT NULL CHECK (n_trades >= 0),
    n_clusters integer CHECK (n_clusters >= 0),
    parent_mask bigint,
    parent_values json,
    effect_rr double precision,
    effect_low double precision,
    effect_high double precision,
    p_value double precision CHECK (p_value BETWEEN 0 AND 1),
    q_value double precision CHECK (q_value BETWEEN 0 AND 1),
    oos_trades integer CHECK (oos_trades >= 0),
    oos_effect_rr double precision,
    oos_p_value double precision CHECK (oos_p_value BETWEEN 0 AND 1),
    edge_raw double precision,
    edge_used double precision,
    verdict text NOT NULL CHECK (verdict <> ''),
    explained_by text,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", pattern_key, action_category, scope_mask, scope_values_hash)
);
COMMENT ON TABLE learning.lesson_hypothesis IS 'Every cell the lesson builder tested on a day, and what became of it: promoted, or why not.';
COMMENT ON COLUMN learning.lesson_hypothesis."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.lesson_hypothesis.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.lesson_hypothesis.pattern_key IS 'pm.uptrend.<state>.<flag>.';
COMMENT ON COLUMN learning.lesson_hypothesis.action_category IS 'entry, add, trim or exit.';
COMMENT ON COLUMN learning.lesson_hypothesis.scope_mask IS 'Dimensions the cell is fixed to, one bit each.';
COMMENT ON COLUMN learning.lesson_hypothesis.scope_values IS 'Their values.';
COMMENT ON COLUMN learning.lesson_hypothesis.scope_values_hash IS 'Hash of the values.';
COMMENT ON COLUMN learning.lesson_hypothesis.n_trades IS 'Trades of the cell.';
COMMENT ON COLUMN learning.lesson_hypothesis.n_clusters IS 'Independent clusters they fall into.';
COMMENT ON COLUMN learning.lesson_hypothesis.parent_mask IS 'Mask of the cell it was compared inside; NULL for a whole pattern.';
COMMENT ON COLUMN learning.lesson_hypothesis.parent_values IS 'Its values.';
COMMENT ON COLUMN learning.lesson_hypothesis.effect_rr IS 'Mean less the mean of the rest of the parent, R.';
COMMENT ON COLUMN learning.lesson_hypothesis.effect_low IS 'Lower end of its 90 % interval.';
COMMENT ON COLUMN learning.lesson_hypothesis.effect_high IS 'Upper end.';
COMMENT ON COLUMN learning.lesson_hypothesis.p_value IS 'Two-sided, on the earlier part of the time.';
COMMENT ON COLUMN learning.lesson_hypothesis.q_value IS 'Benjamini-Hochberg within its family.';
COMMENT ON COLUMN learning.lesson_hypothesis.oos_trades IS 'Trades of the cell in the later part of the time.';
COMMENT ON COLUMN learning.lesson_hypothesis.oos_effect_rr IS 'The effect there.';
COMMENT ON COLUMN learning.lesson_hypothesis.oos_p_value IS 'One-sided, there.';
COMMENT ON COLUMN learning.lesson_hypothesis.edge_raw IS 'Edge of the cell.';
COMMENT ON COLUMN learning.lesson_hypothesis.edge_used IS 'Edge with the average shrunk to the parent''s.';
COMMENT ON COLUMN learning.lesson_hypothesis.verdict IS 'promoted, or the first gate that stopped it.';
COMMENT ON COLUMN learning.lesson_hypothesis.explained_by IS 'Cell whose effect this one is, where that was the verdict.';
COMMENT ON COLUMN learning.lesson_hypothesis.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.lesson_hypothesis.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.lesson_hypothesis.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.learning_lessons (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    lesson_id text NOT NULL CHECK (lesson_id ~ '^[0-9a-f]{64}$'),
    module text NOT NULL,
    lesson_type text NOT NULL CHECK (lesson_type IN ('pm_strength', 'tuning')),
    pattern_key text NOT NULL,
    action_category text NOT NULL CHECK (action_category IN ('entry', 'add', 'trim', 'exit')),
    scope_mask bigint NOT NULL CHECK (scope_mask >= 0 AND scope_mask < 4294967296),
    scope_values json NOT NULL CHECK (json_typeof(scope_values) = 'object'),
    scope_values_hash text NOT NULL CHECK (scope_values_hash ~ '^[0-9a-f]{16}$'),
    status text NOT NULL CHECK (status IN ('active', 'retired')),
    born_on date NOT NULL,
    promoted_on date NOT NULL,
    measured_on date NOT NULL,
    retired_on date,
    missed_runs integer NOT NULL CHECK (missed_runs >= 0),
    n_retirements integer NOT NULL CHECK (n_retirements >= 0),
    promotion text NOT NULL CHECK (promotion IN ('honest', 'documents')),
    n_trades integer NOT NULL CHECK (n_trades > 0),
    n_actions integer NOT NULL CHECK (n_actions > 0),
    n_wins integer NOT NULL CHECK (n_wins >= 0),
    avg_rr double precision NOT NULL,
    median_rr double precision NOT NULL,
    variance_rr double precision NOT NULL CHECK (variance_rr >= 0),
    avg_rr_shrunk double precision NOT NULL,
    win_rate_frac double precision NOT NULL CHECK (win_rate_frac BETWEEN 0 AND 1),
    win_rate_low double precision CHECK (win_rate_low BETWEEN 0 AND 1),
    win_rate_high double precision CHECK (win_rate_high BETWEEN 0 AND 1),
    baseline_rr double precision,
    delta_rr double precision,
    ev_score double precision,
    reliability_score double precision CHECK (reliability_score BETWEEN 0 AND 1),
    support_score double precision CHECK (support_score BETWEEN 0 AND 1),
    magnitude_score double precision CHECK (magnitude_score BETWEEN 0 AND 1),
    time_score double precision CHECK (time_score BETWEEN 0 AND 1),
    stability_score double precision CHECK (stability_score BETWEEN 0 AND 1),
    edge_raw double precision,
    edge_simple double precision,
    edge_used double precision,
    edge_at_birth double precision,
    edge_current double precision,
    parent_mask bigint,
    parent_values json,
    effect_rr double precision,
    effect_low double precision,
    effect_high double precision,
    p_value double precision CHECK (p_value BETWEEN 0 AND 1),
    q_value double precision CHECK (q_value BETWEEN 0 AND 1),
    oos_trades integer CHECK (oos_trades >= 0),
    oos_effect_rr double precision,
    oos_p_value double precision CHECK (oos_p_value BETWEEN 0 AND 1),
    half_life_hours double precision CHECK (half_life_hours > 0),
    decay_rate_per_hour double precision,
    decay_state text NOT NULL CHECK (decay_state IN ('insufficient', 'stable', 'decaying', 'improving')),
    decay_mult double precision NOT NULL CHECK (decay_mult BETWEEN 0.33 AND 1.33),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    CONSTRAINT learning_lessons_retired_says_when CHECK ((status = 'retired') = (retired_on IS NOT NULL)),
    CONSTRAINT learning_lessons_one_a_cell UNIQUE ("timestamp", module, lesson_type, pattern_key, action_category, scope_mask, scope_values_hash),
    PRIMARY KEY ("timestamp", lesson_id)
);
CREATE INDEX learning_lessons_lesson ON learning.learning_lessons (lesson_id, "timestamp" DESC);
COMMENT ON TABLE learning.learning_lessons IS 'Lessons as of a day: what was found, with its statistics and tests. Retired, never deleted.';
COMMENT ON COLUMN learning.learning_lessons."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.learning_lessons.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.learning_lessons.lesson_id IS 'Hash of module, type, pattern, category and scope.';
COMMENT ON COLUMN learning.learning_lessons.module IS 'pm.';
COMMENT ON COLUMN learning.learning_lessons.lesson_type IS 'What it is about: the size of buys, or a gate.';
COMMENT ON COLUMN learning.learning_lessons.pattern_key IS 'pm.uptrend.<state>.<flag>.';
COMMENT ON COLUMN learning.learning_lessons.action_category IS 'entry, add, trim or exit.';
COMMENT ON COLUMN learning.learning_lessons.scope_mask IS 'Dimensions the cell is fixed to, one bit each.';
COMMENT ON COLUMN learning.learning_lessons.scope_values IS 'Their values.';
COMMENT ON COLUMN learning.learning_lessons.scope_values_hash IS 'Hash of the values.';
COMMENT ON COLUMN learning.learning_lessons.status IS 'active, or retired when two days in a row did not reproduce it.';
COMMENT ON COLUMN learning.learning_lessons.born_on IS 'Day it was first promoted.';
COMMENT ON COLUMN learning.learning_lessons.promoted_on IS 'Latest day that promoted it.';
COMMENT ON COLUMN learning.learning_lessons.measured_on IS 'Latest day that asked about it: its numbers are of that day.';
COMMENT ON COLUMN learning.learning_lessons.retired_on IS 'Day it was retired; NULL while it is active.';
COMMENT ON COLUMN learning.learning_lessons.missed_runs IS 'Days in a row that did not reproduce it.';
COMMENT ON COLUMN learning.learning_lessons.n_retirements IS 'Times it was retired.';
COMMENT ON COLUMN learning.learning_lessons.promotion IS 'Rule it was promoted by.';
COMMENT ON COLUMN learning.learning_lessons.n_trades IS 'Closed trades with a known R/R: what every gate reads.';
COMMENT ON COLUMN learning.learning_lessons.n_actions IS 'Actions of these trades; evidence of nothing.';
COMMENT ON COLUMN learning.learning_lessons.n_wins IS 'Trades that made money.';
COMMENT ON COLUMN learning.learning_lessons.avg_rr IS 'R.';
COMMENT ON COLUMN learning.learning_lessons.median_rr IS 'R.';
COMMENT ON COLUMN learning.learning_lessons.variance_rr IS 'Population variance, R squared.';
COMMENT ON COLUMN learning.learning_lessons.avg_rr_shrunk IS 'Average, shrunk to the parent''s, R.';
COMMENT ON COLUMN learning.learning_lessons.win_rate_frac IS 'n_wins / n_trades.';
COMMENT ON COLUMN learning.learning_lessons.win_rate_low IS 'Lower end of its Wilson 90 % interval.';
COMMENT ON COLUMN learning.learning_lessons.win_rate_high IS 'Upper end.';
COMMENT ON COLUMN learning.learning_lessons.baseline_rr IS 'Mean R/R of all trades, the measure; NULL where none is known.';
COMMENT ON COLUMN learning.learning_lessons.delta_rr IS 'EV: average less baseline, R.';
COMMENT ON COLUMN learning.learning_lessons.ev_score IS 'Sigmoid of delta_rr; told, not in the product.';
COMMENT ON COLUMN learning.learning_lessons.reliability_score IS '1 / (1 + variance).';
COMMENT ON COLUMN learning.learning_lessons.support_score IS '1 - exp(-n / k).';
COMMENT ON COLUMN learning.learning_lessons.magnitude_score IS 'Sigmoid of the median.';
COMMENT ON COLUMN learning.learning_lessons.time_score IS '1 / (1 + ln(1 + hours)): to S3, or held.';
COMMENT ON COLUMN learning.learning_lessons.stability_score IS '1 / (1 + spread of its latest edges).';
COMMENT ON COLUMN learning.learning_lessons.edge_raw IS 'delta_rr x reliability x (support + magnitude + time + stability).';
COMMENT ON COLUMN learning.learning_lessons.edge_simple IS 'Average R/R - 1, for display.';
COMMENT ON COLUMN learning.learning_lessons.edge_used IS 'Edge overrides are made of: with the shrunk average, or edge_raw by the documents'' rule.';
COMMENT ON COLUMN learning.learning_lessons.edge_at_birth IS 'Edge with the shrunk average on the day it was born.';
COMMENT ON COLUMN learning.learning_lessons.edge_current IS 'The same on measured_on.';
COMMENT ON COLUMN learning.learning_lessons.parent_mask IS 'Mask of the cell it was compared inside; NULL for a whole pattern.';
COMMENT ON COLUMN learning.learning_lessons.parent_values IS 'Its values.';
COMMENT ON COLUMN learning.learning_lessons.effect_rr IS 'Mean less the mean of the rest of the parent, R.';
COMMENT ON COLUMN learning.learning_lessons.effect_low IS 'Lower end of its 90 % interval.';
COMMENT ON COLUMN learning.learning_lessons.effect_high IS 'Upper end.';
COMMENT ON COLUMN learning.learning_lessons.p_value IS 'Two-sided, on the earlier part of the time.';
COMMENT ON COLUMN learning.learning_lessons.q_value IS 'Benjamini-Hochberg within its family.';
COMMENT ON COLUMN learning.learning_lessons.oos_trades IS 'Trades of the cell in the later part of the time.';
COMMENT ON COLUMN learning.learning_lessons.oos_effect_rr IS 'The effect there.';
COMMENT ON COLUMN learning.learning_lessons.oos_p_value IS 'One-sided, there.';
COMMENT ON COLUMN learning.learning_lessons.half_life_hours IS 'Of its edge; NULL where not identifiable.';
COMMENT ON COLUMN learning.learning_lessons.decay_rate_per_hour IS 'Rate its decay multiplier is made of.';
COMMENT ON COLUMN learning.learning_lessons.decay_state IS 'Where its edge is heading.';
COMMENT ON COLUMN learning.learning_lessons.decay_mult IS 'Multiplier of its edge.';
COMMENT ON COLUMN learning.learning_lessons.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.learning_lessons.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.learning_lessons.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.learning_lessons.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.learning_configs (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    module_id text NOT NULL,
    config_data json NOT NULL CHECK (json_typeof(config_data) = 'object'),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", module_id)
);
COMMENT ON TABLE learning.learning_configs IS 'What was learned for a module besides overrides, as of a day: the timeframe weights of the decision maker.';
COMMENT ON COLUMN learning.learning_configs."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.learning_configs.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.learning_configs.module_id IS 'decision_maker.';
COMMENT ON COLUMN learning.learning_configs.config_data IS 'timeframe_weights, global_rr and the splits that follow.';
COMMENT ON COLUMN learning.learning_configs.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.learning_configs.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.learning_configs.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.learning_configs.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.override_step (
    step_id bigint GENERATED ALWAYS AS IDENTITY,
    set_id bigint NOT NULL REFERENCES learning.override_set (set_id),
    lesson_id text NOT NULL,
    lever text NOT NULL CHECK (lever IN ('pm_strength', 'ts_min_mult', 'halo_mult', 'dx_min_mult')),
    from_state text CHECK (from_state IN ('proposed', 'shadow', 'live', 'expired', 'revoked')),
    to_state text NOT NULL CHECK (to_state IN ('proposed', 'shadow', 'live', 'expired', 'revoked')),
    stepped_at timestamptz NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    evidence json,
    CONSTRAINT override_step_once_a_set UNIQUE (set_id, lesson_id, lever, to_state),
    PRIMARY KEY (step_id)
);
CREATE INDEX override_step_lesson ON learning.override_step (lesson_id, step_id DESC);
COMMENT ON TABLE learning.override_step IS 'Every step in the life of an override: proposed, shadow, live, expired, revoked. Append-only.';
COMMENT ON COLUMN learning.override_step.step_id IS 'Order.';
COMMENT ON COLUMN learning.override_step.set_id IS 'Set that was made with this step.';
COMMENT ON COLUMN learning.override_step.lesson_id IS 'Lesson of the override.';
COMMENT ON COLUMN learning.override_step.lever IS 'What it multiplies.';
COMMENT ON COLUMN learning.override_step.from_state IS 'State it left; NULL at the beginning.';
COMMENT ON COLUMN learning.override_step.to_state IS 'State it entered.';
COMMENT ON COLUMN learning.override_step.stepped_at IS 'As of when.';
COMMENT ON COLUMN learning.override_step.reason IS 'Why.';
COMMENT ON COLUMN learning.override_step.evidence IS 'Trades since it was proposed and what they say, where that decided.';

CREATE TABLE learning.walk_forward_trade (
    "timestamp" timestamptz NOT NULL,
    trade_id text NOT NULL,
    set_id bigint,
    multiplier double precision CHECK (multiplier > 0),
    rr double precision,
    pnl_usd double precision NOT NULL,
    pnl_neutral_usd double precision,
    pnl_learned_usd double precision,
    lesson_ids text[] NOT NULL,
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp", trade_id)
);
COMMENT ON TABLE learning.walk_forward_trade IS 'Closed trades with the size each had, the neutral one, and the one the set of the day would have given.';
COMMENT ON COLUMN learning.walk_forward_trade."timestamp" IS 'When the trade was closed.';
COMMENT ON COLUMN learning.walk_forward_trade.trade_id IS 'Trade.';
COMMENT ON COLUMN learning.walk_forward_trade.set_id IS 'Newest set known at its first buy; NULL where there was none.';
COMMENT ON COLUMN learning.walk_forward_trade.multiplier IS 'Learned size over neutral size, over all buys; NULL where the trade had no filled buy.';
COMMENT ON COLUMN learning.walk_forward_trade.rr IS 'Winsorised R/R; NULL where undefined.';
COMMENT ON COLUMN learning.walk_forward_trade.pnl_usd IS 'As it was traded.';
COMMENT ON COLUMN learning.walk_forward_trade.pnl_neutral_usd IS 'At neutral size.';
COMMENT ON COLUMN learning.walk_forward_trade.pnl_learned_usd IS 'At learned size.';
COMMENT ON COLUMN learning.walk_forward_trade.lesson_ids IS 'Lessons whose overrides matched.';
COMMENT ON COLUMN learning.walk_forward_trade.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.walk_forward_trade.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.walk_forward_trade.code_version IS 'Version of the code that made the row.';

CREATE TABLE learning.walk_forward (
    "timestamp" timestamptz NOT NULL,
    as_of timestamptz NOT NULL,
    n_trades integer NOT NULL CHECK (n_trades >= 0),
    n_moved integer NOT NULL CHECK (n_moved >= 0),
    pnl_neutral_usd double precision NOT NULL,
    pnl_learned_usd double precision NOT NULL,
    difference_usd double precision NOT NULL,
    difference_low double precision,
    difference_high double precision,
    hit_rate double precision CHECK (hit_rate BETWEEN 0 AND 1),
    n_overrides integer NOT NULL CHECK (n_overrides >= 0),
    n_noise integer NOT NULL CHECK (n_noise >= 0),
    report json NOT NULL CHECK (json_typeof(report) = 'object'),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    run_id text NOT NULL,
    computed_at timestamptz NOT NULL,
    code_version text NOT NULL,
    PRIMARY KEY ("timestamp")
);
COMMENT ON TABLE learning.walk_forward IS 'One row a day: learned against neutral sizing over all trades closed up to then.';
COMMENT ON COLUMN learning.walk_forward."timestamp" IS 'Day it is as of, midnight.';
COMMENT ON COLUMN learning.walk_forward.as_of IS 'It knows trades closed before this instant: the end of the day, or the instant of the run on a day that is not over.';
COMMENT ON COLUMN learning.walk_forward.n_trades IS 'Trades with a known size.';
COMMENT ON COLUMN learning.walk_forward.n_moved IS 'Of those, with a learned size other than neutral.';
COMMENT ON COLUMN learning.walk_forward.pnl_neutral_usd IS 'At neutral size.';
COMMENT ON COLUMN learning.walk_forward.pnl_learned_usd IS 'At learned size.';
COMMENT ON COLUMN learning.walk_forward.difference_usd IS 'Learned less neutral.';
COMMENT ON COLUMN learning.walk_forward.difference_low IS 'Lower end of its 90 % interval, days resampled; NULL where it cannot be known.';
COMMENT ON COLUMN learning.walk_forward.difference_high IS 'Upper end.';
COMMENT ON COLUMN learning.walk_forward.hit_rate IS 'Share of moved trades that were moved the right way; NULL where none.';
COMMENT ON COLUMN learning.walk_forward.n_overrides IS 'Overrides that were live and matched a trade.';
COMMENT ON COLUMN learning.walk_forward.n_noise IS 'Of those, without an effect that can be told from none.';
COMMENT ON COLUMN learning.walk_forward.report IS 'All of it.';
COMMENT ON COLUMN learning.walk_forward.config_version IS 'Version of pm.pm_config in force.';
COMMENT ON COLUMN learning.walk_forward.run_id IS 'Dagster run, or the sensor and its look.';
COMMENT ON COLUMN learning.walk_forward.computed_at IS 'When it was written.';
COMMENT ON COLUMN learning.walk_forward.code_version IS 'Version of the code that made the row.';

-- Facts and steps are never changed. A trade whose facts were wrong is a new trade, or a bug to be seen.
CREATE TRIGGER override_step_is_append_only BEFORE UPDATE OR DELETE ON learning.override_step
    FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();

-- An override has a state; only the live ones of a set apply.
ALTER TABLE learning.pm_overrides
    ADD COLUMN state text NOT NULL DEFAULT 'live' CHECK (state IN ('proposed', 'shadow', 'live')),
    ADD COLUMN state_since timestamptz,
    ADD COLUMN proposed_at timestamptz,
    ADD COLUMN live_at timestamptz,
    ADD CONSTRAINT pm_overrides_live_since CHECK (live_at IS NULL OR state = 'live');
COMMENT ON COLUMN learning.pm_overrides.state IS 'proposed, shadow (watched, without effect) or live.';
COMMENT ON COLUMN learning.pm_overrides.state_since IS 'As of when it entered this state; NULL where a person wrote the row.';
COMMENT ON COLUMN learning.pm_overrides.proposed_at IS 'As of when it was first proposed; its own evidence counts from then.';
COMMENT ON COLUMN learning.pm_overrides.live_at IS 'As of when it became live.';
CREATE INDEX override_set_as_of ON learning.override_set (as_of DESC, set_id DESC);

-- A person may choose the live set, and hold that choice against the next run.
ALTER TABLE learning.live_override_set ADD COLUMN holds boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN learning.live_override_set.holds IS 'Whether later sets do not become live by themselves until this is released.';
CREATE TRIGGER live_override_set_is_append_only BEFORE UPDATE OR DELETE ON learning.live_override_set
    FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();
GRANT INSERT ON learning.live_override_set TO lowcap_console;
