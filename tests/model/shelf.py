"""A small set of true books, written out by hand, that tests plant errors in.

Records are JSON as the public API writes it; beside them stands what their source says. One company in sterling with
an account in dollars: documents open, part-paid, paid, drafted, written off and withheld from, in both currencies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from copy import deepcopy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from comptoir.model import SHAPES, encode
from comptoir.model.identities import (
    BankFigures,
    Cash,
    Figures,
    LedgerFacts,
    Line,
    Movement,
    Profit,
    Redated,
    Reported,
    Sheet,
    SourceFacts,
    Standing,
    check,
)
from comptoir.model.records import decoder
from comptoir.store.pile import Pile

__all__ = ["Shelf"]

_T = TypeVar("_T")

Document = dict[str, Any]
_DAY = "2024-05-14T00:00:00"
_VAT = {"id": "taxable-20", "name": "VAT 20%", "effectiveTaxRate": 20}
_UNTAXED = {"id": "out-of-scope", "effectiveTaxRate": 0}
_NO_TAX = {"id": "reverse-charge-20", "effectiveTaxRate": 0}
_MAIN = {"id": "738783", "name": "Main"}
_CUSTOMER = {"id": "4410021"}
_SUPPLIER = {"id": "4410045"}


def _line(net: float, tax: float, account: str = "001", rate: Document | None = None, **more: Any) -> Document:
    given = {"unitAmount": net, "quantity": 1, "subTotal": net, "taxAmount": tax, "totalAmount": round(net + tax, 2)}
    return given | {"accountRef": {"id": account}, "taxRateRef": rate or (_VAT if tax else _UNTAXED)} | more


def _allocated(
    payment: str, amount: float, paid: float = 0, currency: str = "GBP", account: Document | None = None
) -> Document:
    said: Document = {"id": payment, "currency": "GBP", "paidOnDate": _DAY, "totalAmount": paid}
    if account is not None:
        said["accountRef"] = account
    return {
        "payment": said,
        "allocation": {"currency": currency, "allocatedOnDate": _DAY, "totalAmount": amount},
    }


def _paid(id_: str, total: float, *links: Document, bank: bool = True, **party: Any) -> Document:
    line = {"amount": total, "allocatedOnDate": _DAY, "links": list(links)}
    found: Document = {"id": id_, "totalAmount": total, "currency": "GBP", "date": _DAY, "lines": [line]} | party
    return found | {"accountRef": _MAIN} if bank else found


def _link(type_: str, id_: str | None, amount: float, rate: float = 1) -> Document:
    return {"type": type_, "amount": amount, "currencyRate": rate} | ({"id": id_} if id_ else {})


def _direct(id_: str, net: float, tax: float, account: str, paid_from: str = "738783") -> Document:
    total = round(net + tax, 2)
    one = _allocated(id_, total, total, account={"id": paid_from})
    return {
        "id": id_,
        "issueDate": _DAY,
        "currency": "GBP",
        "lineItems": [_line(net, tax, account)],
        "paymentAllocations": [one],
        "subTotal": net,
        "taxAmount": tax,
        "totalAmount": total,
    }


def _invoice(id_: str, net: float, tax: float, due: float, status: str, **more: Any) -> Document:
    found: Document = {
        "id": id_,
        "customerRef": _CUSTOMER,
        "issueDate": _DAY,
        "currency": "GBP",
        "lineItems": [_line(net, tax)],
        "subTotal": net,
        "totalTaxAmount": tax,
        "totalAmount": round(net + tax, 2),
        "amountDue": due,
        "totalDiscount": 0,
        "discountPercentage": 0,
        "status": status,
    }
    return found | more


def _bill(id_: str, net: float, tax: float, due: float, status: str, **more: Any) -> Document:
    found: Document = {
        "id": id_,
        "supplierRef": _SUPPLIER,
        "issueDate": _DAY,
        "currency": "GBP",
        "lineItems": [_line(net, tax, "104")],
        "subTotal": net,
        "taxAmount": tax,
        "totalAmount": round(net + tax, 2),
        "amountDue": due,
        "status": status,
    }
    return found | more


def _account(id_: str, type_: str, balance: float | None = None, *, is_bank: bool = False) -> Document:
    found: Document = {"id": id_, "name": id_, "type": type_, "status": "Active", "isBankAccount": is_bank}
    return found if balance is None else found | {"currentBalance": balance}


_LATER = "2024-05-20T00:00:00"
# What each record posted, debit positive, and on which day if not on that of all others.
_POSTED: Mapping[str, tuple[str, str, str, Mapping[str, str]]] = {
    "opening-balances": ("", "", _DAY, {"738783": "100", "999": "-100"}),
    "invoices-5150077": ("invoices", "5150077", _DAY, {"681": "810", "001": "-675", "817": "-135"}),
    "invoices-5150090": ("invoices", "5150090", _DAY, {"681": "1000", "062": "-1000"}),
    "invoices-5150093": ("invoices", "5150093", _DAY, {"681": "60", "001": "-50", "817": "-10"}),
    "invoices-5150097": ("invoices", "5150097", _DAY, {"681": "240", "001": "-200", "817": "-40"}),
    "invoices-5150097-20240520": ("invoices", "5150097", _LATER, {"450": "240", "681": "-240"}),
    "invoices-5150120": ("invoices", "5150120", _DAY, {"681": "938.4", "001": "-938.4"}),
    "credit_notes-5150101": ("creditNotes", "5150101", _DAY, {"681": "-120", "001": "100", "817": "20"}),
    "bills-7300456": ("bills", "7300456", _DAY, {"104": "600", "817": "120", "796": "-720"}),
    "bills-7300470": ("billCreditNotes", "7300470", _DAY, {"104": "-80", "817": "-16", "796": "96"}),
    "expenses-880012": ("directCosts", "exp-880012", _DAY, {"285": "60", "905-1": "-60"}),
    "paid-99120044": ("payments", "99120044", _DAY, {"738783": "400", "681": "-400"}),
    "paid-99120061": ("payments", "99120061", _DAY, {"738783": "800", "814": "200", "681": "-1000"}),
    "paid-99120070": ("payments", "99120070", _DAY, {"738783": "938.4", "681": "-938.4"}),
    # What is withheld of the bill's open half stands among the creditors until it is paid.
    "paid-99130007": ("billPayments", "99130007", _DAY, {"738783": "-310", "796": "360", "814": "-50"}),
    "paid-99130031": ("billPayments", "99130031", _DAY, {"738783": "96", "796": "-96"}),
    "paid-99140001": ("directCosts", "99140001", _DAY, {"738783": "-58.8", "285": "49", "817": "9.8"}),
    "paid-99150001": ("directIncomes", "99150001", _DAY, {"738783": "5", "001": "-5"}),
    "paid-99160010": ("transfers", "99160010", _DAY, {"738783": "-500", "738790": "500"}),
}
_TOTALS: Mapping[str, Decimal] = {
    account: sum((Decimal(lines[account]) for *_, lines in _POSTED.values() if account in lines), Decimal(0))
    for account in sorted({account for *_, lines in _POSTED.values() for account in lines})
}
_TYPES = {
    **dict.fromkeys(("001", "062"), "Income"),
    **dict.fromkeys(("104", "285", "450"), "Expense"),
    **dict.fromkeys(("796", "814", "817", "905-1", "999"), "Liability"),
    "681": "Asset",
    "968": "Equity",
}


def _standing(account: str, type_: str) -> float:
    """Its balance, positive on its usual side."""
    total = _TOTALS.get(account, Decimal(0))
    return float(total if type_ in ("Asset", "Expense") else -total)


def _group(name: str, **accounts: float) -> Document:
    items = [
        {"accountId": one.lstrip("a").replace("_", "-"), "value": value, "items": []} for one, value in accounts.items()
    ]
    return {"name": name, "value": round(sum(accounts.values()), 2), "items": items}


def _profit_and_loss(month: str, last: str, income: Document, sold: Document, spent: Document) -> Document:
    gross = round(income["value"] - sold["value"], 2)
    profit = round(gross - spent["value"], 2)
    report = {
        "fromDate": f"{month}-01T00:00:00",
        "toDate": f"{last}T00:00:00",
        "income": income,
        "costOfSales": sold,
        "grossProfit": gross,
        "expenses": spent,
        "netOperatingProfit": profit,
        "otherExpenses": _group("Other expenses"),
        "otherIncome": _group("Other income"),
        "netOtherIncome": 0,
        "netProfit": profit,
    }
    return {"id": month, "currency": "GBP", "reportBasis": "Accrual", "report": report}


def _balance_sheet(month: str, last: str, assets: Document, owed: Document, retained: float) -> Document:
    report = {
        "date": f"{last}T00:00:00",
        "assets": {"name": "Assets", "value": assets["value"], "items": [assets]},
        "liabilities": {"name": "Liabilities", "value": owed["value"], "items": [owed]},
        "netAssets": retained,
        "equity": _group("Equity", a968=retained),
    }
    return {"id": month, "currency": "GBP", "report": report}


def _entry(id_: str, data_type: str, record: str, day: str, lines: Mapping[str, str]) -> Document:
    found: Document = {
        "id": id_,
        "postedOn": day,
        "journalRef": {"id": "general-ledger"},
        "journalLines": [{"netAmount": float(amount), "accountRef": {"id": one}} for one, amount in lines.items()],
    }
    return found | ({"recordRef": {"id": record, "dataType": data_type}} if record else {})


def _bank_line(id_: str, account: str, amount: float, data_type: str = "", record: str = "") -> Document:
    named = [{"recordRef": {"id": record, "dataType": data_type}, "amount": amount}] if record else []
    return {
        "id": id_,
        "bankAccountRef": {"id": account},
        "date": _DAY,
        "status": "Reconciled",
        "lines": named,
        "totalAmount": amount,
    }


_TRACKED: Document = {
    "trackingCategoryRefs": [{"id": "520018"}],
    "tracking": {
        "categoryRefs": [{"id": "520018"}],
        "projectRef": {"id": "520018"},
        "customerRef": _CUSTOMER,
        "isBilledTo": "Project",
        "isRebilledTo": "NotApplicable",
    },
}
_DISCOUNTED = _line(675, 135, unitAmount=62.5, quantity=12, discountAmount=75, discountPercentage=10, **_TRACKED)
_BOOKS: Mapping[str, tuple[Document, ...]] = {
    "company": ({"companyName": "Bramble Ltd", "baseCurrency": "GBP"},),
    "chartOfAccounts": (
        *(_account(id_, type_, _standing(id_, type_)) for id_, type_ in _TYPES.items()),
        _account("738783", "Asset", is_bank=True),
        _account("738790", "Asset", is_bank=True),
    ),
    "bankAccounts": (
        {"id": "738783", "accountType": "Debit", "currency": "GBP", "balance": 1470.2},
        {"id": "738790", "accountType": "Debit", "currency": "USD", "balance": 620},
    ),
    "customers": ({"id": "4410021", "status": "Active"}, {"id": "4410045", "status": "Active"}),
    "suppliers": ({"id": "4410021", "status": "Active"}, {"id": "4410045", "status": "Active"}),
    "taxRates": tuple({"id": id_, "status": "Active"} for id_ in ("out-of-scope", "reverse-charge-20", "taxable-20")),
    "items": (
        {
            "id": "stock-1",
            "itemStatus": "Active",
            "type": "Inventory",
            "isInvoiceItem": True,
            "invoiceItem": {"accountRef": {"id": "001"}, "taxRateRef": {"id": "taxable-20"}},
            "isBillItem": False,
        },
    ),
    "trackingCategories": ({"id": "520018", "name": "Fit-out", "hasChildren": False, "status": "Active"},),
    "invoices": (
        _invoice(
            "5150077",
            675,
            135,
            340,
            "PartiallyPaid",
            lineItems=[_DISCOUNTED],
            totalDiscount=75,
            discountPercentage=10,
            paymentAllocations=[_allocated("99120044", 400, 400, account=_MAIN), _allocated("cnr-31007", 70)],
        ),
        _invoice(
            "5150090",  # 20 per cent of 1,000 withheld, nothing paid but the rest
            1000,
            0,
            0,
            "Paid",
            lineItems=[_line(1000, 0, "062", _NO_TAX)],
            withholdingTax=[{"name": "CIS deduction 20%", "amount": 200}],
            paymentAllocations=[_allocated("99120061", 800, 800, account=_MAIN)],
        ),
        _invoice("5150093", 50, 10, 60, "Submitted"),
        _invoice("5150095", 80, 16, 96, "Draft"),
        _invoice("5150097", 200, 40, 0, "Void", paymentAllocations=[_allocated("wo-5150097", 240)]),
        _invoice(
            "5150120",  # dollars paid into sterling
            1200,
            0,
            0,
            "Paid",
            currency="USD",
            currencyRate=0.782,
            paymentAllocations=[_allocated("99120070", 1200, 938.4, currency="USD", account=_MAIN)],
        ),
    ),
    "creditNotes": (
        {
            "id": "5150101",
            "issueDate": _DAY,
            "customerRef": _CUSTOMER,
            "currency": "GBP",
            "lineItems": [_line(100, 20)],
            "subTotal": 100,
            "totalTaxAmount": 20,
            "totalAmount": 120,
            "totalDiscount": 0,
            "discountPercentage": 0,
            "remainingCredit": 50,
            "status": "PartiallyPaid",
            "paymentAllocations": [_allocated("cnr-31007", 70)],
        },
    ),
    "bills": (
        _bill(
            "7300456",  # 20 per cent of 500 for labour withheld, half of the rest paid
            600,
            120,
            310,
            "PartiallyPaid",
            lineItems=[_line(500, 100, "104"), _line(100, 20, "104")],
            withholdingTax=[{"name": "CIS deduction 20%", "amount": 100}],
            paymentAllocations=[_allocated("99130007", 310, 310, account=_MAIN)],
        ),
    ),
    "billCreditNotes": (
        {
            "id": "7300470",
            "issueDate": _DAY,
            "supplierRef": _SUPPLIER,
            "currency": "GBP",
            "lineItems": [_line(80, 16, "104")],
            "subTotal": 80,
            "totalTaxAmount": 16,
            "totalAmount": 96,
            "totalDiscount": 0,
            "discountPercentage": 0,
            "remainingCredit": 0,
            "status": "Paid",
            "paymentAllocations": [_allocated("99130031", 96, -96, account=_MAIN)],
        },
    ),
    "payments": (
        _paid("99120044", 400, _link("Invoice", "5150077", -400), customerRef=_CUSTOMER),
        _paid("99120061", 800, _link("Invoice", "5150090", -800), customerRef=_CUSTOMER),
        _paid("99120070", 938.4, _link("Invoice", "5150120", -1200, 0.782), customerRef=_CUSTOMER),
        _paid(
            "cnr-31007",
            0,
            _link("Invoice", "5150077", -70),
            _link("CreditNote", "5150101", 70),
            bank=False,
            customerRef=_CUSTOMER,
        ),
        _paid("wo-5150097", 0, _link("Invoice", "5150097", -240), _link("Other", None, 240), bank=False),
    ),
    "billPayments": (
        _paid("99130007", 310, _link("Bill", "7300456", -310), supplierRef=_SUPPLIER),
        _paid("99130031", -96, _link("CreditNote", "7300470", 96), supplierRef=_SUPPLIER),
    ),
    "directCosts": (_direct("99140001", 49, 9.8, "285"), _direct("exp-880012", 60, 0, "285", "905-1")),
    "directIncomes": (_direct("99150001", 5, 0, "001"),),
    "transfers": (
        {
            "id": "99160010",
            "date": _DAY,
            "from": {"accountRef": {"id": "738783", "dataType": "bankAccounts"}, "currency": "GBP", "amount": 500},
            "to": {"accountRef": {"id": "738790", "dataType": "bankAccounts"}, "currency": "USD", "amount": 620},
            "status": "Reconciled",
        },
    ),
    "profitAndLoss": (
        _profit_and_loss("2024-04", "2024-04-30", _group("Income"), _group("Cost of sales"), _group("Expenses")),
        _profit_and_loss(
            "2024-05",
            "2024-05-31",
            _group("Income", a001=1768.4, a062=1000),
            _group("Cost of sales", a104=520),
            _group("Expenses", a285=109, a450=240),
        ),
    ),
    "balanceSheet": (
        _balance_sheet("2024-04", "2024-04-30", _group("Current assets"), _group("Current liabilities"), 0),
        _balance_sheet(
            "2024-05",
            "2024-05-31",
            _group("Current assets", a738783=1470.6, a738790=500, a681=350),
            _group("Current liabilities", a796=360, a814=-150, a817=51.2, a905_1=60, a999=100),
            1899.4,
        ),
    ),
    "cashFlowStatement": (
        {
            "id": "2024-05",
            "currency": "GBP",
            "reportBasis": "Cash",
            "reportInput": "Direct",
            "report": {
                "fromDate": "2024-05-01T00:00:00",
                "toDate": "2024-05-31T00:00:00",
                "cashReceipts": {"name": "Cash receipts", "value": 2239.4, "items": []},
                "cashPayments": {"name": "Cash payments", "value": 368.8, "items": []},
            },
        },
    ),
    "journals": ({"id": "general-ledger", "hasChildren": False, "status": "Active"},),
    "journalEntries": tuple(_entry(id_, *of) for id_, of in _POSTED.items()),
    "accountTransactions": (
        _bank_line("66000001", "738783", 400, "payments", "99120044"),
        _bank_line("66000002", "738783", 800, "payments", "99120061"),
        _bank_line("66000003", "738783", 938.4, "payments", "99120070"),
        _bank_line("66000004", "738783", -310, "billPayments", "99130007"),
        _bank_line("66000005", "738783", 96, "billPayments", "99130031"),
        _bank_line("66000006", "738783", -58.8, "directCosts", "99140001"),
        _bank_line("66000007", "738783", 5, "directIncomes", "99150001"),
        _bank_line("66000008", "738783", -500, "transfers", "99160010"),
        _bank_line("66000009", "738783", -0.4),
        _bank_line("66000010", "738790", 620, "transfers", "99160010"),
    ),
    "bankTransactions": tuple(
        {
            "id": id_,
            "accountId": account,
            "clearedOnDate": _DAY,
            "amount": amount,
            "reconciled": id_ not in ("66000009", "66000010"),
            "transactionType": "Credit" if amount > 0 else "Debit",
        }
        for id_, account, amount in (
            ("66000001", "738783", 400),
            ("66000002", "738783", 800),
            ("66000003", "738783", 938.4),
            ("66000004", "738783", -310),
            ("66000005", "738783", 96),
            ("66000006", "738783", -58.8),
            ("66000007", "738783", 5),
            ("66000008", "738783", -500),
            ("66000009", "738783", -0.4),  # not explained yet
            ("66000010", "738790", 620),  # explained, and left to be looked at
        )
    ),
}
_D = Decimal
_DOCUMENTS: Mapping[str, Mapping[str, Figures | None]] = {
    "invoices": {
        "5150077": Figures(_D(810), _D(675), _D(135), _D(340)),
        "5150090": Figures(_D(1000), _D(1000), _D(200), _D(0), _D(200), _D(200)),
        "5150093": Figures(_D(60), _D(50), _D(10), _D(60)),
        "5150095": Figures(_D(96), _D(80), _D(16)),
        "5150097": Figures(_D(240), _D(200), _D(40)),
        "5150120": Figures(_D(1200), _D(1200), _D(0), _D(0)),
    },
    "creditNotes": {"5150101": Figures(_D(120), _D(100), _D(20), _D(50))},
    "bills": {"7300456": Figures(_D(720), _D(600), _D(120), _D(310), _D(100), _D(50))},
    "billCreditNotes": {"7300470": Figures(_D(96), _D(80), _D(16))},
}
_MOVEMENTS: Mapping[str, Movement | None] = {
    "99120044": Movement(_D(400)),
    "99120061": Movement(_D(800)),
    "99120070": Movement(_D("938.4")),
    "99130007": Movement(_D(-310)),
    "99130031": Movement(_D(96)),
    "99140001": Movement(_D("-58.8"), _D("-9.8")),
    "99150001": Movement(_D(5), _D(0)),
    "99160010": Movement(_D(-500), other_side="99160011"),
    "99160011": Movement(_D(620), other_side="99160010", to_review="66000010"),
    "exp-880012": Movement(_D(-60)),
}
_YEAR, _APRIL, _MAY = date(2024, 4, 1), date(2024, 4, 30), date(2024, 5, 31)


def _sheet(on: date, net: int, **accounts: int) -> Sheet:
    return Sheet(
        on=on,
        accounts={one.lstrip("a").replace("_", "-"): _D(total) for one, total in accounts.items()},
        retained_account="968",
        retained=_D(-net),
        net_assets=_D(net),
        equity=_D(net),
    )


def _profit(on: date, income: int, costs: int, profit: int) -> Profit:
    earned = {"income": _D(income), "costs": _D(costs), "operating": _D(profit), "profit": _D(profit)}
    return Profit(since=_YEAR, on=on, first_month="2024-04", **earned)


_SHEETS = (
    _sheet(_APRIL, 0),
    _sheet(
        _MAY,
        1899,
        a738783=1471, a738790=500, a681=350, a796=-360, a814=150, a817=-51, a905_1=-60, a999=-100,
    ),
)  # fmt: skip


class Shelf:
    """The books, and what their source says: both may be changed before they are checked."""

    def __init__(self) -> None:
        self.books = {
            data_type: {one.get("id", data_type): deepcopy(one) for one in records}
            for data_type, records in _BOOKS.items()
        }
        self.bytes: dict[tuple[str, str], bytes] = {}  # documents stored otherwise than they should be
        self.deleted: dict[str, set[str]] = {}
        self.gone: dict[str, set[str]] = {}  # deleted at the source, and served still
        self.lacks: dict[str, str] = {}
        self.earlier: dict[str, datetime] = {}  # when data types were read that were not read with the others
        self.told = {data_type: dict(figures) for data_type, figures in _DOCUMENTS.items()}
        self.movements = dict(_MOVEMENTS)
        self.bank = {
            "738783": BankFigures(_D(100), _D("1470.2")),
            "738790": BankFigures(_D(0), _D(620)),
        }
        self.open_lines = [("66000009", "738783", _D("-0.4"))]
        self.totals = dict(_TOTALS)
        self.opening = {"738783": _D(100), "999": _D(-100)}
        self.contacts = {"4410021": _D(350), "4410045": _D(-360)}
        self.changed: dict[str, list[Redated]] = {}  # in this reading, by data type
        self.ahead: dict[str, list[tuple[str, datetime]]] = {}
        self.reported = Reported(
            sheets=_SHEETS,
            profits=(_profit(_APRIL, 0, 0, 0), _profit(_MAY, 2768, 869, 1899)),
            cash=Cash(_YEAR, _MAY, _D("1870.6")),
            standings=(Standing(_APRIL, _D(100), _D(0)), Standing(_MAY, _D("1970.6"), _D("-51.2"))),
            tax_periods=((date(2024, 5, 1), _MAY),),
        )
        self.facts = SourceFacts(
            documents={data_type: self._teller(data_type) for data_type in self.told},
            movements=lambda: iter(sorted(self.movements.items())),
            is_movement=lambda id_: not id_.startswith(("cnr-", "wo-")),
            bank=self.bank,
            open_lines=lambda: iter(self.open_lines),
            ledger=LedgerFacts(
                totals=self.totals,
                until=date(2024, 5, 31),
                debtors="681",
                creditors="796",
                users={"905-1"},
                taxes={"817"},
                retained="968",
                suspense="999",
                began=date(2024, 5, 1),
                year_began=date(2024, 4, 1),
                opening=self.opening,
            ),
            contacts=lambda: iter(sorted(self.contacts.items())),
            reported=self.reported,
        )

    def _teller(self, data_type: str) -> Any:
        return lambda: iter(sorted(self.told[data_type].items()))

    def plant(self, data_type: str, id_: str, path: str, value: Any) -> None:
        """Change one member of one record, such as `lineItems.0.totalAmount`; None takes it away."""
        place: Any = self.books[data_type][id_]
        *way, last = path.split(".")
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        if value is None:
            del place[last]
        else:
            place[int(last) if last.isdigit() else last] = value

    def check(self) -> dict[str, Line]:
        """What comes of each identity, by its code."""
        return {line.code: line for line in check(self, self.facts)}

    def breached(self) -> set[str]:
        return {code for code, line in self.check().items() if line.state == "breached"}

    # As the store would give it

    def data_types(self) -> Collection[str]:
        return self.books.keys() - self.earlier.keys()

    def read_earlier(self, data_type: str) -> datetime | None:
        return self.earlier.get(data_type)

    def present(self, data_type: str, ids: Collection[str]) -> Set[str]:
        return {*ids} & (self.books[data_type].keys() | self.deleted.get(data_type, set()))

    def pile(self, of: type[_T]) -> Pile[_T]:
        return Pile(of)

    def documents(self, data_type: str) -> Iterator[tuple[str, bytes]]:
        decode = decoder(SHAPES[data_type].struct).decode
        for id_, one in sorted(self.books[data_type].items()):
            stored = self.bytes.get((data_type, id_))
            yield id_, stored or encode(decode(msgspec.json.encode(one)))

    def outlived(self, data_type: str) -> Iterator[str]:
        return iter(sorted(self.gone.get(data_type, set())))

    def left_out(self, data_type: str) -> str | None:
        return None

    def lacking(self, data_type: str) -> str | None:
        return self.lacks.get(data_type)

    def begun_at(self) -> datetime:
        return datetime(2024, 5, 31, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return datetime(2024, 5, 31, 12, 5, tzinfo=UTC)

    def redated(self, data_type: str) -> Iterator[Redated]:
        return iter(self.changed.get(data_type, ()))

    def modified_after(self, data_type: str, moment: datetime) -> Iterator[tuple[str, datetime]]:
        return iter(self.ahead.get(data_type, ()))
