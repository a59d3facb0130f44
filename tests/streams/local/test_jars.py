"""The jars of Kafka are those that were locked."""

import pytest

from streams.local.jars import JarError, _check, locked


def test_a_jar_that_is_not_the_locked_one_is_refused(tmp_path):
    """A jar with another content, and a set of jars with another member, are refused by name."""
    wanted = locked()
    name = next(iter(wanted))
    jars = []
    for each in wanted:
        (tmp_path / each).write_bytes(b"tampered")
        jars.append(tmp_path / each)
    with pytest.raises(JarError, match=name.replace(".", r"\.")):
        _check(jars, wanted)
    with pytest.raises(JarError, match="are not those"):
        _check(jars[1:], wanted)
