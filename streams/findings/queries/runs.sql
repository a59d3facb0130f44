SELECT
    suite AS event_id, 'store' AS source, service_name, model_version, suite, test_name, category, items, failed,
    toUnixTimestamp64Nano(toDateTime64(newest, 9, 'UTC')) AS time_unix_nano
FROM evaluations_newest(until=now('UTC'))
