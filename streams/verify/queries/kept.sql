{# From when on events are kept, in Unix seconds. #}
SELECT toUnixTimestamp(({% set of = "events" %}{% include "streams.history/kept.sql" %})) AS kept
