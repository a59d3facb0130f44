kafka_topic_id = {topic_id:String} AND kafka_partition IN {partitions:Array(Int32)}
