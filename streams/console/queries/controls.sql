SELECT
    toUnixTimestamp64Nano(time) AS at, service_name, control, reason, if(actor_id != '', actor_id, toString(actor_kind)) AS by,
    rule, to_version, data_source_id, incident_id, toUnixTimestamp64Nano(expires_at) AS ends,
    event_id IN (
        SELECT argMax(event_id, time) FROM controls FINAL
        WHERE control IN ('kill_switch', 'pause', 'review_required', 'resume', 'quarantine', 'release')
        GROUP BY service_name, data_source_id
    ) AND control NOT IN ('resume', 'promote', 'rollback', 'release') AND (isNull(expires_at) OR expires_at > {now:DateTime('UTC')}) AS in_force
FROM controls FINAL
WHERE (time > {since:DateTime('UTC')} OR in_force) AND ({service:String} = '' OR service_name = {service:String})
ORDER BY in_force DESC, time DESC LIMIT {most:UInt32}
