-- Reading and replacing a window of any table with a time column. {table}, {key}, ... are filled with names that stand
-- in schema.sql. Of values, only instants, counts of rows and keys of series are written out, and only in reads: a
-- statement without parameters streams by binary COPY; one with parameters is fetched whole, then converted.

-- name: read_window
-- Rows of a half-open window.
SELECT {columns} FROM {table} WHERE {time} >= {start} AND {time} < {end} {order};

-- name: read_last_rows
-- For each key, its last {rows} rows before an instant. The keys are found by skipping through the primary key, not by a scan.
WITH RECURSIVE known AS (
    (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1)
    UNION ALL
    SELECT following.*
    FROM known
    CROSS JOIN LATERAL (
        SELECT {key} FROM {table} WHERE ({key}) > ({known_key}) ORDER BY {key} LIMIT 1
    ) AS following
)
SELECT {last_columns}
FROM known
CROSS JOIN LATERAL (
    SELECT {columns} FROM {table} AS t WHERE ({t_key}) = ({known_key}) AND t.{time} < {before} ORDER BY t.{time} DESC LIMIT {rows}
) AS last
ORDER BY {last_order};

-- name: read_last_rows_of
-- For each series named, its last {rows} rows of the half-open stretch that is named with it; in no order, for that would be a sort on disk.
SELECT {last_columns}
FROM (VALUES {series}) AS known ({key}, since, before)
CROSS JOIN LATERAL (
    SELECT {columns} FROM {table} AS t
    WHERE ({t_key}) = ({known_key}) AND t.{time} >= known.since AND t.{time} < known.before
    ORDER BY t.{time} DESC
    LIMIT {rows}
) AS last;

-- name: delete_window
-- Forget a half-open window before it is written anew; gives the number of rows it had.
WITH deleted AS (DELETE FROM {table} WHERE {time} >= $1 AND {time} < $2 RETURNING 1)
SELECT count(*) FROM deleted;

-- name: lock_table_writers
-- One writer a table at a time, whoever started it; readers are not held up.
SELECT pg_advisory_xact_lock(hashtext('lowcap.writer'), hashtext($1));

-- name: known_ids
-- Which of the given ids are stored already.
SELECT {id} FROM {table} WHERE {id} = ANY (string_to_array($1, ','));

-- name: wait_without_limit
-- A run may wait for another one to finish; the statement timeout of the role still ends it.
SET lock_timeout = 0;

-- name: lock_chain
-- Wait for the right to make a chain's tables; held until the session ends.
SELECT pg_advisory_lock(hashtext('lowcap.chain'), hashtext(%s)) IS NOT NULL;

-- name: try_lock_chain
-- Take the right to make a chain's tables if nobody has it.
SELECT pg_try_advisory_lock(hashtext('lowcap.chain'), hashtext(%s));

-- name: search_schemas
-- Look for bare names in these schemas, by commas, until the session ends.
SELECT set_config('search_path', %s, false);
