source_topic_id = {topic_id:String} AND source_partition = {partition:Int32}
    AND time >= fromUnixTimestamp64Second({first:Int64}, 'UTC') AND time < fromUnixTimestamp64Second({end:Int64}, 'UTC')
