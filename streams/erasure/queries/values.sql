{# Everything that may name somebody: columns of their own, and fields of records that are kept as text. #}
{% for table in tables %}
SELECT DISTINCT toString({{ column }}) AS value, false AS escaped FROM {{ table }} WHERE {{ column }} != ''
UNION ALL
{% endfor %}
{% for table, document in documents %}
SELECT DISTINCT arrayJoin(extractAll({{ document }}, {pattern:String})) AS value, true AS escaped FROM {{ table }}
{{ "UNION ALL" if not loop.last }}
{% endfor %}
