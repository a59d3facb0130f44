-- The two paths held against each other: what history stored and what watch counted. Both read the same log by the same
-- rule, so each tick must hold the same events on both sides. Rows say when they count (`counted_time`), rollups sum
-- both sides by the start of the tick, and `horizons` say up to where each side is whole.

ALTER TABLE inferences ADD COLUMN IF NOT EXISTS counted_time DateTime64(9, 'UTC') AFTER counted_version;
ALTER TABLE agent_steps ADD COLUMN IF NOT EXISTS counted_time DateTime64(9, 'UTC') AFTER counted_version;
ALTER TABLE retrievals ADD COLUMN IF NOT EXISTS counted_time DateTime64(9, 'UTC') AFTER counted_version;
ALTER TABLE guard_verdicts ADD COLUMN IF NOT EXISTS counted_time DateTime64(9, 'UTC') AFTER counted_version;
ALTER TABLE telemetry ADD COLUMN IF NOT EXISTS counted_time DateTime64(9, 'UTC') AFTER labels;

CREATE TABLE counted_minutes
(
    minute DateTime('UTC'),
    counted DateTime('UTC'),
    service_name LowCardinality(String),
    events UInt64,
    trials UInt64,
    flagged UInt64,
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(counted)
ORDER BY (kafka_topic_id, kafka_partition, counted, minute, service_name);

CREATE TABLE counted_hours
(
    hour DateTime('UTC'),
    service_name LowCardinality(String),
    events UInt64,
    trials UInt64,
    flagged UInt64,
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (kafka_topic_id, kafka_partition, hour, service_name);

CREATE TABLE window_minutes
(
    minute DateTime('UTC'),
    service_name LowCardinality(String),
    events UInt64,
    trials UInt64,
    flagged UInt64,
    source_topic_id LowCardinality(String),
    source_partition Int32,
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(minute)
ORDER BY (kafka_topic_id, kafka_partition, minute, source_topic_id, source_partition, service_name);

CREATE TABLE window_hours
(
    hour DateTime('UTC'),
    service_name LowCardinality(String),
    events UInt64,
    trials UInt64,
    flagged UInt64,
    source_topic_id LowCardinality(String),
    source_partition Int32,
    kafka_topic_id LowCardinality(String),
    kafka_partition Int32,
    version Int64
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (kafka_topic_id, kafka_partition, hour, source_topic_id, source_partition, service_name);

-- Up to where a path is whole in the store: `closed` is the start of its first open tick. One row for each slot of five
-- seconds, of four in turn: a reader that leaves out the freshest never knows of a tick before it sees its sums.

CREATE TABLE horizons
(
    path LowCardinality(String),
    source_topic_id LowCardinality(String),
    source_partition Int32,
    kafka_partition Int32,
    slot UInt8 DEFAULT intDiv(toUnixTimestamp(now()), 5) % 4,
    noted_at SimpleAggregateFunction(max, DateTime('UTC')) DEFAULT now('UTC'),
    partitions SimpleAggregateFunction(max, Int32),
    first_offset SimpleAggregateFunction(min, Int64),
    first_time SimpleAggregateFunction(min, DateTime('UTC')),
    closed SimpleAggregateFunction(max, DateTime('UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (path, source_topic_id, source_partition, kafka_partition, slot);

-- What was stored before now does not say when it counts.
INSERT INTO horizons (path, source_topic_id, source_partition, kafka_partition, partitions, first_offset, closed)
SELECT 'before', kafka_topic_id, kafka_partition, -1, 1, 0, max(time)
FROM (
    SELECT kafka_topic_id, kafka_partition, time FROM inferences
    UNION ALL SELECT kafka_topic_id, kafka_partition, time FROM agent_steps
    UNION ALL SELECT kafka_topic_id, kafka_partition, time FROM retrievals
    UNION ALL SELECT kafka_topic_id, kafka_partition, time FROM guard_verdicts
)
GROUP BY kafka_topic_id, kafka_partition;

-- From where to where the two paths of each partition can be compared. What a path has not read from its beginning is
-- compared from the next whole hour on. `latest_closed` is for who asks for it before the sums.
CREATE VIEW horizons_now AS
SELECT
    source_topic_id AS topic_id, source_partition AS partition,
    maxIf(until, path = 'rows') AS rows_closed,
    if(countIf(path = 'windows') > 0 AND countIf(path = 'windows') = maxIf(number, path = 'windows'),
        minIf(until, path = 'windows'), toDateTime(0, 'UTC')) AS windows_closed,
    least(rows_closed, windows_closed) AS closed, max(since) AS begin,
    least(maxIf(latest, path = 'rows'), if(countIf(path = 'windows') > 0 AND countIf(path = 'windows') = maxIf(number, path = 'windows'),
        minIf(latest, path = 'windows'), toDateTime(0, 'UTC'))) AS latest_closed
FROM (
    SELECT
        path, source_topic_id, source_partition, kafka_partition, number, until, latest,
        if(path = 'before', until, if(min(offset) OVER (PARTITION BY path, kafka_partition, if(path = 'rows', source_partition, 0)) = 0,
            toDateTime(0, 'UTC'), began)) AS mark,
        if(toUnixTimestamp(mark) = 0, mark, toStartOfHour(mark) + INTERVAL 1 HOUR) AS since
    FROM (
        SELECT
            path, source_topic_id, source_partition, kafka_partition, max(partitions) AS number,
            min(first_offset) AS offset, min(first_time) AS began, max(closed) AS latest,
            maxIf(closed, path = 'before' OR noted_at < now('UTC') - INTERVAL 3 SECOND) AS until
        FROM (SELECT * FROM horizons FINAL)
        GROUP BY path, source_topic_id, source_partition, kafka_partition
    )
)
GROUP BY topic_id, partition;

-- Where closed ticks do not hold the same on both sides, by service. Too many services of one tick are summed under
-- another name in the windows, so a service differs only where its partition does.
CREATE VIEW counted_differences AS
WITH
    sums AS (
        SELECT kafka_topic_id AS topic_id, kafka_partition AS partition, hour, service_name,
            events, trials, flagged, 0 AS w_events, 0 AS w_trials, 0 AS w_flagged
        FROM counted_hours FINAL
        UNION ALL
        SELECT source_topic_id, source_partition, hour, service_name, 0, 0, 0, events, trials, flagged
        FROM window_hours FINAL
    ),
    minutes AS (
        SELECT kafka_topic_id AS topic_id, kafka_partition AS partition, counted AS minute, service_name,
            events, trials, flagged, 0 AS w_events, 0 AS w_trials, 0 AS w_flagged
        FROM counted_minutes FINAL WHERE counted >= (SELECT toStartOfHour(min(closed)) FROM horizons_now WHERE toUnixTimestamp(closed) > 0)
        UNION ALL
        SELECT source_topic_id, source_partition, minute, service_name, 0, 0, 0, events, trials, flagged
        FROM window_minutes FINAL WHERE minute >= (SELECT toStartOfHour(min(closed)) FROM horizons_now WHERE toUnixTimestamp(closed) > 0)
    ),
    compared AS (
        SELECT topic_id, partition, hour, service_name,
            toInt64(sum(events)) AS re, toInt64(sum(w_events)) AS we, toInt64(sum(trials)) AS rt,
            toInt64(sum(w_trials)) AS wt, toInt64(sum(flagged)) AS rf, toInt64(sum(w_flagged)) AS wf
        FROM (
            SELECT sums.* FROM sums
            INNER JOIN horizons_now AS seen ON seen.topic_id = sums.topic_id AND seen.partition = sums.partition
            WHERE sums.hour >= seen.begin AND sums.hour + INTERVAL 1 HOUR <= seen.closed
            UNION ALL
            SELECT minutes.topic_id, minutes.partition, toStartOfHour(minute), minutes.service_name, minutes.events,
                minutes.trials, minutes.flagged, minutes.w_events, minutes.w_trials, minutes.w_flagged
            FROM minutes
            INNER JOIN horizons_now AS seen ON seen.topic_id = minutes.topic_id AND seen.partition = minutes.partition
            WHERE minute >= greatest(seen.begin, toStartOfHour(seen.closed)) AND minute + INTERVAL 1 MINUTE <= seen.closed
        )
        GROUP BY topic_id, partition, hour, service_name
    ),
    judged AS (
        SELECT *,
            sum(re - we) OVER (PARTITION BY topic_id, partition, hour) AS de,
            sum(rt - wt) OVER (PARTITION BY topic_id, partition, hour) AS dt,
            sum(rf - wf) OVER (PARTITION BY topic_id, partition, hour) AS df
        FROM compared
    ),
    said AS (
        SELECT hour, service_name, re, we, rt, wt, rf, wf, multiIf(
            de > 0 AND re > we, 'fewer windows', de < 0 AND re < we, 'fewer rows',
            de = 0 AND dt != 0 AND rt != wt, 'trials', de = 0 AND dt = 0 AND df != 0 AND rf != wf, 'flagged', '') AS what
        FROM judged
    )
SELECT hour, service_name, what, multiIf(
        what = 'fewer windows', concat('windows hold fewer events than rows: ', toString(sum(we)), ' of ', toString(sum(re))),
        what = 'fewer rows', concat('rows hold fewer events than windows: ', toString(sum(re)), ' of ', toString(sum(we))),
        what = 'trials', concat('windows hold ', toString(sum(wt)), ' trials and rows ', toString(sum(rt))),
        concat('windows hold ', toString(sum(wf)), ' flagged and rows ', toString(sum(rf)))) AS reason
FROM said WHERE what != '' GROUP BY hour, service_name, what;

CREATE OR REPLACE VIEW kpi_trust AS
WITH
    heard AS (SELECT hour, service_name, sum(events) AS events FROM service_hours FINAL GROUP BY hour, service_name),
    refused AS (
        SELECT toStartOfHour(if(reason != 'future_time' AND claimed > '2020-01-01', claimed, toDateTime(time, 'UTC'))) AS hour,
            JSONExtractString(value, 'service_name') AS service_name, count() AS letters
        FROM (
            SELECT *, toDateTime(intDiv(JSONExtractUInt(value, 'time_unix_nano'), 1000000000), 'UTC') AS claimed
            FROM dead_letters FINAL WHERE endsWith(origin_topic, 'inference.v1')
        )
        GROUP BY hour, service_name
    ),
    (SELECT max(hour) FROM service_hours) AS newest,
    lives AS (
        SELECT service_name, toDateTime(arrayJoin(range(toUInt32(first), toUInt32(last) + 1, 3600)), 'UTC') AS hour
        FROM (
            SELECT service_name, greatest(min(hour), newest - INTERVAL 400 DAY) AS first,
                if(max(hour) > newest - INTERVAL 7 DAY, greatest(newest, max(hour)), max(hour)) AS last
            FROM (
                SELECT hour, service_name FROM heard
                UNION ALL
                SELECT hour, service_name FROM refused WHERE service_name != ''
            )
            GROUP BY service_name
        )
    ),
    unnamed AS (
        SELECT letters.hour AS hour, letters.number / (letters.number + fleet.events) AS share
        FROM (SELECT hour, sum(letters) AS number FROM refused WHERE service_name = '' GROUP BY hour) AS letters
        LEFT JOIN (SELECT hour, sum(events) AS events FROM heard GROUP BY hour) AS fleet ON fleet.hour = letters.hour
    ),
    dropped AS (
        SELECT toStartOfHour(toDateTime(time, 'UTC')) AS hour, service_name,
            sum(ifNull(dropped, 0)) + sum(ifNull(refused, 0)) AS number
        FROM telemetry FINAL WHERE dropped > 0 OR refused > 0 GROUP BY hour, service_name
    ),
    delayed AS (
        SELECT toStartOfHour(toDateTime(time, 'UTC')) AS hour, service_name, sum(most) AS number
        FROM (
            SELECT time, service_name, max(late) AS most FROM windows WHERE late > 0
            GROUP BY time, source_topic_id, source_partition, tick, tenant_id, service_name, model_version,
                deployment_variant
        )
        GROUP BY hour, service_name
    ),
    gaps AS (
        SELECT service_name, arrayStringConcat(arraySort(groupUniqArray(toString(what))), ' and ') AS whats,
            toDateTime(arrayJoin(range(
                toUInt32(toStartOfHour(greatest(toDateTime(began, 'UTC'), newest - INTERVAL 400 DAY))),
                toUInt32(ifNull(toDateTime(ended, 'UTC'), newest + INTERVAL 1 HOUR)), 3600
            )), 'UTC') AS hour
        FROM telemetry_gaps GROUP BY service_name, hour
    ),
    guarded AS (
        SELECT hour, service_name, sum(outputs) AS outputs, sum(covered) AS covered
        FROM guard_hours_now GROUP BY hour, service_name
    ),
    counted AS (
        SELECT hour, service_name, arrayStringConcat(groupArray(reason), ', ') AS reason
        FROM (SELECT * FROM counted_differences ORDER BY hour, service_name, reason) GROUP BY hour, service_name
    ),
    arrayFilter(reason -> reason != '', [
        if(heard.events = 0, 'no events', ''),
        if(gaps.whats != '', concat('telemetry ', gaps.whats), ''),
        if(dropped.number > 0, concat(toString(dropped.number), ' events lost at the source'), ''),
        if(refused.letters > 0.01 * (refused.letters + heard.events), concat(toString(refused.letters), ' events refused'), ''),
        if(unnamed.share > 0.01, 'refused events that name no service', ''),
        if(delayed.number > 0.05 * heard.events, concat(toString(delayed.number), ' events late'), ''),
        counted.reason
    ]) AS reasons,
    if(guarded.covered < 0.99 * guarded.outputs,
        [concat('guard coverage ', toString(floor(100 * guarded.covered / guarded.outputs, 1)), ' %')], []) AS unguarded
SELECT
    lives.hour AS window_start, lives.service_name AS service_name, heard.events AS events,
    guarded.outputs AS outputs, guarded.covered AS covered, delayed.number AS late,
    dropped.number AS lost, refused.letters AS dead_letters,
    if(empty(reasons), 'trusted', 'untrusted') AS trust, arrayStringConcat(reasons, ', ') AS trust_reason,
    if(empty(reasons) AND empty(unguarded), 'trusted', 'untrusted') AS guard_trust,
    arrayStringConcat(arrayConcat(reasons, unguarded), ', ') AS guard_trust_reason
FROM lives
LEFT JOIN heard ON heard.hour = lives.hour AND heard.service_name = lives.service_name
LEFT JOIN refused ON refused.hour = lives.hour AND refused.service_name = lives.service_name
LEFT JOIN unnamed ON unnamed.hour = lives.hour
LEFT JOIN dropped ON dropped.hour = lives.hour AND dropped.service_name = lives.service_name
LEFT JOIN delayed ON delayed.hour = lives.hour AND delayed.service_name = lives.service_name
LEFT JOIN gaps ON gaps.hour = lives.hour AND gaps.service_name = lives.service_name
LEFT JOIN counted ON counted.hour = lives.hour AND counted.service_name = lives.service_name
LEFT JOIN guarded ON guarded.hour = lives.hour AND guarded.service_name = lives.service_name;
