-- Names of each service, the most frequent few of each list and how many there are: categories and words that nobody knows, and
-- guards that ran without a verdict.
SELECT toString(service_name) AS service, list, field, name, sum(times) AS number, count() OVER (PARTITION BY service, list) AS different
FROM (
    SELECT service_name, 'codes' AS list, '' AS field, if(category = '', 'None', category) AS name, count() AS times
    FROM guard_verdicts
    ARRAY JOIN findings_category AS category
    WHERE {% include "lately.sql" %} AND NOT has({known:Array(String)}, category)
    GROUP BY service_name, name
    UNION ALL
    SELECT service_name, 'silent' AS list, '' AS field, toString(guard_name) AS name, count() AS times
    FROM guard_verdicts
    WHERE {% include "lately.sql" %} AND status = 'ok' AND verdict IN ('', 'unknown')
    GROUP BY service_name, name
    {% for table in words %}
    UNION ALL
    SELECT service_name, 'words' AS list, word.1 AS field, word.2 AS name, count() AS times
    FROM {{ table[0] }}
    ARRAY JOIN [
        {% for field in table[1:] %}
        ('{{ field }}', if(has({known_{{ table[0] }}_{{ field }}:Array(String)}, toString({{ field }})), '', toString({{ field }}))){{ "," if not loop.last }}
        {% endfor %}
    ] AS word
    WHERE {% include "lately.sql" %} AND name != ''
    GROUP BY service_name, field, name
    {% endfor %}
)
GROUP BY service_name, list, field, name
ORDER BY number DESC, field, name
LIMIT {shown:UInt32} BY service, list
LIMIT {most:UInt32}
