"""The guard at the door: records and columns of them without direct identifiers, and what was in which field.

It is asked wherever records come in and wherever they go out. The same record always comes out the same, so that a
replay, a rebuild and a look at the log by `watchkeeper verify` say what was said before.
"""

from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from schemas.pseudonyms import settled
from streams.identifiers.keys import Pseudonyms
from streams.identifiers.plans import PLANS, Plan, Treatment
from streams.identifiers.texts import ADDRESS, EMAIL, PHONE, Finder, Texts, is_phone, usual
from streams.settings import Settings, SettingsError

OTHER_KEY: Final = "OTHER_KEY"
"""What is counted where a pseudonym was made with a key that this installation does not have; it stays as it is."""

T = TypeVar("T")
Found = Callable[[str, str, int], None]
"""Is told field, kind and number."""


class Seen(NamedTuple):
    """That a field held so many identifiers of a kind; never which."""

    field: str
    kind: str
    number: int


class Guard:
    """Masks direct identifiers; its keys are read, or made, when the first one is met that needs a pseudonym.

    Parameters
    ----------
    keys
        Returns the keys of pseudonyms.
    finder
        Finds what is an identifier in a text.
    """

    def __init__(self, keys: Callable[[], Pseudonyms], finder: Finder) -> None:
        self._made: Final = keys
        self.texts: Final = Texts(finder)

    @cached_property
    def pseudonyms(self) -> Pseudonyms:
        """What makes pseudonyms here."""
        return self._made()

    def record(self, record: T) -> tuple[T, list[Seen]]:
        """Return a record of the contract without direct identifiers, and what was in which of its fields.

        One in which there are none is returned as it is.
        """
        plan, seen = PLANS.get(type(record)), list[Seen]()
        if plan is None:
            return record, seen
        return self._struct(record, plan, "", lambda *what: seen.append(Seen(*what))), seen

    def clean(self, record: T) -> T:
        """Return a record without direct identifiers; see `record`."""
        return self.record(record)[0]

    def value(self, treatment: Treatment, value: str) -> tuple[str, Sequence[tuple[str, int]]]:
        """Return what stands for a value, and how many identifiers of which kinds were in it."""
        if treatment == "text":
            return self.texts.masked(value)
        if ("@" in value or "%40" in value) and (number := len(EMAIL.findall(value))):
            if treatment == "person" and EMAIL.fullmatch(settled(value)):
                return self.pseudonyms.of(value), ((ADDRESS, number),)
            masked = EMAIL.sub(lambda found: self.pseudonyms.of(found[0]), value)
            return masked[: max(len(value), 256)], ((ADDRESS, number),)
        if treatment == "person" and value.startswith("u1_") and self.pseudonyms.of_another_key(value):
            return value, ((OTHER_KEY, 1),)
        if treatment == "person" and "+" in value and is_phone(value):
            return self.pseudonyms.of(value), ((PHONE, 1),)
        return value, ()

    def _struct(self, struct: Any, plan: Plan, path: str, found: Found) -> Any:
        changes = {}
        for name, part in plan.items():
            before = getattr(struct, name)
            if before is not None and (after := self._part(before, part, f"{path}{name}", found)) is not before:
                changes[name] = after
        return msgspec.structs.replace(struct, **changes) if changes else struct

    def _part(self, part: Any, plan: Treatment | Plan, path: str, found: Found) -> Any:
        if isinstance(part, str) and isinstance(plan, str):
            value, kinds = self.value(plan, part)
            for kind, number in kinds:
                found(path, kind, number)
            return value if value != part else part
        if isinstance(part, dict):
            made = {name: self._part(each, plan, path, found) for name, each in part.items()}
            return made if made != part else part
        if isinstance(part, list):
            several = [self._part(each, plan, path, found) for each in part]
            return several if any(new is not old for new, old in zip(several, part, strict=True)) else part
        return self._struct(part, plan, f"{path}.", found) if not isinstance(plan, str) else part


def guard_of(settings: Settings) -> Guard:
    """Return the guard of an installation; in one process there is one.

    Raises
    ------
    SettingsError
        Where Presidio is asked for and not installed.
    """
    return _guard(
        settings.identifiers, settings.phone_regions, settings.pseudonym_key, settings.pseudonym_key_before,
        settings.hash_key, settings.data_dir,
    )  # fmt: skip


@cache
def _guard(mode: str, regions: str, *keys: Any) -> Guard:
    own, before, house, folder = keys
    said = {"pseudonym_key": own, "pseudonym_key_before": before, "hash_key": house, "data_dir": folder}
    finder = usual([each.strip() for each in regions.split(",") if each.strip()])
    if mode == "presidio":
        try:
            from streams.identifiers.presidio import with_presidio
        except ImportError as error:
            text = f"WATCHKEEPER_IDENTIFIERS=presidio wants it installed: pip install 'watchkeeper[presidio]' ({error})"
            raise SettingsError(text) from None
        finder = with_presidio(finder)
    return Guard(lambda: Pseudonyms(Settings.model_construct(**said)), finder)
