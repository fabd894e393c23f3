"""What an integration covers: each member of each data type, the members of the source it comes from, or why not."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from comptoir.access import Permission
from comptoir.api import answers
from comptoir.api.answers import Answer, DataTypeKey
from comptoir.api.calls import Call
from comptoir.api.routing import Operation
from comptoir.errors import NotFound
from comptoir.integrations.contract import Covered, Integration

__all__ = ["OPERATIONS", "Coverage", "coverage_of"]


class Reading(StrEnum):
    READ = "Read"
    NOT_SUPPORTED = "NotSupported"


class Writing(StrEnum):
    NOT_YET = "NotYet"


class CoveredMember(Answer, frozen=True, kw_only=True):
    """`sources` are members of the resources of the source, likewise by their paths; `remark` says what is made of
    them, or why there is none."""

    path: str
    read: Reading
    write: Writing
    sources: tuple[str, ...] = ()
    remark: str | None = None


class CoveredDataType(Answer, frozen=True, kw_only=True):
    data_type: DataTypeKey
    access_level: int
    members: tuple[CoveredMember, ...]


class Use(StrEnum):
    """What becomes of a resource: records are made from it, or with it, it is kept as it came, or it is not read."""

    MADE_FROM = "MadeFrom"
    MADE_WITH = "MadeWith"
    KEPT = "Kept"
    NOT_READ = "NotRead"


class CoveredResource(Answer, frozen=True, kw_only=True):
    """`dataTypes` are those made from it, or else with it; `remark` says why it is not read."""

    resource: str
    use: Use
    access_level: int | None = None
    data_types: tuple[DataTypeKey, ...] = ()
    remark: str | None = None


class Coverage(Answer, frozen=True, kw_only=True):
    key: str
    name: str
    resources: tuple[CoveredResource, ...]
    data_types: tuple[CoveredDataType, ...]


def coverage_of(declared: Integration) -> Coverage:
    """The whole table of an integration, in the order of its data types."""
    return Coverage(
        key=declared.key,
        name=declared.name,
        resources=tuple(_resources(declared)),
        data_types=tuple(
            CoveredDataType(
                data_type=DataTypeKey(one.name),
                access_level=one.access_level,
                members=tuple(map(_member, declared.coverage.get(one.name, ()))),
            )
            for one in declared.data_types
        ),
    )


def _resources(declared: Integration) -> Iterator[CoveredResource]:
    for one in declared.resources:
        made_from = [each for each in declared.data_types if any(made.resource == one.name for made in each.made_from)]
        made_with = [each for each in declared.data_types if any(used.resource == one.name for used in each.sources)]
        yield CoveredResource(
            resource=one.name,
            use=Use.MADE_FROM if made_from else Use.MADE_WITH if made_with else Use.KEPT,
            access_level=one.access_level,
            data_types=tuple(DataTypeKey(each.name) for each in made_from or made_with),
        )
    for name, why in declared.not_read.items():
        yield CoveredResource(resource=name, use=Use.NOT_READ, remark=why)


def _member(one: Covered) -> CoveredMember:
    return CoveredMember(
        path=one.path,
        read=Reading.READ if one.why is None else Reading.NOT_SUPPORTED,
        write=Writing.NOT_YET,
        sources=one.sources,
        remark=one.how or one.why,
    )


def _get(call: Call) -> bytes:
    key = call.names["platformKey"]
    declared = call.services.integration(key)
    if declared is None:
        raise NotFound(f"No integration was found with key {key}")
    return answers.encode(coverage_of(declared))


OPERATIONS = (
    Operation(
        id="get-integration-coverage",
        method="GET",
        path="/integrations/{platformKey}/coverage",
        tag="Integrations",
        summary="Where each member of each data type comes from",
        permission=Permission.READ_DATA,
        handle=_get,
        answer=Coverage,
    ),
)
