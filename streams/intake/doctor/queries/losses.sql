SELECT service_name, emitted, dropped, refused, reason
FROM telemetry
WHERE time >= now() - toIntervalSecond({seconds:UInt32}) AND (dropped > 0 OR refused > 0)
ORDER BY time DESC
LIMIT {most:UInt32}
