{# Bin -1 is no bin; `greatest` alone would take a duration that is not known for the shortest. #}
if(ms IS NULL, -1, toInt32(floor(8 * log2(greatest(assumeNotNull(ms), 1)))))
