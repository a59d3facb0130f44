SELECT table, name, reason FROM system.detached_parts
WHERE database = currentDatabase() AND (startsWith(reason, 'broken') OR startsWith(reason, 'unexpected'))
