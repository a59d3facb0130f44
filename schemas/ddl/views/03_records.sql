-- What the KPIs rest on. Hours are half open: an hour counts where since <= hour < until.
CREATE OR REPLACE VIEW service_policies_now AS
SELECT service_name, tier, owner, runbook, required_guards, severity_weights, error_share, slow_ms, slow_share, published_at
FROM service_policies FINAL
WHERE published_at = (SELECT max(published_at) FROM service_policies);

-- What is agreed about each service: policy, required guard, runbook and owner; without a name, the share with all four.
CREATE OR REPLACE VIEW governed_services AS
SELECT
    lives.service_name AS service_name, own.listed AS has_policy, notEmpty(own.required_guards) AS has_guard,
    own.runbook != '' AS has_runbook, own.owner != '' AS has_owner,
    has_policy + has_guard + has_runbook + has_owner AS have
FROM (
    SELECT DISTINCT toString(service_name) AS service_name FROM service_hours
    WHERE hour > (SELECT max(hour) FROM service_hours) - INTERVAL 30 DAY
    UNION DISTINCT
    SELECT service_name FROM service_policies_now WHERE service_name != ''
) AS lives
LEFT JOIN (SELECT *, true AS listed FROM service_policies_now) AS own ON own.service_name = lives.service_name;

-- Outputs by whether every required guard was ok. Where none is required, any guard that was ok covers.
CREATE OR REPLACE VIEW guard_hours_now AS
WITH
    if(own.listed, own.required_guards, others.required_guards) AS required,
    if(empty(required), kept.guards != '', hasAll(splitByChar('\x1f', kept.guards), required)) AS whole
SELECT
    kept.hour AS hour, kept.service_name AS service_name, kept.model_version AS model_version,
    sum(kept.outputs) AS outputs, sumIf(kept.outputs, whole) AS covered,
    sum(kept.served) AS served, sumIf(kept.served, NOT whole) AS exposed
FROM (
    SELECT hour, service_name, model_version, guards, sum(number) AS outputs, sum(served_by_guards[guards]) AS served
    FROM (SELECT hour, service_name, model_version, outputs_by_guards, served_by_guards FROM service_hours FINAL)
    ARRAY JOIN mapKeys(outputs_by_guards) AS guards, mapValues(outputs_by_guards) AS number
    GROUP BY hour, service_name, model_version, guards
) AS kept
LEFT JOIN (
    SELECT service_name, true AS listed, required_guards FROM service_policies_now WHERE service_name != ''
) AS own ON own.service_name = kept.service_name
CROSS JOIN (
    SELECT any(required_guards) AS required_guards FROM service_policies_now WHERE service_name = ''
) AS others
GROUP BY hour, service_name, model_version;

-- Labels as they stood at a moment: said by then, and not superseded by then; one that was sent twice counts once.
CREATE OR REPLACE VIEW labels_known AS
SELECT
    event_id, target_event_id, evaluation_name, label, categories, annotator_kind, annotator_pseudo_id, score, queued_at,
    service_name, model_version, time, ifNull(labelled_at, time) AS said_at
FROM review_labels FINAL
WHERE said_at <= {known_at:DateTime('UTC')} AND event_id NOT IN (
    SELECT supersedes_label_id FROM review_labels FINAL
    WHERE supersedes_label_id != '' AND ifNull(labelled_at, time) <= {known_at:DateTime('UTC')}
)
LIMIT 1 BY event_id;

-- Items drawn for review with what people said of them by then: the mean over reviewers, NULL where nobody has. `hazards`
-- says of categories and their families which share of the `readers` saw them: those who did not leave open which it was.
-- An item that was drawn `by_itself` is not one of a run of events (`streams.watch.single.runs`).
CREATE OR REPLACE VIEW reviewed_items AS
SELECT
    items.target_event_id AS target_event_id, items.service_name AS service_name,
    items.model_version AS model_version, items.time AS time, items.stratum AS stratum,
    items.sampling_probability AS propensity, items.by_itself AS by_itself, labels.unsafe AS unsafe, labels.benign_blocked AS benign_blocked,
    labels.readers AS readers, labels.hazards AS hazards
FROM (
    SELECT target_event_id, argMin(service_name, event_id) AS service_name, argMin(model_version, event_id) AS model_version,
        min(review_items.time) AS time, argMin(review_items.stratum, event_id) AS stratum,
        argMin(review_items.sampling_probability, event_id) AS sampling_probability,
        argMin(sampling_method = 'random', event_id) AS by_itself
    FROM review_items FINAL
    WHERE sampling_method IN ('random', 'stratified') AND review_items.time <= {known_at:DateTime('UTC')}
    GROUP BY target_event_id
) AS items
LEFT JOIN (
    WITH
        multiIf(label = 'unsafe', categories, label = 'borderline', [], arrayFilter(code -> startsWith(code, 'qual.'), categories)) AS named,
        {{ with_families("if(label = 'benign_blocked', arrayPushBack(named, 'qual.over_refusal'), named)") }} AS codes
    SELECT
        target_event_id, toNullable(avg(label = 'unsafe')) AS unsafe, toNullable(avg(label = 'benign_blocked')) AS benign_blocked,
        countIf(label != 'unsafe' OR notEmpty(categories)) AS readers,
        mapApply((code, number) -> (code, number / readers), sumMap(mapFromArrays(codes, arrayMap(code -> 1., codes)))) AS hazards
    FROM labels_known(known_at={known_at:DateTime('UTC')})
    WHERE annotator_kind = 'human' AND label != 'cannot_judge'
    GROUP BY target_event_id
) AS labels ON labels.target_event_id = items.target_event_id;

CREATE OR REPLACE VIEW telemetry_gaps AS
SELECT
    opened.service_name AS service_name, opened.verdict AS what,
    assumeNotNull(opened.onset_time) AS began, closed.detected_time AS ended, opened.evidence AS evidence
FROM (SELECT * FROM findings FINAL WHERE kind = 'telemetry') AS opened
LEFT JOIN (
    SELECT opened_finding_id, toNullable(min(detected_time)) AS detected_time
    FROM findings FINAL WHERE kind = 'recovery' GROUP BY opened_finding_id
) AS closed ON closed.opened_finding_id = opened.finding_id
SETTINGS join_use_nulls = 1;

-- Drift findings, and since when they are over. A vote has no recovery of its own and lapses after a week. A pattern of
-- similar inputs is no drift: it is news once, and nothing could ever call it back.
CREATE OR REPLACE VIEW drift_indicators AS
SELECT
    opened.finding_id AS finding_id, opened.kind AS kind, opened.service_name AS service_name,
    opened.model_version AS model_version, opened.metric AS metric, opened.detected_time AS detected_time,
    multiIf(back.recovered IS NOT NULL, back.recovered,
        opened.kind = 'drift_vote', opened.detected_time + INTERVAL 7 DAY, NULL) AS ended
FROM (
    SELECT * FROM findings FINAL WHERE kind IN ('quantity', 'mix', 'drift_vote')
) AS opened
LEFT JOIN (
    SELECT opened_finding_id, toNullable(min(detected_time)) AS recovered
    FROM findings FINAL WHERE kind = 'recovery' GROUP BY opened_finding_id
) AS back ON back.opened_finding_id = opened.finding_id;
