SELECT columns.table AS table, columns.name AS name, columns.type AS type, columns.comment AS comment
FROM system.columns AS columns
INNER JOIN system.tables AS tables ON tables.database = columns.database AND tables.name = columns.table
WHERE columns.database = currentDatabase() AND tables.engine != 'MaterializedView' AND NOT startsWith(columns.table, '.')
ORDER BY table, columns.position
