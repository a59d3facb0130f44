{# Whose row it is, and its version: the offset up to which the rows of its partition are stored. #}
{topic_id:String}, kafka_partition, {versions:Array(Int64)}[indexOf({partitions:Array(Int32)}, kafka_partition)]
