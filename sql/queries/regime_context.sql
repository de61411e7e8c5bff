-- The regime of an hour as one document, what must hold for it, and the events made from it.

-- name: regime_context_as_of
-- The document as it was known at an instant, byte by byte; NULL when the newest evaluation then was too old.
SELECT regime.get_regime_context(%(as_of)s)::text;

-- name: newest_regime_context
-- Open of the newest hour that has a document; none when the table is empty.
SELECT "timestamp" FROM regime.regime_context ORDER BY "timestamp" DESC LIMIT 1;

-- name: regime_contexts_between
-- Documents of the hours after $1 and up to $2, oldest first.
SELECT "timestamp", context::text AS context
FROM regime.regime_context
WHERE "timestamp" > $1 AND "timestamp" <= $2
ORDER BY "timestamp";

-- name: newest_regime_events
-- The newest $1 events, newest first.
SELECT "timestamp", kind, bucket, payload::text AS payload
FROM regime.regime_event
ORDER BY "timestamp" DESC, kind, bucket
LIMIT $1;

-- name: check_regime_label_is_of_its_phases
-- The label, as column and in the document, is spelled from the composite phases of that hour and the leader.
SELECT count(*)
FROM regime.regime_context AS told
CROSS JOIN LATERAL (
    SELECT
        coalesce(max(phase) FILTER (WHERE horizon = 'macro'), 'Unknown') AS macro,
        coalesce(max(phase) FILTER (WHERE horizon = 'meso'), 'Unknown') AS meso,
        coalesce(max(phase) FILTER (WHERE horizon = 'micro'), 'Unknown') AS micro
    FROM regime.phase_state
    WHERE ts = told."timestamp"
) AS found
WHERE told."timestamp" >= $1 AND told."timestamp" < $2
  AND (told.regime_label IS DISTINCT FROM told.context ->> 'regime_label'
       OR told.regime_label <> 'macro=' || found.macro || '|meso=' || found.meso || '|micro=' || found.micro
          || '|bucket_leader=' || coalesce(told.context -> 'bucket_rank' ->> 0, 'Unknown'));

-- name: check_bucket_rank_is_of_its_meso_scores
-- Each bucket's place in the document is its place by the meso scores of that hour among the eligible buckets.
SELECT count(*)
FROM (
    SELECT told."timestamp", place.key AS bucket, place.value::bigint AS position
    FROM regime.regime_context AS told
    CROSS JOIN LATERAL json_each_text(told.context -> 'bucket_rank_position') AS place
    WHERE told."timestamp" >= $1 AND told."timestamp" < $2
) AS told
FULL JOIN (
    SELECT phase.ts AS "timestamp", bucket, row_number() OVER (
        PARTITION BY phase.ts ORDER BY phase.score DESC, array_position('{nano,micro,mid,big,large}'::text[], bucket)
    ) AS position
    FROM regime.phase_state_bucket AS phase
    JOIN regime.bucket_eligibility AS judged USING (bucket)
    JOIN regime.regime_context AS told ON told."timestamp" = phase.ts
    WHERE phase.horizon = 'meso' AND phase.ts >= $1 AND phase.ts < $2
      AND judged."timestamp" = date_trunc('day', phase.ts, 'UTC') AND judged.is_eligible AND bucket <> 'xl'
) AS found USING ("timestamp", bucket)
WHERE told.position IS DISTINCT FROM found.position;
