"""Secrets that the policy names: from the environment, or from the folder of secrets that the settings use too."""

import os
from pathlib import Path

from pydantic import SecretStr

from streams.settings import variable


class SecretError(ValueError):
    """A secret that is not there; the message says where it can be put."""


def read_secret(name: str) -> SecretStr:
    """Return the secret that the policy calls `name`.

    Raises
    ------
    SecretError
        Where neither the environment nor the folder of secrets has it, or it is empty.
    """
    wanted, folder = variable(name), os.environ.get("WATCHKEEPER_SECRETS")
    value = os.environ.get(wanted, "")
    if not value and folder:
        try:
            value = (Path(folder) / wanted.lower()).read_text(encoding="utf-8")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise SecretError(f"the secret {wanted.lower()} cannot be read: {error.strerror}") from None
    if not value.strip():
        raise SecretError(
            f"no secret is called {name}: set {wanted}, or put a file {wanted.lower()} in the folder that "
            "WATCHKEEPER_SECRETS names"
        )
    return SecretStr(value.strip())
