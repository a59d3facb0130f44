"""Pseudonyms tell persons apart, the same everywhere with one key, and another with another."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.emitter import pseudonym as of_a_service
from schemas.pseudonyms import PATTERN, pseudonym
from streams.identifiers.guard import guard_of
from streams.identifiers.keys import Pseudonyms, shared_key
from streams.settings import SettingsError, load

KEY, OTHER = b"k" * 16, b"o" * 16


@given(st.text(), st.text())
def test_a_pseudonym_is_a_function_of_person_and_key(one, two):
    """Who differs has another, who is the same has the same, another key makes another; it stands for itself."""
    assert PATTERN.fullmatch(pseudonym(one, KEY))
    assert pseudonym(one, KEY) == pseudonym(one, KEY) == pseudonym(pseudonym(one, KEY), KEY)
    assert pseudonym(one, KEY)[3:] != pseudonym(one, OTHER)[3:]
    if one.strip().lower() != two.strip().lower() and "@" not in one + two and "+" not in one + two:
        assert pseudonym(one, KEY) != pseudonym(two, KEY)


@pytest.mark.parametrize(
    "writing", ["kim@example.org", " Kim@Example.ORG", "mailto:kim@example.org", "Kim Li <kim@example.org>",
                "kim%40example.org"],
)  # fmt: skip
def test_writings_of_one_address_are_one_person(writing):
    """However a service writes an address, the person is counted once."""
    assert pseudonym(writing, KEY) == pseudonym("kim@example.org", KEY)


def test_a_short_key_is_refused(tmp_path):
    """By the function, and by the settings with the name of the variable."""
    with pytest.raises(ValueError, match="16 bytes"):
        pseudonym("kim@example.org", b"short")
    with pytest.raises(SettingsError, match=r"WATCHKEEPER_PSEUDONYM_KEY: .*16 characters"):
        load(pseudonym_key="short")
    with pytest.raises(SettingsError, match=r"WATCHKEEPER_PHONE_REGIONS: .*no country"):
        load(phone_regions="DE, Atlantis")


def test_a_service_makes_the_same_pseudonyms_with_the_key_that_the_command_prints(tmp_path, monkeypatch):
    """From the environment or from a file; without a key it is told what to set, and no plain hash is made."""
    settings = load(data_dir=tmp_path)
    monkeypatch.delenv("WATCHKEEPER_PSEUDONYM_KEY", raising=False)
    with pytest.raises(ValueError, match="WATCHKEEPER_PSEUDONYM_KEY_FILE"):
        of_a_service("kim@example.org")
    monkeypatch.setenv("WATCHKEEPER_PSEUDONYM_KEY", shared_key(settings))
    assert of_a_service("Kim@example.org") == guard_of(settings).pseudonyms.of("kim@example.org")
    monkeypatch.delenv("WATCHKEEPER_PSEUDONYM_KEY")
    (tmp_path / "key").write_text(f"{shared_key(settings)}\n")
    monkeypatch.setenv("WATCHKEEPER_PSEUDONYM_KEY_FILE", str(tmp_path / "key"))
    assert of_a_service("kim@example.org") == guard_of(settings).pseudonyms.of("kim@example.org")


def test_after_a_change_of_the_key_the_one_before_is_known_still(tmp_path):
    """A person has another pseudonym; the old one is known to be ours for as long as the old key is given."""
    old = load(data_dir=tmp_path, pseudonym_key="the first key of ours")
    new = load(data_dir=tmp_path, pseudonym_key="the second key of ours", pseudonym_key_before="the first key of ours")
    late = load(data_dir=tmp_path, pseudonym_key="the second key of ours")
    before, after = Pseudonyms(old).of("kim@example.org"), Pseudonyms(new).of("kim@example.org")
    assert before != after
    assert Pseudonyms(new).every("kim@example.org") == [after, before]
    assert [Pseudonyms(each).of_another_key(before) for each in (old, new, late)] == [False, False, True]


def test_without_a_key_the_installation_has_one_of_its_own(tmp_path):
    """It is made once in the data folder, for its owner alone, and is none that could be guessed."""
    assert shared_key(load(data_dir=tmp_path)) == shared_key(load(data_dir=tmp_path))
    assert shared_key(load(data_dir=tmp_path)) != shared_key(load(data_dir=tmp_path / "other"))
    assert shared_key(load(data_dir=tmp_path)) != shared_key(load(data_dir=tmp_path, hash_key="h" * 16))
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["erasure-key"]
    assert (tmp_path / "erasure-key").stat().st_mode & 0o777 == 0o600


def test_workers_that_start_together_have_the_same_key(tmp_path):
    """Processes that find no key at the same moment end with one, and none with half of it."""
    code = ("import sys; from pathlib import Path; from streams.access.tokens import made_secret; sys.stdin.read();"
            "print(made_secret(Path(sys.argv[1]) / 'key'))")  # fmt: skip
    started = [
        subprocess.Popen([sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    for each in started:
        each.stdin.close()
    said = {each.stdout.read() for each in started if not each.wait()}
    for each in started:
        each.stdout.close()
    assert len(said) == 1
    assert len(said.pop().strip()) >= 32
    assert [path.name for path in tmp_path.iterdir()] == ["key"]
