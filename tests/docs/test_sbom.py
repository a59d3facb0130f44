"""What an installation is made of is written whole, and as the format wants it."""

import json
import re
from importlib.metadata import distributions

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from docs.lock import locked as locked_packages
from docs.sbom import write
from streams.local.jars import locked


@pytest.fixture(scope="module")
def bill(tmp_path_factory):
    """The bill as it is written."""
    target = tmp_path_factory.mktemp("bill") / "made" / "sbom.json"
    write(target)
    text = target.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return json.loads(text)


def of_kind(bill, kind):
    """Return the parts of a kind by name."""
    return {part["name"]: part for part in bill["components"] if part["purl"].startswith(f"pkg:{kind}/")}


def test_every_package_is_there_with_its_version(bill):
    """What is installed here is in the bill, ours as what it is about; nothing else is."""
    named = {name: part["version"] for name, part in of_kind(bill, "pypi").items()}
    here = {}
    for each in distributions():
        here.setdefault(re.sub("[-_.]+", "-", each.name).lower(), each.version)
    ours = bill["metadata"]["component"]
    assert named | {ours["name"]: ours["version"]} == here


def test_every_package_has_the_sums_of_the_lock(bill):
    """Each that is installed has those of all its archives, and no other."""
    lock = locked_packages()
    found = {name: {each["content"] for each in part["hashes"]} for name, part in of_kind(bill, "pypi").items()}
    assert found == {name: lock[name].sums for name in found}


def test_every_jar_is_there_with_its_sum(bill):
    """All of the lock, each with the SHA-256 that it is held to and with its coordinates."""
    jars = of_kind(bill, "maven").values()
    sums = {f"{jar['name']}-{jar['version']}.jar": jar["hashes"][0]["content"] for jar in jars}
    assert sums == locked()
    assert all(jar["purl"] == f"pkg:maven/{jar['group']}/{jar['name']}@{jar['version']}" for jar in jars)


def test_what_runs_is_told_from_what_tests(bill):
    """A package that only tests need is excluded; one that another needs is there because of it."""
    parts = of_kind(bill, "pypi")
    assert {name: parts[name]["scope"] for name in ("faust-streaming", "mode-streaming", "chdb", "pytest", "mypy")} == {
        "faust-streaming": "required", "mode-streaming": "required", "chdb": "required", "pytest": "excluded",
        "mypy": "excluded",
    }  # fmt: skip
    needs = {each["ref"]: each.get("dependsOn", []) for each in bill["dependencies"]}
    faust, mode = (parts[name]["bom-ref"] for name in ("faust-streaming", "mode-streaming"))
    assert mode in needs[faust]
    assert faust in needs[bill["metadata"]["component"]["bom-ref"]]


def test_a_licence_is_said_of_nearly_all(bill):
    """Who says none is a handful; all of Kafka's own is under Apache-2.0."""
    silent = [part["name"] for part in bill["components"] if not part.get("licenses")]
    assert len(silent) < len(bill["components"]) / 20
    kafka = [part for part in bill["components"] if part.get("group") == "org.apache.kafka"]
    assert kafka
    assert all(part["licenses"] == [{"license": {"id": "Apache-2.0"}}] for part in kafka)
