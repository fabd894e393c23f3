"""Reading from the source: asking for it, how it stands, what it was, and what was doubtful about it."""

from __future__ import annotations

from collections.abc import Mapping

from comptoir.access import Permission
from comptoir.api import answers
from comptoir.api.answers import Answer, Dataset, DataStatus, PullOperation
from comptoir.api.calls import Call, id_of
from comptoir.api.listing import LISTING, Page
from comptoir.api.paging import envelope, paging_of
from comptoir.api.routing import Operation, Parameter
from comptoir.errors import InvalidInput, NotFound
from comptoir.model import DATA_TYPE_KEYS
from comptoir.store import ConnectionId, companies, datasets
from comptoir.store.datasets import Warning_ as ValidationItem

__all__ = ["OPERATIONS"]

_TAG = "Refresh data"
# Keys of the platform for other kinds of source: known, and read by no integration here.
_OTHER_KINDS = (
    "banking-accountBalances",
    "banking-accounts",
    "banking-transactionCategories",
    "banking-transactions",
    "commerce-companyInfo",
    "commerce-customers",
    "commerce-disputes",
    "commerce-locations",
    "commerce-orders",
    "commerce-paymentMethods",
    "commerce-payments",
    "commerce-productCategories",
    "commerce-products",
    "commerce-taxComponents",
    "commerce-transactions",
)
_KEYS = {name.lower(): name for name in (*DATA_TYPE_KEYS, *_OTHER_KINDS)}


class ValidationResult(Answer, frozen=True, kw_only=True):
    errors: tuple[ValidationItem, ...]
    warnings: tuple[ValidationItem, ...]


def _refresh_all(call: Call) -> bytes:
    call.services.request_refresh(call.tenant, call.company_id, whole=_whole(call))
    return b""


def _whole(call: Call) -> bool:
    """Whether everything is to be read again. InvalidInput for what is neither true nor false."""
    text = call.query.get("whole", "false")
    if text.lower() not in ("true", "false"):
        raise InvalidInput(f"whole is true or false, not {text[:100]!r}.", field="whole")
    return text.lower() == "true"


def _refresh_one(call: Call) -> bytes:
    name = call.names["dataType"]
    key = _KEYS.get(name.lower(), name)
    connection = call.query.get("connectionid")
    company = call.company_id
    if key in _OTHER_KINDS:
        with call.services.db.read() as tx:
            companies.get(tx, call.tenant, company)
        platforms = ", ".join(one.name for one in call.services.integrations)
        raise NotFound(f"Datatype {key} not supported by platform(s) {platforms}")
    return answers.encode(answers.pull_operation_of(_queued(call, key, connection)))


def _queued(call: Call, key: str, connection: str | None) -> datasets.Dataset:
    wanted = id_of(connection, "Data connection {id} not found") if connection else None
    [found] = call.services.request_refresh(
        call.tenant,
        call.company_id,
        connection=None if wanted is None else ConnectionId(wanted),
        data_types=(key,),
        whole=_whole(call),
    )
    return found


def _refresh_info(call: Call) -> bytes:
    return answers.encode(answers.dataset_of(call.services, _queued(call, "company", None)))


def _status(call: Call) -> bytes:
    with call.services.db.read() as tx:
        company = companies.get(tx, call.tenant, call.company_id)
        latest = datasets.latest(tx, call.tenant, company.id)
    return answers.encode({key: answers.status_of(*latest[key]) for key in sorted(latest)})


def _history(call: Call) -> bytes:
    paging, query = paging_of(call), call.where()
    with call.services.db.read() as tx:
        company = companies.get(tx, call.tenant, call.company_id)
        page = datasets.list_page(
            tx,
            call.tenant,
            company.id,
            query=query,
            order=call.query.get("orderby"),
            page=paging.clipped,
            page_size=paging.size,
        )
    found = [answers.pull_operation_of(one) for one in page.rows]
    return envelope(call, paging, page.total, answers.encoded(found))


def _dataset(call: Call) -> datasets.Dataset:
    id_ = id_of(call.names["datasetId"], "No data set was found with ID {id}")
    with call.services.db.read() as tx:
        company = companies.get(tx, call.tenant, call.company_id)
        return datasets.get(tx, call.tenant, id_, company.id)


def _one(call: Call) -> bytes:
    return answers.encode(answers.pull_operation_of(_dataset(call)))


def _validation(call: Call) -> bytes:
    found = _dataset(call)
    return answers.encode(ValidationResult(errors=(), warnings=found.warnings))


_COMPANY = "/companies/{companyId}"
_WHOLE = Parameter(
    name="whole",
    kind="boolean",
    text="Read everything again, not only what changed, and check the books anew; not in the public API.",
)

OPERATIONS = (
    Operation(
        id="refresh-company-data",
        method="POST",
        path=f"{_COMPANY}/data/all",
        tag=_TAG,
        summary="Queue reads of all data types that are read on first link",
        permission=Permission.REFRESH_DATA,
        handle=_refresh_all,
        success=204,
        parameters=(_WHOLE,),
        fails=(400, 409),
    ),
    Operation(
        id="refresh-company-data-alias",
        method="POST",
        path=f"{_COMPANY}/data/queue/all",
        tag=_TAG,
        summary="The same under an old name",
        permission=Permission.REFRESH_DATA,
        handle=_refresh_all,
        success=204,
        fails=(409,),
        is_listed=False,
    ),
    Operation(
        id="refresh-data-type",
        method="POST",
        path=f"{_COMPANY}/data/queue/{{dataType}}",
        tag=_TAG,
        summary="Queue a read of one data type",
        permission=Permission.REFRESH_DATA,
        handle=_refresh_one,
        answer=PullOperation,
        parameters=(Parameter(name="connectionId", kind="string", text="Read over this connection."), _WHOLE),
        fails=(400, 409),
    ),
    Operation(
        id="refresh-company-info",
        method="POST",
        path=f"{_COMPANY}/data/info",
        tag="Company info",
        summary="Queue a read of the company's own details",
        permission=Permission.REFRESH_DATA,
        handle=_refresh_info,
        answer=Dataset,
        fails=(409,),
    ),
    Operation(
        id="get-company-data-status",
        method="GET",
        path=f"{_COMPANY}/dataStatus",
        tag=_TAG,
        summary="How each data type stands; those never read are left out",
        permission=Permission.READ_DATA,
        handle=_status,
        answer=Mapping[str, DataStatus],
    ),
    Operation(
        id="list-pull-operations",
        method="GET",
        path=f"{_COMPANY}/data/history",
        tag=_TAG,
        summary="List reads, newest first",
        permission=Permission.READ_DATA,
        handle=_history,
        answer=Page(PullOperation),
        parameters=LISTING,
        fails=(400,),
    ),
    Operation(
        id="get-pull-operation",
        method="GET",
        path=f"{_COMPANY}/data/history/{{datasetId}}",
        tag=_TAG,
        summary="Get a read",
        permission=Permission.READ_DATA,
        handle=_one,
        answer=PullOperation,
    ),
    Operation(
        id="get-read-validation-results",
        method="GET",
        path=f"{_COMPANY}/sync/{{datasetId}}/validation",
        tag="Read data",
        summary="What was doubtful about a read",
        permission=Permission.READ_DATA,
        handle=_validation,
        answer=ValidationResult,
    ),
)
