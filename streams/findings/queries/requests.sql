SELECT change_id, argMax(control, time) AS asked FROM controls FINAL WHERE rule = 'canary' GROUP BY change_id
