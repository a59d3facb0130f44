"""What stands open on the disk: files that others may read or change, tokens, and images without a digest."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from streams.access.oidc.people import people_file
from streams.access.principals import read_tokens, tokens_file
from streams.access.tokens import token_file
from streams.production.gap import Gap
from streams.settings import Settings

OTHERS: Final = 0o077
MOUNTED: Final = Path("/run/secrets")
"""Where an engine puts secrets for one container: what lies outside is for the folder on the host to keep closed."""
CHANGED_BY_OTHERS: Final = 0o022
LONGEST_DAYS: Final = 366
_DAY: Final = 86_400


def file_gaps(settings: Settings) -> Iterator[Gap]:
    """Yield which files others may read, and which they may change."""
    secrets = os.environ.get("WATCHKEEPER_SECRETS")
    private = [settings.data_dir, tokens_file(settings), token_file(settings), people_file(settings)]
    private += [Path(secrets)] if secrets else []
    private += [path for path in _keys(settings) if path is not None]
    if settings.clickhouse.startswith("chdb://"):
        private.append(Path(settings.clickhouse.removeprefix("chdb://")))
    for path in private:
        if MOUNTED in (path, *path.parents):
            continue
        if path.exists() and path.stat().st_mode & OTHERS and not _closed_above(path, settings.data_dir):
            mode = "700" if path.is_dir() else "600"
            yield Gap("open files", f"{path} can be read by other users of this machine", f"`chmod {mode} {path}`")
    for named in filter(None, (settings.policy, settings.sql_users)):
        if named.exists() and named.stat().st_mode & CHANGED_BY_OTHERS:
            yield Gap("open files", f"{named} can be changed by other users of this machine", f"`chmod go-w {named}`")


def _keys(settings: Settings) -> tuple[Path | None, ...]:
    return settings.tls_key or settings.tls_cert, settings.kafka_key_file or settings.kafka_cert_file


def _closed_above(path: Path, folder: Path) -> bool:
    """Tell whether a folder in which a path lies keeps others away from it."""
    return path != folder and folder in path.parents and not folder.stat().st_mode & OTHERS


def token_gaps(settings: Settings) -> Iterator[Gap]:
    """Yield what of tokens leaves open who somebody is."""
    now = time.time()
    valid = [token for token in read_tokens(tokens_file(settings)) if token.state(now) == "valid"]
    if not valid and not settings.oidc_issuer and not settings.proxy_user_header:
        yield Gap("shared token", "nobody has a token of their own: all share that of the installation, under any name",
                  "`watchkeeper token create NAME --role ROLE` for each person and machine, or name a provider where "
                  "people sign in (WATCHKEEPER_OIDC_ISSUER), or a proxy (WATCHKEEPER_PROXY_USER_HEADER)")  # fmt: skip
    for token in valid:
        if token.expires - token.created > LONGEST_DAYS * _DAY:
            yield Gap("long token", f"the token of {token.name} is valid for more than a year",
                      f"make a new one, and `watchkeeper token revoke {token.token_id}`")  # fmt: skip
        if "service" in token.roles and "admin" in token.roles:
            yield Gap("mighty machine", f"{token.name} is a machine that may do everything",
                      "give it a token with the role `service` alone")  # fmt: skip


def image_gaps(compose: Path) -> Iterator[Gap]:
    """Yield the images of a Compose file that may become others under the same name; one laid over another names some.

    Raises
    ------
    ValueError
        Where the file can't be read.
    """
    try:
        services = yaml.safe_load(compose.read_text())["services"]
        images = {
            name: service["image"]
            for name, service in services.items()
            if "build" not in service and "image" in service
        }
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{compose} is no Compose file that can be read: {error!r}") from None
    for name, image in images.items():
        if "@sha256:" not in image:
            yield Gap("unpinned image", f"{name} runs {image}, whatever that is tomorrow",
                      f"write {image}@sha256:DIGEST into {compose}")  # fmt: skip
