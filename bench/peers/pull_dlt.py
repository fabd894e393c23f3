"""dlt's rest_api source, as its documentation shows it, into DuckDB or SQLite.

    python pull_dlt.py --base URL --out DIR --destination duckdb|sqlite [--tuned]

--tuned: what a user would set after reading on: resources extracted in parallel, files loaded as
Parquet instead of the default INSERT statements. Nested items become child tables in either case.
"""

import argparse
import os
from pathlib import Path

ap = argparse.ArgumentParser()
ap.add_argument("--base", required=True)
ap.add_argument("--out", required=True, type=Path)
ap.add_argument("--destination", choices=("duckdb", "sqlite"), default="duckdb")
ap.add_argument("--tuned", action="store_true")
a = ap.parse_args()
os.environ.update(
    RUNTIME__DLTHUB_TELEMETRY="false",
    RUNTIME__LOG_LEVEL="ERROR",
    DLT_DATA_DIR=str(a.out / "dlt"),
    DLT_PROJECT_DIR=str(a.out),
)

import dlt  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402

account = f"{a.base}/v2/bank_accounts/1"


def resource(name: str, **params: str) -> dict:
    return {
        "name": name,
        "endpoint": {"path": name, "params": {"per_page": 100, **params}, "data_selector": name},
    }


source = rest_api_source(
    {
        "client": {
            "base_url": f"{a.base}/v2/",
            "auth": {"type": "bearer", "token": "stub"},
            "paginator": {"type": "header_link"},
        },
        "resource_defaults": {"primary_key": "url", "write_disposition": "merge"},
        "resources": [
            resource("contacts"),
            resource("invoices", nested_invoice_items="true"),
            resource("bills", nested_bill_items="true"),
            resource("bank_transactions", bank_account=account),
            resource("bank_transaction_explanations", bank_account=account),
        ],
    }
)
if a.tuned:
    # The "parallelized" key of a resource's configuration had no effect in dlt 1.31: requests stayed one at a time.
    for each in source.resources.values():
        each.parallelize()
destination = (
    dlt.destinations.duckdb(str(a.out / "dlt.duckdb"))
    if a.destination == "duckdb"
    else dlt.destinations.sqlalchemy(f"sqlite:///{a.out / 'dlt.sqlite'}")
)
pipeline = dlt.pipeline("bench", pipelines_dir=str(a.out / "pipelines"), destination=destination, dataset_name="fa")
print(pipeline.run(source, loader_file_format="parquet" if a.tuned else None))
rows = pipeline.last_trace.last_normalize_info.row_counts
print("pulled", sum(n for name, n in rows.items() if "__" not in name and not name.startswith("_dlt")))
