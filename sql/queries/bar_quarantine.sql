-- Refused bars, and the ones a person has released.

-- name: released_bars
-- Ids of quarantined bars that loads accept.
SELECT quarantine_id FROM pm.bar_release ORDER BY quarantine_id;

-- name: list_refused_bars
-- Refused bars, newest first, with the release if there is one.
SELECT refused.quarantine_id, refused.table_name, refused.token_contract, refused.chain, refused.timeframe,
       refused."timestamp", refused.source, refused.reason, refused.detail, refused.known_at,
       release.author AS released_by, release.released_at
FROM regime.bar_quarantine AS refused
LEFT JOIN pm.bar_release AS release USING (quarantine_id)
WHERE (%(reason)s::text IS NULL OR refused.reason = %(reason)s)
  AND (%(token)s::text IS NULL OR refused.token_contract = %(token)s)
ORDER BY refused.loaded_for DESC, refused.quarantine_id
LIMIT %(most)s;

-- name: find_refused_bars
-- Refused bars whose id begins so.
SELECT quarantine_id, reason, table_name, loaded_for FROM regime.bar_quarantine
WHERE starts_with(quarantine_id, %(prefix)s)
LIMIT 2;

-- name: release_refused_bar
-- Accept a refused bar from now on; a second release changes nothing.
INSERT INTO pm.bar_release (quarantine_id, author, reason)
VALUES (%(quarantine_id)s, %(author)s, %(reason)s)
ON CONFLICT (quarantine_id) DO NOTHING;

-- name: jumps_refused_before
-- Bars of a table ($1) refused for what came before them, before an instant ($2), and not released since; the last
-- refusal of a bar last.
SELECT token_contract, chain, timeframe, "timestamp", close_usd, reason
FROM regime.bar_quarantine
WHERE table_name = $1 AND reason IN ('unit_step', 'price_jump') AND "timestamp" < $2
  AND NOT EXISTS (SELECT FROM pm.bar_release AS release WHERE release.quarantine_id = bar_quarantine.quarantine_id)
ORDER BY token_contract, chain, timeframe, "timestamp", known_at, quarantine_id;
