-- Which service sends direct identifiers in fields that should hold none, by source, field and kind.
CREATE OR REPLACE VIEW identifiers_sent AS
SELECT
    service_name, source, field, kind, uniqExact(kafka_topic_id, kafka_partition, kafka_offset) AS records, sum(number) AS identifiers,
    min(time) AS first_time, max(time) AS last_time
FROM masked_identifiers FINAL
WHERE {{ within("time") }}
GROUP BY service_name, source, field, kind;
