{% include "place.sql" %} AND toStartOfMinute(time) IN {minutes:Array(DateTime('UTC'))}
