-- Dagster's own tables.

-- name: dagster_is_installed
-- Whether Dagster has made its tables.
SELECT to_regclass(%(schema)s || '.alembic_version') IS NOT NULL;

-- name: lock_first_boot
-- One process at a time makes them; freed when its connection ends.
SELECT pg_advisory_lock(1684109683);

-- name: create_dagster_schema
-- Their schema. {schema} comes from dagster.yaml.
CREATE SCHEMA IF NOT EXISTS "{schema}";
