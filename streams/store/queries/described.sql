SELECT name, comment FROM system.tables
WHERE database = currentDatabase() AND NOT startsWith(name, '.')
