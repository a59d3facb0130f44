"""Notices of the tests' Grafana: a rule that is one constant expression fires or ends as soon as it is stored."""

import json
import urllib.request


def notify(grafana):
    """Tell webhooks of what began and ended to fire."""
    rules = {uid: rule for uid, rule in grafana.rules.items() if constant(rule) is not None}
    now = {uid for uid, rule in rules.items() if constant(rule)}
    for status, uids in (("firing", now - grafana.firing), ("resolved", (grafana.firing - now) & set(rules))):
        for uid in uids:
            send(grafana, rules[uid], status)
    grafana.firing = now


def constant(rule):
    """Return whether a rule of one constant expression is true; None for any other."""
    known = {"1 == 1": True, "1 == 0": False}
    return known.get(rule["data"][0]["model"].get("expression"))


def send(grafana, rule, status):
    """Send a notice along the first route that matches."""
    labels = rule["labels"] | {"alertname": rule["title"]}
    matching = [r for r in grafana.tree["routes"] if all(labels.get(n) == v for n, _, v in r["object_matchers"])]
    for point in grafana.points.values():
        if point["name"] == matching[0]["receiver"] and point["type"] == "webhook":
            body = json.dumps({"status": status, "alerts": [{"status": status, "labels": labels}]}).encode()
            given = point["settings"]
            headers = {"Authorization": f"Bearer {given['authorization_credentials']}"}
            with urllib.request.urlopen(urllib.request.Request(given["url"], body, headers), timeout=5):
                pass
