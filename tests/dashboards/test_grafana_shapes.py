"""The committed files in the shapes of the API, and what can be compared: without any server."""

from hypothesis import given
from hypothesis import strategies as st

from dashboards.grafana.plan import plan, with_routes
from dashboards.grafana.shapes import ALERTS_FOLDER, facts, group_item, is_ours, seen
from tests.support.dashboards.deploying import FILES, ITEMS

VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2)
JSON = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4)
)
ROUTES = st.lists(
    st.builds(
        lambda name, ours: {
            "receiver": name,
            "object_matchers": [["source", "=", "watchkeeper" if ours else "theirs"]],
        },
        st.text("xyz", min_size=1, max_size=2),
        st.booleans(),
    ),
    max_size=6,
)


def test_a_rule_of_the_file_becomes_one_of_the_api():
    """Other names, the folder by its uid, seconds for the interval; the panel is in the annotations alone."""
    [group] = [group for group in FILES.groups if group["name"] == "watchkeeper-ticket"]
    item = group_item(group)
    assert (item.body["interval"], item.body["folderUid"], item.body["title"]) == (300, ALERTS_FOLDER, group["name"])
    for made, rule in zip(item.body["rules"], group["rules"], strict=True):
        renamed = {"keepFiringFor", "missing_series_evals_to_resolve", "dashboardUid", "panelId"}
        assert set(made) == set(rule) - renamed | {
            "keep_firing_for", "missingSeriesEvalsToResolve", "folderUID", "ruleGroup", "orgID",
        }  # fmt: skip
        assert made["keep_firing_for"] == rule["keepFiringFor"]
        assert made["annotations"]["__panelId__"] == str(rule["panelId"])


@given(wanted=JSON, added=st.dictionaries(st.sampled_from("efgh"), VALUES))
def test_what_grafana_adds_is_not_seen(wanted, added):
    """A thing that has everything that is wanted, and more, is as it is wanted."""

    def more(value):
        if isinstance(value, dict):
            return {key: more(item) for key, item in value.items()} | added
        return [more(item) for item in value] if isinstance(value, list) else value

    assert seen(wanted, more(wanted)) == wanted


@given(wanted=JSON, found=JSON)
def test_only_what_says_nothing_may_differ(wanted, found):
    """Where a thing counts as wanted it is so, but for empty things, which may be empty in another way."""

    def full(value):
        if isinstance(value, dict):
            return {key: item for key, inner in value.items() if (item := full(inner)) not in (None, False, "", [], {})}
        return [full(item) for item in value] if isinstance(value, list) else value

    if seen(wanted, found) == wanted and isinstance(wanted, dict) and isinstance(found, dict):
        kept = full(wanted)
        assert full(seen(kept, found)) == kept
        assert all(found.get(key) for key in kept if kept[key])


@given(there=ROUTES, ours=ROUTES)
def test_routes_of_others_keep_their_order(there, ours):
    """Ours stand together, in their order; doing it again changes nothing."""
    mine = [route for route in ours if is_ours(route)]
    made = with_routes(there, mine)
    assert [route for route in made if not is_ours(route)] == [route for route in there if not is_ours(route)]
    assert [route for route in made if is_ours(route)] == mine
    places = [index for index, route in enumerate(made) if is_ours(route)]
    assert places == list(range(min(places, default=0), min(places, default=0) + len(places)))
    assert with_routes(made, mine) == made


def test_what_others_need_comes_first_and_goes_last():
    """Folders before what is in them, contact points before routes; removals after what stops using them."""
    old = {("contact point", "watchkeeper-old"): {"uid": "watchkeeper-old", "name": "watchkeeper-page"}}
    old |= {("rule", "watchkeeper-old"): {"title": "Old"}, ("policy", "routes"): {"receiver": "x", "routes": []}}
    steps = [(step.action, step.kind) for step in plan(ITEMS, old)]
    order = [
        ("create", "folder"), ("create", "data source"), ("create", "board"), ("create", "contact point"),
        ("change", "policy"), ("remove", "rule"), ("create", "rule group"), ("remove", "contact point"),
    ]  # fmt: skip
    assert list(dict.fromkeys(steps)) == order


def test_facts_of_what_is_sent_hold_no_secret():
    """What is compared, and shown, is masked."""
    assert "hush" in str([item.body for item in ITEMS])
    assert "hush" not in str([facts(item.kind, item.body) for item in ITEMS])
