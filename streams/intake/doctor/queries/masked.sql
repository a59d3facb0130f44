SELECT toString(service_name) AS service, source, field, kind, records
FROM identifiers_sent(since=now() - toIntervalSecond({seconds:UInt32}), until=now() + INTERVAL 1 HOUR)
ORDER BY records DESC
LIMIT {most:UInt32}
