-- Whether the telemetry of a service in an hour is whole, and if not, why. A service lives from its first hour to the
-- newest of the fleet, or to its own last one where that is a week older.
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
    traps AS (SELECT hour, service_name, trap FROM trap_hours FINAL WHERE trap != ''),
    counted AS (
        SELECT hour, service_name, arrayStringConcat(groupArray(reason), ', ') AS reason
        FROM (SELECT * FROM counted_differences ORDER BY hour, service_name, reason) GROUP BY hour, service_name
    ),
    arrayFilter(reason -> reason != '', [
        if(heard.events = 0, 'no events', ''),
        if(gaps.whats != '', concat('telemetry ', gaps.whats), ''),
        if(dropped.number > 0, concat(toString(dropped.number), ' events lost at the source'), ''),
        if(refused.letters > {{ refused_share }} * (refused.letters + heard.events), concat(toString(refused.letters), ' events refused'), ''),
        if(unnamed.share > {{ refused_share }}, 'refused events that name no service', ''),
        if(delayed.number > {{ late_share }} * heard.events, concat(toString(delayed.number), ' events late'), ''),
        traps.trap,
        counted.reason
    ]) AS reasons,
    if(guarded.covered < {{ covered_share }} * guarded.outputs,
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
LEFT JOIN traps ON traps.hour = lives.hour AND traps.service_name = lives.service_name
LEFT JOIN counted ON counted.hour = lives.hour AND counted.service_name = lives.service_name
LEFT JOIN guarded ON guarded.hour = lives.hour AND guarded.service_name = lives.service_name;

-- Windows of `step` seconds from `since` on, with the trust of their hours.
CREATE OR REPLACE VIEW kpi_frame AS
SELECT
    {{ window_start("trusts.window_start") }} AS window_start,
    trusts.service_name AS service_name, sum(trusts.events) AS events, sum(trusts.outputs) AS outputs,
    sum(trusts.covered) AS covered, sum(trusts.served) AS served, sum(trusts.exposed) AS exposed,
    sum(trusts.late) AS late, sum(trusts.lost) AS lost, sum(trusts.dead_letters) AS dead_letters,
    {{ trust_over("trust") }},
    {{ trust_over("guard_trust") }}
FROM trust_hours AS trusts
WHERE {{ within("trusts.window_start") }}
GROUP BY window_start, service_name;

-- The windows and their trust stand here in full: the engine plans a view inside of a view twice.
CREATE OR REPLACE VIEW kpi_counts AS
SELECT
    frame.window_start AS window_start, frame.service_name AS service_name, counted.version AS model_version,
    frame.trust AS trust, frame.trust_reason AS trust_reason,
    frame.guard_trust AS guard_trust, frame.guard_trust_reason AS guard_trust_reason,
    counted.events AS events, counted.* EXCEPT (bucket, service_name, version, events)
FROM (
    SELECT
        {{ window_start("trusts.window_start") }} AS window_start,
        trusts.service_name AS service_name,
        {{ trust_over("trust") }},
        {{ trust_over("guard_trust") }}
    FROM trust_hours AS trusts
    WHERE {{ within("trusts.window_start") }}
    GROUP BY window_start, service_name
) AS frame
LEFT JOIN (
    SELECT
        {{ window_start("hour") }} AS bucket,
        service_name, {{ version }},
        sum(events) AS events, sum(calls) AS calls,
        sum(unsafe_attempted_trials) AS unsafe_attempted_trials, sum(unsafe_served_trials) AS unsafe_served_trials,
        sumMap(safety_by_harm) AS safety_by_harm, sumMap(security_by_harm) AS security_by_harm,
        sumMap(unsafe_by_harm) AS unsafe_by_harm,
        sum(injection_flag_trials) AS injection_flag_trials, sum(injection_flag) AS injection_flag,
        sum(leak_trials) AS leak_trials, sum(leak) AS leak, sum(error_trials) AS error_trials, sum(error) AS error,
        sum(over_refusal_trials) AS over_refusal_trials, sum(over_refusal) AS over_refusal,
        sum(blocked_trials) AS blocked_trials, sum(blocked) AS blocked,
        sum(filtered_trials) AS filtered_trials, sum(filtered) AS filtered,
        sum(failing_tool_trials) AS failing_tool_trials, sum(failing_tool) AS failing_tool,
        sum(prompt_pii_trials) AS prompt_pii_trials, sum(prompt_pii) AS prompt_pii,
        sum(quality_trials) AS quality_trials, sum(quality) AS quality,
        sum(goal_hijack_trials) AS goal_hijack_trials, sum(goal_hijack) AS goal_hijack,
        sum(memory_poisoning_trials) AS memory_poisoning_trials, sum(memory_poisoning) AS memory_poisoning,
        sum(inter_agent_trials) AS inter_agent_trials, sum(inter_agent) AS inter_agent,
        sum(privilege_abuse_trials) AS privilege_abuse_trials, sum(privilege_abuse) AS privilege_abuse
    FROM {{ by_known_version("service_hours FINAL", "calls") }}
    GROUP BY bucket, service_name, version
) AS counted ON counted.bucket = frame.window_start AND counted.service_name = frame.service_name;
