"""What `doctor --production` says about sign-in at a provider."""

import pytest
from pydantic import SecretStr

from streams.production.asked import provider_gaps
from streams.settings import Settings
from tests.support.oidc.provider import provider as running

pytestmark = pytest.mark.store


def test_sign_in_at_a_provider_is_looked_at(tmp_path):
    """One that answers, with a secret and a public address, is fine but for its http; what else is open is named."""
    with running(tmp_path) as provider:
        good = {
            "oidc_issuer": provider.issuer, "oidc_client_id": "c", "oidc_client_secret": SecretStr("s" * 32),
            "oidc_roles": "sre=responder", "public_url": "https://watch.example",
        }  # fmt: skip
        assert [gap.check for gap in provider_gaps(Settings(**good))] == ["provider tls"]
        bare = good | {"oidc_client_secret": SecretStr(""), "public_url": ""}
        assert [gap.check for gap in provider_gaps(Settings(**bare))] == [
            "provider secret", "provider tls", "provider back",
        ]  # fmt: skip
        provider.lies(metadata={"issuer": "https://other.example"})
        [wrong, _] = provider_gaps(Settings(**good))
        assert "it calls itself otherwise" in wrong.seen
    [away, _] = provider_gaps(Settings(**good))
    assert "it can't be asked" in away.seen
    [unfinished, _] = provider_gaps(Settings(**good | {"oidc_roles": ""}))
    assert "WATCHKEEPER_OIDC_ROLES" in unfinished.seen
    assert list(provider_gaps(Settings())) == []
