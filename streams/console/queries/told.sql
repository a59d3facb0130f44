SELECT * FROM (
    SELECT 'notice' AS what, toUnixTimestamp64Nano(time) AS at, toString(receiver) AS name, toString(status) AS result,
        detail AS reason, '' AS by
    FROM deliveries FINAL WHERE incident_id = {incident:String} AND status != 'failed'
    UNION ALL
    SELECT 'control' AS what, toUnixTimestamp64Nano(time) AS at,
        concat(toString(control), ' of ', toString(service_name)) AS name, 'asked' AS result, reason,
        if(actor_id != '', actor_id, toString(actor_kind)) AS by
    FROM controls FINAL WHERE incident_id = {incident:String}
)
ORDER BY at DESC LIMIT 50
