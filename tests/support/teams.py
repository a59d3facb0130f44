"""An installation of two teams, whose names, texts and numbers tell whose they are: `mine-...` and `others-...`."""

import re
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import SecretStr

from streams.access.principals import create, tokens_file
from tests.support.console import NOW, Browser, held, hours, minutes, store
from tests.support.histories import fill
from tests.support.incidents.entries import act, change, page

POLICY = """
teams: {us: {services: ["mine-*"]}, them: {services: ["others-*"]}}
services: {mine-a: {owner: mine-owner}, others-b: {owner: others-owner}}
two_persons: [lift_kill_switch, mute_severe]
"""
OTHERS = "others-"
MINE = "mine-"
PEOPLE = {"kim": ("us",), "bob": ("*",)}
ROLES = ("responder", "reviewer", "analyst", "auditor", "service")
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


def entries():
    """Return what the incidents come of: one of each team, and one of both, which was merged of two."""
    return [
        page("mine-p", 0, service="mine-a", evidence="mine-measured"),
        page("others-p", 5, service="others-b", evidence="others-measured", family="unsafe"),
        page("mine-m", 10, service="mine-m", family="injection", evidence="mine-merged", tenant_id="others-tenant"),
        page("others-n", 20, service="others-n", family="injection", evidence="others-merged"),
        act("merge", 30, "inc-others-n", into_incident_id="inc-mine-m", reason="mine-reason"),
        change(40, service="others-b", reason="others-change"),
    ]


def _event(whose, number):
    """Return what every record of a topic has."""
    return {"event_id": f"{whose}e{number}", "source": "s", "service_name": f"{whose}{'ab'[whose == OTHERS]}",
            "time": NOW - timedelta(minutes=5), "kafka_offset": number}  # fmt: skip


def fill_store(client):
    """Store of each of the two what the pages show."""
    tables = {"service_hours": [], "service_minutes": [], "findings": [], "service_policies": [], "dead_letters": []}
    more = {name: [] for name in ("changes", "controls", "incident_actions", "review_items", "inferences", "triage")}
    for number, whose in enumerate((MINE, OTHERS)):
        event = _event(whose, number)
        service = event["service_name"]
        tables["service_hours"] += hours(service)
        tables["service_minutes"].append(minutes(service))
        tables["findings"].append(
            {"finding_id": f"{whose}ticket", "kind": "quantity", "severity": "ticket", "service_name": service,
             "metric": "latency", "detected_time": NOW - timedelta(hours=1), "evidence": f"{whose}evidence"}
        )  # fmt: skip
        tables["service_policies"].append({"service_name": service, "owner": f"{whose}owner", "published_at": NOW})
        more["changes"].append(
            event | {"change_id": f"{whose}c", "subject_type": "model", "subject_name": f"{whose}m",
                     "action": "started", "to_version": "v", "initiator_id": f"{whose}dev"}
        )  # fmt: skip
        more["controls"].append(event | {"control": "pause", "actor_id": f"{whose}dev", "reason": f"{whose}why",
                                         "incident_id": f"inc-{whose}p"})  # fmt: skip
        more["incident_actions"].append(
            event | {"action": "note", "actor_id": f"{whose}dev", "incident_id": f"{whose}i"}
        )
        more["review_items"].append(event | {"target_event_id": f"{whose}event", "target_kind": "inference",
                                             "queue": "safety", "sampling_method": "stratified", "reviewers": 1,
                                             "sampling_probability": 0.5})  # fmt: skip
        more["inferences"].append(event | {"event_id": f"{whose}event", "input_text": f"{whose}text",
                                           "counted_version": f"{whose}v"})  # fmt: skip
        more["triage"].append(event | {"decision": "mute", "metric": "latency", "actor_id": f"{whose}dev",
                                       "expires_at": NOW + timedelta(days=1), "reason": f"{whose}quiet"})  # fmt: skip
    tables["dead_letters"].append({"time": NOW, "origin_topic": "inference.v1", "reason": "malformed",
                                   "detail": "others-letter", "value": "others-letter"})  # fmt: skip
    fill(client, **tables)
    for table, rows in more.items():
        columns = sorted({column for row in rows for column in row})
        client.insert(table, [[row[column] for column in columns] for row in rows], column_names=columns)


class Person:
    """Somebody with a token, at the API and in the console."""

    def __init__(self, work, token):
        self.browser = Browser(work)
        self._bearer = {"Authorization": f"Bearer {token}"}
        self._token = token

    async def sign_in(self):
        """Sign in to the console."""
        await self.browser.sign_in("", self._token)
        return self

    async def ask(self, method, path, body=None):
        """Return the answer to a request; a form of this session in the console, JSON elsewhere."""
        if not path.startswith("/console"):
            return await self.browser.client.request(method, path, json=body, headers=self._bearer)
        if method == "GET":
            return await self.browser.get(path, headers={"Last-Event-ID": "old"})
        csrf = CSRF.search((await self.browser.get("/console/sign-in")).text).group(1)
        return await self.browser.client.post(path, data={"csrf": csrf} | (body or {}))


@asynccontextmanager
async def installation(client, store_settings, kafka_settings, folder):
    """Give a worker over a broker and a store, and people with tokens: `kim` of one team, `bob` who sees all."""
    fill_store(client)
    policy = folder / "policy.yaml"
    policy.write_text(POLICY)
    async with store(store_settings) as found:
        settings = found.model_copy(
            update={"kafka": kafka_settings.kafka, "topic_prefix": kafka_settings.topic_prefix, "policy": policy,
                    "control_key": SecretStr("key"), "data_dir": folder}
        )  # fmt: skip
        work = held(settings, *entries())
        await work.publisher.start()
        file = tokens_file(settings)
        tokens = {name: create(file, name, ROLES, 3_600, teams) for name, teams in PEOPLE.items()}
        tokens["bob"] = create(file, "bob", ("admin",), 3_600)
        yield work, {name: await Person(work, token).sign_in() for name, token in tokens.items()}
        await work.publisher.stop()
