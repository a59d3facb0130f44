kafka_topic_id = {topic_id:String} AND kafka_partition = {partition:Int32}
