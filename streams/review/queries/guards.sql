SELECT guard_name, layer, status, verdict, action, findings_category AS categories
FROM guard_verdicts FINAL WHERE event_id = {event:String} OR target_event_id = {event:String} ORDER BY layer, guard_name
