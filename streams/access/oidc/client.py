"""Authlib's client for one provider, held to what we allow: no redirects, short waits, and signatures by keys alone."""

from typing import Any, Final

from authlib.integrations.base_client import BaseApp, OAuth2Mixin, OpenIDMixin
from authlib.integrations.requests_client import OAuth2Session
from joserfc.errors import BadSignatureError, InvalidKeyIdError

from streams.access.oidc.claims import safe
from streams.settings import Settings

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures that only who has the private key can make: neither `none` nor those with a shared secret."""
WAIT_SECONDS: Final = (3.0, 4.0)
"""How long a connection, and then each part of an answer, may take."""
LEEWAY_SECONDS: Final = 60
"""How far the clock of the provider may be from ours."""
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_MORE: Final = ("userinfo_endpoint", "end_session_endpoint")


class WrongProviderError(ValueError):
    """What a provider says of itself can't be used."""


class _Session(OAuth2Session):
    """A session that follows no redirect: secrets and tokens go where discovery said, and nowhere else."""

    def request(self, method: Any, url: Any, **more: Any) -> Any:
        answer = super().request(method, url, **more | {"timeout": WAIT_SECONDS, "allow_redirects": False})
        if answer.is_redirect:
            raise WrongProviderError("it sends requests elsewhere")
        return answer


class Client(OAuth2Mixin, OpenIDMixin, BaseApp):
    """The client: discovery and keys are fetched when they are needed first.

    Parameters
    ----------
    secret
        Of the client; empty where it has none.
    """

    client_cls = _Session

    def __init__(self, settings: Settings, secret: str) -> None:
        verify = str(settings.oidc_ca_file) if settings.oidc_ca_file else True
        kwargs = {"scope": settings.oidc_scopes, "code_challenge_method": "S256", "verify": verify}
        super().__init__(
            None, client_id=settings.oidc_client_id, client_secret=secret or None, client_kwargs=kwargs,
            server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        )  # fmt: skip
        self._issuer: Final = settings.oidc_issuer

    def load_server_metadata(self) -> dict[str, Any]:
        """Return what the provider says of itself, as far as it is used here; it is asked once.

        Raises
        ------
        WrongProviderError
            Where it is another issuer, leads where others may listen, or signs with nothing that we take.
        """
        if "issuer" not in self.server_metadata:
            with self._get_session() as session:
                answer = session.request("GET", self._server_metadata_url, withhold_token=True)
                answer.raise_for_status()
                self.server_metadata.update(_checked(answer.json(), self._issuer))
            if self.client_secret:
                known = self.server_metadata.pop("methods")
                method = "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"
                self.client_kwargs["token_endpoint_auth_method"] = method
        return self.server_metadata

    def verified(self, token: dict[str, Any], nonce: str) -> dict[str, Any] | None:
        """Return the claims of an ID token: by Authlib, with keys that are fetched again where one is new."""
        options = {
            "iss": {"essential": True, "value": self._issuer},
            "aud": {"essential": True, "value": self.client_id},
        }
        given = {"nonce": nonce, "claims_options": options, "leeway": LEEWAY_SECONDS}
        try:
            found = self.parse_id_token(token, **given)
        except (BadSignatureError, InvalidKeyIdError):  # a key may be another under the same name, or without one
            self.fetch_jwk_set(force=True)
            found = self.parse_id_token(token, **given)
        return None if found is None else dict(found)


def _checked(said: Any, issuer: str) -> dict[str, Any]:
    if not isinstance(said, dict) or said.get("issuer") != issuer:
        raise WrongProviderError("it calls itself otherwise than WATCHKEEPER_OIDC_ISSUER does")
    found = {name: said[name] for name in (*_ENDPOINTS, *_MORE) if isinstance(said.get(name), str)}
    if unsafe := [name for name, address in found.items() if not safe(address)]:
        raise WrongProviderError(f"its {unsafe[0]} is not https")
    if missing := [name for name in _ENDPOINTS if name not in found]:
        raise WrongProviderError(f"it names no {missing[0]}")
    algorithms = [each for each in said.get("id_token_signing_alg_values_supported", ["RS256"]) if each in ALGORITHMS]
    if not algorithms:
        raise WrongProviderError(f"it signs with none of {', '.join(ALGORITHMS)}")
    methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    names_itself = said.get("authorization_response_iss_parameter_supported") is True
    return found | {
        "issuer": issuer, "id_token_signing_alg_values_supported": algorithms, "methods": methods,
        "names_itself": names_itself,
    }  # fmt: skip
