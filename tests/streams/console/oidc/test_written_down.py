"""What is written down of sign-ins at the provider, and what the commands of tokens do about such people."""

import pytest
from prometheus_client import REGISTRY
from typer.testing import CliRunner

from streams.audit.wiring import recorded
from streams.commands.main import app
from tests.support.audit import entries
from tests.support.console import Browser, held
from tests.support.oidc.going import RETURN, back, refused

pytestmark = pytest.mark.store


def turned_away():
    """Return how many were refused with 403, as the metrics say."""
    return REGISTRY.get_sample_value("watchkeeper_turned_away_total", {"door": "api", "code": "403"}) or 0


async def test_sign_ins_refusals_and_sign_outs_are_in_the_log(settings, provider):
    """Who, from which session, why not, and who it would have been; refusals count as those of tokens do."""
    work = held(settings)
    browser = Browser(work)
    _, recorder = recorded(browser.application, settings, work.publisher, work.policy)
    await recorder.start()
    before = turned_away()
    await browser.get(f"{RETURN}?state=a&code=s3cret-code")
    provider.knows("0815", preferred_username="eve", groups=["staff"])
    await back(browser, provider, "0815")
    await back(browser, provider)
    await browser.send(await browser.get("/console/kpis"), "/console/sign-out")
    await recorder.stop()
    assert turned_away() == before + 2
    found = [each for each in entries(recorder.log) if each["kind"].startswith("sign_")]
    assert [(each["kind"], each.get("who"), each.get("why"), each.get("claimed")) for each in found] == [
        ("sign_in_failed", None, "state", None),
        ("sign_in_failed", None, "role", "oidc/eve"),
        ("sign_in", "oidc/kim", None, None),
        ("sign_out", "oidc/kim", None, None),
    ]
    assert (found[2]["token"], found[2]["route"]) == (found[3]["token"], f"GET {RETURN}")
    files = b"".join(file.read_bytes() for file, _ in recorder.log.parts())
    assert b"s3cret" not in files
    assert settings.oidc_client_secret.get_secret_value().encode() not in files


async def test_sessions_are_listed_and_ended_and_names_given_free_by_command(settings, provider, monkeypatch):
    """What is ended counts at once; a name that is given free is whose who comes with it next."""
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(settings.data_dir))
    run = CliRunner().invoke
    browser, other = Browser(held(settings)), Browser(held(settings))
    await back(browser, provider)
    listed = run(app, ["token", "list"]).stdout
    assert ("oidc/kim" in listed, "signed in" in listed) == (True, True)
    assert "ended s-" in run(app, ["token", "revoke", "oidc/kim"]).stdout
    assert (await browser.get("/console/incidents")).status_code == 303
    assert "no token or session" in str(run(app, ["token", "revoke", "oidc/kim"]).exception)
    provider.knows("0815", preferred_username="kim", groups=["sre"])
    assert refused(await back(other, provider, "0815"), "Another person has your name")
    assert run(app, ["token", "free", "oidc/kim"]).exit_code == 0
    assert (await back(other, provider, "0815")).status_code == 200
    assert refused(await back(browser, provider), "Another person has your name")
    assert "nobody has the name" in str(run(app, ["token", "free", "oidc/nobody"]).exception)
    refusal = run(app, ["token", "create", "OIDC/kim", "--role", "viewer"])
    assert "is no name" in str(refusal.exception)
