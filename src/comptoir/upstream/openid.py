"""An OpenID Connect provider that operators may sign in at: where to send a browser, and whose address it vouches for.

Authorization code with PKCE, state and nonce. What is believed: an ID token signed by a key the provider publishes,
made for us, for this sign-in, a moment ago; and an e-mail address in it only if the provider verified it.
"""

from __future__ import annotations

import secrets
import unicodedata
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import msgspec
from authlib.common.security import is_secure_transport
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from comptoir.errors import ActionNeeded, InvalidInput, TryLater, UpstreamChanged
from comptoir.runtime.clock import Clock
from comptoir.upstream.wire import Answer, Bounds, Wire

__all__ = ["Begun", "OpenIdProvider"]

_T = TypeVar("_T")
_BOUNDS = Bounds(connect_seconds=5, idle_seconds=10, whole_seconds=15, largest_body=1024 * 1024)
_LEEWAY_SECONDS = 60
_KNOWN_SECONDS = 3600.0  # how long what the provider says of itself is believed
# Signed with a key that only the provider has: a secret that two know proves nothing to a third.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_REFUSED = "did not sign you in. Begin once more."


class _About(msgspec.Struct, frozen=True):
    """What a provider says of itself, as far as it is used."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str
    access_token: str


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in under way: where the browser goes, and what must come back with it."""

    address: str
    state: str
    nonce: str
    verifier: str


class OpenIdProvider:
    """One provider, and this installation as its client."""

    def __init__(self, issuer: str, client_id: str, client_secret: str, redirect_uri: str, clock: Clock) -> None:
        self._issuer, self._id, self._secret = issuer, client_id, client_secret
        self._redirect_uri, self._clock = redirect_uri, clock
        self.host = urlsplit(issuer).netloc
        self._wire = Wire(self.host, _BOUNDS, clock)
        self._about: _About | None = None
        self._known_until = 0.0

    def close(self) -> None:
        self._wire.close()

    def begin(self) -> Begun:
        """Raises TryLater when the provider does not answer, ActionNeeded when it is not what the settings say."""
        about = self._known()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        client = OAuth2Client(
            None,
            self._id,
            scope="openid email",
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
        )
        address, _ = client.create_authorization_url(
            about.authorization_endpoint, state=state, code_verifier=verifier, nonce=nonce
        )
        return Begun(address=address, state=state, nonce=nonce, verifier=verifier)

    def finish(self, code: str, *, nonce: str, verifier: str) -> str:
        """The e-mail address, in lower case, of whoever signed in there.

        Raises InvalidInput when the provider vouches for none, TryLater and ActionNeeded as `begin` does.
        """
        about = self._known()
        tokens = self._exchange(about, code, verifier)
        claims = self._believed(about, tokens, nonce)
        if "email" not in claims and about.userinfo_endpoint is not None:
            told = _decoded(self._wire.get(about.userinfo_endpoint, (), tokens.access_token), dict[str, Any])
            if told.get("sub") == claims["sub"]:
                claims = told
        email, is_verified = claims.get("email"), claims.get("email_verified")
        # A sign that only looks like a letter, and becomes that letter in lower case, makes another's address of this.
        is_odd = isinstance(email, str) and unicodedata.normalize("NFKC", email) != email
        if not isinstance(email, str) or is_verified not in (True, "true") or is_odd:  # some write it as text
            raise InvalidInput(f"{self.host} does not say that your e-mail address is verified.", field="email")
        return email.strip().lower()

    def _known(self) -> _About:
        now = self._clock.monotonic()
        if self._about is None or now >= self._known_until:
            address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            about = _decoded(self._wire.fetch(address), _About)
            used = (about.authorization_endpoint, about.token_endpoint, about.jwks_uri, about.userinfo_endpoint)
            if about.issuer.rstrip("/") != self._issuer.rstrip("/"):
                raise ActionNeeded(f"{self.host} calls itself {about.issuer!r}. Set COMPTOIR_OIDC_ISSUER to that.")
            if not all(is_secure_transport(one) for one in used if one is not None):
                raise ActionNeeded(f"{self.host} names addresses that are not on https, so nobody is sent there.")
            self._about, self._known_until = about, now + _KNOWN_SECONDS
        return self._about

    def _exchange(self, about: _About, code: str, verifier: str) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        if "client_secret_basic" in about.token_endpoint_auth_methods_supported:
            pair = (quote(self._id, safe=""), quote(self._secret, safe=""))  # RFC 6749, 2.3.1
            answer = self._wire.post(about.token_endpoint, form, pair)
        else:
            own = {"client_id": self._id, "client_secret": self._secret}
            answer = self._wire.post(about.token_endpoint, form | own, None)
        if answer.status in (400, 401, 403):
            raise InvalidInput(f"{self.host} {_REFUSED}", field="code")
        return _decoded(answer, _Tokens)

    def _believed(self, about: _About, tokens: _Tokens, nonce: str) -> dict[str, Any]:
        """What the ID token says, once all that must be true of it is."""
        try:
            held: Any = _decoded(self._wire.fetch(about.jwks_uri), dict[str, Any])
            keys = KeySet.import_key_set(held)
            registry = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
            token = jwt.decode(tokens.id_token, keys, registry=registry)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {"iss": {"essential": True, "value": about.issuer}, "aud": {"essential": True, "value": self._id}},
                {"nonce": nonce, "client_id": self._id, "access_token": tokens.access_token},
            )
            claims.validate(now=int(self._clock.now().timestamp()), leeway=_LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise InvalidInput(f"{self.host} {_REFUSED}", field="id_token") from error
        return dict(claims)


def _decoded(answer: Answer, kind: type[_T]) -> _T:
    """An answer as it is documented; TryLater for what may pass, UpstreamChanged for what cannot be read."""
    if answer.status == 429 or answer.status >= 500:
        raise TryLater("The sign-in service is not available just now.")
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamChanged("The sign-in service did not answer as OpenID Connect says.") from error
