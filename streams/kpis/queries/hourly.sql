SELECT kpi, service_name, toUnixTimestamp(window_start) AS at, value, lower, upper, trust
FROM (
    {% for own in counted %}
    SELECT kpi, service_name, window_start, value, lower, upper, trust
    FROM {{ own[0] }}(
        since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step=3600, versions=0,
        objective={objective:Float64}, known_at={until:DateTime('UTC')}
    ) WHERE kpi IN ('{{ own[1:] | join("', '") }}')
    {{ "UNION ALL" if not loop.last }}
    {% endfor %}
)
WHERE ({service:String} = '' OR service_name = {service:String})
ORDER BY service_name, indexOf({drawn:Array(String)}, kpi), window_start
