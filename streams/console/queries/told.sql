SELECT 'notice' AS what, toUnixTimestamp64Nano(time) AS at, toString(receiver) AS name, toString(status) AS result,
    detail AS reason, '' AS by
FROM deliveries FINAL WHERE incident_id = {incident:String} AND status != 'failed'
UNION ALL
SELECT 'control', toUnixTimestamp64Nano(time), concat(toString(control), ' of ', toString(service_name)), 'asked', reason,
    if(actor_id != '', actor_id, toString(actor_kind))
FROM controls FINAL WHERE incident_id = {incident:String}
ORDER BY at DESC LIMIT 50
