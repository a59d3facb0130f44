"""Names and sessions of people whom a provider has signed in, and what its claims come to."""

import multiprocessing
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.access.elsewhere import OIDC, role_map, roles_of
from streams.access.oidc import people
from streams.access.oidc.claims import Claimed, check, claimed
from streams.access.oidc.people import (
    MOST_SESSIONS,
    NoRoleError,
    People,
    SignedIn,
    TakenError,
    end_sessions,
    people_file,
    read_book,
)
from streams.access.principals import create, reserved, tokens_file
from streams.access.roles import ROLES
from streams.settings import Settings, SettingsError

ISSUER = "https://login.example"
GIVEN = {"oidc_issuer": ISSUER, "oidc_client_id": "c", "oidc_roles": "sre=responder"}


def kim(subject="4711", name="oidc/kim", issuer=ISSUER, groups=("sre",)):
    """Return somebody whom the provider has signed in."""
    return Claimed(issuer, subject, name, groups)


def wide(name):
    """Return a name in letters of full width, which look like others."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in name)


@given(st.text(max_size=200))
def test_whatever_a_provider_calls_somebody_is_never_a_name_of_ours(text):
    """It is refused, or begins as no token's name does, is one line, and means what it shows."""
    settings = Settings(**GIVEN)
    try:
        name = claimed(settings, {"sub": "s", "preferred_username": text}).name
    except ValueError:
        return
    assert name.startswith(OIDC)
    assert reserved(name)
    assert name.isprintable()
    assert "/" not in name.removeprefix(OIDC)
    assert len(name) <= 128


@given(st.dictionaries(st.text(string.ascii_letters + ",=% ü", min_size=1).filter(str.strip), st.sampled_from(ROLES)))
def test_every_group_can_be_written(wanted):
    """Whatever its name holds, once commas and percent signs are escaped; a machine's role is nobody's."""
    names = {name.strip(): role for name, role in wanted.items()}
    text = ",".join(f"{name.replace('%', '%25').replace(',', '%2C')}={role}" for name, role in names.items())
    if "service" in names.values():
        with pytest.raises(SettingsError, match="with a role of viewer"):
            role_map(text)
    else:
        assert role_map(text) == {name: (role,) for name, role in names.items()}


@given(st.lists(st.sampled_from("abcdef")), st.dictionaries(st.sampled_from("abcd"), st.sampled_from(ROLES)))
def test_more_groups_never_mean_less(groups, known):
    """Roles are those of all groups together, each once."""
    mapping = {group: (role,) for group, role in known.items()}
    found = roles_of(groups, mapping)
    assert set(found) == {known[group] for group in groups if group in known}
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"oidc_client_id": ""}, "WATCHKEEPER_OIDC_CLIENT_ID"),
        ({"oidc_issuer": "http://login.example"}, "must start with https"),
        ({"oidc_issuer": "login.example"}, "must start with https"),
        ({"oidc_roles": ""}, "name a role for a group"),
        ({"oidc_roles": "sre=king"}, "'sre=king' is not GROUP=ROLE"),
        ({"oidc_roles": "=viewer"}, "is not GROUP=ROLE"),
        ({"oidc_teams": "sre=The Shop"}, "'sre=The Shop' is not GROUP=TEAM"),
        ({"oidc_scopes": "email"}, "must hold openid"),
    ],
)
def test_settings_that_are_not_whole_are_refused_by_name(given, said):
    """Before anybody signs in; without an issuer nothing of it is looked at."""
    with pytest.raises(SettingsError, match=said):
        check(Settings(**GIVEN | given))
    check(Settings(**GIVEN | given | {"oidc_issuer": ""}))


def test_a_name_is_bound_to_a_subject(tmp_path):
    """Also in another case and in other letters; the same subject of another issuer is somebody else."""
    settings = Settings(data_dir=tmp_path, **GIVEN)
    here = People(settings)
    assert here.enter(kim()).name == "oidc/kim"
    assert here.enter(kim(name="oidc/mallory")).name == "oidc/kim"
    for other in (kim("1"), kim("1", "oidc/KIM"), kim("1", f"oidc/{wide('kim')}"), kim(issuer="https://other.example")):
        with pytest.raises(TakenError):
            here.enter(other)
    assert here.enter(kim("1", "oidc/mallory")).name == "oidc/mallory"
    assert people.free(people_file(settings), "OIDC/KIM")
    assert here.enter(kim("2", "oidc/Kim")).name == "oidc/Kim"
    with pytest.raises(NoRoleError):
        here.enter(kim(groups=("staff",)))


def test_sessions_are_few_and_end_one_by_one_or_all(tmp_path):
    """The oldest of a person end first, another's stay; a broken file lets nobody in, and is not written over."""
    settings = Settings(data_dir=tmp_path, **GIVEN)
    here = People(settings)
    ann = here.enter(kim("1", "oidc/ann")).session_id
    made = [here.enter(kim()).session_id for _ in range(MOST_SESSIONS + 2)]
    assert [each for each in made if here.by_id(each)] == made[2:]
    here.leave(made[-1])
    assert (here.by_id(made[-1]), here.by_id(ann)) == (None, SignedIn("oidc/ann", ("responder",)))
    assert len(end_sessions(people_file(settings), "oidc/kim")) == MOST_SESSIONS - 1
    assert (here.by_id(made[-2]), here.by_id(ann) is None) == (None, False)
    whole = people_file(settings).read_text()
    people_file(settings).write_text(whole[:-9])
    assert here.by_id(ann) is None
    with pytest.raises(ValueError, match="holds no sessions"):
        here.enter(kim())
    people_file(settings).write_text(whole + "\n")
    assert here.by_id(ann) == SignedIn("oidc/ann", ("responder",))


def _many(folder, first):
    for number in range(first, first + 20):
        People(Settings(data_dir=folder, **GIVEN)).enter(kim(str(number), f"oidc/kim{number}"))
        create(tokens_file(Settings(data_dir=folder)), f"kim{number}", ("viewer",), 60)


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    """Sessions and tokens of three processes are all there."""
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_many, args=(tmp_path, first)) for first in (0, 100, 200)]
    for each in started:
        each.start()
    for each in started:
        each.join()
    assert [each.exitcode for each in started] == [0, 0, 0]
    book = read_book(people_file(Settings(data_dir=tmp_path)))
    assert (len(book.names), len(book.sessions)) == (60, 60)
    assert tokens_file(Settings(data_dir=tmp_path)).read_text().count("token_id") == 60


def test_groups_give_teams_beside_roles(tmp_path):
    """Teams are those of the groups of somebody, as the setting says them now; without a role nobody is let in."""
    given = {"data_dir": tmp_path} | GIVEN | {"oidc_teams": "shop=cart, shop=till,lead=*"}
    here = people.People(Settings(**given))
    with pytest.raises(people.NoRoleError):
        here.enter(kim(groups=("shop",)))
    made = here.enter(kim(groups=("sre", "shop", "else"))).session_id
    assert here.by_id(made) == SignedIn("oidc/kim", ("responder",), ("cart", "till"))
    assert people.People(Settings(**given | {"oidc_teams": "lead=*"})).by_id(made) == SignedIn(
        "oidc/kim", ("responder",)
    )
