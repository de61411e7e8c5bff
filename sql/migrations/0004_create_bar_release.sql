-- Why: a quarantined price jump may be real. A person says so once, and the next load accepts the bar. Additive.

CREATE TABLE pm.bar_release (
    quarantine_id text PRIMARY KEY CHECK (quarantine_id ~ '^[0-9a-f]{64}$'),
    author text NOT NULL CHECK (author <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    released_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE pm.bar_release IS 'Quarantined bars that a person found to be right. Append-only.';
COMMENT ON COLUMN pm.bar_release.quarantine_id IS 'Id of the row in regime.bar_quarantine.';
COMMENT ON COLUMN pm.bar_release.released_at IS 'When it was released; loads after that accept the bar.';

GRANT INSERT ON pm.bar_release TO lowcap_console;
