SELECT
    finding_id, kind, service_name, metric, toUnixTimestamp64Nano(detected_time) AS at, evidence, evidence_sql, over,
    judgement, judged_by, judged_why, muted_until > {now:DateTime('UTC')} AS muted, count() OVER () AS total
FROM tickets
WHERE ({service:String} = '' OR positionCaseInsensitiveUTF8(service_name, {service:String}) > 0)
    AND ({metric:String} = '' OR metric = {metric:String})
    AND multiIf({state:String} = 'open', judgement = '' AND NOT over AND NOT muted, {state:String} = 'judged', judgement != '',
        {state:String} = 'muted', muted, true)
ORDER BY detected_time DESC, finding_id
LIMIT {most:UInt32} OFFSET {after:UInt32}
