SELECT kpi, service_name, toUnixTimestamp(window_start) AS at, value, lower, upper, trust
FROM kpis(
    since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step=3600, versions=0, objective={objective:Float64},
    known_at={until:DateTime('UTC')}
)
WHERE has({drawn:Array(String)}, kpi) AND ({service:String} = '' OR service_name = {service:String})
ORDER BY service_name, indexOf({drawn:Array(String)}, kpi), window_start
