SELECT kpi, axis, part, service_name, value, lower, upper, n, trust, trust_reason
FROM {{ view }}(
    since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions=0,
    objective={objective:Float64}, known_at={until:DateTime('UTC')}
)
WHERE ({service:String} = '' OR service_name = {service:String})
ORDER BY service_name, kpi, axis, part
