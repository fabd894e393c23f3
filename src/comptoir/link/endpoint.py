"""The token endpoint: codes and refresh tokens against tokens. Knows what each refusal means; stores nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from comptoir.errors import ProductError, TryLater, UpstreamChanged
from comptoir.integrations.contract import Integration
from comptoir.runtime.clock import Clock
from comptoir.store.calls import Made
from comptoir.upstream import Answer, Bounds, Called, Wire, is_token, nobody, notes

__all__ = ["UNREADABLE", "GrantRefused", "TokenEndpoint", "Tokens", "WrongPair", "read"]

_TOKENS = "tokens"
_LARGEST_ANSWER = 1024 * 1024
_LIFETIME_SECONDS = 3600.0  # where none that can be true is told: a token that ends sooner is refused, then renewed
_LONGEST_LIFETIME_SECONDS = 10.0**9
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)  # all that an odd JSON body raises


class GrantRefused(ProductError):
    """The code or refresh token is not accepted: used, expired or revoked."""


class WrongPair(ProductError):
    """The app's own keys are refused: nothing is known of the grant."""


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer holds. Lifetimes are the upstream's own."""

    access_token: str
    refresh_token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Tokens(expires_at={self.expires_at})"


class TokenEndpoint:
    """One integration's token endpoint, at the one address that codes and refresh tokens may be sent to."""

    def __init__(
        self,
        integration: Integration,
        url: str,
        clock: Clock,
        *,
        bounds: Bounds | None = None,
        called: Called = nobody,
        refreshed: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`called` is told of every call, `refreshed` how each refresh ended: `renewed`, `refused` or `later`."""
        self._integration, self._url, self._clock = integration, url, clock
        self._called, self._refreshed = called, refreshed
        chosen = bounds or Bounds()
        smaller = msgspec.structs.replace(chosen, largest_body=min(chosen.largest_body, _LARGEST_ANSWER))
        self._wire = Wire(f"{integration.name}'s token endpoint", smaller, clock)

    def close(self) -> None:
        self._wire.close()

    def exchange(self, *, client_id: str, secret: str, code: str, redirect_uri: str) -> bytes:
        """The raw answer for a code."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        return self._post(client_id, secret, form)

    def refresh(self, *, client_id: str, secret: str, refresh_token: str) -> bytes:
        """The raw answer for a refresh token, which is used up by this."""
        outcome = "refused"
        try:
            answer = self._post(client_id, secret, {"grant_type": "refresh_token", "refresh_token": refresh_token})
            outcome = "renewed"
        except TryLater:
            outcome = "later"
            raise
        finally:
            self._refreshed(outcome)
        return answer

    def _post(self, client_id: str, secret: str, form: dict[str, str]) -> bytes:
        name = self._integration.name
        began = self._clock.monotonic()
        answer: Answer | None = None
        problem: str | None = None
        try:
            answer = self._wire.post(self._url, form, (client_id, secret))
        except UpstreamChanged as error:  # far too large to be tokens: a page of something that stands in between
            problem = error.message
            raise TryLater(error.message) from error
        except TryLater as error:
            problem = error.message
            raise
        finally:
            self._note(answer, problem, self._clock.monotonic() - began)
        if answer.status == 200:
            return answer.body
        if self._integration.oauth.wrong_pair(answer.status, answer.body):
            raise WrongPair(f"{name} refuses the app's own keys (Client ID or Client secret).")
        if answer.status == 429:
            message = f"{name} limits token refreshes for the moment. It is tried again."
            raise TryLater(message, retry_after_seconds=self._wait_told(answer), is_rate_limit=True)
        # Only an OAuth error is proof: a page of something that stands in between must not cost a company its link.
        if answer.status in (400, 401, 403) and _is_refusal(answer.body):
            raise GrantRefused(
                f"{name} does not accept the approval any more: it was used, has expired or was revoked."
            )
        raise TryLater(
            f"{name}'s token endpoint answered with an error ({answer.status}). It is tried again.",
            retry_after_seconds=self._wait_told(answer),
        )

    def _note(self, answer: Answer | None, problem: str | None, seconds: float) -> None:
        status = None if answer is None else answer.status
        self._called(_TOKENS, status, seconds)
        if (noted := notes.current()) is not None:
            noted.add(
                Made(
                    at=round((self._clock.now().timestamp() - seconds) * 1000),
                    method="POST",
                    url=self._url,
                    resource=_TOKENS,
                    status=status,
                    milliseconds=round(seconds * 1000),
                    size=0 if answer is None else len(answer.body),
                    attempt=1,
                    left=(),
                    problem=problem,
                )
            )

    def _wait_told(self, answer: Answer) -> float | None:
        """The time to wait, where the answer tells one."""
        error = self._integration.error_of(429, answer.headers, answer.body, None)
        return error.retry_after_seconds if isinstance(error, TryLater) else None


# What OAuth says of the server or of how it was asked, not of the grant.
_NO_REFUSAL = ("server_error", "temporarily_unavailable", "invalid_request", "unsupported_grant_type", "invalid_scope")


def _is_refusal(body: bytes) -> bool:
    """Whether this says that the grant is refused: OAuth's `error`, or the `errors` that FreeAgent-like APIs answer."""
    try:
        answer = msgspec.json.decode(body)
    except UNREADABLE:
        return False
    if not isinstance(answer, dict):
        return False
    error = answer.get("error")
    return "errors" in answer if error is None else isinstance(error, str) and error not in _NO_REFUSAL


def read(answer: bytes, now: datetime, *, former_refresh_token: str | None = None) -> Tokens:
    """The tokens in a raw answer. UpstreamChanged if it holds none."""
    try:
        parsed = msgspec.json.decode(answer)
    except UNREADABLE as error:
        raise UpstreamChanged("The token endpoint answered, but not with tokens.") from error
    members = parsed if isinstance(parsed, dict) else {}
    access_token = members.get("access_token")
    refresh_token = members.get("refresh_token") or former_refresh_token
    if not (isinstance(access_token, str) and is_token(access_token)):
        raise UpstreamChanged("The token endpoint's answer holds no access token.")
    if not (isinstance(refresh_token, str) and is_token(refresh_token)):
        raise UpstreamChanged("The token endpoint's answer holds no refresh token.")
    lifetime = timedelta(seconds=_lifetime_seconds(members.get("expires_in")))
    return Tokens(access_token=access_token, refresh_token=refresh_token, expires_at=now + lifetime)


def _lifetime_seconds(told: Any) -> float:
    """A number, or one in quotes; what is neither, or not above zero, tells nothing."""
    try:
        seconds = math.nan if isinstance(told, bool) else float(told)
    except (TypeError, ValueError, OverflowError):
        return _LIFETIME_SECONDS
    if not seconds > 0:
        return _LIFETIME_SECONDS
    return min(seconds, _LONGEST_LIFETIME_SECONDS)
