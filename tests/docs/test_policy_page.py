"""The page about the policy: its example is one, and it has every key with the default that the code takes."""

import json
import re
from typing import get_args, get_origin

import pytest
from pydantic import BaseModel

from streams.policy.policy import Policy, parse_policy
from tests.docs.pages import PAGES, blocks

PAGE = PAGES["docs/policy.md"]
SAID_ONCE = ("defaults", "agents")
"""Whose keys are those of a service, and of its tools."""

ROW = re.compile(r"^\| `([^`]+)` \| (required|`.*?`) \| \S.* \|$", re.MULTILINE)


def inner(annotation):
    """Return the model in an annotation, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(inner, get_args(annotation))), None)


def keys(model, path=""):
    """Yield each key of a policy with its default as JSON; of services those of one stand for all."""
    for name, field in model.model_fields.items():
        key = path + (field.alias or name)
        many = {list: "[]", dict: ".NAME"}.get(get_origin(field.annotation), "")
        if (part := inner(field.annotation)) is not None:
            yield from () if name in SAID_ONCE else keys(part, f"{key}{many}.")
        else:
            default = field.get_default(call_default_factory=True)
            yield key, "required" if field.is_required() else f"`{json.dumps(default)}`"


def test_the_page_has_every_key_with_its_default():
    """No key is missing, none is made up, and each default is the one of the code."""
    assert dict(ROW.findall(PAGE)) == dict(keys(Policy))


@pytest.mark.parametrize("text", blocks(PAGE, "yaml"))
def test_the_examples_are_policies(text):
    """Each is taken as it stands, and says something about services."""
    assert parse_policy(text).services


def test_the_first_example_shows_the_whole():
    """It names services, receivers and controls."""
    policy = parse_policy(blocks(PAGE, "yaml")[0])
    assert policy.services
    assert policy.receivers
    assert policy.controls
