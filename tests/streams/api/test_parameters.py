"""Whatever stands in the parameters of a question, the answer is one that says what is wrong: never a bare 500."""

import asyncio
import re

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.routing import Mount

from streams.console.app import HOME
from tests.support.console import TOKEN, Browser, held
from tests.support.console import store as answering
from tests.support.incidents.entries import page

ABSURD = (
    "", "0", "-1", "99999999999999999999999", "1e999", "nan", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00",
    "9999-12-31", "1969-12-31", "2200-01-01T00:00", "9999999d", "1d", "a" * 30_000, "\x00",
    "'", "\\", "\x1b]0;x\x1b\\", "\u202e", "{{7*7}}", "%s", "[]", "*",
)  # fmt: skip
BEARER = {"Authorization": f"Bearer {TOKEN}"}
texts = st.sampled_from(ABSURD) | st.datetimes().map(str) | st.text(max_size=20) | st.integers().map(str)


def asked(application):
    """Return every path that may be asked, its own parts filled in, with the names of its parameters."""
    mounted = next(each.app for each in application.routes if isinstance(each, Mount))
    for prefix, app in (("", application), (HOME.rstrip("/"), mounted)):
        for route in iter_route_contexts(app.routes):
            if isinstance(route.original_route, APIRoute) and "GET" in (route.methods or ()):
                path = re.sub(r"\{\w+(:path)?\}", "inc-p", route.path)
                yield prefix + path, [each.name for each in route.original_route.dependant.query_params]


@pytest.fixture
def browser(client, store_settings):
    """A browser that is signed in, and the loop in which its application runs."""
    with asyncio.Runner() as runner:
        store = answering(store_settings)
        found = runner.run(store.__aenter__())
        made = Browser(held(found, page()))
        runner.run(made.sign_in())
        yield made, runner
        runner.run(store.__aexit__(None, None, None))


def test_no_parameter_of_any_question_ends_in_a_bare_500(browser):
    """All routes, each parameter absurd or arbitrary: an answer, or a refusal in words."""
    signed_in, runner = browser
    routes = sorted(asked(signed_in.application))
    assert {"/review/stats", "/console/kpis", "/incidents"} <= {path for path, _ in routes}

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def any_question(data):
        path, names = data.draw(st.sampled_from([each for each in routes if each[1]]))
        query = {name: data.draw(texts) for name in names if data.draw(st.booleans())}
        answer = runner.run(signed_in.get(path, params=query, headers=BEARER))
        assert answer.status_code < 500, (path, query)

    any_question()


def test_an_absurd_date_is_refused_with_what_a_date_is(browser):
    """A moment that no clock in UTC has, and one that the store has no number for."""
    signed_in, runner = browser
    for name, text in (("known_at", "9999-12-31T23:59:59-12:00"), ("since", "0001-01-01T00:00:00+14:00")):
        answer = runner.run(signed_in.get("/review/stats", params={name: text}, headers=BEARER))
        assert (answer.status_code, "a time like 2026-03-02T08:00" in answer.json()["detail"]) == (422, True)


def test_a_threshold_of_a_guard_without_scores_is_refused_in_words(browser):
    """The running store is asked, as by the other questions of reviews."""
    signed_in, runner = browser
    asked_for = {"guard": "nobody", "category": "sec.jailbreak"}
    answer = runner.run(signed_in.get("/review/whatif", params=asked_for, headers=BEARER))
    assert (answer.status_code, "gave no score" in answer.json()["detail"]) == (422, True)
