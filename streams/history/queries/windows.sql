{# What a window says of its groups. A cascade is counted by traces and has no rows of its own. #}
{% set groups = "JSONExtract(payload, 'groups', 'Array(Tuple(service_name String, events UInt64, rates Map(String, Array(UInt64))))')" %}
{% set trials = "arraySum(x -> x[3], mapValues(mapFilter((rate, x) -> rate != 'cascade', group.rates)))" %}
{% set flagged = "arraySum(x -> x[4], mapValues(mapFilter((rate, x) -> rate != 'cascade', group.rates)))" %}
