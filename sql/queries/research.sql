-- Notes of the research layer. Bare names: whose tables these are, the session's search path says.

-- name: research_spent_since
-- Requests to language models since $1, and the tokens they may have cost; an answer of several notes counts once.
SELECT
    coalesce(sum((look.value ->> 'requests')::bigint), 0)::bigint AS requests,
    coalesce(sum((look.value ->> 'tokens')::bigint), 0)::bigint AS tokens
FROM (
    SELECT DISTINCT "timestamp", level, model_id, prompt_hash, input_hash, (content -> 'asked')::text AS asked
    FROM llm_learning
    WHERE json_typeof(content -> 'asked') = 'array'
) AS question
CROSS JOIN LATERAL json_array_elements(question.asked::json) AS look
WHERE (look.value ->> 'at')::timestamptz >= $1;

-- name: research_refusals_since
-- Questions of days since $1 whose answer was refused or did not come, by reason, and those that were answered.
SELECT reason, count(*) AS questions FROM (
    SELECT DISTINCT
        "timestamp", level, model_id, prompt_hash, input_hash,
        coalesce(content -> 'refusal' ->> 'reason', 'answered') AS reason
    FROM llm_learning
    WHERE "timestamp" >= $1 AND json_typeof(content -> 'asked') = 'array'
) AS question
GROUP BY reason
ORDER BY reason;

-- name: check_only_tested_hypotheses_are_validated
-- Notes of a window that are validated without a test on enough trades.
SELECT count(*) FROM llm_learning
WHERE "timestamp" >= $1 AND "timestamp" < $2 AND status = 'validated' AND NOT coalesce(
    level = 5 AND (test_results ->> 'min_trades')::integer >= 2
    AND (test_results ->> 'n_in')::integer >= (test_results ->> 'min_trades')::integer
    AND (test_results ->> 'n_rest')::integer >= (test_results ->> 'min_trades')::integer,
    false
);
