"""Where a customer approves, whose books a token opens, and what it may see.

Source: https://dev.freeagent.com/docs/oauth
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from comptoir.integrations.contract import Access, Identity, OAuth

__all__ = ["ACCESS_LEVELS", "OAUTH"]

ACCESS_LEVELS: Mapping[int, str] = MappingProxyType(
    {
        0: "No access",
        1: "Time",
        2: "My Money",
        3: "Contacts & Projects",
        4: "Invoices, Estimates & Files",
        5: "Bills",
        6: "Banking",
        7: "Tax, Accounting & Users",
        8: "Full",
    }
)


class _Company(msgspec.Struct):
    name: str
    id: int | str | None = None
    subdomain: str | None = None
    url: str = ""


class _CompanyAnswer(msgspec.Struct):
    company: _Company


class _User(msgspec.Struct):
    permission_level: int | None = None


class _UserAnswer(msgspec.Struct):
    user: _User


def _identity(body: bytes) -> Identity:
    company = msgspec.json.decode(body, type=_CompanyAnswer, strict=False).company
    return Identity(
        company_id=str(company.id if company.id is not None else company.subdomain or company.name),
        company_name=company.name,
    )


def _access(body: bytes) -> Access:
    level = msgspec.json.decode(body, type=_UserAnswer, strict=False).user.permission_level
    # A user without a level in the answer is the owner, who may see everything.
    known = 8 if level is None else max(0, min(level, 8))
    return Access(level=known, name=ACCESS_LEVELS[known])


def _wrong_pair(status: int, body: bytes) -> bool:
    """FreeAgent refuses an app's own keys in plain text; errors of a grant come as JSON."""
    if b"HTTP Basic: Access denied" in body:
        return True
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return status == 401 and not body.lstrip().startswith(b"<")  # a page of something in between tells nothing
    return isinstance(answer, dict) and answer.get("error") in ("invalid_client", "unauthorized_client")


OAUTH = OAuth(
    authorise_path="/v2/approve_app",
    token_path="/v2/token_endpoint",  # noqa: S106 - a path
    identity_path="/v2/company",
    identity=_identity,
    access_path="/v2/users/me",
    access=_access,
    wrong_pair=_wrong_pair,
)
