"""Deploying to a Grafana: what is written, what is left alone, and what becomes of a run that breaks off."""

import copy
import json

import pytest

from dashboards.grafana.deploy import Files, wanted
from dashboards.grafana.server import GrafanaError, GrafanaUnavailableError
from dashboards.grafana.shapes import ALERTS_FOLDER, BOARDS_FOLDER
from dashboards.panels import UID
from tests.support.dashboards.deploying import FILES, ITEMS, SOURCE, VALUES, diffs, run

pytestmark = pytest.mark.enable_socket

FEW = Files(
    boards=FILES.boards[:2],
    groups=[group | {"rules": group["rules"][:2]} for group in FILES.groups],
    points=FILES.points,
    routes=FILES.routes,
)


def earlier() -> Files:
    """Return the files of an earlier version: boards, rules and receivers that are gone since, and others changed."""
    files = copy.deepcopy(FEW)
    files.boards[0]["title"] = "Another title"
    files.boards[1]["uid"] = "watchkeeper-retired"
    files.groups[0]["interval"] = "2m"
    files.groups[1]["rules"][0]["uid"] = "watchkeeper-retired"
    files.groups[1]["name"] = "watchkeeper-old-group"
    files.points[0]["receivers"][3]["uid"] = "watchkeeper-retired"
    return files


def add_foreign(grafana):
    """Put things of others everywhere, also beside ours, some with names like ours; return what they are kept as."""
    copied = next(iter(grafana.rules.values())) | {"uid": "watchkeeper-copy", "folderUID": "theirs"}
    guest = copied | {"uid": "guest", "folderUID": ALERTS_FOLDER, "provenance": "", "title": "Guest"}
    grafana.folders["theirs"] = {"uid": "theirs", "title": "Theirs", "id": 900, "version": 3, "url": "/f/theirs"}
    for uid, folder in (("theirs", "theirs"), ("watchkeeper-copy", "theirs"), ("guest", BOARDS_FOLDER)):
        board = {"uid": uid, "title": uid, "id": 901, "version": 4, "panels": []}
        grafana.boards[uid] = {"dashboard": board, "meta": {"folderUid": folder}}
    grafana.sources["theirs"] = {"uid": "theirs", "name": "Theirs", "isDefault": True, "jsonData": {}}
    point = {"type": "webhook", "settings": {"url": "http://theirs"}, "provenance": ""}
    grafana.points |= {"theirs": point | {"uid": "theirs", "name": "theirs"}}
    grafana.points |= {"guest": point | {"uid": "guest", "name": "watchkeeper-page"}}
    grafana.rules |= {"watchkeeper-copy": copied, "guest": guest}
    grafana.intervals["theirs", guest["ruleGroup"]] = 60
    routes = [
        {"receiver": "theirs", "object_matchers": [["team", "=", name]], "repeat_interval": "4h"} for name in "ab"
    ]
    grafana.tree = {
        "receiver": "theirs",
        "group_wait": "31s",
        "routes": [routes[0], *grafana.tree["routes"], routes[1]],
    }


def foreign(grafana) -> str:
    """Return the text of everything that is not ours."""
    uids = ("theirs", "guest", "watchkeeper-copy")
    kept = grafana.save()
    mine = {
        name: {uid: things[uid] for uid in uids if uid in things} for name, things in kept.items() if name != "tree"
    }
    mine["intervals"] = {"/".join(key): value for key, value in kept["intervals"].items() if key[0] == "theirs"}
    routes = [
        route for route in kept["tree"]["routes"] if ["source", "=", "watchkeeper"] not in route["object_matchers"]
    ]
    return json.dumps([mine, kept["tree"] | {"routes": routes}])


def test_everything_is_there_and_a_second_run_writes_nothing(grafana):
    """The first run makes each object, the second finds no difference, and diff has nothing to show."""
    assert len(diffs(grafana)) == len(ITEMS)
    assert grafana.writes == []
    lines = run(grafana)
    assert len(lines) == len(ITEMS)
    assert set(grafana.boards) == {board["uid"] for board in FILES.boards}
    assert {board["meta"]["folderUid"] for board in grafana.boards.values()} == {BOARDS_FOLDER}
    assert set(grafana.rules) == {rule["uid"] for group in FILES.groups for rule in group["rules"]}
    grafana.calls.clear()
    assert run(grafana) == []
    assert grafana.writes == []
    assert diffs(grafana) == []


def test_what_others_have_stays_as_it_is_and_what_is_retired_goes(grafana):
    """From an earlier version: ours ends as on an empty Grafana, theirs is the same to the byte."""
    empty = grafana.save()
    run(grafana, wanted(FEW, SOURCE, VALUES))
    clean = grafana.state()
    grafana.load(empty)
    run(grafana, wanted(earlier(), SOURCE, VALUES))
    add_foreign(grafana)
    theirs = foreign(grafana)
    lines = run(grafana, wanted(FEW, SOURCE, VALUES))
    assert {"removed board watchkeeper-retired", "removed rule watchkeeper-retired"} < set(lines)
    assert "removed contact point watchkeeper-retired" in lines
    assert foreign(grafana) == theirs
    after = grafana.state()
    for name in ("boards", "rules", "points", "sources", "folders"):
        assert after[name].items() >= clean[name].items(), name
        assert after[name].keys() - clean[name].keys() <= {"theirs", "guest", "watchkeeper-copy"}, name
    receivers = [route["receiver"] for route in after["tree"]["routes"]]
    assert receivers == ["theirs", "watchkeeper-page", "watchkeeper-ticket", "theirs"]


@pytest.mark.parametrize("failure", ["500", "cut before", "cut after", "401"])
def test_a_run_that_breaks_off_at_any_call_is_mended_by_the_next(grafana, failure):
    """Whichever call fails, before or after it did its work, running again ends where an undisturbed run does."""
    run(grafana)
    run(grafana, wanted(earlier(), SOURCE, VALUES))
    start, items = grafana.save(), wanted(FEW, SOURCE, VALUES)
    run(grafana, items)
    end = grafana.state()
    grafana.load(start)
    run(grafana, items)
    count = len(grafana.calls)
    assert count > 20
    for index in range(count):
        grafana.load(start)
        grafana.fail_at, grafana.failure = index, failure
        with pytest.raises((GrafanaError, GrafanaUnavailableError)):
            run(grafana, items)
        grafana.fail_at = None
        run(grafana, items)
        assert grafana.state() == end, (index, grafana.calls[index])


def test_no_secret_is_shown_and_none_is_seen_to_differ(grafana):
    """Diffs mask them; a new one is not noticed, as Grafana hides it, but goes there when that is asked for."""
    assert "hush" not in "".join(diffs(grafana))
    run(grafana)
    others = {name: value.replace("hush", "new") for name, value in VALUES.items()}
    items = wanted(FILES, SOURCE, others)
    assert run(grafana, items) == []
    lines = run(grafana, items, secrets=True)
    assert len(lines) == 1 + 5  # the data source, two webhooks, PagerDuty, two of Slack
    assert "hush" not in json.dumps(grafana.points)


def test_a_receiver_that_is_not_set_any_more_is_removed(grafana):
    """Its contact point stays, with the others."""
    run(grafana)
    lines = run(grafana, wanted(FILES, SOURCE, VALUES | {"WATCHKEEPER_ALERT_PAGERDUTY_KEY": ""}))
    assert lines == ["removed contact point watchkeeper-pagerduty"]


@pytest.mark.parametrize("before", ["", "api"])
def test_a_policy_tree_that_people_may_edit_stays_so(grafana, before):
    """Ours is put in without locking the routes of others, and without unlocking what is kept as code."""
    grafana.tree |= {"provenance": before} if before else {}
    run(grafana)
    assert grafana.tree.get("provenance", "") == before
    assert grafana.tree["receiver"] == "grafana-default-email"


def test_what_people_set_beside_ours_in_the_data_source_stays(grafana):
    """A key that we do not set, and whether it is the default, survive a change of ours."""
    run(grafana)
    grafana.sources[UID] |= {"isDefault": True, "jsonData": grafana.sources[UID]["jsonData"] | {"dialTimeout": "5"}}
    grafana.sources[UID]["jsonData"]["host"] = "elsewhere"
    run(grafana)
    assert grafana.sources[UID]["isDefault"]
    assert (grafana.sources[UID]["jsonData"]["dialTimeout"], grafana.sources[UID]["jsonData"]["host"]) == ("5", "ch")


def test_an_older_grafana_that_does_not_know_a_field_is_no_difference(grafana):
    """A rule comes back without what 11.6 has not: nothing is written again and again."""
    run(grafana)
    for rule in grafana.rules.values():
        del rule["keep_firing_for"], rule["missingSeriesEvalsToResolve"]
    assert run(grafana) == []
