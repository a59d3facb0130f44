"""As much of JSON Schema (draft 2020-12) as the schema of the Compose Specification uses; any other keyword is refused.

The vendored `compose-spec.json` is the one in the wheel of check-jsonschema 0.39.0, with its licence beside it.
"""

import re

TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int,
    "number": (int, float),
}  # fmt: skip
SAID = {"$schema", "$id", "$defs", "title", "description", "default", "deprecated"}
KNOWN = SAID | {
    "$ref", "type", "enum", "pattern", "minimum", "maximum", "required", "properties", "patternProperties",
    "additionalProperties", "unevaluatedProperties", "items", "uniqueItems", "allOf", "anyOf", "oneOf",
}  # fmt: skip


def problems(root, value, schema=None, where="$"):
    """Return what is wrong with a value, each with its path; nothing where it fits the schema."""
    return _check(root, root if schema is None else schema, value, where)[0]


def _check(root, schema, value, where):
    """Return what is wrong, and the names of the properties that some part of the schema knows."""
    if isinstance(schema, bool):
        return ([] if schema else [f"{where}: not allowed"]), set()
    if unknown := set(schema) - KNOWN:
        raise NotImplementedError(f"keywords {unknown} of the schema at {where}")
    found, known = _scalar(schema, value, where), set()
    for part in ([_resolve(root, schema["$ref"])] if "$ref" in schema else []) + schema.get("allOf", []):
        wrong, names = _check(root, part, value, where)
        found, known = found + wrong, known | names
    for word in ("anyOf", "oneOf"):
        if word in schema:
            tried = [_check(root, part, value, where) for part in schema[word]]
            fits = [names for wrong, names in tried if not wrong]
            if len(fits) != 1 and (word == "oneOf" or not fits):
                found.append(f"{where}: fits {len(fits)} of {word}: {[wrong for wrong, _ in tried if wrong]}")
            known = known.union(*fits)
    if isinstance(value, dict):
        wrong, names = _object(root, schema, value, where, known)
        found, known = found + wrong, known | names
    if isinstance(value, list) and "items" in schema:
        for index, item in enumerate(value):
            found += problems(root, item, schema["items"], f"{where}[{index}]")
    return found, known


def _resolve(root, reference):
    for step in reference.removeprefix("#/").split("/"):
        root = root[step]
    return root


def _scalar(schema, value, where):
    found = []
    types = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type")
    if types and not any(_is(value, name) for name in types):
        found.append(f"{where}: {value!r} is no {' or '.join(types)}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        found.append(f"{where}: {value!r} does not match {schema['pattern']}")
    if _is(value, "number") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{where}: {value!r} is out of range")
    if schema.get("uniqueItems") and isinstance(value, list) and len({repr(item) for item in value}) < len(value):
        found.append(f"{where}: an item is there twice")
    return found


def _is(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _object(root, schema, value, where, inherited):
    found = [f"{where}: {name} is missing" for name in schema.get("required", []) if name not in value]
    known = set()
    for name, item in value.items():
        fitting = [part for pattern, part in schema.get("patternProperties", {}).items() if re.search(pattern, name)]
        fitting += [schema["properties"][name]] if name in schema.get("properties", {}) else []
        if not fitting and "additionalProperties" in schema:
            fitting = [schema["additionalProperties"]]
        if not fitting and "unevaluatedProperties" in schema and name not in inherited:
            fitting = [schema["unevaluatedProperties"]]
        known |= {name} if fitting else set()
        found += [wrong for part in fitting for wrong in problems(root, item, part, f"{where}.{name}")]
    return found, known
