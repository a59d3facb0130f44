SELECT 'category' AS dimension, category AS name, sum(amount) AS flagged, 0 AS trials
FROM guard_verdicts ARRAY JOIN findings_category AS category, finding_counts AS amount
WHERE {% include "in_time.sql" %} AND has({categories:Array(String)}, category)
GROUP BY category HAVING flagged > 0 ORDER BY flagged DESC, name LIMIT {most:UInt8}
