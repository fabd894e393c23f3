"""What is sent back for our own things: companies, connections, integrations, datasets. Records are stored as sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from comptoir.api.services import ApiServices
from comptoir.integrations.contract import Feature
from comptoir.integrations.contract import Integration as Declared
from comptoir.model import DATA_TYPE_KEYS
from comptoir.store import companies, connections, datasets
from comptoir.store.connections import ConnectionError_ as DataConnectionError
from comptoir.store.connections import ConnectionStatus

__all__ = [
    "Company",
    "Connection",
    "DataStatus",
    "DataTypeKey",
    "Dataset",
    "Integration",
    "PullOperation",
    "company_of",
    "connection_of",
    "integration_of",
    "pull_operation_of",
    "status_of",
]

DataTypeKey = StrEnum("DataTypeKey", {name: name for name in DATA_TYPE_KEYS})  # type: ignore[misc]  # made from the table of keys
encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A body of our own: members in camelCase."""


class Connection(Answer, frozen=True, kw_only=True):
    id: UUID
    integration_id: UUID
    integration_key: str
    source_id: UUID
    source_type: str
    platform_name: str
    link_url: str
    status: ConnectionStatus
    last_sync: datetime | msgspec.UnsetType = msgspec.UNSET
    created: datetime
    data_connection_errors: tuple[DataConnectionError, ...] = ()
    connection_info: dict[str, str] | None = None


class Reference(Answer, frozen=True, kw_only=True):
    id: UUID
    name: str


class Company(Answer, frozen=True, kw_only=True):
    id: UUID
    name: str
    description: str | msgspec.UnsetType = msgspec.UNSET
    redirect: str
    last_sync: datetime | msgspec.UnsetType = msgspec.UNSET
    created: datetime
    created_by_user_name: str | None = None
    products: tuple[str, ...] = ()
    tags: dict[str, str]
    owner_user_ids: tuple[UUID, ...] = ()
    reference_parent_company: Reference | msgspec.UnsetType = msgspec.UNSET
    reference_subsidiary_companies: tuple[Reference, ...] = ()
    data_connections: tuple[Connection, ...]


class FeatureState(StrEnum):
    RELEASE = "Release"
    NOT_IMPLEMENTED = "NotImplemented"


class SupportedFeature(Answer, frozen=True, kw_only=True):
    feature_type: str
    feature_state: FeatureState


class DataTypeFeature(Answer, frozen=True, kw_only=True):
    data_type: DataTypeKey
    supported_features: tuple[SupportedFeature, ...]


class Integration(Answer, frozen=True, kw_only=True):
    key: str
    logo_url: str
    name: str
    enabled: bool
    source_id: UUID
    source_type: str
    integration_id: UUID
    is_offline_connector: bool = False
    is_beta: bool = False
    data_provided_by: str
    datatype_features: tuple[DataTypeFeature, ...]


class PullOperation(Answer, frozen=True, kw_only=True):
    """A read of one data type: `isCompleted` only on success, `isErrored` in any state of failure."""

    id: UUID
    company_id: UUID
    connection_id: UUID
    data_type: str
    status: datasets.Status
    status_description: str | None = None
    error_message: str | None = None
    requested: datetime
    completed: datetime | msgspec.UnsetType = msgspec.UNSET
    progress: int
    is_completed: bool
    is_errored: bool


class Dataset(PullOperation, frozen=True, kw_only=True):
    dataset_logs_url: str | None = None
    validation_information_url: str | None = None


class DataStatus(Answer, frozen=True, kw_only=True):
    data_type: str
    current_status: datasets.Status
    last_successful_sync: datetime | msgspec.UnsetType = msgspec.UNSET
    latest_sync_id: UUID
    latest_successful_sync_id: UUID | msgspec.UnsetType = msgspec.UNSET


def _set(moment: datetime | None) -> datetime | msgspec.UnsetType:
    return msgspec.UNSET if moment is None else moment


def connection_of(services: ApiServices, found: connections.Connection) -> Connection:
    declared = services.integration(found.integration_key)
    assert declared is not None, "a connection to an integration that is gone"
    info = {
        "sourceCompanyId": found.source_company_id,
        "sourceCompanyName": found.source_company_name,
        "accessLevel": found.access_name,
    }
    known = {name: text for name, text in info.items() if text is not None}
    return Connection(
        id=UUID(found.id),
        integration_id=declared.integration_id,
        integration_key=declared.key,
        source_id=declared.source_id,
        source_type=declared.source_type,
        platform_name=declared.name,
        link_url=f"{services.link_url}/companies/{found.company_id}/connections/{found.id}/start",
        status=found.status,
        last_sync=_set(found.last_sync),
        created=found.created,
        data_connection_errors=found.errors,
        connection_info=known or None,
    )


def company_of(services: ApiServices, found: companies.Company, linked: Iterable[connections.Connection]) -> Company:
    theirs = sorted(linked, key=lambda one: (one.created, one.id))
    syncs = [one.last_sync for one in theirs if one.last_sync is not None]
    return Company(
        id=UUID(found.id),
        name=found.name,
        description=msgspec.UNSET if found.description is None else found.description,
        redirect=f"{services.link_url}/company/{found.id}",
        last_sync=_set(max(syncs, default=None)),
        created=found.created,
        created_by_user_name=found.created_by,
        tags=found.tags,
        data_connections=tuple(connection_of(services, one) for one in theirs),
    )


def integration_of(services: ApiServices, declared: Declared, *, enabled: bool) -> Integration:
    return Integration(
        key=declared.key,
        logo_url=f"{services.api_url}/integrations/{declared.key}/images/square.svg",
        name=declared.name,
        enabled=enabled,
        source_id=declared.source_id,
        source_type=declared.source_type,
        integration_id=declared.integration_id,
        data_provided_by=declared.name,
        datatype_features=_features(declared),
    )


_READING = set(Feature) - {Feature.POST, Feature.PUT, Feature.DELETE}


def _features(declared: Declared) -> tuple[DataTypeFeature, ...]:
    return tuple(
        DataTypeFeature(
            data_type=DataTypeKey(data_type.name),
            supported_features=tuple(
                # What the endpoints really answer: reading is served, writing comes later.
                SupportedFeature(
                    feature_type=feature.value,
                    feature_state=FeatureState.RELEASE if feature in _READING else FeatureState.NOT_IMPLEMENTED,
                )
                for feature in sorted(data_type.features)
            ),
        )
        for data_type in declared.data_types
    )


def pull_operation_of(found: datasets.Dataset) -> PullOperation:
    return PullOperation(
        id=UUID(found.id),
        company_id=UUID(found.company_id),
        connection_id=UUID(found.connection_id),
        data_type=found.data_type,
        status=found.status,
        status_description=found.status_description,
        error_message=found.error_message,
        requested=found.requested,
        completed=_set(found.completed),
        progress=found.progress,
        is_completed=found.status is datasets.Status.COMPLETE,
        is_errored=found.status.is_error,
    )


def dataset_of(services: ApiServices, found: datasets.Dataset) -> Dataset:
    findings = f"{services.api_url}/companies/{found.company_id}/sync/{found.id}/validation"
    return Dataset(**msgspec.structs.asdict(pull_operation_of(found)), validation_information_url=findings)


def status_of(latest: datasets.Dataset, successful: datasets.Dataset | None) -> DataStatus:
    return DataStatus(
        data_type=latest.data_type,
        current_status=latest.status,
        last_successful_sync=_set(successful.completed if successful else None),
        latest_sync_id=UUID(latest.id),
        latest_successful_sync_id=UUID(successful.id) if successful else msgspec.UNSET,
    )


def encoded(found: Sequence[Answer]) -> list[bytes]:
    return [encode(one) for one in found]
