-- What holds rows or shows them, with its columns; a view with parameters has none, and what is refreshed has those of
-- the table it is written to.
SELECT found.name AS name, arrayMap(column -> column.2, arraySort(groupArrayIf((columns.position, columns.name), columns.name != '')))
FROM (
    SELECT name FROM system.tables
    WHERE database = currentDatabase() AND engine != 'MaterializedView' AND NOT startsWith(name, '.')
) AS found
LEFT JOIN (
    SELECT table, name, position FROM system.columns WHERE database = currentDatabase()
) AS columns ON columns.table = found.name
GROUP BY name ORDER BY name
