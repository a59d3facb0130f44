SELECT service_name, toUnixTimestamp(max(minute)) AS newest FROM service_minutes GROUP BY service_name
