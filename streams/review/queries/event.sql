SELECT service_name, tenant_id, model_version FROM rated_events WHERE event_id = {event:String} LIMIT 1
