"""Shares and intervals: one place writes them, whatever shows them."""

import re
from pathlib import Path

import pytest

import streams
from streams.findings.canaries import rate_of
from streams.incidents.pages.view import share
from streams.kpis.show import FORMS
from streams.text.shares import figures, interval, percent, tenths

FORMATS = [*FORMS.values(), percent, tenths, share]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("noise", [-0.0, -1e-18, -3.4e-15])
def test_nothing_has_no_sign(form, noise):
    """What rounding left of 0 is written as 0, wherever values are written."""
    assert form(noise) == form(0.0)
    assert "-" not in form(noise)


def test_what_is_truly_below_nothing_keeps_its_sign():
    """An error budget that is overdrawn, or raters who agree less than by chance, are not 0."""
    assert FORMS["share"](-0.5) == "-50.00 %"
    assert FORMS["kappa"](-0.25) == "-0.25"
    assert figures(-2.5, 3) == "-2.5"


@pytest.mark.parametrize("form", [percent, share, FORMS["seconds"]])
def test_an_interval_says_once_that_it_is_not_known(form):
    """Both sides open is one word or none, one side open a question mark."""
    assert interval(None, None, form) == "not known"
    assert interval(None, None, form, nothing="") == ""
    assert interval(0.0, None, form) == f"{form(0.0)} to ?"


def test_a_canary_without_a_hit_begins_at_0():
    """Its interval is of the same writing."""
    assert rate_of(0, 400).startswith("0.0% (0.0% to ")


def test_nobody_else_writes_percentages():
    """A percentage that a module formats by itself would bring the sign back."""
    root = Path(streams.__file__).parent
    alone = [
        str(file.relative_to(root))
        for file in root.rglob("*.py")
        if file.name != "shares.py" and re.search(r":[^{}\"']*\.\d[f%g]?%?\} ?%|:\.\d%\}", file.read_text())
    ]
    assert alone == []
