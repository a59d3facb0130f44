SELECT arrayMap(toUInt64, extractGroups(detail, {pattern:String})) AS numbered
FROM (
    SELECT DISTINCT origin_offset, detail FROM dead_letters
    WHERE origin_topic_id = {topic_id:String} AND origin_partition = {partition:Int32} AND match(detail, {pattern:String})
        AND origin_offset >= {first:Int64}
)
ORDER BY numbered[2]
