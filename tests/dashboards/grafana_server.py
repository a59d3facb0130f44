"""A small Grafana of the tests' own: the calls that deploy and verify make, with state, on loopback.

It does to what it is given what Grafana does: it adds ids, versions and defaults, writes durations its own way, sorts
matchers, drops fields that it does not know, hides secrets, and refuses what would not fit together. It can fail at
any call. It is no proof that Grafana does the same.
"""

import copy
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from dashboards.grafana.shapes import REDACTED, SECRETS, seconds
from dashboards.panels import TYPE

TOKEN = "right"  # noqa: S105
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


class FakeGrafana:
    """The state, and what is answered."""

    def __init__(self, ask=None):
        self.version, self.plugin = "12.1.0", "4.10.0"
        self.folders, self.sources, self.boards, self.points, self.rules, self.intervals = ({} for _ in range(6))
        self.tree = {"receiver": "grafana-default-email", "group_by": ["grafana_folder", "alertname"]}
        self.calls, self.states = [], {}
        self.fail_at, self.failure = None, ""
        self.ask = ask
        self.ids = 0

    @property
    def writes(self):
        """Return the calls that wrote."""
        return [call for call in self.calls if call[0] != "GET" and call[1] != "/ds/query"]

    def state(self):
        """Return everything that is kept, without the numbers that count writes."""
        kept = {name: copy.deepcopy(getattr(self, name)) for name in ("folders", "sources", "boards", "points", "tree")}
        kept |= {"rules": copy.deepcopy(self.rules), "intervals": dict(self.intervals)}
        for things in (kept["folders"], kept["sources"], kept["rules"]):
            for thing in things.values():
                thing.pop("id", None), thing.pop("version", None)
        for board in kept["boards"].values():
            board["dashboard"].pop("id"), board["dashboard"].pop("version")
        return kept

    def answer(self, method, url, body, token):
        """Return status and body of the answer to a call."""
        path, query = urlsplit(url).path.removeprefix("/api"), parse_qs(urlsplit(url).query, keep_blank_values=True)
        self.calls.append((method, path))
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key"}
        for pattern, handler in ROUTES.items():
            wanted, place = pattern.split(" ")
            if wanted == method and (match := re.fullmatch(place, path)):
                try:
                    return 200, handler(self, *match.groups(), body=body, query=query)
                except RefusedError as error:
                    return error.status, error.body
        return 404, {"message": f"no such call: {method} {path}"}

    def new_id(self):
        """Return a number that was not given before."""
        self.ids += 1
        return self.ids


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
    return body


def stored_rule(grafana, rule):
    """Return a rule as Grafana keeps it; one that does not change stays as it is."""
    old = grafana.rules.get(rule["uid"])
    made = {key: copy.deepcopy(rule[key]) for key in RULE_FIELDS if key in rule}
    made |= {key: duration(made[key]) for key in ("for", "keep_firing_for") if key in made}
    for query in made["data"]:
        query["queryType"] = query.get("queryType", "")
        query["model"] = {"intervalMs": 1_000, "maxDataPoints": 43_200} | query["model"]
    added = {"id": grafana.new_id(), "provenance": "api", "notification_settings": None, "record": None}
    return old if old and all(old.get(key) == value for key, value in made.items()) else added | made


def delete_rule(grafana, uid, **_):
    grafana.rules.pop(uid, None)
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


def handler(grafana):
    """Return a request handler over the state."""

    class Handler(BaseHTTPRequestHandler):
        """Fails where it is told to, else answers."""

        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # head and body in one packet

        def respond(self):
            """Answer one call."""
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")
            failure = grafana.failure if len(grafana.calls) == grafana.fail_at else ""
            if failure == "cut before":
                grafana.calls.append((self.command, self.path))
                return self.cut()
            if failure.isdigit():
                grafana.calls.append((self.command, self.path))
                return self.say(int(failure), {"message": "told to fail"})
            if self.command == "PUT" and self.path.endswith("/policies"):
                provenance = "" if self.headers.get("X-Disable-Provenance") else "api"
                self.path += f"?provenance={provenance}"
            status, made = grafana.answer(self.command, self.path, body, self.headers.get("Authorization"))
            return self.cut() if failure == "cut after" else self.say(status, made)

        def say(self, status, made):
            """Send an answer."""
            text = json.dumps(made).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def cut(self):
            """End the connection without a word."""
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = respond  # noqa: N815

        def log_message(self, *_):
            """Say nothing."""

    return Handler


@contextmanager
def serving(grafana):
    """Serve a Grafana, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(grafana))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
