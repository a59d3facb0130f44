"""Controls: requests to a service or its deployer, signed, and never carried out by Watchkeeper itself."""

from schemas.controls import Control
from schemas.signature import HEADER, sign
from schemas.topics import CONTROLS
from streams.kafka.publisher import Message
from streams.kafka.sending import message
from streams.policy.policy import Policy
from streams.settings import Settings, SettingsError


def signed(settings: Settings, control: Control) -> Message:
    """Return a control as it travels, with its signature in the header.

    Raises
    ------
    SettingsError
        Without a key: a control that nobody can verify is not sent.
    """
    plain = message(settings, CONTROLS, control, control.service_name)
    signature = sign(plain.value, _key(settings)).encode()
    return plain._replace(headers=(*plain.headers, (HEADER, signature)))


def check_key(settings: Settings, policy: Policy) -> None:
    """Refuse a policy with rules that could send nothing.

    Raises
    ------
    SettingsError
        Where the policy has `controls` and there is no key to sign them with.
    """
    if policy.controls:
        _key(settings)


def _key(settings: Settings) -> bytes:
    key = settings.control_key.get_secret_value()
    if not key:
        raise SettingsError(
            "controls are signed, and there is no key: set WATCHKEEPER_CONTROL_KEY, or a file "
            "`watchkeeper_control_key` in WATCHKEEPER_SECRETS, to what the services verify with"
        )
    return key.encode()
