-- From where to where the two paths of each partition can be compared. What a path has not read from its beginning is
-- compared from the next whole hour on. `latest_closed` is for who asks for it before the sums.
CREATE OR REPLACE VIEW horizons_now AS
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
CREATE OR REPLACE VIEW counted_differences AS
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
