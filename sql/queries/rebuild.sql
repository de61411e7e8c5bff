-- What was learned, as it stands and as it was made again: rows and a hash of them, in whatever schema. Between braces:
-- names, written in by psycopg.

-- name: learned_digest
-- Rows of {table} on days {days}, and a hash of {columns} of each in {order}.
SELECT count(*), encode(sha256(convert_to(string_agg(told::text, E'\n' ORDER BY place), 'UTF8')), 'hex')
FROM (
    SELECT ROW({columns}) AS told, row_number() OVER (ORDER BY {order}) AS place
    FROM {table} AS made
    WHERE (made."timestamp" AT TIME ZONE 'UTC')::date = ANY ({days})
) AS rows;

-- name: override_set_digest
-- Overrides of the last set as of the end of each of days {days}, and a hash of {columns} of each in {order}.
SELECT count(*), encode(sha256(convert_to(string_agg(told::text, E'\n' ORDER BY place), 'UTF8')), 'hex')
FROM (
    SELECT ROW(newest.as_of, {columns}) AS told, row_number() OVER (ORDER BY newest.as_of, {order}) AS place
    FROM (
        SELECT DISTINCT ON (as_of) set_id, as_of
        FROM {sets}
        WHERE as_of = date_trunc('day', as_of, 'UTC') AND (as_of AT TIME ZONE 'UTC')::date - 1 = ANY ({days})
        ORDER BY as_of, set_id DESC
    ) AS newest
    INNER JOIN {table} AS made ON made.set_id = newest.set_id
) AS rows;
