"""The peer for the list row: FastAPI with pydantic models over SQLite, as its documentation shows it.

    python models.py FILE PORT

The documents of FILE's `results` are kept as JSON in a table; each request reads them, validates them into models and
lets the framework write the page.
"""

import json
import sqlite3
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field


class Ref(BaseModel):
    id: str
    name: str | None = None
    companyName: str | None = None
    effectiveTaxRate: Decimal | None = None


class Line(BaseModel):
    description: str | None = None
    unitAmount: Decimal
    quantity: Decimal
    discountAmount: Decimal | None = None
    subTotal: Decimal | None = None
    taxAmount: Decimal | None = None
    totalAmount: Decimal | None = None
    discountPercentage: Decimal | None = None
    accountRef: Ref | None = None
    taxRateRef: Ref | None = None
    isDirectIncome: bool | None = None


class Metadata(BaseModel):
    isDeleted: bool


class Invoice(BaseModel):
    id: str
    invoiceNumber: str | None = None
    customerRef: Ref | None = None
    issueDate: datetime
    dueDate: datetime | None = None
    paidOnDate: datetime | None = None
    currency: str | None = None
    currencyRate: Decimal | None = None
    lineItems: list[Line] | None = None
    paymentAllocations: list[dict] | None = None
    withholdingTax: list[dict] | None = None
    totalDiscount: Decimal | None = None
    subTotal: Decimal | None = None
    totalTaxAmount: Decimal
    totalAmount: Decimal
    amountDue: Decimal
    discountPercentage: Decimal | None = None
    status: str
    note: str | None = None
    sourceModifiedDate: datetime | None = None
    modifiedDate: datetime | None = None
    metadata: Metadata | None = None


class Page(BaseModel):
    results: list[Invoice]
    pageNumber: int
    pageSize: int
    totalResults: int
    links: dict = Field(alias="_links")


held = sqlite3.connect(":memory:", check_same_thread=False)
held.execute("CREATE TABLE invoices (id INTEGER PRIMARY KEY, status TEXT, document TEXT)")
for row in json.loads(Path(sys.argv[1]).read_bytes(), parse_float=Decimal)["results"]:
    document = json.dumps(row, default=str)
    held.execute("INSERT INTO invoices (status, document) VALUES (?, ?)", (row["status"], document))
app = FastAPI()


@app.get("/page", response_model=Page)
async def page() -> Page:
    rows = held.execute("SELECT document FROM invoices ORDER BY id LIMIT 100")
    results = [Invoice.model_validate(json.loads(document)) for (document,) in rows]
    links = {"self": {"href": "/page"}, "current": {"href": "/page"}}
    return Page(results=results, pageNumber=1, pageSize=100, totalResults=len(results), _links=links)


uvicorn.run(app, port=int(sys.argv[2]), log_config=None, access_log=False)
