-- The configuration: append-only versions in pm.pm_config, the newest is in force.

-- name: newest_pm_config
-- The version in force.
SELECT version, config, author, reason, created_at FROM pm.pm_config ORDER BY version DESC LIMIT 1;

-- name: named_pm_config
-- Version %(version)s.
SELECT version, config, author, reason, created_at FROM pm.pm_config WHERE version = %(version)s;

-- name: pm_config_history
-- The newest %(limit)s versions, newest first.
SELECT version, config, author, reason, created_at FROM pm.pm_config ORDER BY version DESC LIMIT %(limit)s;

-- name: lock_pm_config_writers
-- One writer at a time until the transaction ends; the identity of a version then grows with its commit.
SELECT pg_advisory_xact_lock(hashtext('lowcap.writer'), hashtext('pm.pm_config'));

-- name: insert_pm_config
-- Store a new version and return its number.
INSERT INTO pm.pm_config (config, config_hash, author, reason)
VALUES (%(config)s, %(config_hash)s, %(author)s, %(reason)s)
RETURNING version;
