-- Alarms: what the rules look at, what stands, and how its telling goes. {schema} is where the writer's alarms stand.

-- name: standing_alarms
-- Alarms of schema {schema} and of the kinds %(kinds)s that are not over; locked, so that two looks take turns.
SELECT alarm_id, kind, subject, severity
FROM "{schema}".{schema}_alarm
WHERE cleared_at IS NULL AND kind = ANY (%(kinds)s::text[])
ORDER BY alarm_id
FOR UPDATE;

-- name: lock_alarms
-- Until the end of the transaction no other look of schema %(schema)s settles what it found.
SELECT pg_advisory_xact_lock(hashtext('alarm'), hashtext(%(schema)s));

-- name: clear_alarms
-- The alarms %(alarm_ids)s are over as of %(at)s.
UPDATE "{schema}".{schema}_alarm SET cleared_at = greatest(raised_at, %(at)s) WHERE alarm_id = ANY (%(alarm_ids)s::bigint[]);

-- name: raise_alarm
-- Store an alarm; its number.
INSERT INTO "{schema}".{schema}_alarm (
    kind, subject, severity, sentence, evidence, raised_at, raised_by, config_version, code_version
)
VALUES (
    %(kind)s, %(subject)s, %(severity)s, %(sentence)s, %(evidence)s, %(at)s, %(by)s, %(config_version)s, %(code_version)s
)
RETURNING alarm_id;

-- name: alarms_told
-- Alarms that were raised by %(at)s, those that stood then first, the newest before the others; with %(ended)s false only those, at most %(most)s.
SELECT
    source, alarm_id, kind, subject, severity, sentence, evidence, raised_at,
    CASE WHEN cleared_at <= %(at)s THEN cleared_at END AS cleared_at, raised_by
FROM pm.alarms
WHERE raised_at <= %(at)s AND (%(ended)s OR cleared_at IS NULL OR cleared_at > %(at)s)
ORDER BY (cleared_at IS NULL OR cleared_at > %(at)s) DESC, severity = 'error' DESC, raised_at DESC, source, alarm_id
LIMIT %(most)s;

-- name: live_edges
-- Live overrides of strength in the live set, with the edge of their lesson at birth and as of the newest day it was told.
SELECT
    rule.override_id, rule.lesson_id, rule.pattern_key || ' ' || rule.action_category || ' ' || rule.scope_values::text,
    lesson.edge_at_birth, lesson.edge_current
FROM (SELECT set_id FROM live_override_set ORDER BY step_id DESC LIMIT 1) AS live
INNER JOIN pm_overrides AS rule ON rule.set_id = live.set_id
LEFT JOIN LATERAL (
    SELECT edge_at_birth, edge_current
    FROM learning_lessons
    WHERE lesson_id = rule.lesson_id
    ORDER BY "timestamp" DESC
    LIMIT 1
) AS lesson ON true
WHERE rule.state = 'live' AND rule.lever = 'pm_strength' AND rule.expires_at > %(at)s
ORDER BY rule.override_id;

-- name: false_positive_windows
-- False positives of every cell as of the newest day and, where there are any, as of the newest day at least %(lookback_days)s days before it and at most a week more.
SELECT
    now.family || ' ' || now.scope_values::text AS cell,
    now.as_of, now.n_acted, now.fpr, now.fpr_low, now.fpr_high,
    before.as_of, before.n_acted, before.fpr, before.fpr_low, before.fpr_high
FROM tuning_rate AS now
LEFT JOIN LATERAL (
    SELECT as_of, n_acted, fpr, fpr_low, fpr_high
    FROM tuning_rate AS earlier
    WHERE earlier.family = now.family AND earlier.scope_mask = now.scope_mask
        AND earlier.scope_values_hash = now.scope_values_hash
        AND earlier.as_of <= now.as_of - make_interval(secs => 86400 * %(lookback_days)s)
        AND earlier.as_of > now.as_of - make_interval(secs => 86400 * (%(lookback_days)s + 7))
    ORDER BY earlier.as_of DESC
    LIMIT 1
) AS before ON true
WHERE now."timestamp" = (SELECT max("timestamp") FROM tuning_rate WHERE as_of <= %(at)s)
ORDER BY cell;

-- name: label_changes
-- Changes of phase of each bucket, or the composite, in each of the %(days)s + 1 days of 24 hours up to the newest hour known at %(at)s, the newest day 0; with that hour. A day counts when each horizon of the subject has at least 20 of its hours.
WITH label AS (
    SELECT 'composite' AS subject, horizon, ts, phase FROM regime.phase_state
    WHERE ts <= %(at)s - interval '1 hour' AND ts > %(at)s - make_interval(days => %(days)s + 3)
    UNION ALL
    SELECT bucket, horizon, ts, phase FROM regime.phase_state_bucket
    WHERE ts <= %(at)s - interval '1 hour' AND ts > %(at)s - make_interval(days => %(days)s + 3)
),
step AS (
    SELECT
        subject, horizon, ts, max(ts) OVER () AS newest,
        phase IS DISTINCT FROM lag(phase) OVER series AND lag(phase) OVER series IS NOT NULL AS is_change
    FROM label
    WINDOW series AS (PARTITION BY subject, horizon ORDER BY ts)
),
horizon_day AS (
    SELECT
        subject, horizon, newest, (extract(epoch FROM newest - ts)::bigint / 86400)::integer AS day,
        count(*) AS hours, count(*) FILTER (WHERE is_change) AS changes
    FROM step
    GROUP BY subject, horizon, newest, (extract(epoch FROM newest - ts)::bigint / 86400)::integer
)
SELECT subject, day, newest, CASE WHEN min(hours) >= 20 THEN sum(changes)::integer END AS changes
FROM horizon_day
WHERE day <= %(days)s
GROUP BY subject, day, newest
ORDER BY subject, day;

-- name: collect_messages
-- Take the messages of pm.outbox up that have no notification: of the kinds %(kinds)s, at most %(max_age_hours)s hours old at %(at)s, or an alarm that still stands. The number taken up.
WITH taken AS (
    INSERT INTO pm.notification (message_id, kind, body, happened_at, collected_at, next_at)
    SELECT
        message.message_id, message.kind,
        json_build_object(
            'message_id', message.message_id, 'kind', message.kind, 'severity', message.severity,
            'subject', message.subject, 'sentence', message.sentence, 'evidence', message.evidence,
            'happened_at', to_char(message.happened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        )::text,
        message.happened_at, %(at)s, %(at)s
    FROM pm.outbox AS message
    WHERE message.kind = ANY (%(kinds)s::text[])
        AND (message.stands OR message.happened_at > %(at)s - make_interval(secs => 3600 * %(max_age_hours)s))
        AND NOT EXISTS (SELECT FROM pm.notification AS known WHERE known.message_id = message.message_id)
    ORDER BY message.happened_at, message.message_id
    ON CONFLICT ON CONSTRAINT notification_once_a_message DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM taken;

-- name: expire_notifications
-- What waits since %(max_age_hours)s hours at %(at)s is not told any more. Their number.
WITH ended AS (
    UPDATE pm.notification SET status = 'expired', ended_at = %(at)s
    WHERE status = 'waiting' AND collected_at <= %(at)s - make_interval(secs => 3600 * %(max_age_hours)s)
    RETURNING 1
)
SELECT count(*) FROM ended;

-- name: claim_notification
-- Begin an attempt at the first notification that is due at %(at)s; nobody else begins one before %(lease_s)s seconds are over. None where nothing is due.
UPDATE pm.notification
SET
    attempts = attempts + 1, last_attempt_at = %(at)s, last_status = NULL, notifier = %(notifier)s,
    next_at = %(at)s + make_interval(secs => %(lease_s)s)
WHERE notification_id = (
    SELECT notification_id FROM pm.notification
    WHERE status = 'waiting' AND next_at <= %(at)s
    ORDER BY sequence
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING notification_id::text, message_id, kind, body, attempts;

-- name: end_attempt
-- Say what came of the attempt %(attempts)s at a notification; one that ended meanwhile, or was begun anew, stays as it is.
UPDATE pm.notification
SET status = %(status)s, last_status = %(last_status)s, next_at = %(next_at)s, ended_at = %(ended_at)s
WHERE notification_id = %(notification_id)s::uuid AND attempts = %(attempts)s AND status = 'waiting';

-- name: notification_counts
-- Notifications since %(since)s by status, with when the oldest happened.
SELECT status, count(*), min(happened_at) FROM pm.notification
WHERE happened_at > %(since)s GROUP BY status ORDER BY status;

-- name: notifications_told
-- The newest notifications, at most %(most)s: those that were given up or expired before those that wait, the others last.
SELECT
    notification_id::text, message_id, kind, status, attempts, last_status, last_attempt_at, happened_at,
    CASE status WHEN 'waiting' THEN next_at END AS next_at, ended_at, notifier,
    body::json ->> 'sentence' AS sentence
FROM pm.notification
ORDER BY
    CASE status WHEN 'given_up' THEN 0 WHEN 'expired' THEN 1 WHEN 'waiting' THEN 2 ELSE 3 END, sequence DESC
LIMIT %(most)s;

-- name: uncollected_messages
-- Messages of the kinds %(kinds)s that no sender has taken up, as `collect_messages` would at %(at)s.
SELECT count(*)
FROM pm.outbox AS message
WHERE message.kind = ANY (%(kinds)s::text[])
    AND (message.stands OR message.happened_at > %(at)s - make_interval(secs => 3600 * %(max_age_hours)s))
    AND NOT EXISTS (SELECT FROM pm.notification AS known WHERE known.message_id = message.message_id);
