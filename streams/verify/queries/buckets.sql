-- Number, sum and sum of squares tell a bucket that holds each offset once from any other.
SELECT intDiv(o, {{ bucket }}) AS bucket, sum(is_row) AS rows, sum(1 - is_row) AS letters,
    sum(toUInt64(o)) AS total, sum(toUInt64(o) * toUInt64(o)) AS squares
FROM ({% include "offsets.sql" %})
GROUP BY bucket
