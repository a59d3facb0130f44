"""People who sign in at an OpenID provider: what it says of them, and who they are here."""
