SELECT
    service_name, subject, version, toUnixTimestamp64Nano(first_time) AS first, toUnixTimestamp64Nano(last_time) AS last,
    toUInt64(calls) AS calls, kpi, value, lower, upper, n
FROM version_kpis(since={since:DateTime('UTC')}, until={until:DateTime('UTC')})
WHERE ({service:String} = '' OR service_name = {service:String}) AND ({subject:String} = '' OR subject = {subject:String})
ORDER BY service_name, subject, first, version, kpi
