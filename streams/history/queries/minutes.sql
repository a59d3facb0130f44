{% set of = "events" %}
{% include "place.sql" %} AND (kafka_partition, toStartOfMinute(time)) IN {minutes:Array(Tuple(Int32, DateTime('UTC')))}
    AND {{ counts | default("time") }} >= ({% include "kept.sql" %})
