"""What the tests' Grafana does at each call: a function for each, over its state; see `grafana_server`."""

import copy

from dashboards.grafana.shapes import REDACTED, SECRETS
from dashboards.panels import TYPE
from schemas.durations import seconds
from tests.support.dashboards.grafana_notices import notify

RULE_FIELDS = (
    "uid", "title", "condition", "data", "noDataState", "execErrState", "for", "keep_firing_for", "labels",
    "annotations", "isPaused", "folderUID", "ruleGroup", "orgID", "missingSeriesEvalsToResolve",
    "notification_settings", "record",
)  # fmt: skip


class RefusedError(Exception):
    """An answer that is no success."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.body = status, {"message": message}


def duration(text):
    """Return a duration as Go's Prometheus library writes it."""
    left, parts = int(seconds(text)), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        number, left = divmod(left, size)
        parts += [f"{number}{unit}"] if number else []
    return "".join(parts) or "0s"


def found(things, uid):
    """Return a thing or refuse."""
    if uid not in things:
        raise RefusedError(404, "not found")
    return things[uid]


def settings(grafana, **_):
    return {"buildInfo": {"version": grafana.version}}


def plugins(grafana, **_):
    others = [{"id": "text", "info": {"version": ""}}]
    return others + ([{"id": TYPE, "info": {"version": grafana.plugin}}] if grafana.plugin else [])


def folders(grafana, **_):
    return list(grafana.folders.values())


def folder(grafana, uid, **_):
    return found(grafana.folders, uid)


def post_folder(grafana, body, **_):
    if body["uid"] in grafana.folders:
        raise RefusedError(409, "a folder with that uid already exists")
    return put_folder(grafana, body["uid"], body)


def put_folder(grafana, uid, body, **_):
    grafana.folders[uid] = {
        "uid": uid,
        "title": body["title"],
        "id": grafana.new_id(),
        "version": 1,
        "url": f"/f/{uid}",
    }
    return grafana.folders[uid]


def source(grafana, uid, **_):
    return found(grafana.sources, uid)


def post_source(grafana, body, **_):
    if body["uid"] in grafana.sources:
        raise RefusedError(409, "data source with the same uid already exists")
    return put_source(grafana, body["uid"], body)


def put_source(grafana, uid, body, **_):
    old = grafana.sources.get(uid, {})
    if old.get("readOnly"):
        raise RefusedError(403, "Cannot update read-only data source")
    secrets = dict.fromkeys(body.get("secureJsonData", {}), True)
    defaults = {"orgId": 1, "isDefault": False, "basicAuth": False, "readOnly": False, "url": "", "user": ""}
    grafana.sources[uid] = defaults | {key: value for key, value in body.items() if key != "secureJsonData"}
    grafana.sources[uid] |= {"id": grafana.new_id(), "secureJsonFields": old.get("secureJsonFields", {}) | secrets}
    return {"datasource": grafana.sources[uid]}


def health(grafana, uid, **_):
    found(grafana.sources, uid)
    if grafana.ask is None:
        raise RefusedError(400, "dial tcp: connection refused")
    return {"status": "OK", "message": "Data source is working"}


def search(grafana, query, **_):
    return [
        {"uid": uid, "type": "dash-db", "title": board["dashboard"]["title"], "folderUid": board["meta"]["folderUid"]}
        for uid, board in grafana.boards.items()
        if board["meta"]["folderUid"] in query["folderUIDs"]
    ]


def board(grafana, uid, **_):
    return found(grafana.boards, uid)


def post_board(grafana, body, **_):
    model = copy.deepcopy(body["dashboard"])
    found(grafana.folders, body["folderUid"])
    builtin = {"builtIn": 1, "name": "Annotations & Alerts", "type": "dashboard"}
    marks = [mark for mark in model["annotations"]["list"] if not mark.get("builtIn")]
    version = grafana.boards.get(model["uid"], {"dashboard": {"version": 0}})["dashboard"]["version"] + 1
    model |= {"id": grafana.new_id(), "version": version, "schemaVersion": 43, "weekStart": ""}
    model["annotations"]["list"] = [builtin, *marks]
    for panel in model["panels"]:
        panel["pluginVersion"] = grafana.version
    grafana.boards[model["uid"]] = {"dashboard": model, "meta": {"folderUid": body["folderUid"], "slug": "x"}}
    return {"status": "success", "uid": model["uid"], "version": version}


def delete_board(grafana, uid, **_):
    found(grafana.boards, uid)
    del grafana.boards[uid]
    return {"message": "deleted"}


def points(grafana, **_):
    return [shown(point) for point in grafana.points.values()]


def shown(point):
    """Return a contact point with its secrets hidden."""
    hidden = {key: REDACTED for key in SECRETS[point["type"]] if point["settings"].get(key)}
    return point | {"settings": point["settings"] | hidden}


def post_point(grafana, body, **_):
    if body["uid"] in grafana.points:
        raise RefusedError(500, "a contact point with this uid already exists")
    grafana.points[body["uid"]] = body | {"provenance": "api"}
    return shown(grafana.points[body["uid"]])


def put_point(grafana, uid, body, **_):
    old = found(grafana.points, uid)
    kept = {key: old["settings"][key] for key, value in body["settings"].items() if value == REDACTED}
    grafana.points[uid] = body | {"provenance": "api", "settings": body["settings"] | kept}
    return {"message": "contactpoint updated"}


def delete_point(grafana, uid, **_):
    name = found(grafana.points, uid)["name"]
    last = [point["uid"] for point in grafana.points.values() if point["name"] == name] == [uid]
    if last and name in {grafana.tree["receiver"], *(route["receiver"] for route in grafana.tree.get("routes", []))}:
        raise RefusedError(409, "contact point is currently used by a notification policy")
    del grafana.points[uid]
    return {"message": "contactpoint deleted"}


def policies(grafana, **_):
    return grafana.tree


def put_policies(grafana, body, query, **_):
    known = {"grafana-default-email", *(point["name"] for point in grafana.points.values())}
    for route in body.get("routes", []):
        if route["receiver"] not in known:
            raise RefusedError(400, f"receiver {route['receiver']} does not exist")
        route["object_matchers"].sort()
        route.update({key: duration(value) for key, value in route.items() if key.endswith(("_wait", "_interval"))})
    [provenance] = query["provenance"]
    if grafana.tree.get("provenance", "") not in ("", provenance):
        raise RefusedError(409, "cannot change provenance")
    grafana.tree = body | ({"provenance": provenance} if provenance else {})
    return {"message": "policies updated"}


def rules(grafana, **_):
    return list(grafana.rules.values())


def group(grafana, folder_uid, name, **_):
    if (folder_uid, name) not in grafana.intervals:
        raise RefusedError(404, "rule group does not exist")
    members = [r for r in grafana.rules.values() if (r["folderUID"], r["ruleGroup"]) == (folder_uid, name)]
    return {"title": name, "folderUid": folder_uid, "interval": grafana.intervals[folder_uid, name], "rules": members}


def put_group(grafana, folder_uid, name, body, **_):
    found(grafana.folders, folder_uid)
    uids = {rule["uid"] for rule in body["rules"]}
    for uid, rule in list(grafana.rules.items()):
        if (rule["folderUID"], rule["ruleGroup"]) == (folder_uid, name) and uid not in uids:
            del grafana.rules[uid]
    for rule in body["rules"]:
        grafana.rules[rule["uid"]] = stored_rule(grafana, rule | {"folderUID": folder_uid, "ruleGroup": name})
    grafana.intervals[folder_uid, name] = body["interval"]
    prune(grafana)
    notify(grafana)
    return body


def stored_rule(grafana, rule):
    """Return a rule as Grafana keeps it; one that does not change stays as it is."""
    old = grafana.rules.get(rule["uid"])
    made = {key: copy.deepcopy(rule[key]) for key in RULE_FIELDS if key in rule}
    made |= {key: duration(made[key]) for key in ("for", "keep_firing_for") if key in made}
    for query in made["data"]:
        query["queryType"] = query.get("queryType", "")
        query["model"] = {"intervalMs": 1_000, "maxDataPoints": 43_200} | query["model"]
    made = {"notification_settings": None, "record": None} | made
    if old and all(old.get(key) == value for key, value in made.items()):
        return old
    return {"id": grafana.new_id(), "provenance": "api"} | made


def prune(grafana):
    """Forget groups that have no rule left."""
    there = {(rule["folderUID"], rule["ruleGroup"]) for rule in grafana.rules.values()}
    grafana.intervals = {key: interval for key, interval in grafana.intervals.items() if key in there}


def delete_rule(grafana, uid, **_):
    grafana.rules.pop(uid, None)
    prune(grafana)
    return {}


def rule_states(grafana, **_):
    said = {"state": "inactive", "health": "ok", "type": "alerting"}
    groups = {}
    for uid, rule in grafana.rules.items():
        titles = groups.setdefault((rule["folderUID"], rule["ruleGroup"]), [])
        titles.append(said | {"name": rule["title"]} | grafana.states.get(uid, {}))
    made = [
        {"name": name, "file": grafana.folders[folder_uid]["title"], "folderUid": folder_uid, "rules": members}
        for (folder_uid, name), members in groups.items()
    ]
    return {"status": "success", "data": {"groups": made}}


def ds_query(grafana, body, **_):
    results = grafana.ask(body)
    failed = [result for result in results.values() if "error" in result]
    if failed:
        error = RefusedError(500, "")
        error.body = {"results": results}
        raise error
    return {"results": results}


ROUTES = {
    "GET /frontend/settings": settings,
    "GET /plugins": plugins,
    "GET /folders": folders,
    "GET /folders/([^/]+)": folder,
    "POST /folders": post_folder,
    "PUT /folders/([^/]+)": put_folder,
    "GET /datasources/uid/([^/]+)": source,
    "POST /datasources": post_source,
    "PUT /datasources/uid/([^/]+)": put_source,
    "GET /datasources/uid/([^/]+)/health": health,
    "GET /search": search,
    "GET /dashboards/uid/([^/]+)": board,
    "POST /dashboards/db": post_board,
    "DELETE /dashboards/uid/([^/]+)": delete_board,
    "GET /v1/provisioning/contact-points": points,
    "POST /v1/provisioning/contact-points": post_point,
    "PUT /v1/provisioning/contact-points/([^/]+)": put_point,
    "DELETE /v1/provisioning/contact-points/([^/]+)": delete_point,
    "GET /v1/provisioning/policies": policies,
    "PUT /v1/provisioning/policies": put_policies,
    "GET /v1/provisioning/alert-rules": rules,
    "DELETE /v1/provisioning/alert-rules/([^/]+)": delete_rule,
    "GET /v1/provisioning/folder/([^/]+)/rule-groups/([^/]+)": group,
    "PUT /v1/provisioning/folder/([^/]+)/rule-groups/([^/]+)": put_group,
    "GET /prometheus/grafana/api/v1/rules": rule_states,
    "POST /ds/query": ds_query,
}
