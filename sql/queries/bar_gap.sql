-- What an incremental load must know besides the stored bars of its window.

-- name: jumps_refused_between
-- Bars of a table ($1) refused for what came before them, in a half-open window ($2, $3); the last refusal of a bar last.
SELECT token_contract, chain, timeframe, "timestamp", open_usd, high_usd, low_usd, close_usd, volume, source
FROM regime.bar_quarantine
WHERE table_name = $1 AND reason IN ('unit_step', 'price_jump')
  AND loaded_for > $2::timestamptz - interval '1 day' AND loaded_for < $3
  AND "timestamp" >= $2 AND "timestamp" < $3
ORDER BY token_contract, chain, timeframe, "timestamp", known_at, quarantine_id;
