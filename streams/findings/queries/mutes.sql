SELECT service_name, metric, toUnixTimestamp64Nano(ends) AS ends, actor, why
FROM mutes WHERE ends > {now:DateTime('UTC')} ORDER BY ends, service_name, metric
