SELECT * FROM refused_records(since={since:DateTime('UTC')}, until={until:DateTime('UTC')})
WHERE {service:String} = '' OR service_name = {service:String}
ORDER BY records DESC, origin_topic, service_name, source, why
