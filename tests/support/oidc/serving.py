"""The process of the provider: ``python -m tests.support.oidc.serving PORT``.

It is the package `oidc-provider-mock`, held to PKCE by Authlib's own extension. `PUT /lies` has it say from then on
what no honest provider says: `claims` over those of its ID tokens, `alg`, `key` and `kid` of their signature, `shown`
for the key at its address of keys, `metadata` and `userinfo` over its own, `moved` for a
path that it sends elsewhere.
"""

import json
import re
import sys

import flask
import oidc_provider_mock._app as package
from authlib.oauth2.rfc7636 import CodeChallenge
from joserfc import jws, jwt
from joserfc.jwk import OctKey, RSAKey
from oidc_provider_mock._storage import Storage
from werkzeug.serving import make_server

LIES = {}
KEYS = {}
CHALLENGES = {}


class Storing(Storage):
    """Remembers what a code has to be redeemed with."""

    def store_authorization_code(self, code):
        """Keep the challenge of a code beside it."""
        CHALLENGES[code.code] = flask.request.args.get("code_challenge", "")
        super().store_authorization_code(code)


class Challenge(CodeChallenge):
    """PKCE, for every client."""

    def get_authorization_code_challenge(self, authorization_code):
        """Return the challenge; none is none that fits."""
        return CHALLENGES[authorization_code.code] or "missing"

    def get_authorization_code_challenge_method(self, authorization_code):
        """Return the only method."""
        return "S256"


class Code(package.OpenIDCode):
    """The grant with PKCE."""

    def __call__(self, grant):
        """Extend the grant."""
        super().__call__(grant)
        Challenge(required=True)(grant)


def key(name="first"):
    """Return the key of a name."""
    return KEYS.setdefault(name, RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"}))


def signed(claims):
    """Return an ID token, signed as the lies say."""
    algorithm, name = LIES.get("alg", "RS256"), LIES.get("key", "first")
    registry = jws.JWSRegistry(algorithms=["none", "HS256", "RS256"])
    known = OctKey.import_key(json.dumps(key().as_dict(private=False))) if algorithm == "HS256" else key(name)
    return jwt.encode({"alg": algorithm, "kid": LIES.get("kid", name)}, claims, known, registry=registry)


def answered(answer):
    """Return an answer with what the lies change."""
    path = flask.request.path
    if path == LIES.get("moved") and "again" not in flask.request.args:
        return flask.redirect(f"{path}?again=1", 307)
    if path == "/oauth2/token" and "id_token" in (body := answer.get_json()):
        honest = jws.extract_compact(body["id_token"].encode()).payload
        claims = {**json.loads(honest), **LIES.get("claims", {})}
        answer.set_data(json.dumps({**body, "id_token": signed(claims)}))
    elif path == "/.well-known/openid-configuration":
        answer.set_data(json.dumps({**answer.get_json(), **LIES.get("metadata", {})}))
    elif path == "/userinfo":
        answer.set_data(json.dumps({**answer.get_json(), **LIES.get("userinfo", {})}))
    elif path == "/jwks":
        named = LIES.get("shown", LIES.get("key", "first"))
        shown = {**key(named).as_dict(private=False), "kid": LIES.get("kid", named)}
        answer.set_data(json.dumps({"keys": [shown]}))
    elif answer.mimetype == "text/html":
        answer.set_data(re.sub(r"<link[^>]*>", "", answer.get_data(as_text=True)))  # a style from elsewhere
    return answer


def lied():
    """Take what is to be said wrongly from now on."""
    LIES.clear()
    LIES.update(flask.request.get_json())
    return "", 204


def main(port):
    """Serve until the process ends."""
    package.Storage, package.OpenIDCode = Storing, Code
    app = package.app()
    app.debug = False
    app.add_url_rule("/lies", view_func=lied, methods=["PUT"])
    app.after_request(answered)
    make_server("localhost", port, app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
