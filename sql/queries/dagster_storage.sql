-- Dagster's own tables.

-- name: lock_first_boot
-- One process at a time looks whether they are there, and makes them; freed when its connection ends, or by unlocking.
SELECT pg_advisory_lock(1684109683);

-- name: dagster_is_installed
-- Whether Dagster has made the tables of all three parts of its storage, which it makes one after the other.
SELECT count(to_regclass(quote_ident(%(schema)s) || '.' || part)) = 3
FROM unnest(ARRAY['runs', 'event_logs', 'jobs']) AS part;

-- name: unlock_first_boot
-- Let the next process look.
SELECT pg_advisory_unlock(1684109683);

-- name: create_dagster_schema
-- Their schema. {schema} comes from dagster.yaml.
CREATE SCHEMA IF NOT EXISTS "{schema}";
