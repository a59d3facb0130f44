"""Secrets are made once, and fit one another."""

import stat

import pytest
from typer.testing import CliRunner

from streams.access.secrets import SECRETS, USERS_FILE, write_secrets
from streams.commands.main import app
from streams.settings import load


def test_secrets_are_random_and_their_folder_is_closed(tmp_path):
    """Two folders share no secret; the folder is for its owner alone, the files are as containers need them."""
    first, second = tmp_path / "a" / "secrets", tmp_path / "b"
    assert write_secrets(first) == [*SECRETS, USERS_FILE]
    write_secrets(second)
    words = {(folder / name).read_text() for folder in (first, second) for name in SECRETS}
    assert len(words) == 2 * len(SECRETS)
    assert min(map(len, words)) >= 43
    assert stat.S_IMODE(first.stat().st_mode) == 0o700
    assert {stat.S_IMODE((first / name).stat().st_mode) for name in (*SECRETS, USERS_FILE)} == {0o644}


def test_what_is_there_is_never_touched(tmp_path):
    """A second call writes nothing; a secret of the user's own stays, and the hashes follow it."""
    folder = tmp_path / "secrets"
    write_secrets(folder)
    before = {name: (folder / name).read_text() for name in (*SECRETS, USERS_FILE)}
    assert write_secrets(folder) == []
    assert {name: (folder / name).read_text() for name in before} == before
    (folder / "grafana_clickhouse_password").write_text("my own\n")
    assert write_secrets(folder) == [USERS_FILE]
    assert (folder / "grafana_clickhouse_password").read_text() == "my own\n"
    assert (folder / USERS_FILE).read_text() != before[USERS_FILE]


def test_an_open_folder_is_refused(tmp_path):
    """A folder that others can enter is refused with what to do, and nothing is written into it."""
    tmp_path.chmod(0o755)
    with pytest.raises(ValueError, match="chmod 700"):
        write_secrets(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote(tmp_path):
    """`watchkeeper secrets` names the files, and the second time says that there is nothing to do."""
    folder = tmp_path / "secrets"
    said = CliRunner().invoke(app, ["secrets", str(folder)]).output
    assert [str(folder / name) in said for name in SECRETS] == [True] * len(SECRETS)
    assert "nothing to do" in CliRunner().invoke(app, ["secrets", str(folder)]).output


def test_the_folder_serves_commands_on_this_machine(tmp_path, monkeypatch):
    """`WATCHKEEPER_SECRETS` may name the folder itself: token and password are found, and other files do no harm."""
    folder = tmp_path / "secrets"
    write_secrets(folder)
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(folder))
    settings = load()
    assert settings.api_token.get_secret_value() == (folder / "watchkeeper_api_token").read_text()
    assert settings.clickhouse_password.get_secret_value() == (folder / "watchkeeper_clickhouse_password").read_text()
