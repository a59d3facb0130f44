{# Cells of a minute; the windows hold what the detectors counted. -#}
SELECT metric, intDiv(tick * tick_seconds, 60) * 60 AS at, sum(trials) AS trials, sum(flagged) AS flagged
FROM windows FINAL
WHERE has({services:Array(String)}, service_name) AND has({metrics:Array(String)}, metric)
    AND time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC') AND time < fromUnixTimestamp64Nano({until:Int64}, 'UTC')
GROUP BY metric, at HAVING trials > 0 ORDER BY metric, at
