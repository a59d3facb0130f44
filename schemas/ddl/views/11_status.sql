-- What arrives and what is wrong with it, in a period; see `watchkeeper status`.

-- Codes and words that the contract does not know, where they stand, and since when each is known of.
CREATE OR REPLACE VIEW unknown_codes AS
SELECT
    said.1 AS field, said.2 AS code, service_name, arraySort(groupUniqArray(5)(toString(source))) AS sources,
    arraySort(groupUniqArrayIf(5)(guard, guard != '')) AS guards, count() AS times,
    toDateTime(min(time), 'UTC') AS first_seen, toDateTime(max(time), 'UTC') AS last_seen
FROM (
    SELECT time, service_name, source, toString(guard_name) AS guard, arrayJoin(arrayMap(
        code -> ('finding.category', code),
        arrayFilter(code -> code NOT IN ({{ known_categories | quoted }}), findings_category))) AS said
    FROM guard_verdicts FINAL
    WHERE {{ within("time") }} AND probe_id = ''
    {% for table, name, fields in known_words %}
    UNION ALL
    SELECT time, service_name, source, toString({{ name }}) AS guard, arrayJoin(arrayFilter(pair -> pair.2 != '', [
        {% for field, told, known in fields %}
        ('{{ told }}', if({{ field }} IN ({{ known | quoted }}), '', toString({{ field }}))){{ "," if not loop.last }}
        {% endfor %}
    ])) AS said
    FROM {{ table }} FINAL
    WHERE {{ within("time") }} AND probe_id = ''
    {% endfor %}
)
GROUP BY field, code, service_name;

-- Records that were refused, by topic and by who sent them; what names nobody has no service and no source.
CREATE OR REPLACE VIEW refused_records AS
SELECT
    origin_topic, JSONExtractString(value, 'service_name') AS service_name, JSONExtractString(value, 'source') AS source,
    toString(reason) AS why, count() AS records, argMax(detail, letters.time) AS last_detail,
    toDateTime(min(letters.time), 'UTC') AS first_seen, toDateTime(max(letters.time), 'UTC') AS last_seen
FROM dead_letters AS letters FINAL
WHERE {{ within("letters.time") }}
GROUP BY origin_topic, service_name, source, why;

-- Every service that was ever heard: when last, what of it, and what of its telemetry is missing.
CREATE OR REPLACE VIEW service_status AS
SELECT
    heard.service_name AS service_name,
    if(recent.last_event > heard.last_hour, recent.last_event, heard.last_hour) AS last_event,
    recent.events AS events, recent.calls AS calls, alone.verdicts AS verdicts_alone, alone.orphans AS orphans,
    lost.lost AS lost, refused.records AS refused, codes.unknown AS unknown_codes, trusts.reason AS trust_reason
FROM (
    SELECT toString(service_name) AS service_name, max(hour) AS last_hour FROM service_hours GROUP BY service_name
    UNION DISTINCT
    SELECT service_name, max(last_seen) FROM refused_records(since={since:DateTime('UTC')}, until={until:DateTime('UTC')})
    WHERE service_name != '' AND service_name NOT IN (SELECT service_name FROM service_hours) GROUP BY service_name
) AS heard
LEFT JOIN (
    SELECT toString(service_name) AS service_name, max(minute) AS last_event, sum(minutes.events) AS events, sum(minutes.calls) AS calls
    FROM service_minutes AS minutes FINAL WHERE {{ within("minute") }} GROUP BY service_name
) AS recent ON recent.service_name = heard.service_name
LEFT JOIN (
    SELECT service_name, sum(verdict) AS verdicts, sum(orphan) AS orphans
    FROM (
        SELECT toString(service_name) AS service_name, 1 AS verdict, 0 AS orphan FROM guard_verdicts FINAL
        WHERE event_kind = 'guard_verdict' AND probe_id = '' AND {{ within("time") }}
        UNION ALL
        SELECT group.service_name, 0, group.orphans
        FROM window_messages FINAL
        ARRAY JOIN JSONExtract(payload, 'groups', 'Array(Tuple(service_name String, orphans UInt64))') AS group
        WHERE {{ within("time") }} AND position(payload, '"orphans"') > 0
    )
    GROUP BY service_name
) AS alone ON alone.service_name = heard.service_name
LEFT JOIN (
    SELECT toString(service_name) AS service_name, sum(ifNull(dropped, 0)) + sum(ifNull(refused, 0)) AS lost
    FROM telemetry FINAL WHERE {{ within("time") }} GROUP BY service_name
) AS lost ON lost.service_name = heard.service_name
LEFT JOIN (
    SELECT service_name, sum(letters.records) AS records
    FROM refused_records(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}) AS letters GROUP BY service_name
) AS refused ON refused.service_name = heard.service_name
LEFT JOIN (
    SELECT service_name, count() AS unknown
    FROM unknown_codes(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}) GROUP BY service_name
) AS codes ON codes.service_name = heard.service_name
LEFT JOIN (
    SELECT service_name, argMax(guard_trust_reason, window_start) AS reason FROM trust_hours
    WHERE window_start < {until:DateTime('UTC')} GROUP BY service_name
) AS trusts ON trusts.service_name = heard.service_name;
