{% if by == "hour" %}intDiv(tick * {tick:Int64}, 3600) * 3600 AS place{% elif by == "service" %}tick, service_name{% else %}tick AS place{% endif %}
