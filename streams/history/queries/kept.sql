{# From when on rows are kept; sums of what is older are never made anew, as rows of it have gone. #}
SELECT toUnixTimestamp(max(before)) FROM retention_runs WHERE class = '{{ of }}'
