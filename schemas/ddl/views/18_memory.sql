-- Each read of a memory item by a step, with the latest write of it before that, and what is known against that write. An item
-- is known by its id in its store; where no store is named, in its service.
CREATE OR REPLACE VIEW memory_reads AS
SELECT
    used.time AS time, used.service_name AS service_name, used.tenant_id AS tenant_id, used.agent_name AS agent_name,
    used.event_id AS event_id, used.trace_id AS trace_id, used.session AS session, used.user_pseudo_id AS user_pseudo_id,
    used.store AS memory_store, used.item AS memory_id, made.time AS written_time, made.event_id AS written_by,
    made.service_name AS written_service, made.agent_name AS written_agent, made.trace_id AS written_trace,
    made.against AS written_against, used.trace_id != made.trace_id AS elsewhere
FROM (
{% for action, alias in [("read", "used"), ("write", "made")] %}
    SELECT
        time, toString(service_name) AS service_name, tenant_id, toString(agent_name) AS agent_name, event_id,
        if(trace_id = '', event_id, trace_id) AS trace_id, {{ session() }} AS session, user_pseudo_id,
        if(memory_store = '', toString(service_name), toString(memory_store)) AS store, arrayJoin(memory_ids) AS item,
        multiIf(bitTest(bitAnd(trials, flagged), {{ memory_poisoning_bit }}), 'poisoned', notEmpty(taint_sources), 'tainted', '') AS against
    FROM agent_steps FINAL
    WHERE memory_action = '{{ action }}' AND probe_id = ''
) AS {{ alias }}{% if not loop.last %} ASOF JOIN ({% else %} ON used.store = made.store AND used.item = made.item AND used.time >= made.time;
{% endif %}
{% endfor %}

-- Each poisoned or tainted write to a memory that was read later: by whom, how often, and how many answers came after it.
CREATE OR REPLACE VIEW memory_influence AS
SELECT
    memory_store, memory_id, written_time, written_by, written_service, written_agent, written_trace, written_against,
    sum(of_trace) AS reads, sumIf(of_trace, trace_id != written_trace) AS reads_elsewhere, count() AS traces,
    uniqExactArray(by_sessions) AS sessions, uniqExactArray(by_users) AS users, uniqExactArray(by_services) AS services,
    uniqExactArray(by_agents) AS agents, min(first_read) AS first_time, max(last_read) AS last_time, sum(answered) AS answers,
    arraySlice(arraySort(groupArrayArray(5)(by_events)), 1, 5) AS event_ids
FROM (
    SELECT
        memory_store, memory_id, written_time, written_by, written_service, written_agent, written_trace, written_against, trace_id,
        any(reads_of) AS of_trace, any(sessions_of) AS by_sessions, any(users_of) AS by_users, any(services_of) AS by_services,
        any(agents_of) AS by_agents, any(events_of) AS by_events, any(began) AS first_read, any(ended) AS last_read,
        countIf(answer.event_id != '' AND answer.time >= began) AS answered
    FROM (
        SELECT
            memory_store, memory_id, written_time, written_by, written_service, written_agent, written_trace, written_against, trace_id,
            count() AS reads_of, groupUniqArray(session) AS sessions_of, groupUniqArrayIf(user_pseudo_id, user_pseudo_id != '') AS users_of,
            groupUniqArray(service_name) AS services_of, groupUniqArray(agent_name) AS agents_of, groupArray(5)(event_id) AS events_of,
            min(time) AS began, max(time) AS ended
        FROM memory_reads WHERE written_against != ''
        GROUP BY ALL
    ) AS seen
    LEFT JOIN (
        SELECT if(trace_id = '', event_id, trace_id) AS trace_id, event_id, time FROM inferences FINAL WHERE probe_id = ''
    ) AS answer ON answer.trace_id = seen.trace_id
    GROUP BY memory_store, memory_id, written_time, written_by, written_service, written_agent, written_trace, written_against, trace_id
)
GROUP BY memory_store, memory_id, written_time, written_by, written_service, written_agent, written_trace, written_against;
