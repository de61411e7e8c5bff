-- Metadata of the low-cap tokens: the bars that fill what a source left out, and what must hold of the rows.

-- name: bars_for_token_metadata
-- Hour and day bars of low-caps in a half-open window ($1, $2), with the day each opened on.
SELECT token_contract, chain, timeframe, "timestamp", close_usd, volume, source,
       date_trunc('day', "timestamp", 'UTC') AS opened_on
FROM regime.lowcap_price_data_ohlc
WHERE timeframe IN ('1h', '1d') AND "timestamp" >= $1 AND "timestamp" < $2;

-- name: printers_of_roll_ups
-- Who printed the first part of each day's roll-ups in that window. A query of its own: joined to the bars by the
-- server it took a nested loop over both, on a table that has just been filled and not been analysed yet.
WITH rolled AS MATERIALIZED (
    SELECT DISTINCT token_contract, chain, source, date_trunc('day', "timestamp", 'UTC') AS opened_on
    FROM regime.lowcap_price_data_ohlc
    WHERE timeframe IN ('1h', '1d') AND "timestamp" >= $1 AND "timestamp" < $2 AND source LIKE 'rollup:%'
)
SELECT rolled.*, component.source AS printed_by
FROM rolled
CROSS JOIN LATERAL (
    SELECT source
    FROM regime.lowcap_price_data_ohlc AS native
    WHERE native.token_contract = rolled.token_contract AND native.chain = rolled.chain
      AND native.timeframe = substr(rolled.source, length('rollup:') + 1)
      AND native."timestamp" >= rolled.opened_on AND native."timestamp" < rolled.opened_on + interval '1 day'
      AND native.source NOT LIKE 'rollup:%'
    ORDER BY native."timestamp"
    LIMIT 1
) AS component;

-- name: check_readings_lie_in_their_day
-- A row of a day holds a reading of that day, and was known after it was read.
SELECT count(*) FROM regime.token_metadata
WHERE "timestamp" >= $1 AND "timestamp" < $2
  AND (updated_at IS NULL OR updated_at < "timestamp" OR updated_at >= "timestamp" + interval '1 day'
       OR updated_at > known_at);

-- name: check_cap_status_fits_the_cap
-- What is said of a cap is what it is: ok only above zero and below infinity, and with a basis wherever there is a cap.
SELECT count(*) FROM regime.token_metadata
WHERE "timestamp" >= $1 AND "timestamp" < $2
  AND ((market_cap_usd IS NULL) <> (cap_status = 'missing')
       OR (market_cap_usd IS NULL) <> (market_cap_basis IS NULL)
       OR (cap_status = 'not_finite') <> coalesce(market_cap_usd IN ('NaN', 'Infinity', '-Infinity'), false)
       OR (cap_status = 'negative') <> coalesce(market_cap_usd < 0 AND market_cap_usd > '-Infinity', false)
       OR cap_status IN ('ok', 'stale') AND NOT (market_cap_usd > 0 AND circulating_supply IS DISTINCT FROM 0)
       OR cap_status = 'zero' AND NOT coalesce(market_cap_usd = 0 OR circulating_supply = 0, false));
