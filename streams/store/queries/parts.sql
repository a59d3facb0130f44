SELECT table, name, toUnixTimestamp(modification_time) FROM system.parts WHERE database = currentDatabase() AND active
ORDER BY modification_time
