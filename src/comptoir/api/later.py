"""Operations of the contract that are not served yet: answered honestly, as not found, to those with a key."""

from __future__ import annotations

from comptoir.access import Permission
from comptoir.api.calls import Call
from comptoir.api.routing import Operation
from comptoir.errors import NotFound
from comptoir.store import companies, connections

__all__ = ["OPERATIONS"]

_COMPANY = "/companies/{companyId}"
_CONNECTION = "/companies/{companyId}/connections/{connectionId}"
_DATA_TYPE = "/integrations/{platformKey}/dataTypes"

_WRITING = "Writing to the source is not supported by this version."
_WEBHOOKS = "Webhooks are not supported by this version."
_PRODUCTS = "Products are not supported by this version."
_TOKENS = "Access tokens for embedded pages are not supported by this version."
_EXTRA = "Supplemental data is not supported by this version."
_CUSTOM = "Custom data types are not supported by this version."

_NOT_YET: tuple[tuple[str, str, str], ...] = (
    ("GET", "/webhooks", _WEBHOOKS),
    ("POST", "/webhooks", _WEBHOOKS),
    ("DELETE", "/webhooks/{webhookId}", _WEBHOOKS),
    ("POST", "/webhooks/integrationKeys/zapier", _WEBHOOKS),
    ("GET", "/corsSettings", _TOKENS),
    ("POST", "/corsSettings", _TOKENS),
    ("GET", "/connectionManagement/corsSettings", _TOKENS),
    ("POST", "/connectionManagement/corsSettings", _TOKENS),
    ("GET", f"{_COMPANY}/accessToken", _TOKENS),
    ("GET", f"{_COMPANY}/connectionManagement/accessToken", _TOKENS),
    ("PUT", f"{_COMPANY}/products/{{productIdentifier}}", _PRODUCTS),
    ("DELETE", f"{_COMPANY}/products/{{productIdentifier}}", _PRODUCTS),
    ("POST", f"{_COMPANY}/products/{{productIdentifier}}/refresh", _PRODUCTS),
    ("GET", f"{_COMPANY}/push", _WRITING),
    ("GET", f"{_COMPANY}/push/{{pushOperationKey}}", _WRITING),
    ("PUT", f"{_CONNECTION}/authorization", "Taking over tokens is not supported by this version."),
    ("GET", f"{_CONNECTION}/options/{{dataType}}", _WRITING),
    ("GET", f"{_CONNECTION}/options/bankAccounts/{{accountId}}/bankTransactions", _WRITING),
    ("POST", f"{_CONNECTION}/push/{{dataType}}", _WRITING),
    ("PUT", f"{_CONNECTION}/push/{{dataType}}/{{recordId}}", _WRITING),
    ("DELETE", f"{_CONNECTION}/push/{{dataType}}/{{recordId}}", _WRITING),
    ("POST", f"{_CONNECTION}/push/{{dataType}}/{{recordId}}/attachment", _WRITING),
    ("POST", f"{_CONNECTION}/push/{{dataType}}/{{recordId}}/attachments", _WRITING),
    ("POST", f"{_CONNECTION}/push/bankAccounts/{{accountId}}/bankTransactions", _WRITING),
    ("PUT", f"{_DATA_TYPE}/{{dataType}}/supplementalDataConfig", _EXTRA),
    ("GET", f"{_DATA_TYPE}/{{dataType}}/supplementalDataConfig", _EXTRA),
    ("PUT", f"{_DATA_TYPE}/custom/{{customDataIdentifier}}", _CUSTOM),
    ("GET", f"{_DATA_TYPE}/custom/{{customDataIdentifier}}", _CUSTOM),
    ("POST", f"{_CONNECTION}/data/queue/custom/{{customDataIdentifier}}", _CUSTOM),
    ("GET", f"{_CONNECTION}/data/custom/{{customDataIdentifier}}", _CUSTOM),
)


def _refusal(method: str, path: str, sentence: str) -> Operation:
    def refuse(call: Call) -> bytes:
        _check(call)
        raise NotFound(sentence)

    return Operation(
        id=f"not-yet-{method.lower()}-{path}",
        method=method,
        path=path,
        tag="Not supported",
        summary=sentence,
        permission=Permission.READ_DATA,
        handle=refuse,
        is_listed=False,
    )


def _check(call: Call) -> None:
    """NotFound for a company or connection that is not there: that is said first."""
    if "companyId" not in call.names:
        return
    with call.services.db.read() as tx:
        company = companies.get(tx, call.tenant, call.company_id)
        if "connectionId" in call.names:
            connections.get(tx, call.tenant, call.connection_id, company.id)


OPERATIONS = tuple(_refusal(*one) for one in _NOT_YET)
