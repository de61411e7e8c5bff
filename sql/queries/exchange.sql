-- What is handed to others, and taken in from them. Bare names: whose tables these are, the session's search path says.
-- JSON comes as the text it is stored as.

-- name: exported_lessons
-- Lessons of every day.
SELECT * FROM learning_lessons ORDER BY "timestamp", lesson_id;

-- name: exported_trades
-- Facts of closed trades, an action a row.
SELECT * FROM pattern_trade_events ORDER BY "timestamp", trade_id, action_id;

-- name: exported_overrides
-- Versions of the overrides with their rows; one row without an override where a version is empty.
SELECT * FROM override_set LEFT JOIN pm_overrides USING (set_id) ORDER BY set_id, override_id;

-- name: search_exchanged
-- Look for tables in schema %(schema)s alone until the transaction ends.
SELECT set_config('search_path', quote_ident(%(schema)s), true);

-- name: is_imported_schema
-- Whether schema %(schema)s was made by an import.
SELECT coalesce(obj_description(to_regnamespace(quote_ident(%(schema)s)), 'pg_namespace'), '') = %(mark)s;

-- name: mark_imported_schema_statement
-- Statement that says of schema %(schema)s that it was made by an import.
SELECT format('COMMENT ON SCHEMA %%I IS %%L', %(schema)s::text, %(mark)s::text);
