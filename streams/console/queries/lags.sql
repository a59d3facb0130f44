SELECT
    partition, toUnixTimestamp(rows_closed) AS stored, toUnixTimestamp(windows_closed) AS counted,
    dateDiff('second', latest_closed, max(greatest(rows_closed, windows_closed)) OVER ()) AS behind
FROM horizons_now ORDER BY partition
