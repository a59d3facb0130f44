SELECT
    service_name AS service, model_version AS candidate, metric,
    argMax(verdict, detected_time) AS latest_verdict,
    argMax(sample_size, detected_time) AS trials, argMax(flagged, detected_time) AS hits,
    argMax(details['stable_trials'], detected_time) AS stable_trials,
    argMax(details['stable_flagged'], detected_time) AS stable_flagged
FROM findings FINAL
WHERE kind = 'canary'
GROUP BY service, candidate, metric
ORDER BY service, candidate, metric
