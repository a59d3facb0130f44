"""Tokens of people and machines: shown once, kept as hashes, expiring, revoked at once."""

import json
import time

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from streams.access.principals import Principal, Principals, create, read_tokens, revoke, tokens_file
from streams.access.teams import services_of
from streams.commands.main import app
from streams.policy.policy import load_policy, parse_policy
from streams.policy.text import PolicyError
from streams.settings import load

INSTALLATION = "token-of-the-installation"


@pytest.fixture
def settings(tmp_path):
    """Settings with a data folder that does not exist yet."""
    return load(data_dir=tmp_path / "data", api_token=SecretStr(INSTALLATION))


def test_a_token_says_who_has_it_until_it_is_revoked(settings):
    """The file holds no token, and is its owner's alone; revoking counts at once, also for who asked before."""
    file, principals = tokens_file(settings), Principals(settings)
    assert principals.of("wk_000000000000_" + "a" * 43) is None
    kim, ann = create(file, "kim", ("responder",), 60), create(file, "ann", ("viewer", "reviewer"), 60)
    assert (kim in file.read_text(), file.stat().st_mode & 0o777) == (False, 0o600)
    found = principals.of(kim)
    assert (found.name, found.roles, found.kind) == ("kim", ("responder",), "human")
    assert principals.by_id(found.token_id) == found
    assert principals.of(ann).roles == ("viewer", "reviewer")
    for wrong in (
        kim[:-1],
        kim[:-1] + ("A" if kim[-1] != "A" else "B"),
        kim[:16] + ann[16:],
        "",
        "wk_",
        INSTALLATION[1:],
    ):
        assert principals.of(wrong) is None, wrong
    assert principals.of(INSTALLATION) == Principal("", ("admin",))
    revoke(file, "kim")
    assert (principals.of(kim), principals.by_id(found.token_id)) == (None, None)
    with pytest.raises(ValueError, match="no token or session of 'kim' is there to revoke"):
        revoke(file, "kim")


def test_a_token_has_an_end(settings):
    """One that is over is nobody's, and a name that stands for a part of Watchkeeper is not given to anybody."""
    file = tokens_file(settings)
    over = create(file, "kim", ("viewer",), -1)
    assert Principals(settings).of(over) is None
    assert [each.state(time.time()) for each in read_tokens(file)] == ["expired"]
    for name in (
        "system",
        "watchkeeper/gate",
        "oidc/kim",
        "OIDC/kim",
        "proxy/kim",
        " System",
        "",
        "a\x1b[2J",
        "a" * 129,
    ):
        with pytest.raises(ValueError, match="is no name"):
            create(file, name, ("viewer",), 60)


def test_a_broken_file_lets_nobody_in(settings):
    """Named tokens are refused until it is whole again; the one of the installation still works."""
    file, principals = tokens_file(settings), Principals(settings)
    kim = create(file, "kim", ("viewer",), 60)
    whole = file.read_text()
    file.write_text(whole[:-20])
    assert (principals.of(kim), principals.of(INSTALLATION).roles) == (None, ("admin",))
    with pytest.raises(ValueError, match="holds no tokens"):
        create(file, "ann", ("viewer",), 60)
    file.write_text(whole + "\n")
    assert principals.of(kim).name == "kim"
    assert len(json.loads(whole)) == 1


def test_tokens_are_made_listed_and_revoked_by_command(settings, monkeypatch):
    """What create prints lets in; the list shows no secret; a role that there is not is refused by name."""
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(settings.data_dir))
    run = CliRunner().invoke
    made = run(app, ["token", "create", "kim", "--role", "reviewer", "--role", "viewer", "--for", "12h"])
    assert Principals(settings).of(made.stdout.strip()).roles == ("viewer", "reviewer")
    listed = run(app, ["token", "list"]).stdout
    assert ("kim" in listed, "valid" in listed, made.stdout.strip()[17:] in listed) == (True, True, False)
    refused = run(app, ["token", "create", "kim", "--role", "king"])
    assert "king is no role; take some of viewer" in str(refused.exception)
    assert "revoked" in run(app, ["token", "revoke", "kim"]).stdout
    assert Principals(settings).of(made.stdout.strip()) is None


def test_a_token_has_the_teams_of_the_policy_and_no_others(tmp_path, monkeypatch):
    """A team that the policy does not name is a mistake; who has none where teams are named is told what that means."""
    policy = tmp_path / "policy.yaml"
    policy.write_text('teams: {shop: {services: ["shop-*"]}}\n')
    monkeypatch.setenv("WATCHKEEPER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("WATCHKEEPER_POLICY", str(policy))

    def made(*more):
        return CliRunner().invoke(app, ["token", "create", "kim", "--role", "responder", *more])

    assert "is no team of the policy; it names shop" in str(made("--team", "bank").exception)
    principals = Principals(load())
    for given, services in ((["--team", "shop"], ("shop-*",)), (["--team", "*"], None), ([], ())):
        told = made(*given)
        principal = principals.of(told.stdout.strip())
        assert services_of(principal.teams, principal.roles, load_policy(policy).teams) == services
        assert ("will see no service" in told.stderr) == (services == ())
    assert "shop" in CliRunner().invoke(app, ["token", "list"]).stdout


def test_a_policy_with_a_team_of_no_name_or_no_service_is_refused():
    """A team has a plain name and at least one service."""
    for wrong in ('teams: {"Shop One": {services: [a]}}', "teams: {shop: {services: []}}", "teams: {shop: {}}"):
        with pytest.raises(PolicyError, match="teams"):
            parse_policy(wrong)
