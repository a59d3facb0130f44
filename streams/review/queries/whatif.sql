WITH
    traffic AS (
        SELECT service_name, toString(layer) AS layer, uniqExact(target) AS judged,
            uniqExactIf(target, has(flagged_codes, {category:String})) AS flags_now,
            uniqExactIf(target, scores[{category:String}] >= {threshold:Float64} AND mapContains(scores, {category:String})) AS flags,
            uniqExactIf(target, mapContains(scores, {category:String})) AS scored,
            minIf(scores[{category:String}], mapContains(scores, {category:String})) AS lowest
        FROM scored_verdicts(since={since:DateTime('UTC')}, until={until:DateTime('UTC')})
        WHERE guard_name = {guard:String} AND ({service:String} = '' OR service_name = {service:String})
        GROUP BY service_name, layer
    ),
    labelled AS (
        SELECT * FROM {{ "guard_whatif" if at_threshold else "guard_quality" }}(
            since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, known_at={known:DateTime('UTC')}
            {{ ", threshold={threshold:Float64}" if at_threshold }}
        )
        WHERE guard_name = {guard:String} AND hazard = {category:String}
    )
SELECT
    traffic.service_name AS service_name, traffic.layer AS layer, judged, scored, lowest,
    {{ "flags" if at_threshold else "flags_now" }} AS flagged, labels, precision, precision_lower, precision_upper,
    recall, recall_lower, recall_upper, missed, missed_lower, missed_upper,
    flagged * (1 - precision) AS wrong, flagged * (1 - precision_upper) AS wrong_lower, flagged * (1 - precision_lower) AS wrong_upper,
    flagged * precision AS caught, flagged * precision_lower AS caught_lower, flagged * precision_upper AS caught_upper
FROM traffic
LEFT JOIN labelled ON labelled.service_name = traffic.service_name AND labelled.layer = traffic.layer
ORDER BY service_name, layer
