"""Reports: worked out from what is stored when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from comptoir import model
from comptoir.api.calls import Call
from comptoir.api.records import unreadable
from comptoir.api.routing import Operation, Parameter
from comptoir.model import Value
from comptoir.model.aging import Periods, aged_creditors, aged_debtors
from comptoir.model.records import Instant, LocalDate
from comptoir.model.reports import AgedCreditorReport, AgedDebtorReport
from comptoir.store import companies, records
from comptoir.store.query import parse

__all__ = ["OPERATIONS"]

_TAG = "Reports"
_LIVE = "metadata.isDeleted=false"
_MOST_PERIODS, _LONGEST_PERIOD = 120, 366
_AGED_PARAMETERS = (
    Parameter(name="reportDate", kind="string", text="The day that ages are counted back from; today by default."),
    Parameter(
        name="numberOfPeriods", kind="integer", text="How many periods; 4 by default.", least=1, most=_MOST_PERIODS
    ),
    Parameter(
        name="periodLengthDays", kind="integer", text="Days in a period; 30 by default.", least=1, most=_LONGEST_PERIOD
    ),
)


class _Aged(msgspec.Struct, frozen=True, kw_only=True):
    """One aged report: the documents it is made from, debts first, and how."""

    path_word: str
    words: str
    one_or_many: str  # how the contract's names of its two operations spell it
    made_from: tuple[str, str]
    ages: Callable[[Iterable[Any], Iterable[Any], Periods], list[Any]]
    answer: Callable[..., Value]


_REPORTS = (
    _Aged(
        path_word="agedDebtor",
        words="aged debtors",
        one_or_many="aged-debtor",
        made_from=("invoices", "creditNotes"),
        ages=aged_debtors,
        answer=AgedDebtorReport,
    ),
    _Aged(
        path_word="agedCreditor",
        words="aged creditors",
        one_or_many="aged-creditors",
        made_from=("bills", "billCreditNotes"),
        ages=aged_creditors,
        answer=AgedCreditorReport,
    ),
)


def _aged(report: _Aged) -> Callable[[Call], bytes]:
    def aged(call: Call) -> bytes:
        periods = Periods(
            on=call.day("reportDate") or call.now.date(),
            count=call.number("numberOfPeriods", 4, _MOST_PERIODS),
            days=call.number("periodLengthDays", 30, _LONGEST_PERIOD),
        )
        if missing := _missing(call, report):
            raise unreadable(call, missing[0], call.company_id, None)
        with call.services.db.read() as tx:  # debts and credits of one moment

            def documents(data_type: str) -> Iterator[Any]:
                for document in records.each(tx, call.tenant, call.company_id, data_type, parse(_LIVE)):
                    yield model.decode(data_type, document)

            debts, credits_ = map(documents, report.made_from)
            data = report.ages(debts, credits_, periods)
        return model.encode(
            report.answer(
                report_date=LocalDate(f"{periods.on.isoformat()}T00:00:00"),
                generated=Instant(f"{call.now.replace(tzinfo=None).isoformat(timespec='seconds')}Z"),
                data=tuple(data),
            )
        )

    return aged


def _missing(call: Call, report: _Aged) -> list[str]:
    """The data types that the report is made from and that were not read yet."""
    db, tenant, company = call.services.db, call.tenant, call.company_id
    return [name for name in report.made_from if not records.is_readable(db, tenant, company, name)]


def _is_available(report: _Aged) -> Callable[[Call], bytes]:
    def is_available(call: Call) -> bytes:
        with call.services.db.read() as tx:
            companies.get(tx, call.tenant, call.company_id)
        return b"false" if _missing(call, report) else b"true"

    return is_available


def _all() -> Iterator[Operation]:
    for report in _REPORTS:
        path = f"/companies/{{companyId}}/reports/{report.path_word}"
        yield Operation(
            id=f"get-{report.words.replace(' ', '-')}-report",
            method="GET",
            path=path,
            tag=_TAG,
            summary=f"Get the {report.words} report: what is owed on a day, by party, currency and age",
            handle=_aged(report),
            answer=report.answer,
            parameters=_AGED_PARAMETERS,
            fails=(409,),
        )
        yield Operation(
            id=f"is-{report.one_or_many}-report-available",
            method="GET",
            path=f"{path}/available",
            tag=_TAG,
            summary=f"Whether the {report.words} report is available",
            handle=_is_available(report),
            answer=bool,
        )


OPERATIONS = tuple(_all())
