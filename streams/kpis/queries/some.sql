{% for view in views %}
SELECT kpi, part, service_name, value, lower, upper, n, trust, trust_reason
FROM {{ view }}(
    since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions=0,
    objective={objective:Float64}, known_at={known:DateTime('UTC')}
)
WHERE has({of_{{ view }}:Array(String)}, kpi) AND ({service:String} = '' OR service_name = {service:String})
{{ "UNION ALL" if not loop.last }}
{% endfor %}
