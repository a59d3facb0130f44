"""Secrets in files, as they are now."""

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from streams.health.problems import PROBLEMS
from streams.health.secrets import secret
from streams.settings import load
from tests.support.secrets import put

NAME = "watchkeeper_kafka_password"
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1).filter(lambda text: text.strip())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of secrets."""
    monkeypatch.setenv("WATCHKEEPER_SECRETS", str(tmp_path))
    return tmp_path


def held():
    """Return the password as somebody has it who begins now."""
    return secret(load(), "kafka_password")


@hypothesis_settings(max_examples=30)
@given(texts=st.lists(TEXTS, min_size=1, max_size=4))
def test_it_is_what_the_settings_would_read(tmp_path_factory, texts):
    """Whatever stands in the file, now and after each change: the same as a process has that starts then."""
    folder = tmp_path_factory.mktemp("secrets")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATCHKEEPER_SECRETS", str(folder))
        put(folder, texts[0], NAME)
        mine = held()
        for text in texts:
            put(folder, text, NAME)
            assert mine.now() == load().kafka_password.get_secret_value()


def test_a_file_that_cannot_be_used_leaves_what_was_before(folder):
    """Empty, of other bytes than text, gone, or a folder: each is a problem, which does not say the secret."""
    file = folder / NAME
    put(folder, "first", NAME)
    mine = held()
    put(folder, "second", NAME)
    assert (mine.now(), PROBLEMS.current()) == ("second", {})
    for spoil in (lambda: file.write_bytes(b"\n"), lambda: file.write_bytes(b"\xff"), file.unlink, file.mkdir):
        spoil()
        assert mine.now() == "second"
        [(name, reason)] = PROBLEMS.current().items()
        assert (name, str(file) in reason, "second" in reason) == ("kafka password", True, False)
    file.rmdir()
    put(folder, "third", NAME)
    assert (mine.now(), PROBLEMS.current()) == ("third", {})


def test_who_begins_later_does_not_fall_back(folder):
    """All of a process share what was read last."""
    settings = load(kafka="a:1")
    put(folder, "first", NAME)
    assert secret(settings, "kafka_password").now() == "first"
    (folder / NAME).write_text("")
    assert secret(settings, "kafka_password").now() == "first"


def test_the_environment_wins_and_nothing_may_be_there(folder, monkeypatch):
    """As in the settings, in whatever case a variable is written; without a file and a value nothing is wrong."""
    assert (held().now(), PROBLEMS.current()) == ("", {})
    put(folder, "in the file", NAME)
    monkeypatch.setenv(NAME, "of the environment")
    assert held().now() == load().kafka_password.get_secret_value() == "of the environment"
