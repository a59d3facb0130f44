-- The newest run of each test for each version, up to a moment; one that was read twice counts once.
CREATE OR REPLACE VIEW evaluations_newest AS
SELECT
    service_name, model_version, suite, test_name, category, argMax(items, (time, event_id)) AS items,
    argMax(failed, (time, event_id)) AS failed, max(evaluations.time) AS newest
FROM evaluations FINAL
WHERE time <= {until:DateTime('UTC')}
GROUP BY service_name, model_version, suite, test_name, category;

-- The version that served most of each service in the seven days up to a moment.
CREATE OR REPLACE VIEW serving_versions AS
SELECT service_name, argMax(model_version, calls) AS model_version, argMax(outputs, calls) AS its_outputs
FROM (
    SELECT service_name, model_version, sum(calls) AS calls, sum(unsafe_attempted_trials) AS outputs
    FROM service_hours FINAL
    WHERE hour < {until:DateTime('UTC')} AND hour >= {until:DateTime('UTC')} - INTERVAL 7 DAY
    GROUP BY service_name, model_version
)
GROUP BY service_name;

-- What each hazard's evaluation says of the version that serves, beside production in the seven days up to a moment: the
-- difference with the interval of Newcombe (1998, method 10), from Wilson's of the two shares.
CREATE OR REPLACE VIEW evaluation_gaps AS
WITH {{ wilson("rate", "number") }}
SELECT
    service_name, model_version, category, evaluated.1 AS evaluated_share, evaluated.2 AS evaluated_lower, evaluated.3 AS evaluated_upper,
    evaluated.4 AS items, production.1 AS production_share, production.2 AS production_lower, production.3 AS production_upper,
    production.4 AS outputs, newest, production_share - evaluated_share AS gap,
    gap - sqrt(pow(production_share - production_lower, 2) + pow(evaluated_upper - evaluated_share, 2)) AS gap_lower,
    gap + sqrt(pow(production_upper - production_share, 2) + pow(evaluated_share - evaluated_lower, 2)) AS gap_upper
FROM (
    SELECT
        service_name, model_version, category, max(newest_run) AS newest,
        anyIf((rate, low, high, number), side = 1) AS evaluated, anyIf((rate, low, high, number), side = 2) AS production
    FROM (
        SELECT
            runs.service_name AS service_name, runs.model_version AS model_version, runs.category AS category,
            runs.newest_run AS newest_run, pair.1 AS side, pair.2 AS number, least(1, pair.3 / pair.2) AS rate
        FROM (
            SELECT service_name, model_version, category, sum(items) AS items, sum(failed) AS failed, max(newest) AS newest_run
            FROM evaluations_newest(until={until:DateTime('UTC')})
            WHERE category != ''
            GROUP BY service_name, model_version, category
        ) AS runs
        INNER JOIN serving_versions(until={until:DateTime('UTC')}) AS serving
            ON serving.service_name = runs.service_name AND serving.model_version = runs.model_version
        LEFT JOIN (
            SELECT service_name, model_version, category, sum(findings) AS findings
            FROM category_minutes FINAL
            WHERE layer = 'output' AND minute < {until:DateTime('UTC')} AND minute >= {until:DateTime('UTC')} - INTERVAL 7 DAY
            GROUP BY service_name, model_version, category
        ) AS met ON met.service_name = runs.service_name AND met.model_version = runs.model_version AND met.category = runs.category
        ARRAY JOIN [(1, toFloat64(runs.items), toFloat64(runs.failed)),
            (2, toFloat64(serving.its_outputs), toFloat64(met.findings))] AS pair
        WHERE pair.2 > 0
    )
    GROUP BY service_name, model_version, category
    HAVING count() = 2
);

-- Up to a moment: the gap of each hazard, the age of the newest run, and how far suites cover and tell apart.
CREATE OR REPLACE VIEW kpi_evaluations AS
SELECT
    measures.kpi AS kpi, measures.part AS part, {until:DateTime('UTC')} AS window_start, measures.service_name AS service_name, '' AS model_version,
    measures.value AS value, measures.lower AS lower, measures.upper AS upper, measures.n AS n, {{ trust_of("frame.guard_trust") }}
FROM (
    SELECT
        'evaluation_gap' AS kpi, toString(category) AS part, toString(service_name) AS service_name, toNullable(gap) AS value,
        toNullable(gap_lower) AS lower, toNullable(gap_upper) AS upper, toUInt64(outputs) AS n
    FROM evaluation_gaps(until={until:DateTime('UTC')})
    UNION ALL
    SELECT
        'evaluation_staleness', '', toString(serving.service_name),
        if(runs.n = 0, NULL, toNullable(toFloat64(dateDiff('second', runs.newest_run, {until:DateTime('UTC')})))), NULL, NULL, runs.n
    FROM serving_versions(until={until:DateTime('UTC')}) AS serving
    LEFT JOIN (
        SELECT service_name, model_version, toDateTime(max(newest), 'UTC') AS newest_run, count() AS n
        FROM evaluations_newest(until={until:DateTime('UTC')}) GROUP BY service_name, model_version
    ) AS runs ON runs.service_name = serving.service_name AND runs.model_version = serving.model_version
    UNION ALL
    SELECT 'evaluation_coverage', '', service_name, if(number = 0, NULL, toNullable(rate)), if(number = 0, NULL, toNullable(low)),
        if(number = 0, NULL, toNullable(high)), number
    FROM (
        SELECT service_name, number, rate, {{ wilson("rate", "number") }}
        FROM (
            SELECT
                toString(met.service_name) AS service_name, sum(met.findings) AS number,
                sumIf(met.findings, tested.items > 0) / number AS rate
            FROM (
                SELECT service_name, category, sum(findings) AS findings FROM category_minutes FINAL
                WHERE layer = 'output' AND category != '' AND minute < {until:DateTime('UTC')}
                    AND minute >= {until:DateTime('UTC')} - INTERVAL 7 DAY
                GROUP BY service_name, category
            ) AS met
            LEFT JOIN (
                SELECT service_name, category, sum(items) AS items FROM evaluations_newest(until={until:DateTime('UTC')})
                GROUP BY service_name, category
            ) AS tested ON tested.service_name = met.service_name AND tested.category = met.category
            GROUP BY service_name
        )
    )
    UNION ALL
    SELECT 'evaluation_saturation', '', service_name, toNullable(countIf(alike) / count()), NULL, NULL, count()
    FROM (
        SELECT toString(service_name) AS service_name, suite, test_name, category, count() AS versions, max(low) <= min(high) AS alike
        FROM (
            SELECT *, items AS number, failed / items AS rate, {{ wilson("rate", "number") }}
            FROM evaluations_newest(until={until:DateTime('UTC')}) WHERE items > 0
        )
        GROUP BY service_name, suite, test_name, category
        HAVING versions > 1
    )
    GROUP BY service_name
) AS measures
LEFT JOIN (
    SELECT service_name, guard_trust, guard_trust_reason
    FROM kpi_frame(since=toStartOfHour({until:DateTime('UTC')} - INTERVAL 7 DAY), until={until:DateTime('UTC')}, step=864000)
) AS frame ON frame.service_name = measures.service_name;
