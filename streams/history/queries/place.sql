kafka_partition = {partition:Int32} AND kafka_topic_id = {topic_id:String}
