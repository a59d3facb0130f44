"""A chain as W3C PROV-JSON (member submission of 2013): entities, activities, agents, and how they are related."""

from typing import Any, Final

from streams.lineage.chain import Chain, Document, Link

PREFIX: Final = {"prov": "http://www.w3.org/ns/prov#", "wk": "urn:watchkeeper:"}

Parts = dict[str, dict[str, dict[str, Any]]]


def prov(chain: Chain) -> dict[str, Any]:
    """Return a chain as a PROV document.

    Documents, items of a memory, prompts, model versions and answers are entities; retrievals, steps that read or write
    a memory, calls and verdicts are activities; services and those who judged are agents.
    """
    made: Parts = {}
    for link in chain.of_kind("retrieval"):
        _retrieval(made, link)
    for link in chain.of_kind("step"):
        if link.memory:
            _step(made, link)
    for link in chain.of_kind("answer"):
        _answer(made, chain, link)
    for link in chain.of_kind("verdict"):
        _judgement(made, link, "guard", link.words.get("guard", "unknown"))
    for link in chain.of_kind("review"):
        _judgement(made, link, "reviewer", link.words.get("by", "unknown"))
    return {"prefix": PREFIX, **made}


def _put(made: Parts, part: str, name: str, **attributes: Any) -> str:
    own = {key: value for key, value in attributes.items() if value}
    made.setdefault(part, {}).setdefault(name, {key.replace("__", ":"): value for key, value in own.items()})
    return name


def _relate(made: Parts, relation: str, **ends: str) -> None:
    name = f"_:{relation}/" + "/".join(ends.values())
    made.setdefault(relation, {})[name] = {f"prov:{role}": end for role, end in ends.items()}


def _activity(made: Parts, link: Link) -> str:
    named = {f"wk__{name.replace(' ', '_')}": word for name, word in link.words.items()}
    activity = _put(made, "activity", f"wk:{link.kind}/{link.id}", prov__startTime=link.at, **named)
    service = _put(made, "agent", f"wk:service/{link.service}", prov__type="prov:SoftwareAgent")
    _relate(made, "wasAssociatedWith", activity=activity, agent=service)
    return activity


def _retrieval(made: Parts, link: Link) -> None:
    activity = _activity(made, link)
    for each in link.documents:
        about = {"wk__content_hash": each.content_hash, "wk__trust": each.trust, "prov__location": each.source_uri}
        _relate(made, "used", activity=activity, entity=_put(made, "entity", _document(each), **about))


def _step(made: Parts, link: Link) -> None:
    """Put a step that read or wrote a memory: its items are entities."""
    activity, action = _activity(made, link), link.words.get("memory")
    for item in link.memory:
        entity = _put(made, "entity", _item(item))
        if action == "write":
            _relate(made, "wasGeneratedBy", entity=entity, activity=activity)
        elif action == "read":
            _relate(made, "used", activity=activity, entity=entity)


def _answer(made: Parts, chain: Chain, link: Link) -> None:
    activity = _activity(made, link)
    output = _put(made, "entity", f"wk:output/{link.id}", wk__hash=link.words.get("output", ""))
    _relate(made, "wasGeneratedBy", entity=output, activity=activity)
    for name, word in (("model", "model"), ("prompt", "prompt version")):
        if version := link.words.get(word):
            _relate(made, "used", activity=activity, entity=_put(made, "entity", f"wk:{name}/{version}"))
    for each in chain.sources(link):
        _relate(made, "wasDerivedFrom", generatedEntity=output, usedEntity=_document(each))
    for item in chain.remembered(link):
        _relate(made, "wasDerivedFrom", generatedEntity=output, usedEntity=_item(item))


def _item(item: str) -> str:
    return f"wk:memory/{item}"


def _document(each: Document) -> str:
    return f"wk:document/{each.id}" + (f"@{each.version}" if each.version else "")


def _judgement(made: Parts, link: Link, role: str, who: str) -> None:
    activity = _activity(made, link)
    agent = _put(made, "agent", f"wk:{role}/{who}", prov__type="prov:Agent")
    _relate(made, "wasAssociatedWith", activity=activity, agent=agent)
    for event in link.of:
        if f"wk:output/{event}" in made.get("entity", {}):
            _relate(made, "used", activity=activity, entity=f"wk:output/{event}")
