-- What of the newest two hours most likely means something else than the contract says; an empty `trap` is none. Rows
-- that are there twice until they are merged change no share of them.
CREATE OR REPLACE VIEW telemetry_traps AS
WITH (SELECT max(hour) - INTERVAL 1 HOUR FROM service_hours) AS oldest
SELECT
    timed.hour AS hour, timed.service_name AS service_name,
    arrayStringConcat(arrayFilter(trap -> trap != '', [
        multiIf(timed.written >= {{ enough }} AND timed.speed > {{ fastest }},
                concat('durations look like seconds: the median call writes ', toString(round(timed.speed)), ' tokens a second'),
            timed.written = 0 AND timed.durations >= {{ enough }} AND timed.shortest < {{ shortest_ms }},
                concat('durations look like seconds: the median call takes ', toString(round(timed.shortest, 2)), ' ms'),
            ''),
        if(held.most > {{ one_session }} * held.named AND held.traces >= {{ session_traces }},
            concat('one session for all: it holds ', toString(held.most), ' of ', toString(held.named), ' calls'), ''),
        if(graded.number >= {{ enough }} AND graded.levels = [2, 4],
            'a severity scale that is not ours: 2 and 4, never 1 or 3', ''),
        if(timed.cached_apart > {{ apart }} * timed.cached,
            concat('input tokens without those of the cache: ', toString(timed.cached_apart), ' of ', toString(timed.cached), ' calls'), ''),
        if(timed.thought_apart > {{ apart }} * timed.thought,
            concat('output tokens without those of reasoning: ', toString(timed.thought_apart), ' of ', toString(timed.thought), ' calls'), '')
    ]), ', ') AS trap
FROM (
    WITH
        operation_name IN ({{ answers | quoted }}) AND ifNull(duration_ms, 0) > 0 AS answered,
        answered AND ifNull(usage_output_tokens, 0) > 0 AS wrote,
        ifNull(usage_cache_read_input_tokens, 0) + ifNull(usage_cache_write_input_tokens, 0) AS of_cache
    SELECT
        toStartOfHour(toDateTime(time, 'UTC')) AS hour, toString(service_name) AS service_name,
        countIf(answered) AS durations, ifNull(medianIf(duration_ms, answered), 0) AS shortest,
        countIf(wrote) AS written, ifNull(medianIf(1000 * usage_output_tokens / duration_ms, wrote), 0) AS speed,
        countIf(of_cache > 0 AND usage_input_tokens IS NOT NULL) AS cached, countIf(of_cache > usage_input_tokens) AS cached_apart,
        countIf(usage_reasoning_output_tokens > 0 AND usage_output_tokens IS NOT NULL) AS thought,
        countIf(usage_reasoning_output_tokens > usage_output_tokens) AS thought_apart
    FROM inferences
    WHERE time >= oldest AND probe_id = ''
    GROUP BY hour, service_name
) AS timed
LEFT JOIN (
    SELECT hour, service_name, max(calls) AS most, sum(calls) AS named, argMax(parts, calls) AS traces
    FROM (
        SELECT
            toStartOfHour(toDateTime(time, 'UTC')) AS hour, toString(service_name) AS service_name,
            if(session_id != '', session_id, conversation_id) AS session, count() AS calls,
            uniq(if(trace_id != '', trace_id, event_id)) AS parts
        FROM inferences
        WHERE time >= oldest AND probe_id = '' AND session != ''
        GROUP BY hour, service_name, session
    )
    GROUP BY hour, service_name
) AS held ON held.hour = timed.hour AND held.service_name = timed.service_name
LEFT JOIN (
    SELECT
        toStartOfHour(toDateTime(time, 'UTC')) AS hour, toString(service_name) AS service_name, count() AS number,
        arraySort(groupUniqArray(level)) AS levels
    FROM guard_verdicts
    ARRAY JOIN findings_severity AS level
    WHERE time >= oldest AND probe_id = '' AND level > 0
    GROUP BY hour, service_name
) AS graded ON graded.hour = timed.hour AND graded.service_name = timed.service_name;
