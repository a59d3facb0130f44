SELECT count() AS gone, toUnixTimestamp(min({{ time }})) AS oldest FROM {{ table }} WHERE {{ where }}
