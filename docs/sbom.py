"""Writes what an installation is made of, as CycloneDX: ``python -m docs.sbom build/sbom.json``.

Python packages are those installed here, each with its licence, with what it needs, and with the sums of its archives
in the lock: pip does not say which it took. One that only tests and tools need has the scope ``excluded``. Jars are
those of their own lock, with their sums, and the coordinates that jgo resolved them by.
"""

import re
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docs.lock import Locked
from docs.lock import locked as locked_packages
from streams.local.jars import default_cache, ensure_jars, locked

OURS: Final = "watchkeeper"
EXTRA: Final = "local"
LONGEST_NAME: Final = 80
"""Characters of a licence's name; what is longer is its text."""

_APACHE: Final = re.compile(r"apache\.org/licenses/LICENSE-2|Apache License\s+Version 2\.0", re.IGNORECASE)
_LICENCE_FILE: Final = re.compile(r"(META-INF/)?LICENSE(\.txt)?")


def bom() -> Bom:
    """Return all parts, and which needs which.

    Raises
    ------
    streams.local.jars.JarError
        Where the jars are not here and can't be had.
    """
    made, found = Bom(), dict[str, Distribution]()
    for each in distributions():
        found.setdefault(canonicalize_name(each.name), each)  # the first is the one that is imported
    needed = needs(found)
    run, sums = _reached(OURS, needed), locked_packages()
    parts = {name: _python(each, sums.get(name), runs=name in run) for name, each in found.items()}
    made.metadata.component = ours = parts.pop(OURS)
    for part in parts.values():
        made.components.add(part)
    for name, part in parts.items():
        made.register_dependency(part, [parts[other] for other in needed[name] if other in parts])
    jars = [*_jars()]
    made.components.update(jars)
    made.register_dependency(ours, [*(parts[other] for other in needed[OURS] if other in parts), *jars])
    return made


def needs(found: Mapping[str, Distribution]) -> dict[str, set[str]]:
    """Return the packages that each needs here, by name; ours with what a whole machine of it wants."""
    return {name: set(_needed(name, each)) & set(found) for name, each in found.items()}


def _needed(name: str, package: Distribution) -> Iterator[str]:
    for text in package.requires or ():
        wanted = Requirement(text)
        extra = EXTRA if name == OURS else ""
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield canonicalize_name(wanted.name)


def _reached(name: str, needed: Mapping[str, Iterable[str]]) -> set[str]:
    seen, left = set[str](), [name]
    while left:
        if (each := left.pop()) not in seen:
            seen.add(each)
            left += needed[each]
    return seen


def _python(package: Distribution, known: Locked | None, *, runs: bool) -> Component:
    name, version = str(canonicalize_name(package.name)), package.version
    sums = sorted(known.sums) if known is not None and known.version == version else ()
    return Component(
        name=name,
        version=version,
        type=ComponentType.APPLICATION if name == OURS else ComponentType.LIBRARY,
        scope=ComponentScope.REQUIRED if runs else ComponentScope.EXCLUDED,
        purl=PackageURL("pypi", None, name, version),
        bom_ref=f"{name}=={version}",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in sums],
        licenses=_licences(package),
    )


def _licences(package: Distribution) -> list[License]:
    """Return what a package says of its licence: an expression, a name, or its classifiers."""
    said = package.metadata
    make, names = LicenseFactory(), [*(said.get_all("License-Expression") or ()), *(said.get_all("License") or ())]
    if names and names[0] and len(names[0]) <= LONGEST_NAME:
        return [make.make_from_string(names[0])]
    words = [each.rpartition(" :: ")[2] for each in said.get_all("Classifier") or () if each.startswith("License")]
    return [make.make_with_name(each) for each in words]


def _jars() -> Iterator[Component]:
    paths = ensure_jars(default_cache())
    resolved = tomllib.loads((paths[0].parents[1] / "jgo.lock.toml").read_text())["dependencies"]
    known = {f"{each['artifactId']}-{each['version']}.jar": each for each in resolved}
    sums = locked()
    for path in paths:
        group, name, version = (known[path.name][key] for key in ("groupId", "artifactId", "version"))
        yield Component(
            name=name,
            group=group,
            version=version,
            scope=ComponentScope.REQUIRED,
            purl=PackageURL("maven", group, name, version),
            bom_ref=f"{group}:{name}:{version}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sums[path.name])],
            licenses=_jar_licences(path),
        )


def _jar_licences(path: Path) -> list[License]:
    """Return what a jar says of its licence, in its manifest or in a file that it carries."""
    with zipfile.ZipFile(path) as jar:
        manifest = jar.read("META-INF/MANIFEST.MF").decode().replace("\r\n ", "")
        files = [name for name in jar.namelist() if _LICENCE_FILE.fullmatch(name)]
        texts = [jar.read(name).decode(errors="replace")[:400] for name in files]
    found = re.search(r"^Bundle-License: *([^\r\n]+)", manifest, re.MULTILINE)
    named = found[1] if found else ""
    if _APACHE.search(named) or any(map(_APACHE.search, texts)):
        return [LicenseFactory().make_with_id("Apache-2.0")]
    return [LicenseFactory().make_with_name(named[:LONGEST_NAME])] if named else []


def write(target: Path) -> str:
    """Write the bill, and return a line about it."""
    made = bom()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(JsonV1Dot6(made).output_as_string(indent=1) + "\n")
    silent = sorted(each.name for each in made.components if not each.licenses)
    return f"{target}: {len(made.components)} parts; of these say nothing of a licence: {', '.join(silent) or 'none'}"


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))  # noqa: T201
