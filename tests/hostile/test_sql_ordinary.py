"""What analysts write every day is not refused: a list of what may be called must not be in their way."""

from pathlib import Path

import pytest

from streams.kpis.show import TOGETHER
from streams.store.ask import ask

pytestmark = pytest.mark.store

ORDINARY = Path(__file__).with_name("ordinary.sql").read_text().splitlines()


def test_ordinary_questions_are_answered(store_settings, client):
    """Joins, windows, lambdas, intervals, unions and parentheses that nobody needs: each is answered."""
    for query in ORDINARY:
        ask(store_settings, query, "TSV")


def test_the_question_of_the_kpi_command_is_answered(store_settings, client):
    """A view with parameters, asked with placeholders, is looked over whole."""
    when = {"since": "2026-03-01 00:00:00", "until": "2026-03-02 00:00:00"}
    ask(store_settings, TOGETHER, "TSV", when | {"step": 3600, "objective": "0.99", "service": ""})
