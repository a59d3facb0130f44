"""The settings of an OpenID provider, at which people sign in to the console."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProviderSettings(BaseSettings):
    """What the provider is, and what it says of people; without an issuer there is none."""

    model_config = SettingsConfigDict(use_attribute_docstrings=True)

    oidc_issuer: str = ""
    """Issuer of an OpenID provider, `https://HOST/PATH` as it calls itself: people sign in to the console there."""
    oidc_client_id: str = ""
    """What the provider calls this installation."""
    oidc_client_secret: SecretStr = SecretStr("")
    """Secret of that client; or a secrets file, which is read again for each sign-in. Without it, PKCE alone."""
    oidc_ca_file: Path | None = None
    """Certificate authority of the provider; the system's own when empty."""
    oidc_title: str = "single sign-on"
    """What the button says after "Sign in with"."""
    oidc_scopes: str = "openid profile email"
    """Scopes that are asked for."""
    oidc_name_claims: str = "preferred_username,email"
    """Claims with commas, of which the first that is there names somebody, else `sub`; `email` counts when verified."""
    oidc_groups_claim: str = "groups"
    """Claim with the groups of somebody; with dots where it lies within another, as `realm_access.roles`."""
    oidc_roles: str = ""
    """Roles by group, `GROUP=ROLE` with commas, as `sre=responder,sre=reviewer`; a comma in a name is `%2C`. Who is in
    none of them is refused."""
    oidc_teams: str = ""
    """Teams of the policy by group, as `GROUP=TEAM` with commas; who is in no such group has no team."""
    oidc_session_seconds: Annotated[int, Field(ge=60, le=43_200)] = 28_800
    """After how long somebody who has signed in there signs in again; groups are read then."""
