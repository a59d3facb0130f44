{% set of = "minutes" %}
{# The range comes first because the key begins with it. #}
{% include "place.sql" %} AND {{ time }} >= {first:DateTime('UTC')} AND {{ time }} < {end:DateTime('UTC')}
    AND (kafka_partition, toStartOfHour({{ time }})) IN {hours:Array(Tuple(Int32, DateTime('UTC')))}
    AND {{ time }} >= ({% include "kept.sql" %})
