"""The physical limit: fetch the pages, decode them, bulk-insert raw JSON into SQLite. No product.

python pull_bare.py --base http://127.0.0.1:9100 --out DIR --client httpx|aiohttp --concurrency 8
"""

import argparse
import asyncio
import sqlite3
import time
from pathlib import Path

import msgspec

KINDS = ("contacts", "invoices", "bills", "bank_transactions", "bank_transaction_explanations")
EXTRA = {
    "invoices": "&nested_invoice_items=true",
    "bills": "&nested_bill_items=true",
    "bank_transactions": "&bank_account={base}/v2/bank_accounts/1",
    "bank_transaction_explanations": "&bank_account={base}/v2/bank_accounts/1",
}


class Row(msgspec.Struct):
    """Only what the store needs; the rest of each record is skipped by the decoder."""

    url: str
    updated_at: str


RAW = msgspec.json.Decoder(dict[str, list[msgspec.Raw]])
ROW = msgspec.json.Decoder(Row)
UPSERT = (
    "insert into record(kind, url, updated_at, doc) values (?,?,?,?) on conflict(kind, url) "
    "do update set updated_at = excluded.updated_at, doc = excluded.doc where record.doc is not excluded.doc"
)


def store(db: sqlite3.Connection, kind: str, body: bytes) -> int:
    rows = []
    for raw in RAW.decode(body)[kind]:
        row = ROW.decode(raw)
        rows.append((kind, row.url, row.updated_at, bytes(raw)))
    with db:
        db.executemany(UPSERT, rows)
    return len(rows)


async def pull(base: str, db: sqlite3.Connection, get, concurrency: int) -> int:
    """get(url) -> (total, body). Page 1 of each kind tells how many pages there are."""
    todo: asyncio.Queue = asyncio.Queue()
    total = 0
    for kind in KINDS:
        todo.put_nowait((kind, 1))

    async def worker() -> None:
        nonlocal total
        while True:
            kind, page = await todo.get()
            extra = EXTRA.get(kind, "").format(base=base)
            count, body = await get(f"{base}/v2/{kind}?page={page}&per_page=100{extra}")
            if page == 1:
                for p in range(2, -(-count // 100) + 1):
                    todo.put_nowait((kind, p))
            total += store(db, kind, body)
            todo.task_done()

    tasks = [asyncio.create_task(worker()) for _ in range(concurrency)]
    joined = asyncio.create_task(todo.join())
    await asyncio.wait([joined, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()  # a worker ends only by an error
        task.cancel()
    return total


async def main() -> None:
    ap = argparse.ArgumentParser()
    ap.add_argument("--base", required=True)
    ap.add_argument("--out", required=True, type=Path)
    ap.add_argument("--client", choices=("httpx", "aiohttp"), default="httpx")
    ap.add_argument("--concurrency", type=int, default=8)
    a = ap.parse_args()
    db = sqlite3.connect(a.out / "bare.sqlite")
    db.execute("pragma journal_mode=wal")
    db.execute("pragma synchronous=normal")
    db.execute(
        "create table if not exists record(kind text, url text, updated_at text, doc blob, primary key(kind, url)) without rowid"
    )
    headers = {"Authorization": "Bearer stub", "User-Agent": "bench"}
    began = time.perf_counter()
    if a.client == "httpx":
        import httpx

        async with httpx.AsyncClient(headers=headers, limits=httpx.Limits(max_connections=a.concurrency)) as client:

            async def get(url: str):
                r = await client.get(url)
                r.raise_for_status()
                return int(r.headers["X-Total-Count"]), r.content

            n = await pull(a.base, db, get, a.concurrency)
    else:
        import aiohttp

        async with aiohttp.ClientSession(
            headers=headers, connector=aiohttp.TCPConnector(limit=a.concurrency)
        ) as session:

            async def get(url: str):
                async with session.get(url) as r:
                    r.raise_for_status()
                    return int(r.headers["X-Total-Count"]), await r.read()

            n = await pull(a.base, db, get, a.concurrency)
    print(f"pulled {n} in {time.perf_counter() - began:.2f}s")


asyncio.run(main())
