"""Reports: put together from what is stored when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from comptoir import model
from comptoir.access import Permission
from comptoir.api.calls import Call
from comptoir.api.records import scope_of, unreadable
from comptoir.api.routing import Operation, Parameter
from comptoir.model import SHAPES, Value, statements
from comptoir.model.aging import Periods, aged_creditors, aged_debtors
from comptoir.model.records import Instant, LocalDate
from comptoir.model.reports import AgedCreditorReport, AgedDebtorReport, BalanceSheet, CashFlowStatement, ProfitAndLoss
from comptoir.store import companies, records
from comptoir.store.query import parse

__all__ = ["OPERATIONS"]

_COMPANY = "/companies/{companyId}"
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


_STATEMENT_PARAMETERS = (
    Parameter(name="periodLength", kind="integer", text="Months in a period.", least=1, is_required=True),
    Parameter(name="periodsToCompare", kind="integer", text="How many periods.", least=1, is_required=True),
    Parameter(
        name="startMonth", kind="string", text="A day in the last month of the newest period; the newest by default."
    ),
)


class _Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement kept by the month, and how reports of any length are made of its months."""

    key: str
    words: str
    made: Callable[[Iterable[Any], statements.Asked], Value]
    answer: type[Value]


_STATEMENTS = (
    _Statement(key="balanceSheet", words="balance sheet", made=statements.balance_sheet, answer=BalanceSheet),
    _Statement(key="profitAndLoss", words="profit and loss", made=statements.profit_and_loss, answer=ProfitAndLoss),
    _Statement(
        key="cashFlowStatement", words="cash flow statement", made=statements.cash_flow, answer=CashFlowStatement
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


def _statement(statement: _Statement) -> Callable[[Call], bytes]:
    key = statement.key

    def put_together(call: Call) -> bytes:
        asked = statements.Asked(
            length=call.number("periodLength"), count=call.number("periodsToCompare"), latest=call.day("startMonth")
        )
        company, connection = scope_of(call)
        with call.services.db.read() as tx:
            is_readable = records.is_readable(tx, call.tenant, company, key, connection)
            documents = list(records.each(tx, call.tenant, company, key, parse(_LIVE), connection))
        if not is_readable:
            raise unreadable(call, key, company, connection)
        return model.encode(statement.made([model.decode(key, document) for document in documents], asked))

    return put_together


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
    for statement in _STATEMENTS:
        for prefix, base in (("connection-", "/companies/{companyId}/connections/{connectionId}"), ("", _COMPANY)):
            yield Operation(
                id=f"get-{prefix}{statement.words.replace(' ', '-')}",
                method="GET",
                path=f"{base}/data/{SHAPES[statement.key].path_word}",
                tag=_TAG,
                summary=f"Get the {statement.words}, by periods of any number of months, newest first",
                permission=Permission.READ_DATA,
                handle=_statement(statement),
                answer=statement.answer,
                parameters=_STATEMENT_PARAMETERS,
                fails=(409,),
            )
    for report in _REPORTS:
        path = f"{_COMPANY}/reports/{report.path_word}"
        yield Operation(
            id=f"get-{report.words.replace(' ', '-')}-report",
            method="GET",
            path=path,
            tag=_TAG,
            summary=f"Get the {report.words} report: what is owed on a day, by party, currency and age",
            permission=Permission.READ_DATA,
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
            permission=Permission.READ_DATA,
            handle=_is_available(report),
            answer=bool,
        )


OPERATIONS = tuple(_all())
