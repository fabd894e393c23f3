"""A small OpenID Connect provider in a process of its own: whoever comes is signed in at once, as it was told to say.

python identity_provider.py PORT

`POST /settings` takes what its next ID tokens say or do; it checks client, redirect address, PKCE and single use.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

CLIENT, SECRET = "comptoir", "a secret: of providers"
KEY, ANOTHER = (RSAKey.generate_key(2048, {"kid": "first"}) for _ in range(2))


class Provider(BaseHTTPRequestHandler):
    url = ""
    settings: dict[str, Any] = {}  # noqa: RUF012 - one provider a process
    codes: dict[str, dict[str, str]] = {}  # noqa: RUF012 - likewise
    seen: list[dict[str, str]] = []  # noqa: RUF012 - likewise

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        if self.settings.get("status"):
            self._answer({"error": "told to"}, self.settings["status"])
        elif asked.path == "/.well-known/openid-configuration":
            self._answer(
                {
                    "issuer": self.settings.get("calls_itself", self.url),
                    "authorization_endpoint": f"{self.url}/authorise",
                    "token_endpoint": f"{self.url}/token",
                    "jwks_uri": f"{self.url}/keys",
                    "userinfo_endpoint": f"{self.url}/about-me",
                    "token_endpoint_auth_methods_supported": [self.settings.get("method", "client_secret_basic")],
                }
                | self.settings.get("names", {})
            )
        elif asked.path == "/keys":
            self._answer(KeySet([KEY]).as_dict(private=False))
        elif asked.path == "/about-me":
            self._answer(self.settings.get("about_me", {}))
        elif asked.path == "/seen":
            self._answer(self.seen)
        else:
            self._authorise(query)

    def _authorise(self, query: dict[str, str]) -> None:
        self.seen.append(query)
        code = secrets.token_urlsafe(8)
        self.codes[code] = query
        back = (
            {"state": query["state"], "code": code}
            if not self.settings.get("denies")
            else {"state": query["state"], "error": "access_denied"}
        )
        self.send_response(303)
        self.send_header("Location", f"{query['redirect_uri']}?{urlencode(back)}")
        self.end_headers()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/settings":
            Provider.settings = json.loads(body)
            self._answer({})
            return
        form = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        is_right = (
            asked is not None
            and self._pair(form) == (CLIENT, SECRET)
            and asked["client_id"] == CLIENT
            and asked["code_challenge_method"] == "S256"
            and asked["code_challenge"] == challenge.rstrip(b"=").decode()
            and asked["redirect_uri"] == form["redirect_uri"]
            and "openid" in asked["scope"].split()
        )
        if not is_right or asked is None:
            self._answer({"error": "invalid_grant"}, 400)
            return
        self._answer({"access_token": "at", "token_type": "Bearer", "id_token": self._token(asked["nonce"])})

    def _pair(self, form: dict[str, str]) -> tuple[str, str]:
        if self.settings.get("method") == "client_secret_post":
            return form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        name, _, secret = base64.b64decode(value).decode().partition(":") if scheme == "Basic" else ("", "", "")
        return unquote(name), unquote(secret)

    def _token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "sub": "1", "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": nonce}
        claims |= self.settings.get("claims", {})
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = self.settings.get("signed", "right")
        if signed == "none":
            parts = ({"alg": "none"}, claims)
            return (
                ".".join(base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts)
                + "."
            )
        if signed == "shared":
            return jwt.encode({"alg": "HS256", "kid": "first"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])
        return jwt.encode({"alg": "RS256", "kid": "first"}, claims, KEY if signed == "right" else ANOTHER)

    def _answer(self, content: Any, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Provider)
    Provider.url = f"http://127.0.0.1:{sys.argv[1]}"
    print("ready", flush=True)  # noqa: T201 - whoever started it waits for this
    server.serve_forever()
