SELECT topic_id, partition, toUnixTimestamp(begin) AS begin, toUnixTimestamp(latest_closed) AS closed FROM horizons_now
