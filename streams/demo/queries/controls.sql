SELECT formatDateTime(time, '%a %H:%i') AS at, service_name, control, rule, reason
FROM controls FINAL
ORDER BY time, event_id
