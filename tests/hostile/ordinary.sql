SELECT (1)
SELECT ((count())) FROM inferences WHERE ((service_name = 'a') AND (time > now() - INTERVAL 1 DAY))
SELECT toDate(time)::String AS d, count() FROM inferences GROUP BY d HAVING count() > 1 ORDER BY 2 DESC LIMIT 5 OFFSET 2
SELECT DISTINCT ON (service_name) service_name, time FROM inferences ORDER BY time DESC
SELECT * EXCEPT (output_text) FROM inferences LIMIT 1
SELECT service_name, count() OVER (PARTITION BY service_name ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM inferences
WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT * FROM a JOIN b ON a.x + 1 = b.y
SELECT a.service_name FROM inferences AS a LEFT ANY JOIN findings f USING (service_name)
SELECT arrayMap((x, y) -> x + y, [1,2], [3,4])
SELECT arrayFilter(x -> (x % 2) = 0, range(10)), CAST('1' AS UInt8), '2020-01-01'::Date, -1, - 1, NOT (1 = 1), 1 BETWEEN 0 AND 2
SELECT CASE WHEN count() > 1 THEN 'many' WHEN count() = 1 THEN 'one' ELSE 'none' END FROM inferences
SELECT quantile(0.95)(duration_ms), quantiles(0.5, 0.9)(duration_ms), uniqExact(session_id), argMax(service_name, time) FROM inferences
SELECT sumIf(1, outcome = 'error') / count(*) AS r FROM inferences
SELECT time, service_name FROM inferences WHERE service_name IN ('a', 'b') AND time >= '2020-01-01 00:00:00' ORDER BY time WITH FILL STEP 60
SELECT number FROM numbers(10) UNION ALL SELECT 5 UNION DISTINCT SELECT 6
(SELECT 1) UNION ALL (SELECT 2)
SELECT * FROM (SELECT 1 AS a) INTERSECT SELECT 1
SELECT map('a', 1)['a'], tuple(1, 'x').1, [1,2][1], (1, 2) = (1, 2)
SELECT toStartOfInterval(time, INTERVAL 5 MINUTE) AS t, count() FROM inferences GROUP BY t WITH TOTALS
SELECT service_name, model_version, count() FROM inferences GROUP BY GROUPING SETS ((service_name), (model_version))
SELECT service_name, count() FROM inferences GROUP BY ROLLUP(service_name)
SELECT service_name FROM inferences LIMIT 1 BY service_name
SELECT if(1, 2, 3), 1 ? 2 : 3, null IS NULL, 1 IS NOT NULL, 'a' LIKE '%a%', 'a' ILIKE 'A', 'a' || 'b'
SELECT EXTRACT(YEAR FROM now()), DATE '2020-01-01', INTERVAL 1 HOUR + now(), TRIM(BOTH ' ' FROM ' a ')
SELECT COUNT(DISTINCT service_name) FROM inferences
SELECT count() FROM inferences FINAL PREWHERE service_name = 'a' WHERE 1
SELECT x FROM (SELECT [1,2] AS arr) ARRAY JOIN arr AS x
SELECT EXISTS(SELECT 1), (SELECT max(time) FROM inferences), 1 IN (SELECT 1)
SELECT 1 AS `a b`, "service_name" FROM inferences
SELECT /* c */ 1 -- x
SELECT 1;
SELECT count() FROM inferences WHERE NOT has(['a'], service_name) AND service_name != '' OR (1 AND 0)
DESCRIBE TABLE inferences
SHOW TABLES
SHOW TABLES LIKE 'kpi%'
SHOW CREATE TABLE inferences
EXPLAIN SELECT 1
SELECT count() FROM inferences WHERE service_name GLOBAL IN (SELECT 'a')
SELECT service_name, count() c FROM inferences GROUP BY ALL ORDER BY ALL
SELECT count() FROM system.tables
SELECT name, type FROM system.columns WHERE table = 'inferences' LIMIT 2
SELECT dateDiff('hour', now() - 3600, now()), formatDateTime(now(), '%Y'), splitByChar(',', 'a,b'), JSONExtractString('{"a":"b"}', 'a')
SELECT any(service_name) FILTER (WHERE 1) FROM inferences
SELECT lagInFrame(time) OVER w FROM inferences WINDOW w AS (PARTITION BY service_name)
