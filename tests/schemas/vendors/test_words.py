"""The tables of vendors' words are whole, and speak our words."""

import json
from pathlib import Path
from typing import get_args

import pytest
from openai.types import Moderation
from openai.types.chat.chat_completion import Choice

from schemas.categories import FAMILIES
from schemas.vendors.words import NONE, table, vendors
from schemas.vocabulary import ACTIONS, EVENT_WORDS, LAYERS, STATUSES, VERDICTS

LISTS = json.loads(Path(__file__).with_name("lists.json").read_text())["lists"]
UNSAID = ("UNSPECIFIED",)
"""Words of a protocol by which nothing is said; no scale gives them a severity."""


@pytest.mark.parametrize("known", LISTS, ids=lambda known: f"{known['package']} {known['list']}")
def test_every_word_of_a_vendors_own_list_is_in_its_table(known):
    """Mapped, or named as one without a closer code of ours (`content.x_oth`) or as no finding (`none`)."""
    vendor, kind, name = known["table"]
    words = getattr(table(vendor), kind)[name]
    missing = [word for word in known["values"] if word not in words]
    assert [word for word in missing if kind != "scales" or not word.endswith(UNSAID)] == []


@pytest.mark.parametrize("vendor", vendors())
def test_a_table_says_our_words_only(vendor):
    """Categories, severities, verdicts, actions, layers and statuses are those of the contract; each has its origin."""
    known = table(vendor)
    assert known.origin
    assert known.mapping_version == f"{vendor}/{known.version}"
    assert {code for codes in known.categories.values() for code in codes.values()} <= {*FAMILIES, NONE}
    assert {level for levels in known.scales.values() for level in levels.values()} <= {0, 1, 2, 3}
    if vendor != "outcomes":
        opinions = [one for kind in known.verdicts.values() for one in kind.values()]
        assert {one.verdict for one in opinions} <= set(VERDICTS)
        assert {one.action for one in opinions} <= set(ACTIONS)
    for field, ours in (("layer", LAYERS), ("role", LAYERS), ("stage", LAYERS), ("phase", LAYERS), ("mode", LAYERS)):
        assert set(known.words.get(field, {}).values()) <= set(ours)
    for field in ("status", "invocation"):
        assert set(known.words.get(field, {}).values()) <= set(STATUSES)


@pytest.mark.parametrize("vendor", vendors())
def test_a_native_code_stands_under_one_code_of_ours(vendor):
    """No code is in two rows of a taxonomy, of which the last would win unseen."""
    path = Path("schemas/vendors/data") / f"{vendor}.json"
    for codes in json.loads(path.read_text()).get("categories", {}).values():
        natives = [native for row in codes.values() for native in row]
        assert len(natives) == len(set(natives))


def test_the_words_of_the_openai_sdk_that_is_installed_are_known():
    """Its categories of moderation and its reasons to finish, read from its types and not from our copy."""
    categories = Moderation.model_fields["categories"].annotation.model_fields
    names = {field.alias or name for name, field in categories.items()}
    assert names <= set(table("openai").categories["openai_moderation"])
    reasons = set(get_args(Choice.model_fields["finish_reason"].annotation))
    assert reasons <= set(table("outcomes").words["finish_openai"])


def test_outcomes_and_reasons_to_finish_are_words_of_the_contract():
    """Each vendor's reason has one of ours; those that stop an answer have an outcome and who it comes from."""
    known = table("outcomes")
    for name, words in known.words.items():
        field = "outcome" if name == "outcome" else "finish_reason_norm"
        assert set(words.values()) <= set(EVENT_WORDS[field])
    for reasons in known.verdicts.values():
        assert {one[0] for one in reasons.values()} <= set(EVENT_WORDS["outcome"])
        assert {one[1] for one in reasons.values()} <= set(EVENT_WORDS["outcome_source"])
