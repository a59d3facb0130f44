"""Kernels come into use beside the work."""

import pytest

from detectors.compiled import kernels
from streams.detect import compiling
from tests.support.waiting import wait_until


@pytest.fixture
def plain(monkeypatch):
    """No kernel is in use, before and after."""
    kernels.unload()
    monkeypatch.setattr(compiling, "_begun", compiling.threading.Event())
    yield
    kernels.unload()


def test_kernels_are_taken_over_when_they_are_done(plain):
    """The call returns at once with the plain forms in use; some time later every family has its kernel."""
    compiling.compile_beside()
    compiling.compile_beside()  # as every long batch asks
    wait_until(lambda: all(kernels.kernel(name) for name in kernels.MODULES))
