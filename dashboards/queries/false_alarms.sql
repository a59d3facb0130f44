WITH
    greatest(dateDiff('second', $__fromTime, $__toTime) / 86400, 1 / 24) AS days,
    countIf(false_positive) AS k
SELECT
    {budget:Float64} AS promised_per_day, count() AS incidents, k AS judged_false, k / days AS achieved_per_day,
    if(k = 0, 0, k * pow(1 - 1 / (9 * k) - 1.96 / (3 * sqrt(k)), 3)) / days AS lower,
    (k + 1) * pow(1 - 1 / (9 * (k + 1)) + 1.96 / (3 * sqrt(k + 1)), 3) / days AS upper,
    countIf(closed IS NULL) AS not_judged_yet
FROM incident_clocks
WHERE detected >= $__fromTime AND detected <= $__toTime AND NOT merged
