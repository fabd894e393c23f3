"""The token endpoint: codes and refresh tokens against tokens. Knows what each refusal means; stores nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx2
import msgspec

import comptoir
from comptoir.errors import ProductError, TryLater, UpstreamChanged
from comptoir.integrations.contract import Integration
from comptoir.runtime.clock import Clock

__all__ = ["UNREADABLE", "GrantRefused", "TokenEndpoint", "Tokens", "WrongPair", "read"]

_LARGEST_ANSWER = 1024 * 1024
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # all that an odd JSON body raises


class GrantRefused(ProductError):
    """The code or refresh token is not accepted: used, expired or revoked."""


class WrongPair(ProductError):
    """The app's own keys are refused: nothing is known of the grant."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer holds. Lifetimes are the upstream's own; none is assumed."""

    access_token: str
    refresh_token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Tokens(expires_at={self.expires_at})"


class _Answer(msgspec.Struct):
    access_token: str
    refresh_token: str | None = None
    expires_in: float = 3600


class TokenEndpoint:
    """One integration's token endpoint, at the one address that codes and refresh tokens may be sent to."""

    def __init__(self, integration: Integration, url: str, clock: Clock) -> None:
        self._integration, self._url, self._clock = integration, url, clock
        self._http = httpx2.Client(
            timeout=httpx2.Timeout(30.0, connect=5.0),
            headers={"Accept": "application/json", "User-Agent": f"Comptoir/{comptoir.__version__}"},
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def exchange(self, *, client_id: str, secret: str, code: str, redirect_uri: str) -> bytes:
        """The raw answer for a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return self._post(client_id, secret, form)

    def refresh(self, *, client_id: str, secret: str, refresh_token: str) -> bytes:
        """The raw answer for a refresh token, which is used up by this."""
        return self._post(client_id, secret, {"grant_type": "refresh_token", "refresh_token": refresh_token})

    def _post(self, client_id: str, secret: str, form: dict[str, str]) -> bytes:
        name = self._integration.name
        try:
            answer = self._http.post(self._url, data=form, auth=(client_id, secret))
        except httpx2.RequestError as error:
            raise TryLater(f"{name}'s token endpoint could not be reached. It is tried again.") from error
        body = answer.content[:_LARGEST_ANSWER]
        if answer.status_code == 200:
            return body
        if self._integration.oauth.wrong_pair(answer.status_code, body):
            raise WrongPair(f"{name} refuses the app's own keys (Client ID or Client secret).")
        if answer.status_code == 429:
            wait = answer.headers.get("retry-after", "")
            seconds = float(wait) if wait.isdigit() else None
            message = f"{name} limits token refreshes for the moment. It is tried again."
            raise TryLater(message, retry_after_seconds=seconds, is_rate_limit=True)
        # Only an OAuth error is proof: a page of something that stands in between must not cost a company its link.
        if answer.status_code in (400, 401, 403) and _is_error(body):
            raise GrantRefused(
                f"{name} does not accept the approval any more: it was used, has expired or was revoked."
            )
        raise TryLater(f"{name}'s token endpoint answered with an error ({answer.status_code}). It is tried again.")


def _is_error(body: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(body), dict)
    except UNREADABLE:
        return False


def read(answer: bytes, now: datetime, *, former_refresh_token: str | None = None) -> Tokens:
    """The tokens in a raw answer. UpstreamChanged if it holds none."""
    try:
        parsed = msgspec.json.decode(answer, type=_Answer)
    except UNREADABLE as error:
        raise UpstreamChanged("The token endpoint answered, but not with tokens.") from error
    refresh_token = parsed.refresh_token or former_refresh_token
    if refresh_token is None:
        raise UpstreamChanged("The token endpoint's answer holds no refresh token.")
    return Tokens(
        access_token=parsed.access_token,
        refresh_token=refresh_token,
        expires_at=now + timedelta(seconds=max(0.0, min(parsed.expires_in, 10**9))),
    )
