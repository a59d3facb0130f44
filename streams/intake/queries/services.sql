SELECT * FROM service_status(since={since:DateTime('UTC')}, until={until:DateTime('UTC')})
WHERE {service:String} = '' OR service_name = {service:String}
ORDER BY trust_reason = '', last_event, service_name
