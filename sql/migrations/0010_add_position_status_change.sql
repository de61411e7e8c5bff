-- Why: who paused, resumed or put away a position, and why. Additive.
-- The sum of cash needs nothing here.

CREATE TABLE pm.position_status_change (
    change_id bigint GENERATED ALWAYS AS IDENTITY,
    position_id text NOT NULL REFERENCES pm.lowcap_positions (position_id),
    was text NOT NULL CHECK (was IN ('dormant', 'watchlist', 'active', 'paused', 'archived')),
    became text NOT NULL CHECK (became IN ('dormant', 'watchlist', 'active', 'paused', 'archived')),
    author text NOT NULL CHECK (author <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT position_status_change_changes_something CHECK (was <> became),
    PRIMARY KEY (change_id)
);
CREATE INDEX position_status_change_position ON pm.position_status_change (position_id, change_id DESC);
COMMENT ON TABLE pm.position_status_change IS 'What people did to positions by hand: paused, resumed, put away. Append-only.';
COMMENT ON COLUMN pm.position_status_change.change_id IS 'Order of the changes.';
COMMENT ON COLUMN pm.position_status_change.position_id IS 'Position.';
COMMENT ON COLUMN pm.position_status_change.was IS 'Status before.';
COMMENT ON COLUMN pm.position_status_change.became IS 'Status after.';
COMMENT ON COLUMN pm.position_status_change.author IS 'Who.';
COMMENT ON COLUMN pm.position_status_change.reason IS 'Why.';
COMMENT ON COLUMN pm.position_status_change.changed_at IS 'When.';
CREATE TRIGGER position_status_change_is_append_only BEFORE UPDATE OR DELETE ON pm.position_status_change
    FOR EACH STATEMENT EXECUTE FUNCTION pm.refuse_change();
GRANT INSERT ON pm.position_status_change TO lowcap_console;
