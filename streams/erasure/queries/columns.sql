SELECT columns.table AS table, columns.name AS name, columns.type AS type, columns.is_in_sorting_key AS key
FROM system.columns AS columns
INNER JOIN system.tables AS tables ON tables.database = columns.database AND tables.name = columns.table
WHERE columns.database = currentDatabase() AND tables.engine LIKE '%MergeTree' AND NOT startsWith(tables.name, '.')
ORDER BY table, columns.position
