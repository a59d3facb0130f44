"""Authorities that sign certificates."""

import pytest

from tests.support.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Who signs for us."""
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Who signs for others."""
    return Authority(tmp_path_factory.mktemp("others"))
