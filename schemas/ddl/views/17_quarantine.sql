-- Each quarantine of a source: from when until it was given free, ended or was asked for again, and what was retrieved from
-- it all the same, from a minute after it was asked for. One that still lasts has no `until_time`.
CREATE OR REPLACE VIEW source_quarantines AS
SELECT
    service_name, data_source_id, control_id, since_time, until_time, reason, actor_id,
    countIf(broken) AS searches, sumIf(found, broken) AS documents, minIf(toNullable(searched_time), broken) AS first_time,
    maxIf(toNullable(searched_time), broken) AS last_time, arraySort(groupArrayIf(5)(searched_id, broken)) AS event_ids
FROM (
    SELECT
        asked.service AS service_name, asked.source AS data_source_id, asked.control_id AS control_id,
        asked.since AS since_time, asked.until AS until_time, asked.why AS reason, asked.who AS actor_id,
        searched.at AS searched_time, searched.event_id AS searched_id, searched.found AS found,
        searched.event_id != '' AND searched.at >= asked.since + INTERVAL 1 MINUTE
            AND (asked.until IS NULL OR searched.at < asked.until) AS broken
    FROM (
        SELECT *, if(ends IS NULL, following, least(ends, ifNull(following, ends))) AS until
        FROM (
            SELECT
                toString(service_name) AS service, data_source_id AS source, control, event_id AS control_id, time AS since,
                reason AS why, if(actor_id != '', actor_id, rule) AS who, expires_at AS ends,
                leadInFrame(toNullable(time)) OVER (
                    PARTITION BY service_name, data_source_id ORDER BY time, event_id
                    ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
                ) AS following
            FROM controls FINAL WHERE control IN ('quarantine', 'release')
        )
        WHERE control = 'quarantine'
    ) AS asked
    LEFT JOIN (
        SELECT toString(service_name) AS service, toString(data_source_id) AS source, time AS at, event_id,
            length(documents_id) AS found
        FROM retrievals FINAL
        WHERE probe_id = '' AND (service_name, data_source_id) IN (
            SELECT service_name, data_source_id FROM controls WHERE control = 'quarantine'
        )
    ) AS searched ON searched.service = asked.service AND searched.source = asked.source
)
GROUP BY service_name, data_source_id, control_id, since_time, until_time, reason, actor_id;
