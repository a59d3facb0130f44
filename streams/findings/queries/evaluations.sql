SELECT service_name AS service, model_version AS candidate, if(category = '', suite, category) AS hazard, sum(failed) AS failed, sum(items) AS items
FROM evaluations_newest(until=now('UTC'))
GROUP BY service, candidate, hazard
ORDER BY service, candidate, hazard
