-- What of a service's hour means something else than it seems to, looked for every five minutes (refreshed/trap_hours.sql).

CREATE TABLE trap_hours
(
    hour DateTime('UTC'),
    service_name String,
    trap String,
    judged_at DateTime('UTC')
)
ENGINE = ReplacingMergeTree(judged_at)
PARTITION BY toYYYYMM(hour)
ORDER BY (hour, service_name);
