{# What views ask of a refused record: whose it is, and of when. #}
concat(
    '{"service_name":', toJSONString(JSONExtractString(value, 'service_name')),
    ',"source":', toJSONString(JSONExtractString(value, 'source')),
    ',"time_unix_nano":', toString(JSONExtractUInt(value, 'time_unix_nano')), '}'
)
