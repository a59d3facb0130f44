"""The settings of pseudonyms, and of what is looked for in fields that should name nobody."""

from typing import Literal

from pydantic import SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class IdentifierSettings(BaseSettings):
    """Keys, and how much is looked for; see `docs/identifiers.md`."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    pseudonym_key: SecretStr = SecretStr("")
    """Key of pseudonyms, of 16 characters or more; or a secrets file. When empty it is made from the hash key, else
    from the key in the data folder. Services that make pseudonyms themselves need the same one."""
    pseudonym_key_before: SecretStr = SecretStr("")
    """The key before, after a change: erasures find what was stored under it."""
    identifiers: Literal["usual", "presidio"] = "usual"
    """What looks for direct identifiers: `usual` knows e-mail addresses, telephone numbers and numbers with check
    digits, `presidio` also what Presidio knows by patterns (`pip install watchkeeper[presidio]`)."""
    phone_regions: str = ""
    """Countries with commas, as `DE,US`, whose telephone numbers are found in texts without their `+` too."""

    @field_validator("pseudonym_key", "pseudonym_key_before")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value().encode()) < 16:
            raise ValueError("must have 16 characters or more")
        return value

    @field_validator("phone_regions")
    @classmethod
    def _countries(cls, value: str) -> str:
        wrong = [
            each
            for each in value.split(",")
            if each.strip() and not (each.strip().isalpha() and len(each.strip()) == 2)
        ]
        if wrong:
            raise ValueError(f"{wrong[0].strip()!r} is no country; write two letters each, as DE,US")
        return value.upper()
