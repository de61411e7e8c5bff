-- Indicators and states of the tagged tokens: whom to follow, how long minutes are kept, and what must hold for a window
-- before it is published. In a check $1 is the window's start, $2 its end, $3 the first instant of which 1m rows are
-- made; each counts the rows that break the fact.

-- name: followed_tokens
-- For each token with a tag other than xl before an instant ($1), the first day it had one. The tokens are found by skipping through the primary key.
WITH RECURSIVE known AS (
    (SELECT token_contract, chain FROM regime.token_cap_bucket ORDER BY token_contract, chain LIMIT 1)
    UNION ALL
    SELECT following.*
    FROM known
    CROSS JOIN LATERAL (
        SELECT token_contract, chain FROM regime.token_cap_bucket
        WHERE (token_contract, chain) > (known.token_contract, known.chain)
        ORDER BY token_contract, chain
        LIMIT 1
    ) AS following
)
SELECT known.token_contract, known.chain, first."timestamp" AS followed_from
FROM known
CROSS JOIN LATERAL (
    SELECT tag."timestamp" FROM regime.token_cap_bucket AS tag
    WHERE (tag.token_contract, tag.chain) = (known.token_contract, known.chain) AND tag."timestamp" < $1
      AND tag.bucket <> 'xl'
    ORDER BY tag."timestamp"
    LIMIT 1
) AS first
ORDER BY known.token_contract, known.chain;

-- name: delete_window_but_old_minutes
-- Forget a half-open window before it is written anew, but the 1m rows before $3, which are no longer made; gives the number of rows.
WITH deleted AS (
    DELETE FROM {table}
    WHERE {time} >= $1 AND {time} < $2 AND (timeframe <> '1m' OR {time} >= $3)
    RETURNING 1
)
SELECT count(*) FROM deleted;

-- name: prune_minutes
-- Forget the 1m rows of each token before $1 but its last $2, which its next bars go on from; gives the number of rows.
WITH RECURSIVE known AS (
    (SELECT token_contract, chain FROM {table} ORDER BY token_contract, chain LIMIT 1)
    UNION ALL
    SELECT following.*
    FROM known
    CROSS JOIN LATERAL (
        SELECT token_contract, chain FROM {table}
        WHERE (token_contract, chain) > (known.token_contract, known.chain)
        ORDER BY token_contract, chain
        LIMIT 1
    ) AS following
), pruned AS (
    DELETE FROM {table}
    WHERE ctid = ANY (ARRAY(
        SELECT old.ctid
        FROM known
        CROSS JOIN LATERAL (
            SELECT t.ctid FROM {table} AS t
            WHERE (t.token_contract, t.chain) = (known.token_contract, known.chain) AND t.timeframe = '1m' AND t.{time} < $1
            ORDER BY t.{time} DESC
            OFFSET $2
        ) AS old
    ))
    RETURNING 1
)
SELECT count(*) FROM pruned;

-- name: check_one_indicator_row_per_followed_bar
-- Indicators stand on exactly the bars of the timeframes $4 (a list with commas) from each token's first tag on, with the close they were made from.
SELECT count(*)
FROM (
    SELECT bar.token_contract, bar.chain, bar.timeframe, bar."timestamp", bar.close_usd
    FROM regime.lowcap_price_data_ohlc AS bar
    JOIN (
        SELECT token_contract, chain, min("timestamp") AS followed_from
        FROM regime.token_cap_bucket
        WHERE bucket <> 'xl' AND "timestamp" < $2
        GROUP BY token_contract, chain
    ) AS tagged ON tagged.token_contract = bar.token_contract AND tagged.chain = bar.chain
    WHERE bar."timestamp" >= $1 AND bar."timestamp" < $2 AND bar."timestamp" >= tagged.followed_from
      AND bar.timeframe = ANY (string_to_array($4, ',')) AND (bar.timeframe <> '1m' OR bar."timestamp" >= $3)
) AS bar
FULL JOIN (
    SELECT token_contract, chain, timeframe, "timestamp", latest_price
    FROM regime.token_ta
    WHERE "timestamp" >= $1 AND "timestamp" < $2 AND (timeframe <> '1m' OR "timestamp" >= $3)
) AS ta USING (token_contract, chain, timeframe, "timestamp")
WHERE bar.close_usd IS DISTINCT FROM ta.latest_price;

-- name: check_one_state_per_token_indicator_row
-- States stand on exactly the indicator rows, with the price they were made from.
SELECT count(*)
FROM (
    SELECT token_contract, chain, timeframe, "timestamp", latest_price
    FROM regime.token_ta
    WHERE "timestamp" >= $1 AND "timestamp" < $2 AND (timeframe <> '1m' OR "timestamp" >= $3)
) AS ta
FULL JOIN (
    SELECT token_contract, chain, timeframe, "timestamp", price
    FROM regime.token_uptrend_state
    WHERE "timestamp" >= $1 AND "timestamp" < $2 AND (timeframe <> '1m' OR "timestamp" >= $3)
) AS state USING (token_contract, chain, timeframe, "timestamp")
WHERE ta.latest_price IS DISTINCT FROM state.price;

-- name: check_token_transitions_are_legal
-- The state moves only along the arrows of the state machine, and never without its reason. The first state of a series has a reason but moved from nothing.
SELECT count(*) FROM regime.token_uptrend_state
WHERE "timestamp" >= $1 AND "timestamp" < $2
  AND ((transition IS NULL) <> (transition_reason IS NULL) AND prev_state IS NOT NULL
       OR transition NOT IN ('S4->S0', 'S4->S3', 'S0->S1', 'S1->S0', 'S1->S2', 'S2->S1', 'S2->S0', 'S2->S3', 'S3->S0'));

-- name: check_token_scores_are_present
-- A state that is past warming up carries the scores defined for it, on transition bars too.
SELECT count(*) FROM regime.token_uptrend_state
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND status = 'ok'
  AND ((state IN ('S0', 'S1', 'S2', 'S3') AND ts IS NULL)
       OR (state IN ('S2', 'S3') AND ox IS NULL)
       OR (state = 'S3' AND (dx IS NULL OR edx IS NULL)));
