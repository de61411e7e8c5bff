-- Why: versioned configuration, and the tick that reads A/E. Additive, takes no lock on existing data.

CREATE TABLE pm.pm_config (
    version bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    config jsonb NOT NULL CHECK (jsonb_typeof(config) = 'object'),
    config_hash text NOT NULL,
    author text NOT NULL CHECK (author <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE pm.pm_config IS 'Every configuration that was ever in force. The newest version is; append-only.';
COMMENT ON COLUMN pm.pm_config.config IS 'What differs from the defaults, nested as in the code.';
COMMENT ON COLUMN pm.pm_config.config_hash IS 'SHA-256 of config as canonical JSON; code_version names the defaults below it.';

CREATE TABLE pm.pm_tick (
    tick_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    timeframe text NOT NULL CHECK (timeframe IN ('1m', '5m', '15m', '1h', '4h', '1d')),
    bar_timestamp timestamptz NOT NULL,
    mode text NOT NULL CHECK (mode IN ('ACTIVE', 'REDUCE_ONLY')),
    mode_reason text,
    scores jsonb NOT NULL CHECK (jsonb_typeof(scores) = 'array'),
    scores_fresh smallint NOT NULL CHECK (scores_fresh >= 0),
    scores_stale smallint NOT NULL CHECK (scores_stale >= 0),
    scores_degraded smallint NOT NULL CHECK (scores_degraded >= 0),
    config_version bigint NOT NULL REFERENCES pm.pm_config (version),
    code_version text NOT NULL,
    holder text NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT pm_tick_once_per_bar UNIQUE (timeframe, bar_timestamp),
    CONSTRAINT pm_tick_says_why_it_reduces CHECK (mode = 'ACTIVE' OR mode_reason IS NOT NULL)
);
CREATE INDEX pm_tick_bar_timestamp ON pm.pm_tick (bar_timestamp);
COMMENT ON TABLE pm.pm_tick IS 'One row a tick: what the runtime read for a closed bar. Append-only.';
COMMENT ON COLUMN pm.pm_tick.bar_timestamp IS 'Open of the closed bar the tick is for, UTC.';
COMMENT ON COLUMN pm.pm_tick.mode IS 'ACTIVE, or REDUCE_ONLY when no score could be trusted.';
COMMENT ON COLUMN pm.pm_tick.scores IS 'The A/E rows as they were read: bucket, a, e, coverage, degraded, stale, timestamp, config_version.';
COMMENT ON COLUMN pm.pm_tick.holder IS 'Process that held the lease: host, pid, start.';

-- A person changes the configuration through the console.
GRANT INSERT ON pm.pm_config TO lowcap_console;

-- Version 1 is the defaults: every row that depends on the configuration can name its version from the start.
INSERT INTO pm.pm_config (config, config_hash, author, reason)
VALUES ('{}', encode(sha256('{}'::bytea), 'hex'), 'migration', 'defaults');
