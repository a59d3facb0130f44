"""The secrets of a compose installation: random, a file each, made once.

Compose hands each container its own few of these files as they are, owner and mode included, and the containers run
under user ids of their own. So the files can be read, and the folder around them is open to its owner alone.
"""

import hashlib
import secrets
from pathlib import Path
from typing import Final

from streams.access.rights import WORKERS

SECRETS: Final = (
    "watchkeeper_clickhouse_password",
    "watchkeeper_api_token",
    "watchkeeper_otlp_token",
    "grafana_clickhouse_password",
    "grafana_admin_password",
)
"""The first three are named as the settings want them, so that `WATCHKEEPER_SECRETS` can point to the folder itself."""

PRODUCTION: Final = (
    "watchkeeper_control_key",
    "watchkeeper_hash_key",
    "watchkeeper_pseudonym_key",
    *(f"kafka_{party}" for party in ("operator", *WORKERS)),
)
"""What `compose/production.yml` takes beside them: keys, and the password of each of Kafka's users."""

JAAS_FILE: Final = "kafka_jaas.conf"
USERS_FILE: Final = "clickhouse_users.xml"
USERS: Final = {"watchkeeper": "watchkeeper_clickhouse_password", "grafana": "grafana_clickhouse_password"}
"""Users of the ClickHouse server, and the files with their passwords."""

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o644


def write_secrets(folder: Path, *, production: bool = False) -> list[str]:
    """Write the secrets that are missing, those for production too or not, and return the names of what was written.

    A secret that is there is never touched. The file with ClickHouse's users holds hashes of two of them, and is
    written anew where it does not fit them: to change a password, delete its file and call this again.

    Raises
    ------
    ValueError
        Where the folder is open to other users of this machine.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    if folder.stat().st_mode & ~FOLDER_MODE & 0o777:
        raise ValueError(f"{folder} is open to other users; close it with `chmod 700 {folder}`, or name another folder")
    wanted = (*SECRETS, *PRODUCTION) if production else SECRETS
    missing = [name for name in wanted if not (folder / name).exists()]
    for name in missing:
        _write(folder / name, secrets.token_urlsafe(32))
    made = {USERS_FILE: users_xml({user: _read(folder, name) for user, name in USERS.items()})}
    if production:
        parties = ("operator", *WORKERS)
        made[JAAS_FILE] = jaas({_user(party): _read(folder, f"kafka_{party}") for party in parties})
    changed = [
        file for file, text in made.items() if not (folder / file).exists() or _read(folder, file) != text.strip()
    ]
    for file in changed:
        _write(folder / file, made[file])
    return [*missing, *changed]


def _user(party: str) -> str:
    """Return what a party is called at Kafka."""
    return party if party == "operator" else f"watchkeeper-{party}"


def _read(folder: Path, name: str) -> str:
    return (folder / name).read_text().strip()


def jaas(passwords: dict[str, str]) -> str:
    """Return the file that tells a broker the password of each of its users, for SASL's PLAIN inside TLS.

    >>> print(jaas({"me": "abc"}).splitlines()[2].strip())
    user_me="abc";
    """
    module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    users = "\n    ".join(f'user_{user}="{password}"' for user, password in passwords.items())
    return f"KafkaServer {{\n  {module}\n    {users};\n}};\n"


def users_xml(passwords: dict[str, str]) -> str:
    """Return the file that tells a ClickHouse server the password hash of each user.

    A plain SHA-256 is enough for a random text of 256 bits; nobody can guess that.

    >>> print(users_xml({"me": "abc"}).splitlines()[3].strip())
    <me><password_sha256_hex>ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad</password_sha256_hex></me>
    """
    hashes = {user: hashlib.sha256(password.encode()).hexdigest() for user, password in passwords.items()}
    lines = [
        f"        <{user}><password_sha256_hex>{each}</password_sha256_hex></{user}>" for user, each in hashes.items()
    ]
    return "\n".join(
        ("<!-- Made by `watchkeeper secrets` from the passwords beside it. -->", "<clickhouse>", "    <users>", *lines,
         "    </users>", "</clickhouse>", "")
    )  # fmt: skip


def _write(file: Path, text: str) -> None:
    file.write_text(text)
    file.chmod(FILE_MODE)
