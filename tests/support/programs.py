"""Programs that some tests need beside Python: what happens where one of them is not there."""

import os
import shutil

import pytest

PROMETHEUS = "Debian: prometheus, prometheus-alertmanager"


def lacking(why):
    """Fail where the checks must be whole, which ``CI`` says; elsewhere skip with the reason."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(why)


def program(name, source):
    """Return the path of a program; `source` says where it comes from."""
    found = shutil.which(name)
    if found is None:
        lacking(f"{name} is not installed ({source})")
    return found
