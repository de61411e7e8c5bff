-- Why: alarms as rows, raised once and cleared once, and an outbox of what is to be told outside. Additive.
-- An alarm's own row is its message: pm.outbox shows it as soon as its transaction commits, and never otherwise.

CREATE TABLE regime.regime_alarm (
    alarm_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('edge_halved', 'fpr_doubled', 'coverage_low', 'label_churn', 'stale_table', 'dead_daemon', 'silent_runtime', 'tick_overrun', 'no_score', 'order_not_taken', 'reconcile_failed')),
    subject text NOT NULL CHECK (subject <> ''),
    severity text NOT NULL CHECK (severity IN ('warn', 'error')),
    sentence text NOT NULL CHECK (sentence <> ''),
    evidence json NOT NULL CHECK (json_typeof(evidence) = 'object'),
    raised_at timestamptz NOT NULL,
    cleared_at timestamptz,
    raised_by text NOT NULL CHECK (raised_by <> ''),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    code_version text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT regime_alarm_is_cleared_after_it_was_raised CHECK (cleared_at >= raised_at)
);
CREATE UNIQUE INDEX regime_alarm_stands_once ON regime.regime_alarm (kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX regime_alarm_raised ON regime.regime_alarm (raised_at DESC);
COMMENT ON TABLE regime.regime_alarm IS 'What the regime was alarmed about: a row a time it stood.';
COMMENT ON COLUMN regime.regime_alarm.alarm_id IS 'Number, of this schema.';
COMMENT ON COLUMN regime.regime_alarm.kind IS 'What went wrong.';
COMMENT ON COLUMN regime.regime_alarm.subject IS 'With what: an override, a cell, a bucket, a table, a timeframe. Stands once at a time.';
COMMENT ON COLUMN regime.regime_alarm.severity IS 'warn, or error where trading suffers.';
COMMENT ON COLUMN regime.regime_alarm.sentence IS 'For a person, with the figures it was raised on.';
COMMENT ON COLUMN regime.regime_alarm.evidence IS 'The figures, the keys of the rows they come from, and the page that shows them.';
COMMENT ON COLUMN regime.regime_alarm.raised_at IS 'Instant of the look that found it.';
COMMENT ON COLUMN regime.regime_alarm.cleared_at IS 'Instant of the look that did not find it any more; NULL while it stands.';
COMMENT ON COLUMN regime.regime_alarm.raised_by IS 'Sensor, process or command that looked.';
COMMENT ON COLUMN regime.regime_alarm.config_version IS 'Version of pm.pm_config whose limits it broke.';
COMMENT ON COLUMN regime.regime_alarm.code_version IS 'Version of the code that made the row.';
COMMENT ON COLUMN regime.regime_alarm.stored_at IS 'When it was written.';

CREATE TABLE learning.learning_alarm (
    alarm_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('edge_halved', 'fpr_doubled', 'coverage_low', 'label_churn', 'stale_table', 'dead_daemon', 'silent_runtime', 'tick_overrun', 'no_score', 'order_not_taken', 'reconcile_failed')),
    subject text NOT NULL CHECK (subject <> ''),
    severity text NOT NULL CHECK (severity IN ('warn', 'error')),
    sentence text NOT NULL CHECK (sentence <> ''),
    evidence json NOT NULL CHECK (json_typeof(evidence) = 'object'),
    raised_at timestamptz NOT NULL,
    cleared_at timestamptz,
    raised_by text NOT NULL CHECK (raised_by <> ''),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    code_version text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT learning_alarm_is_cleared_after_it_was_raised CHECK (cleared_at >= raised_at)
);
CREATE UNIQUE INDEX learning_alarm_stands_once ON learning.learning_alarm (kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX learning_alarm_raised ON learning.learning_alarm (raised_at DESC);
COMMENT ON TABLE learning.learning_alarm IS 'What learning was alarmed about: a row a time it stood.';
COMMENT ON COLUMN learning.learning_alarm.alarm_id IS 'Number, of this schema.';
COMMENT ON COLUMN learning.learning_alarm.kind IS 'What went wrong.';
COMMENT ON COLUMN learning.learning_alarm.subject IS 'With what: an override, a cell, a bucket, a table, a timeframe. Stands once at a time.';
COMMENT ON COLUMN learning.learning_alarm.severity IS 'warn, or error where trading suffers.';
COMMENT ON COLUMN learning.learning_alarm.sentence IS 'For a person, with the figures it was raised on.';
COMMENT ON COLUMN learning.learning_alarm.evidence IS 'The figures, the keys of the rows they come from, and the page that shows them.';
COMMENT ON COLUMN learning.learning_alarm.raised_at IS 'Instant of the look that found it.';
COMMENT ON COLUMN learning.learning_alarm.cleared_at IS 'Instant of the look that did not find it any more; NULL while it stands.';
COMMENT ON COLUMN learning.learning_alarm.raised_by IS 'Sensor, process or command that looked.';
COMMENT ON COLUMN learning.learning_alarm.config_version IS 'Version of pm.pm_config whose limits it broke.';
COMMENT ON COLUMN learning.learning_alarm.code_version IS 'Version of the code that made the row.';
COMMENT ON COLUMN learning.learning_alarm.stored_at IS 'When it was written.';

CREATE TABLE pm.pm_alarm (
    alarm_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('edge_halved', 'fpr_doubled', 'coverage_low', 'label_churn', 'stale_table', 'dead_daemon', 'silent_runtime', 'tick_overrun', 'no_score', 'order_not_taken', 'reconcile_failed')),
    subject text NOT NULL CHECK (subject <> ''),
    severity text NOT NULL CHECK (severity IN ('warn', 'error')),
    sentence text NOT NULL CHECK (sentence <> ''),
    evidence json NOT NULL CHECK (json_typeof(evidence) = 'object'),
    raised_at timestamptz NOT NULL,
    cleared_at timestamptz,
    raised_by text NOT NULL CHECK (raised_by <> ''),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    code_version text NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pm_alarm_is_cleared_after_it_was_raised CHECK (cleared_at >= raised_at)
);
CREATE UNIQUE INDEX pm_alarm_stands_once ON pm.pm_alarm (kind, subject) WHERE cleared_at IS NULL;
CREATE INDEX pm_alarm_raised ON pm.pm_alarm (raised_at DESC);
COMMENT ON TABLE pm.pm_alarm IS 'What the runtime, or a look at it and at Dagster, was alarmed about: a row a time it stood.';
COMMENT ON COLUMN pm.pm_alarm.alarm_id IS 'Number, of this schema.';
COMMENT ON COLUMN pm.pm_alarm.kind IS 'What went wrong.';
COMMENT ON COLUMN pm.pm_alarm.subject IS 'With what: an override, a cell, a bucket, a table, a timeframe. Stands once at a time.';
COMMENT ON COLUMN pm.pm_alarm.severity IS 'warn, or error where trading suffers.';
COMMENT ON COLUMN pm.pm_alarm.sentence IS 'For a person, with the figures it was raised on.';
COMMENT ON COLUMN pm.pm_alarm.evidence IS 'The figures, the keys of the rows they come from, and the page that shows them.';
COMMENT ON COLUMN pm.pm_alarm.raised_at IS 'Instant of the look that found it.';
COMMENT ON COLUMN pm.pm_alarm.cleared_at IS 'Instant of the look that did not find it any more; NULL while it stands.';
COMMENT ON COLUMN pm.pm_alarm.raised_by IS 'Sensor, process or command that looked.';
COMMENT ON COLUMN pm.pm_alarm.config_version IS 'Version of pm.pm_config whose limits it broke.';
COMMENT ON COLUMN pm.pm_alarm.code_version IS 'Version of the code that made the row.';
COMMENT ON COLUMN pm.pm_alarm.stored_at IS 'When it was written.';

-- Who looks from outside, a person or the sender, raises what nobody inside can: a dead daemon, a silent runtime.
GRANT INSERT, UPDATE (cleared_at) ON pm.pm_alarm TO lowcap_console;

CREATE VIEW pm.alarms AS
SELECT
    'regime' AS source, alarm_id, kind, subject, severity, sentence, evidence, raised_at, cleared_at, raised_by,
    config_version, code_version
FROM regime.regime_alarm
UNION ALL
SELECT
    'learning' AS source, alarm_id, kind, subject, severity, sentence, evidence, raised_at, cleared_at, raised_by,
    config_version, code_version
FROM learning.learning_alarm
UNION ALL
SELECT
    'pm' AS source, alarm_id, kind, subject, severity, sentence, evidence, raised_at, cleared_at, raised_by,
    config_version, code_version
FROM pm.pm_alarm;
COMMENT ON VIEW pm.alarms IS 'The alarms of all three schemas.';

CREATE TABLE pm.notification (
    notification_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    sequence bigint GENERATED ALWAYS AS IDENTITY,
    message_id text NOT NULL CONSTRAINT notification_once_a_message UNIQUE,
    kind text NOT NULL CHECK (kind IN ('alarm_raised', 'alarm_cleared', 'switch', 'override_set', 'regime_event')),
    body text NOT NULL CHECK (body <> ''),
    happened_at timestamptz NOT NULL,
    collected_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'delivered', 'given_up', 'expired')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    last_attempt_at timestamptz,
    last_status text,
    next_at timestamptz NOT NULL,
    ended_at timestamptz,
    notifier text,
    CONSTRAINT notification_ends_once CHECK ((status = 'waiting') = (ended_at IS NULL)),
    CONSTRAINT notification_was_tried CHECK ((attempts = 0) = (last_attempt_at IS NULL))
);
CREATE INDEX notification_due ON pm.notification (next_at, sequence) WHERE status = 'waiting';
CREATE INDEX notification_happened ON pm.notification (happened_at DESC);
COMMENT ON TABLE pm.notification IS 'What was or shall be told outside, and how its delivery goes; written by the sender alone.';
COMMENT ON COLUMN pm.notification.notification_id IS 'Idempotency key of every attempt.';
COMMENT ON COLUMN pm.notification.sequence IS 'Order in which they are told.';
COMMENT ON COLUMN pm.notification.message_id IS 'Message of pm.outbox it tells: collected twice, it is one row.';
COMMENT ON COLUMN pm.notification.kind IS 'What is told.';
COMMENT ON COLUMN pm.notification.body IS 'JSON that is sent, the same bytes at every attempt.';
COMMENT ON COLUMN pm.notification.happened_at IS 'When what it tells happened.';
COMMENT ON COLUMN pm.notification.collected_at IS 'When the sender took it up.';
COMMENT ON COLUMN pm.notification.status IS 'waiting, delivered, given_up (refused for good, or tried too often), expired (too old before it could be told).';
COMMENT ON COLUMN pm.notification.attempts IS 'Attempts begun, also those of a sender that died meanwhile.';
COMMENT ON COLUMN pm.notification.last_attempt_at IS 'When the newest began.';
COMMENT ON COLUMN pm.notification.last_status IS 'What came of the newest: an HTTP status or a word; NULL when its sender died.';
COMMENT ON COLUMN pm.notification.next_at IS 'Not before then again.';
COMMENT ON COLUMN pm.notification.ended_at IS 'When it was delivered or given up.';
COMMENT ON COLUMN pm.notification.notifier IS 'Name of the notifier that tried last.';
GRANT INSERT, UPDATE ON pm.notification TO lowcap_console;

CREATE VIEW pm.outbox AS
SELECT
    'alarm/' || source || '/' || alarm_id || '/raised' AS message_id, 'alarm_raised' AS kind, severity,
    kind || ' ' || subject AS subject, sentence, evidence, raised_at AS happened_at,
    cleared_at IS NULL AS stands
FROM pm.alarms
UNION ALL
SELECT
    'alarm/' || source || '/' || alarm_id || '/cleared', 'alarm_cleared', severity,
    kind || ' ' || subject, 'Over: ' || sentence, evidence, cleared_at, false
FROM pm.alarms
WHERE cleared_at IS NOT NULL
UNION ALL
SELECT
    'switch/' || switch_id, 'switch', CASE WHEN mode IS NULL OR mode = 'ACTIVE' THEN 'warn' ELSE 'error' END,
    CASE scope WHEN '{}' THEN 'everywhere' ELSE scope END,
    concat_ws(', ', mode, CASE overrides_on WHEN true THEN 'overrides on' WHEN false THEN 'overrides off' END)
    || ' by ' || author || ': ' || reason,
    json_build_object('page', '/switch'), set_at, false
FROM pm.trading_switch
WHERE author <> 'migration'
UNION ALL
SELECT
    'override_set/' || step_id, 'override_set', 'warn', coalesce('set ' || set_id, 'none'),
    coalesce('Set ' || set_id || ' of learned overrides is live', 'No learned overrides are live')
    || ', by ' || author || ': ' || reason,
    json_build_object('set_id', set_id, 'page', '/lessons'), set_at, false
FROM learning.live_override_set
UNION ALL
SELECT
    'regime_event/' || event_id, 'regime_event', 'warn', coalesce(bucket, 'all buckets'),
    kind || coalesce(' of ' || bucket, '') || ': ' || payload,
    json_build_object('page', '/regime?as_of=' || to_char("timestamp" + interval '1 hour', 'YYYY-MM-DD"T"HH24:MI"Z"')),
    computed_at, false
FROM regime.regime_event;
COMMENT ON VIEW pm.outbox IS 'Everything that may be told outside, as rows that were committed say it: a row is its own message.';
