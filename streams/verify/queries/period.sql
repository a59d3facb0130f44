{% if limited %}time >= fromUnixTimestamp({since:Int64}) AND time < fromUnixTimestamp({until:Int64}){% else %}true{% endif %}
