"""The key pair of an installation: it signs heads of its audit log with one half, and gives the other to everybody."""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from streams.access.tokens import KEY_FILE, house_key
from streams.audit.ed25519 import ED25519
from streams.audit.verifier import Head, canonical
from streams.settings import Settings, SettingsError

_PURPOSE: Final = b"heads of the audit log"


def public_key(settings: Settings) -> str:
    """Return the half that anybody may have, as heads name it.

    Raises
    ------
    SettingsError
        Where the installation is not here, so that its key is not either.
    """
    if not settings.hash_key.get_secret_value() and not (settings.data_dir / KEY_FILE).exists():
        raise SettingsError(
            f"no key of this installation: {settings.data_dir / KEY_FILE} is not there yet; run this where the API "
            "runs, with its WATCHKEEPER_DATA_DIR, or with its WATCHKEEPER_HASH_KEY"
        )
    return _public(_private(settings))


def signed(settings: Settings, head: Head) -> Head:
    """Return a head with the key and the signature of this installation."""
    private = _private(settings)
    named = head._replace(key=_public(private))
    return named._replace(signature=ED25519 + private.sign(canonical(named.signed())).hex())


def _private(settings: Settings) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(house_key(settings, _PURPOSE))


def _public(private: Ed25519PrivateKey) -> str:
    return ED25519 + private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
