SELECT o, sum(is_row) AS rows, count() AS n
FROM ({% include "offsets.sql" %})
GROUP BY o ORDER BY o
