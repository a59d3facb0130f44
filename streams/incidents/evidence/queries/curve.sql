SELECT toUnixTimestamp(toStartOfInterval(time, INTERVAL {step:UInt32} SECOND)) AS at, countIf(trial) AS trials,
    countIf(flag) AS flagged
FROM (
{% include source %}
) GROUP BY at HAVING trials > 0 ORDER BY at
