"""What of an installation lies in files: settings, policy, users, hashes of tokens, names, the audit log and the like.

No secret is among them. The backup names those that were set, so that whoever restores it knows what to give.
"""

import shlex
import shutil
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from streams.access.oidc.people import people_file
from streams.access.principals import tokens_file
from streams.audit.log import HEADS, folder_of, of
from streams.backup.manifest import BackupError
from streams.settings import Settings

SETTINGS: Final = "settings.env"
DATA: Final = "data"
"""What goes into the data folder."""


def save_files(settings: Settings, folder: Path) -> None:
    """Copy the files, and write the settings that are not as everywhere."""
    (folder / SETTINGS).write_text("".join(f"{line}\n" for line in settings_lines(settings)))
    named = {"policy.yaml": settings.policy, "sql-users.yaml": settings.sql_users}
    for name, file in named.items():
        if file is not None:
            shutil.copyfile(file, folder / name)
    data = folder / DATA
    if tokens_file(settings).exists():
        _copy(tokens_file(settings), data / "tokens.json")
    if people_file(settings).exists():
        _copy(people_file(settings), data / people_file(settings).name)
    for memory in settings.data_dir.glob("sentinel-*/memory"):
        _copy(memory, data / memory.relative_to(settings.data_dir))
    _save_audit(settings, data / folder_of(settings).name)


def _save_audit(settings: Settings, target: Path) -> None:
    """Copy the audit log as far as it is whole; the heads before it, which then lie within it."""
    source = folder_of(settings)
    if (source / HEADS).exists():
        _copy(source / HEADS, target / HEADS)
    for file, size in of(settings).parts():
        _copy(file, target / file.name, size)


def _copy(source: Path, target: Path, size: int | None = None) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = source.read_bytes()
    target.touch(0o600)
    target.write_bytes(data if size is None else data[:size])


def settings_lines(settings: Settings) -> list[str]:
    """Return what was set, as lines of a shell, without secrets.

    >>> from pathlib import Path
    >>> settings_lines(Settings(policy=Path("my policy.yaml"), api_token="s", clickhouse="http://me:pw@ch:8123"))
    ['WATCHKEEPER_CLICKHOUSE=http://me@ch:8123', "WATCHKEEPER_POLICY='my policy.yaml'"]
    """
    given = settings.environment(settings.model_fields_set)
    return [f"{name}={shlex.quote(_without_password(value))}" for name, value in given.items()]


def secrets_of(settings: Settings) -> list[str]:
    """Return the names of the secrets that are set.

    >>> secrets_of(Settings(api_token="s"))
    ['api_token']
    """
    found = {name: getattr(settings, name) for name in sorted(type(settings).model_fields)}
    return [name for name, value in found.items() if isinstance(value, SecretStr) and value.get_secret_value()]


def _without_password(text: str) -> str:
    user, _, password = urlsplit(text).netloc.rpartition("@")[0].partition(":") if "://" in text else ("", "", "")
    return text.replace(f"{user}:{password}@", f"{user}@", 1) if password else text


def check_no_files(settings: Settings) -> None:
    """Refuse a data folder that has tokens or an audit log.

    Raises
    ------
    BackupError
        With what is there.
    """
    for found in (tokens_file(settings), people_file(settings), folder_of(settings)):
        if found.exists():
            raise BackupError(f"{found} is there already; restore into an empty data folder")


def restore_files(settings: Settings, folder: Path) -> None:
    """Copy what belongs into the data folder; its policy and settings are for a person to put in place."""
    for file in sorted((folder / DATA).rglob("*")):
        name = file.relative_to(folder / DATA)
        if file.is_file():
            _copy(file, tokens_file(settings) if str(name) == "tokens.json" else settings.data_dir / name)
