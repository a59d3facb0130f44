SELECT
    toUnixTimestamp64Nano(time) AS at, said.service_name AS service_name, control, reason,
    if(actor_id != '', actor_id, toString(actor_kind)) AS by,
    rule, to_version, prompt_name, data_source_id, incident_id, toUnixTimestamp64Nano(expires_at) AS ends,
    (
        event_id IN (
            SELECT argMax(event_id, time) FROM controls FINAL
            WHERE control IN ('kill_switch', 'pause', 'review_required', 'resume', 'quarantine', 'release')
            GROUP BY service_name, data_source_id
        ) AND control NOT IN ('resume', 'promote', 'rollback', 'release') OR control = 'kill_switch' AND time > resumed
    ) AND (isNull(expires_at) OR expires_at > {now:DateTime('UTC')}) AS in_force
FROM (SELECT * FROM controls FINAL) AS said
LEFT JOIN (
    SELECT service_name, max(time) AS resumed FROM controls FINAL WHERE control = 'resume' GROUP BY service_name
) AS ended ON ended.service_name = said.service_name
WHERE (time > {since:DateTime('UTC')} OR in_force) AND ({service:String} = '' OR said.service_name = {service:String})
ORDER BY in_force DESC, time DESC LIMIT {most:UInt32}
