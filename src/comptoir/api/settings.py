"""A tenant's own settings over the API: profile, API keys, and how often and how much is synced."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from comptoir.access import ApiKey, Permission, api_keys
from comptoir.api import answers
from comptoir.api.answers import Answer, DataTypeKey
from comptoir.api.calls import Call, id_of
from comptoir.api.routing import Operation
from comptoir.errors import InvalidInput
from comptoir.model import DATA_TYPE_KEYS
from comptoir.store import companies, events, profile, tenants
from comptoir.store.profile import SyncSetting

__all__ = ["OPERATIONS"]

_TAG = "Settings"
_T = TypeVar("_T")


class Profile(Answer, frozen=True, kw_only=True):
    """`redirectUrl` may be empty: customers then end on a page of ours. No `whiteListUrls`: any host."""

    name: str
    redirect_url: str
    logo_url: str | msgspec.UnsetType = msgspec.UNSET
    icon_url: str | msgspec.UnsetType = msgspec.UNSET
    white_list_urls: tuple[str, ...] | None = ()
    confirm_company_name: bool | msgspec.UnsetType = msgspec.UNSET


class _SentProfile(Answer, frozen=True, kw_only=True):
    name: str | None = None
    redirect_url: str | None = None
    logo_url: str | None = None
    icon_url: str | None = None
    white_list_urls: tuple[str, ...] | None = None
    confirm_company_name: bool | None = None
    alert_auth_header: str | None = None


class ApiKeyDetails(Answer, frozen=True, kw_only=True):
    """`apiKey` is told whole once, when it is made; later only its last four characters."""

    id: UUID
    name: str | None
    api_key: str
    created_date: datetime
    last_used_date: datetime | None = None


class ApiKeys(Answer, frozen=True, kw_only=True):
    results: tuple[ApiKeyDetails, ...]


class CreateApiKey(Answer, frozen=True, kw_only=True):
    name: str | None = None


class SyncSettingBody(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """`syncSchedule` in hours: 0 none, 1, 24, 168 or 720. Lower `syncOrder` first."""

    data_type: DataTypeKey
    fetch_on_first_link: bool
    sync_schedule: int
    sync_order: int
    sync_from_utc: str | None = None
    sync_from_window: int | None = None
    months_to_sync: int | None = None
    is_locked: bool = False


class SyncSettings(Answer, frozen=True, kw_only=True):
    client_id: UUID
    settings: tuple[SyncSettingBody, ...]
    overrides_defaults: bool


class CompanySyncSettings(Answer, frozen=True, kw_only=True):
    company_id: UUID
    settings: tuple[SyncSettingBody, ...]
    overrides_defaults: bool


class UpdateSyncSettings(Answer, frozen=True, kw_only=True):
    """Settings of the data types named change, others stay. `overridesDefaults` false: back to the defaults."""

    settings: tuple[SyncSettingBody, ...] | None = None
    overrides_defaults: bool | None = None


class _SentSetting(Answer, frozen=True, kw_only=True):
    data_type: str
    fetch_on_first_link: bool
    sync_schedule: int
    sync_order: int
    sync_from_utc: str | None = None
    sync_from_window: int | None = None
    months_to_sync: int | None = None
    is_locked: bool | None = None


class _SentSettings(Answer, frozen=True, kw_only=True):
    settings: tuple[_SentSetting, ...] | None = None
    overrides_defaults: bool | None = None


def _get_profile(call: Call) -> bytes:
    with call.services.db.read() as tx:
        found = profile.get(tx, call.tenant, tenants.get(tx, call.tenant).name)
    return _profile(found)


def _profile(found: profile.Profile) -> bytes:
    # The header that alerts authenticate with is a secret: it is taken, and never told again.
    return answers.encode(
        Profile(
            name=found.name,
            redirect_url=found.redirect_url,
            logo_url=_set(found.logo_url),
            icon_url=_set(found.icon_url),
            white_list_urls=found.white_list_urls,
            confirm_company_name=_set(found.confirm_company_name),
        )
    )


def _set(member: _T | None) -> _T | msgspec.UnsetType:
    """What has no value is left out."""
    return msgspec.UNSET if member is None else member


def _put_profile(call: Call) -> bytes:
    sent = call.decoded(_SentProfile)
    if not sent.name or not sent.name.strip():
        raise InvalidInput("The profile needs a name.", field="name")
    if sent.redirect_url is None:
        raise InvalidInput("The profile needs a redirectUrl; it may be empty.", field="redirectUrl")
    addresses = {
        "redirectUrl": sent.redirect_url,
        "logoUrl": sent.logo_url,
        "iconUrl": sent.icon_url,
        **{f"whiteListUrls[{place}]": text for place, text in enumerate(sent.white_list_urls or ())},
    }
    for name, text in addresses.items():
        if text and not _is_web_address(text):
            raise InvalidInput(f"{name} must be an address that starts with https:// or http://.", field=name)
    with call.services.db.write() as tx:
        before = profile.get(tx, call.tenant, sent.name)
        found = profile.Profile(
            name=sent.name.strip(),
            redirect_url=sent.redirect_url,
            logo_url=sent.logo_url,
            icon_url=sent.icon_url,
            white_list_urls=sent.white_list_urls or (),
            confirm_company_name=sent.confirm_company_name,
            alert_auth_header=before.alert_auth_header if sent.alert_auth_header is None else sent.alert_auth_header,
        )
        profile.put(tx, call.tenant, found)
        events.audit(tx, call.tenant, call.actor, "profile.changed", None, call.now)
    return _profile(found)


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme.lower() in ("https", "http") and bool(parts.netloc)


def _key(found: ApiKey, text: str | None = None) -> ApiKeyDetails:
    return ApiKeyDetails(
        id=UUID(found.id),
        name=found.name,
        api_key=text or f"****{found.last4}",
        created_date=found.created,
        last_used_date=found.last_used,
    )


def _list_keys(call: Call) -> bytes:
    with call.services.db.read() as tx:
        found = api_keys.all_keys(tx, call.tenant)
    return answers.encode(ApiKeys(results=tuple(map(_key, found))))


def _create_key(call: Call) -> bytes:
    name = call.decoded(CreateApiKey).name if call.body.strip() else None  # a key needs no name, so no body either
    with call.services.db.write() as tx:
        found, text = api_keys.add(tx, call.tenant, name, call.now)
        events.audit(tx, call.tenant, call.actor, "apiKey.made", found.id, call.now, detail=found.name)
    return answers.encode(_key(found, text))


def _delete_key(call: Call) -> bytes:
    id_ = id_of(call.names["apiKeyId"], "No API key was found with ID {id}")
    with call.services.db.write() as tx:
        api_keys.delete(tx, call.tenant, id_)
        events.audit(tx, call.tenant, call.actor, "apiKey.deleted", id_, call.now)
    return b""


def _settings(found: tuple[SyncSetting, ...]) -> tuple[SyncSettingBody, ...]:
    return msgspec.convert(found, tuple[SyncSettingBody, ...], from_attributes=True)


def _get_settings(call: Call) -> bytes:
    with call.services.db.read() as tx:
        found = profile.sync_settings(tx, call.tenant)
        own = profile.overridden(tx, call.tenant)
    answer = SyncSettings(client_id=UUID(call.tenant), settings=_settings(found), overrides_defaults=own)
    return answers.encode(answer)


def _get_company_settings(call: Call) -> bytes:
    with call.services.db.read() as tx:
        company = companies.get(tx, call.tenant, call.company_id)
        found = profile.sync_settings(tx, call.tenant, company.id)
        own = profile.overridden(tx, call.tenant, company.id)
    answer = CompanySyncSettings(company_id=UUID(company.id), settings=_settings(found), overrides_defaults=own)
    return answers.encode(answer)


def _sent_settings(call: Call) -> tuple[SyncSetting, ...] | None:
    """The settings to change; None to go back to what stands above."""
    sent = call.decoded(_SentSettings)
    if sent.overrides_defaults is False:
        return None
    if sent.settings is None:
        raise InvalidInput("Name the settings to change, in `settings`.", field="settings")
    return tuple(map(_setting, sent.settings))


def _setting(sent: _SentSetting) -> SyncSetting:
    key = next((name for name in DATA_TYPE_KEYS if name.lower() == sent.data_type.lower()), sent.data_type)
    try:
        since = None if sent.sync_from_utc is None else _utc(sent.sync_from_utc)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"syncFromUtc of {key} is not a date.", field="syncFromUtc") from error
    for name, number in (
        ("syncOrder", sent.sync_order),
        ("syncFromWindow", sent.sync_from_window),
        ("monthsToSync", sent.months_to_sync),
    ):
        if number is not None and not 0 <= number <= 1_000_000:
            raise InvalidInput(f"{name} of {key} is out of range.", field=name)
    is_report = key in profile.REPORTS
    return SyncSetting(
        data_type=key,
        fetch_on_first_link=sent.fetch_on_first_link,
        sync_schedule=sent.sync_schedule,
        sync_order=sent.sync_order,
        # Reports are kept by months, everything else by the source's dates: the other kind says nothing.
        sync_from_utc=None if is_report else since,
        sync_from_window=None if is_report or since is not None else sent.sync_from_window,
        months_to_sync=(sent.months_to_sync or 24) if is_report else None,
    )


def _utc(text: str) -> str:
    """A date in any form of ISO 8601 in the one form that is told; without a zone it is taken as UTC."""
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat().replace("+00:00", "Z")


def _post_settings(call: Call) -> bytes:
    sent = _sent_settings(call)
    with call.services.db.write() as tx:
        profile.put_sync_settings(tx, call.tenant, sent, keep_times=True)
        events.audit(tx, call.tenant, call.actor, "syncSettings.changed", None, call.now)
    return b""


def _post_company_settings(call: Call) -> bytes:
    company_id, sent = call.company_id, _sent_settings(call)
    with call.services.db.write() as tx:
        company = companies.get(tx, call.tenant, company_id)
        profile.put_sync_settings(tx, call.tenant, sent, company.id, keep_times=True)
        events.audit(tx, call.tenant, call.actor, "syncSettings.changed", company.id, call.now)
    return b""


_SYNC = "/profile/syncSettings"
_COMPANY_SYNC = "/companies/{companyId}/syncSettings"

OPERATIONS = (
    Operation(
        id="get-profile",
        method="GET",
        path="/profile",
        tag=_TAG,
        summary="Get the profile",
        permission=Permission.READ_DATA,
        handle=_get_profile,
        answer=Profile,
    ),
    Operation(
        id="update-profile",
        method="PUT",
        path="/profile",
        tag=_TAG,
        summary="Replace the profile",
        permission=Permission.MANAGE_SETTINGS,
        handle=_put_profile,
        answer=Profile,
        body=Profile,
        fails=(400,),
    ),
    Operation(
        id="list-api-keys",
        method="GET",
        path="/apiKeys",
        tag=_TAG,
        summary="List API keys",
        permission=Permission.MANAGE_KEYS,
        handle=_list_keys,
        answer=ApiKeys,
    ),
    Operation(
        id="create-api-key",
        method="POST",
        path="/apiKeys",
        tag=_TAG,
        summary="Create an API key",
        permission=Permission.MANAGE_KEYS,
        handle=_create_key,
        success=201,
        answer=ApiKeyDetails,
        body=CreateApiKey,
        fails=(400, 409),
    ),
    Operation(
        id="delete-api-key",
        method="DELETE",
        path="/apiKeys/{apiKeyId}",
        tag=_TAG,
        summary="Revoke an API key at once",
        permission=Permission.MANAGE_KEYS,
        handle=_delete_key,
        success=204,
        fails=(409,),
    ),
    Operation(
        id="get-profile-syncSettings",
        method="GET",
        path=_SYNC,
        tag=_TAG,
        summary="Get the default sync settings",
        permission=Permission.READ_DATA,
        handle=_get_settings,
        answer=SyncSettings,
    ),
    Operation(
        id="update-profile-syncSettings",
        method="POST",
        path=_SYNC,
        tag=_TAG,
        summary="Change the default sync settings",
        permission=Permission.MANAGE_SETTINGS,
        handle=_post_settings,
        success=204,
        body=UpdateSyncSettings,
        fails=(400,),
    ),
    Operation(
        id="get-company-syncSettings",
        method="GET",
        path=_COMPANY_SYNC,
        tag="Companies",
        summary="Get a company's sync settings",
        permission=Permission.READ_DATA,
        handle=_get_company_settings,
        answer=CompanySyncSettings,
    ),
    Operation(
        id="set-company-syncSettings",
        method="POST",
        path=_COMPANY_SYNC,
        tag="Companies",
        summary="Change a company's sync settings",
        permission=Permission.MANAGE_SETTINGS,
        handle=_post_company_settings,
        success=204,
        body=UpdateSyncSettings,
        fails=(400,),
    ),
)
