SELECT ran_at, kind, name, class, before, gone, oldest FROM retention_runs ORDER BY ran_at DESC, kind, name LIMIT {most:UInt32}
