"""Edits by hand of what is ours, in Grafana: each is shown, and put right."""

import pytest

from dashboards.grafana.shapes import ALERTS_FOLDER, BOARDS_FOLDER
from dashboards.panels import UID
from tests.support.dashboards.deploying import diffs, run

pytestmark = pytest.mark.enable_socket


def edit_panel(grafana):
    grafana.boards["watchkeeper-overview"]["dashboard"]["panels"][0]["title"] = "Edited"


def add_panel(grafana):
    grafana.boards["watchkeeper-overview"]["dashboard"]["panels"].append({"id": 99, "title": "Edited"})


def move_board(grafana):
    grafana.boards["watchkeeper-overview"]["meta"]["folderUid"] = "general"


def delete_board(grafana):
    del grafana.boards["watchkeeper-overview"]


def rename_folder(grafana):
    grafana.folders[BOARDS_FOLDER]["title"] = "Edited"


def edit_source(grafana):
    grafana.sources[UID]["jsonData"]["host"] = "elsewhere"


def forget_password(grafana):
    grafana.sources[UID]["secureJsonFields"] = {}


def edit_address(grafana):
    grafana.points["watchkeeper-api"]["settings"]["url"] = "http://elsewhere"


def forget_token(grafana):
    grafana.points["watchkeeper-api"]["settings"]["authorization_credentials"] = ""


def say_no_end(grafana):
    grafana.points["watchkeeper-api"]["disableResolveMessage"] = True


def reroute(grafana):
    grafana.tree["routes"][0]["receiver"] = "grafana-default-email"


def mute(grafana):
    grafana.tree["routes"][0]["mute_time_intervals"] = ["weekends"]


def unroute(grafana):
    grafana.tree["routes"] = grafana.tree["routes"][:1]


def swap_routes(grafana):
    grafana.tree["routes"].reverse()


def edit_limit(grafana):
    grafana.rules["watchkeeper-store"]["data"][2]["model"]["conditions"][0]["evaluator"]["params"] = [10**9]


def pause(grafana):
    grafana.rules["watchkeeper-store"]["isPaused"] = True


def patience(grafana):
    grafana.rules["watchkeeper-store"]["for"] = "2d"


def send_elsewhere(grafana):
    grafana.rules["watchkeeper-store"]["notification_settings"] = {"receiver": "grafana-default-email"}


def seldom(grafana):
    grafana.intervals[ALERTS_FOLDER, "watchkeeper-page"] = 3_600


def delete_rule(grafana):
    del grafana.rules["watchkeeper-store"]


EDITS = (edit_panel, add_panel, move_board, delete_board, rename_folder, edit_source, forget_password, edit_address,
         forget_token, say_no_end, reroute, mute, unroute, swap_routes, edit_limit, pause, patience, send_elsewhere,
         seldom, delete_rule)  # fmt: skip


def test_each_edit_by_hand_is_shown_and_put_right(grafana):
    """One difference, one change, and all is as it was; the order and numbers of others are not disturbed."""
    run(grafana)
    clean, state = grafana.save(), grafana.state()
    for edit in EDITS:
        grafana.load(clean)
        edit(grafana)
        shown = diffs(grafana)
        assert len(shown) == 1, edit.__name__
        assert "(in Grafana)" in shown[0], edit.__name__
        assert any(line.startswith(("-", "+")) for line in shown[0].splitlines()[2:]), edit.__name__
        assert len(run(grafana)) == 1, edit.__name__
        assert grafana.state() == state, edit.__name__
