-- Harm of outputs by axis (`streams.events.harm`). What is older was counted on one axis alone, as it stands.
{% set served = "bitTest(flagged, 1)" %}
{% for table, severity in [
    ("inferences", "unsafe_severity"), ("agent_steps", "unsafe_severity"), ("retrievals", "0"), ("guard_verdicts", "0"),
] %}
ALTER TABLE {{ table }}
    ADD COLUMN safety_harm UInt8 DEFAULT multiIf({{ served }}, 2 + {{ severity }}, bitTest(flagged, 0), 1, 0) AFTER flagged,
    ADD COLUMN security_harm UInt8 AFTER safety_harm;
{% endfor %}
{% for unit in ["minutes", "hours"] %}
ALTER TABLE service_{{ unit }}
    ADD COLUMN safety_by_harm Map(UInt8, UInt64) DEFAULT mapFilter((harm, n) -> n > 0, map(
        1, toUInt64(greatest(toInt64(unsafe_attempted) - toInt64(unsafe_served), 0)),
        2, toUInt64(greatest(toInt64(unsafe_served) - toInt64(arraySum(arrayMap(level -> unsafe_by_severity[level], [1, 2, 3, 4]))), 0)),
        3, unsafe_by_severity[1], 4, unsafe_by_severity[2], 5, unsafe_by_severity[3], 6, unsafe_by_severity[4]
    )) AFTER unsafe_by_severity,
    ADD COLUMN security_by_harm Map(UInt8, UInt64) AFTER safety_by_harm,
    ADD COLUMN unsafe_by_harm Map(UInt8, UInt64) DEFAULT safety_by_harm AFTER security_by_harm;
{% endfor %}
ALTER TABLE service_policies ADD COLUMN severity_weights Array(Float64) AFTER required_guards;
